"""What the shop's people do to cards by hand: top up, sell at the till, take a mistaken activation back.

Every write has a key, leaves an event with who and why, and holds the card's lock while it decides.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from oscar_loyalty import clock, times
from oscar_loyalty.defaults import conf
from oscar_loyalty.giftcards import codes, expiry, guard, selectors, services
from oscar_loyalty.giftcards.cards import follow, locked, log
from oscar_loyalty.giftcards.exceptions import CodeRefused, GiftCardError, NotAllowed
from oscar_loyalty.giftcards.guard import Guard
from oscar_loyalty.giftcards.laws import law_of
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.ledger.exceptions import Blocked, KeyConflict
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import format_money, to_minor

MANAGE, APPROVE = "loyalty_members.manage_cards", "loyalty_members.approve_points"
#: The most that one card is believed to hold.
DEAREST = Decimal("100000")


def check_limit(*, user: Any, amount: Decimal, currency: str) -> None:
    """Refuse to let ``user`` put ``amount`` on cards by hand; ``None``, the command line, may.

    :raises NotAllowed: without the permission to manage cards, or above ``OSCAR_LOYALTY_GIFTCARD_TOPUP_LIMIT`` without
        the one to approve points.
    """
    if user is None:
        return
    if not user.has_perm(MANAGE):
        raise NotAllowed(_("You may not put money on gift cards."))
    if amount > conf.GIFTCARD_TOPUP_LIMIT and not user.has_perm(APPROVE):
        raise NotAllowed(
            _("More than %(limit)s at a time needs somebody who may approve points.")
            % {"limit": format_money(conf.GIFTCARD_TOPUP_LIMIT, currency)}
        )


def topped_up_end(card: Any, at: datetime) -> datetime | None:
    """Return when ``card`` ends once money is put on it at ``at``: not before a card loaded now would, by the policy
    and by the law, and never earlier than it does."""
    chosen = expiry.policy()
    law = law_of(chosen.country)
    if card.expires_at is None or (law is not None and law.forever):
        return None
    end = expiry.policy_end(at)
    if end is None and card.expires_at > at:
        # The shop's cards never end, but this one was given an end: it keeps it, as far as the law lets it.
        end = law.earliest(at) if law is not None else card.expires_at
        end = end or card.expires_at
    return expiry.later(card.expires_at, end)


@transaction.atomic
def top_up(*, card: Any, amount: Decimal, reason: str, key: str, user: Any) -> Any:
    """Put ``amount`` on an active card and return it; once for each ``key``. A card with an end lives on as long as one
    loaded now; what expired of it does not come back by this (:func:`oscar_loyalty.giftcards.expiry.extend` does that).

    :raises NotAllowed: as :func:`check_limit`.
    :raises GiftCardError: when the card is not active.
    :raises KeyConflict: when the key was used for another amount.
    :raises ValueError: without a reason, or when the amount is not above zero, or finer than the currency.
    """
    units = to_minor(amount, card.currency)
    if units <= 0 or amount > DEAREST or not reason.strip():
        raise ValueError("A top-up needs a reason, and an amount above zero that can be believed.")
    check_limit(user=user, amount=amount, currency=card.currency)
    row = locked(card)
    name = f"giftcard:{row.uuid}:topped_up:{key}"
    before = row.account.entries.filter(key=name).first()
    if before is not None:
        if before.units != units:
            raise KeyConflict(f"The key {name} has been used for another amount.")
        follow(card, row)
        return card
    if row.state != "active":
        raise GiftCardError(_("The gift card %(label)s is not active.") % {"label": row.label})
    now = clock.now()
    actor = actor_of(user)
    end = topped_up_end(row, now)
    if end != row.expires_at:
        expiry.retime(row, end, key=f"top:{key}", actor=actor, at=now)
    books.earn(
        account=row.account_id,
        units=units,
        key=name,
        kind="topped_up",
        usable_from=now,
        expires_at=row.expires_at,
        source=Ref.of("giftcard", row.uuid),
        actor=actor,
        explanation={"why": "topped_up"},
        happened_at=now,
        note=reason.strip()[:255],
    )
    log(row, "topped_up", now, actor, reason=reason.strip()[:255], amount=str(amount), key=key)
    follow(card, row)
    return card


def find(typed: str, *, who: Guard, site: Any = None) -> Any:
    """Return the card of a batch of ``site`` that somebody at the till means: by its code, or by its short label.

    Whatever is refused counts as a try of ``who``, as with :func:`oscar_loyalty.giftcards.services.look_up`.

    :raises TooManyTries: when there are none left.
    :raises CodeRefused: when there is no such card, or it is not one that is sold at the till.
    """
    guard.reserve(who)
    text = codes.normalise(typed)
    cards = selectors.cards(site).filter(batch__at_till=True)
    found = None
    if len(text) == 8 and all(letter in "0123456789ABCDEF" for letter in text):
        # Two cards may share a label: then only the code tells them apart.
        rows = list(cards.filter(uuid__gte=f"{text}{'0' * 24}", uuid__lte=f"{text}{'f' * 24}")[:2])
        found = rows[0] if len(rows) == 1 else None
    elif fingerprints := codes.fingerprints(typed):
        found = cards.filter(lookup__in=fingerprints).first()
    if found is None:
        raise CodeRefused
    guard.give_back(who)
    return found


@transaction.atomic
def activate_at_till(
    *, card: Any, key: str, user: Any, value: Decimal | None = None, note: str = "", deliver: bool = False
) -> Any:
    """Load a card of a batch that was paid at the till, and return it; once for each ``key``.

    ``value`` is what a blank card is worth; others have their own.

    :raises GiftCardError: when the card is not one that waits to be sold at the till.
    :raises NotAllowed: when a blank card is to hold more than ``user`` may put on a card.
    :raises ValueError: when a blank card gets no value, or one that cannot be.
    """
    row = locked(card)
    if row.events.filter(kind="activated", detail__key=key).exists():
        follow(card, row)
        return card
    batch = row.batch
    if batch is None or not batch.at_till:
        raise GiftCardError(_("The gift card %(label)s is not sold at the till.") % {"label": row.label})
    if row.state != "waiting":
        raise GiftCardError(_("The gift card %(label)s is active already, or disabled.") % {"label": row.label})
    now = clock.now()
    end = expiry.end_of_batch(batch, now)
    if end is not None and end <= now:
        raise GiftCardError(_("The last day of the gift card %(label)s has passed.") % {"label": row.label})
    if row.value == 0:
        if value is None or to_minor(value, row.currency) <= 0 or value > DEAREST:
            raise ValueError("A blank card needs a value above zero that can be believed.")
        check_limit(user=user, amount=value, currency=row.currency)
        row.value = value
        # First: the database refuses an active card that is worth nothing.
        row.save(update_fields=["value"])
    services.activate(card=row, key=key, actor=actor_of(user), deliver=deliver, expires_at=end, happened_at=now)
    if note:
        event = row.events.filter(kind="activated").order_by("-pk").first()
        event.detail |= {"reason": note[:255]}
        event.save(update_fields=["detail"])
    follow(card, row)
    return card


def can_take_back(card: Any) -> bool:
    """Whether a card's activation at the till was today, and nothing has happened to its money since."""
    if card.batch_id is None or card.state != "active" or card.activated_at is None or not card.batch.at_till:
        return False
    if times.day_of(card.activated_at) != times.day_of(clock.now()):
        return False
    entries = list(card.account.entries.order_by("-sequence")[:1])
    return bool(entries) and entries[0].kind == "loaded" and not card.account.holds.filter(state="open").exists()


@transaction.atomic
def deactivate(*, card: Any, reason: str, actor: Ref = NOBODY) -> Any:
    """Take a mistaken activation at the till back, on the day it was made, and return the card: it waits again, and a
    blank one is blank again. A card that waits already is left as it is.

    :raises GiftCardError: later, or when the card has been used since.
    """
    row = locked(card)
    if row.state == "waiting" and row.batch_id is not None:
        follow(card, row)
        return card
    get_model("loyalty_ledger", "Account").objects.select_for_update().get(pk=row.account_id)
    if not can_take_back(row):
        raise GiftCardError(
            _("The activation of %(label)s can only be taken back on its day, while nothing has been paid with it.")
            % {"label": row.label}
        )
    now = clock.now()
    entry = row.account.entries.order_by("-sequence").first()
    try:
        books.reverse(
            entry=entry, key=f"giftcard:{row.uuid}:taken_back:{entry.pk}", policy="block", actor=actor, happened_at=now
        )
    except Blocked as error:
        raise GiftCardError(str(error)) from error
    was = row.value
    row.state, row.activated_at, row.expires_at = "waiting", None, None
    if row.batch.value is None:
        row.value = Decimal(0)
    row.save(update_fields=["state", "activated_at", "expires_at", "value"])
    log(row, "deactivated", now, actor, reason=reason, value=str(was))
    follow(card, row)
    return card


def actor_of(user: Any) -> Ref:
    """Return how histories remember ``user``; ``None`` is the command line."""
    return Ref.of("user", user.pk) if user is not None else Ref.of("command", "loyalty_giftcards")
