"""When gift cards end: the shop's policy with the floor of its law, later ends, and the reminder.

A card has one end: ``expires_at``, and that of every lot of its money. The lots decide what can be spent, so a sweep
that comes late changes no answer. Only what returns to a card that has ended lives a little longer than the card.
"""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from oscar_loyalty import clock, times
from oscar_loyalty.defaults import conf
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import sweeper
from oscar_loyalty.giftcards.cards import follow, locked, log
from oscar_loyalty.giftcards.exceptions import GiftCardError, NotAllowed
from oscar_loyalty.giftcards.laws import LAWS, law_of
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model

#: The end of a card that the policy decides, when it is loaded; :func:`oscar_loyalty.giftcards.services.activate` takes
#: it in place of a moment.
BY_POLICY: Any = object()
#: Cards reminded of in one sweep.
SLICE = 500


def policy() -> Any:
    """Return the shop's policy; before the owner has chosen one, cards never end."""
    ExpiryPolicy = get_model("loyalty_giftcards", "ExpiryPolicy")
    return ExpiryPolicy.objects.filter(name="default").first() or ExpiryPolicy(name="default")


def policy_end(start: datetime) -> datetime | None:
    """Return when a card loaded at ``start`` ends by the policy, never before its law allows; ``None``: never."""
    chosen = policy()
    end = times.end_of_life(start, chosen.months)
    law = law_of(chosen.country)
    earliest = law.earliest(start) if law is not None else None
    return max(end, earliest) if end is not None and earliest is not None else end


def check_months(months: int | None, *, country: str) -> None:
    """Refuse a life in months that the law of ``country`` does not allow.

    :raises ValidationError: with the reason.
    """
    law = law_of(country)
    if months is None or law is None:
        return
    if law.forever:
        raise ValidationError(
            _("In %(country)s a gift card may not end (%(source)s). Leave this empty."),
            params={"country": law.name, "source": law.source},
        )
    if law.months is not None and months < law.months:
        raise ValidationError(
            _("In %(country)s a gift card lives at least %(months)s months (%(source)s)."),
            params={"country": law.name, "months": law.months, "source": law.source},
        )


def check_end(end: datetime | None, *, start: datetime | None = None) -> None:
    """Refuse the end of a card loaded at ``start`` (default: now) that has passed, or that the shop's law forbids.

    :raises ValidationError: with the reason.
    """
    start = start or clock.now()
    if end is None:
        return
    if end <= clock.now():
        raise ValidationError(_("This day has passed."))
    law = law_of(policy().country)
    if law is not None and law.forever:
        check_months(1, country=law.code)
    earliest = law.earliest(start) if law is not None else None
    if law is not None and earliest is not None and end < earliest:
        check_months(0, country=law.code)


@transaction.atomic
def set_policy(*, country: str, months: int | None) -> Any:
    """Let new cards live ``months`` (``None``: for ever), under the law of ``country``; return the policy. Cards that
    are loaded keep the end they have.

    :raises ValidationError: when the law asks for more, or the country is unknown.
    """
    if country and country not in LAWS:
        raise ValidationError(_("There is no preset for this country."))
    check_months(months, country=country)
    ExpiryPolicy = get_model("loyalty_giftcards", "ExpiryPolicy")
    row, _made = ExpiryPolicy.objects.update_or_create(
        name="default", defaults={"country": country, "months": months, "changed_at": clock.now()}
    )
    return row


def end_of_batch(batch: Any, start: datetime) -> datetime | None:
    """Return when a card of ``batch`` loaded at ``start`` ends."""
    if batch.expiry == batch.POLICY:
        return policy_end(start)
    if batch.expiry == batch.MONTHS:
        return times.end_of_life(start, batch.months)
    return batch.expires_at if batch.expiry == batch.DAY else None


def later(first: datetime | None, second: datetime | None) -> datetime | None:
    """Return the later of two ends; ``None`` is no end."""
    return None if first is None or second is None else max(first, second)


@transaction.atomic
def extend(
    *, card: Any, expires_at: datetime | None, key: str, reason: str, actor: Ref = NOBODY, bring_back: bool = True
) -> Any:
    """Give a card a later end (``None``: none) and return it; once for each ``key``.

    With ``bring_back``, what had expired of it comes back: expiries are never undone, so it is booked anew, with the
    card's new end.

    :raises GiftCardError: when the card is not active.
    :raises NotAllowed: when the new end is not later than the one it has, or has passed.
    """
    row = locked(card)
    if row.events.filter(kind="extended", detail__key=key).exists():
        follow(card, row)
        return card
    if row.state != "active":
        raise GiftCardError(_("The gift card %(label)s is not active.") % {"label": row.label})
    now = clock.now()
    if expires_at is not None and (expires_at <= now or row.expires_at is None or expires_at <= row.expires_at):
        raise NotAllowed(_("The new end must be later than the one the card has."))
    if expires_at is None and row.expires_at is None:
        raise NotAllowed(_("This card never ends."))
    before = row.expires_at
    retime(row, expires_at, key=key, actor=actor, at=now)
    back = expired_units(row) if bring_back else 0
    if back:
        books.earn(
            account=row.account_id,
            units=back,
            key=f"giftcard:{row.uuid}:revived:{key}",
            kind="revived",
            usable_from=now,
            expires_at=expires_at,
            source=Ref.of("giftcard", row.uuid),
            actor=actor,
            explanation={"why": "extended"},
            happened_at=now,
        )
    log(
        row,
        "extended",
        now,
        actor,
        reason=reason,
        key=key,
        was=before.isoformat() if before else None,
        until=expires_at.isoformat() if expires_at else None,
        brought_back=back,
    )
    follow(card, row)
    return card


def retime(row: Any, expires_at: datetime | None, *, key: str, actor: Ref, at: datetime) -> None:
    """Give a locked card and all money left on it a later end; what is past its old end is posted as expired first."""
    account = get_model("loyalty_ledger", "Account").objects.select_for_update().get(pk=row.account_id)
    sooner = Q(lots__expires_at__lt=expires_at) if expires_at is not None else Q(lots__expires_at__isnull=False)
    entries = get_model("loyalty_ledger", "Entry").objects.filter(sooner, account=account, lots__remaining__gt=0)
    for entry in entries.order_by("sequence").distinct():
        books.extend(
            entry=entry,
            key=f"giftcard:{row.uuid}:until:{key}:{entry.pk}",
            expires_at=expires_at,
            actor=actor,
            explanation={"why": "extended"},
            happened_at=at,
        )
    row.expires_at = expires_at
    row.save(update_fields=["expires_at"])


def expired_units(card: Any, at: datetime | None = None) -> int:
    """Return how much of a card expired and has not come back, in minor units, whether or not a sweep has been by."""
    at = at or clock.now()
    entries = card.account.entries.filter(kind__in=["expire", "revived"])
    lots = get_model("loyalty_ledger", "Lot").objects.filter(account=card.account_id, remaining__gt=0)
    late = lots.filter(expires_at__lte=at).values_list("remaining", "held")
    return sum(left - held for left, held in late) - sum(entries.values_list("units", flat=True))


@sweeper("giftcards.reminders")
def remind() -> int:
    """Leave a reminder for each card that ends soon and has something on it; once for each end."""
    days = conf.GIFTCARD_REMIND_DAYS
    if days <= 0:
        return 0
    now = clock.now()
    cards = get_model("loyalty_giftcards", "GiftCard").objects.filter(
        state="active", expires_at__gt=now, expires_at__lte=now + timedelta(days=days), account__balance__gt=0
    )
    done = 0
    new = Q(reminded_for__isnull=True) | ~Q(reminded_for=F("expires_at"))
    for card in cards.filter(new).order_by("expires_at", "pk")[:SLICE]:
        with transaction.atomic():
            row = locked(card)
            if row.state != "active" or row.expires_at is None or row.reminded_for == row.expires_at:
                continue
            row.reminded_for = row.expires_at
            row.save(update_fields=["reminded_for"])
            end = row.expires_at.isoformat()
            due.leave(kind="giftcards.remind", key=f"{row.uuid}:{end}", payload={"card": row.pk, "until": end})
            done += 1
    return done


def note_reminded(*, card: Any) -> None:
    """Write into the card's history that its holder was reminded."""
    log(card, "reminded", clock.now())
