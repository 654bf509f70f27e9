"""Many cards at a time: batches that are issued or brought in, worked off in slices by due rows.

Each slice is one transaction under the lock of its batch, and each card has a key of its own: a worker that is killed
loses and doubles nothing, and two workers at one slice do it once.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.giftcards import codes, expiry, services, staff
from oscar_loyalty.giftcards.exceptions import GiftCardError
from oscar_loyalty.giftcards.selectors import with_keys
from oscar_loyalty.giftcards.taxes import MULTI
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.books import Earning, Ref
from oscar_loyalty.ledger.exceptions import KeyConflict
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.sites import default_site
from oscar_loyalty.money import to_minor

#: Kind of the due rows that make the cards of a slice.
BATCH = "giftcards.batch"
#: Cards made in one transaction.
SLICE = 200
#: Cards of one batch.
MOST = 10_000
#: How long an import that was looked at, and not confirmed, is kept.
KEPT = timedelta(days=1)
EXPORT = "loyalty_members.export_codes"


def _model(name: str) -> Any:
    return get_model("loyalty_giftcards", name)


@transaction.atomic
def ask(
    *,
    name: str,
    number: int,
    key: str,
    value: Decimal | None,
    currency: str = "",
    site: Any = None,
    reason: str = "",
    at_till: bool = False,
    tax_kind: str = MULTI,
    expiry_kind: str = "policy",
    months: int | None = None,
    expires_at: datetime | None = None,
    user: Any = None,
) -> Any:
    """Ask for ``number`` cards of ``value`` and return their batch; the same ``key`` returns the first one.

    They are made by due rows, in slices. With ``at_till`` they have codes, to be printed, and work once they are
    activated at the till; then ``value`` may be ``None``: each gets its own. Nobody is sent a mail. They pay at
    ``site`` (default: the default one).

    :raises NotAllowed: when they hold more together than ``user`` may put on cards.
    :raises ValidationError: when they would end sooner than the law of the shop's country allows.
    :raises KeyConflict: when the key was used for other cards.
    :raises ValueError: when they are too many or none, or the value cannot be.
    """
    currency = currency or settings.OSCAR_DEFAULT_CURRENCY
    if not 1 <= number <= MOST or not name.strip():
        raise ValueError(f"A batch has a name, and from 1 to {MOST} cards.")
    if value is None and not at_till:
        raise ValueError("Only cards that are activated at the till may be blank.")
    if value is not None and (to_minor(value, currency) <= 0 or value > staff.DEAREST):
        raise ValueError("A gift card is worth more than nothing, and no fortune.")
    if expiry_kind == "months":
        expiry.check_months(months, country=expiry.policy().country)
    elif expiry_kind == "day":
        expiry.check_end(expires_at)
    if value is not None and not at_till:
        staff.check_limit(user=user, amount=value * number, currency=currency)
    else:
        staff.check_limit(user=user, amount=Decimal(0), currency=currency)
    now, actor = clock.now(), staff.actor_of(user)
    fields = {
        "name": name.strip()[:150],
        "reason": reason.strip()[:255],
        "number": number,
        "value": value,
        "currency": currency,
        "site": site or default_site(),
        "at_till": at_till,
        "tax_kind": tax_kind,
        "expiry": expiry_kind,
        "months": months if expiry_kind == "months" else None,
        "expires_at": expires_at if expiry_kind == "day" else None,
    }
    batch, made = _once(key, {**fields, "created_at": now, "actor_type": actor.type, "actor_id": actor.id})
    wanted = (number, value, currency, fields["site"].pk, at_till)
    if (batch.number, batch.value, batch.currency, batch.site_id, batch.at_till) != wanted:
        raise KeyConflict(f"The key {key} has been used for other gift cards.")
    if made:
        log(batch, "created", actor, number=number)
        _leave_slices(batch)
    return batch


def _once(key: str, fields: dict[str, Any]) -> tuple[Any, bool]:
    try:
        with transaction.atomic():
            return _model("GiftCardBatch").objects.get_or_create(key=key, defaults=fields)
    except IntegrityError:
        return _model("GiftCardBatch").objects.get(key=key), False


def log(batch: Any, kind: str, actor: Ref, **detail: Any) -> Any:
    """Write an event into the history of a batch."""
    return _model("GiftCardBatchEvent").objects.create(
        batch=batch, kind=kind, at=clock.now(), actor_type=actor.type, actor_id=actor.id, detail=detail
    )


def _leave_slices(batch: Any) -> None:
    for start in range(0, batch.number, SLICE):
        due.leave(kind=BATCH, key=f"{batch.pk}:{start}", payload={"batch": batch.pk, "start": start})


@handler(BATCH)
def make_slice(row: Any) -> None:
    """Make the cards of one slice that are not there yet."""
    work(batch=row.payload["batch"], start=row.payload["start"])


@transaction.atomic
def work(*, batch: int, start: int) -> int:
    """Make the cards of a batch from number ``start`` on, one slice of them, and return how many were new."""
    row = _model("GiftCardBatch").objects.select_for_update(no_key=True).get(pk=batch)
    if row.state != "running":
        return 0
    total = len(row.rows) if row.kind == row.IMPORT else row.number
    plans = [_plan(row, number) for number in range(start, min(start + SLICE, total))]
    known = with_keys([plan["key"] for plan in plans])
    fresh = [plan for plan in plans if plan["key"] not in known]
    now = clock.now()
    _write(row, fresh, now)
    row.made = _model("GiftCard").objects.filter(batch=row).count()
    complete = row.made >= row.number
    if not complete and row.kind == row.IMPORT:
        complete = len(with_keys([plan["key"] for plan in row.rows])) == total
    if complete:
        row.state, row.finished_at = "done", now
        # What another import brought in meanwhile was known before after all.
        row.known_number += row.number - row.made
        row.number = row.made
        # What people are called, and their addresses, are with their cards now.
        row.rows = []
    row.save(update_fields=["made", "number", "known_number", "state", "finished_at", "rows"])
    return len(fresh)


def _plan(batch: Any, number: int) -> dict[str, Any]:
    """Return what card ``number`` of a batch is to be."""
    if batch.kind == batch.ISSUE:
        return {"key": f"batch:{batch.key}:{number + 1}", "value": batch.value or Decimal(0)}
    row = batch.rows[number]
    ends = row.get("expires")
    return {
        "key": row["key"],
        "value": Decimal(row["value"]),
        "expires_at": datetime.fromisoformat(ends) if ends else None,
        "lookup": row.get("lookup") or None,
        "key_id": row.get("key_id") or "",
        "recipient_name": row.get("recipient") or "",
        "recipient_email": row.get("email") or "",
        "note": row.get("note") or "",
        "currency": row["currency"],
    }


def _write(batch: Any, plans: list[dict[str, Any]], now: datetime) -> None:
    """Write cards with their accounts, events and money, in a few statements."""
    if not plans:
        return
    GiftCard, GiftCardEvent = _model("GiftCard"), _model("GiftCardEvent")
    Account = get_model("loyalty_ledger", "Account")
    actor = Ref(batch.actor_type, batch.actor_id)
    language = get_language() or settings.LANGUAGE_CODE
    ids = [uuid4() for _plan in plans]
    accounts = Account.objects.bulk_create(
        [
            Account(
                unit=plan.get("currency") or batch.currency,
                owner_type="giftcard",
                owner_id=str(uuid),
                opened_at=now,
            )
            for uuid, plan in zip(ids, plans, strict=True)
        ]
    )
    active = not batch.at_till
    end = expiry.end_of_batch(batch, now) if active and batch.kind == batch.ISSUE else None
    cards = []
    for uuid, account, plan in zip(ids, accounts, plans, strict=True):
        card = GiftCard(
            uuid=uuid,
            key=plan["key"],
            account=account,
            batch=batch,
            site_id=batch.site_id,
            value=plan["value"],
            currency=account.unit,
            tax_kind=batch.tax_kind,
            recipient_name=plan.get("recipient_name", ""),
            recipient_email=plan.get("recipient_email", ""),
            language=language,
            created_at=now,
            state="active" if active else "waiting",
            activated_at=now if active else None,
            expires_at=plan.get("expires_at", end),
        )
        if plan.get("lookup"):
            card.lookup, card.key_id, card.foreign_code = plan["lookup"], plan["key_id"], True
        else:
            services.set_code(card)
        cards.append(card)
    cards = GiftCard.objects.bulk_create(cards, batch_size=500)
    events = []
    for card, plan in zip(cards, plans, strict=True):
        detail = {"batch": batch.pk} | ({"reason": plan["note"]} if plan.get("note") else {})
        fields = {"card": card, "at": now, "actor_type": actor.type, "actor_id": actor.id, "detail": detail}
        events.append(GiftCardEvent(kind="issued", **fields))
        if active:
            events.append(GiftCardEvent(kind="activated", **fields))
    GiftCardEvent.objects.bulk_create(events, batch_size=500)
    if active:
        books.earn_many(
            Earning(
                account=card.account_id,
                units=card.units,
                key=f"giftcard:{card.uuid}:loaded",
                kind="loaded",
                usable_from=now,
                expires_at=card.expires_at,
                source=Ref.of("giftcard", card.uuid),
                actor=actor,
                explanation={"why": "giftcard", "batch": batch.pk},
                happened_at=now,
            )
            for card in cards
        )


def finish(*, batch: Any, progress: Callable[[int], Any] | None = None) -> Any:
    """Make all cards of a batch here and now, for the command line; what a sweep does meanwhile is not done twice."""
    for start in range(0, batch.number, SLICE):
        number = work(batch=batch.pk, start=start)
        if progress is not None:
            progress(number)
    batch.refresh_from_db()
    return batch


# Codes


@transaction.atomic
def export_codes(*, batch: Any, user: Any, format: str = "csv") -> Iterator[tuple[Any, str]]:
    """Return the cards of a batch with their codes, for the printer, and note in its history who took them.

    Cards that have ended, are disabled, or have another system's code are left out.

    :raises GiftCardError: without the permission ``loyalty_members.export_codes``, or before all cards are made.
    """
    if user is not None and not user.has_perm(EXPORT):
        raise GiftCardError(_("You may not download codes."))
    if batch.state != "done":
        raise GiftCardError(_("The cards are still being made."))
    log(batch, "exported", staff.actor_of(user), format=format)
    return _with_codes(batch)


def _with_codes(batch: Any) -> Iterator[tuple[Any, str]]:
    cards = _model("GiftCard").objects.filter(batch=batch, foreign_code=False).exclude(state="disabled")
    found = cards.exclude(expires_at__lte=clock.now()).order_by("pk").iterator(chunk_size=500)
    while chunk := list(islice(found, 500)):
        for card in chunk:
            yield card, codes.make(uuid=card.uuid, generation=card.generation, key_id=card.key_id)


# Imports


@transaction.atomic
def keep_import(
    *,
    name: str,
    key: str,
    rows: list[dict[str, Any]],
    refused: list[dict[str, Any]],
    refused_number: int,
    known: int,
    currency: str,
    site: Any = None,
    tax_kind: str = MULTI,
    user: Any = None,
) -> Any:
    """Keep what an import would bring, for somebody to confirm, and return its batch. It holds no codes. Its cards pay
    at ``site`` (default: the default one)."""
    now, actor = clock.now(), staff.actor_of(user)
    batch, made = _once(
        key,
        {
            "kind": "import",
            "state": "tried",
            "name": name.strip()[:150],
            "number": len(rows),
            "currency": currency,
            "site": site or default_site(),
            "tax_kind": tax_kind,
            "expiry": "never",
            "rows": rows,
            "refused": refused,
            "refused_number": refused_number,
            "known_number": known,
            "created_at": now,
            "actor_type": actor.type,
            "actor_id": actor.id,
        },
    )
    if made:
        log(batch, "created", actor, number=len(rows))
    return batch


@transaction.atomic
def start(*, batch: Any, user: Any = None) -> Any:
    """Have an import that was looked at made into cards; again changes nothing. Return the batch.

    :raises NotAllowed: when the cards hold more together than ``user`` may put on cards.
    """
    row = _model("GiftCardBatch").objects.select_for_update(no_key=True).get(pk=batch.pk)
    if row.state == "tried":
        sums: dict[str, Decimal] = {}
        for plan in row.rows:
            sums[plan["currency"]] = sums.get(plan["currency"], Decimal(0)) + Decimal(plan["value"])
        for currency, amount in (sums or {row.currency: Decimal(0)}).items():
            staff.check_limit(user=user, amount=amount, currency=currency)
        row.state = "running" if row.number else "done"
        row.save(update_fields=["state"])
        log(row, "started", staff.actor_of(user))
        _leave_slices(row)
    return row


@sweeper("giftcards.batches")
def forget_tried() -> int:
    """Forget imports that nobody confirmed: they hold people's names and addresses."""
    rows = _model("GiftCardBatch").objects.filter(kind="import", state="tried", created_at__lte=clock.now() - KEPT)
    done = 0
    for row in rows[:50]:
        done += bool(row.delete()[0])
    return done


__all__ = [
    "MOST",
    "SLICE",
    "ask",
    "export_codes",
    "finish",
    "forget_tried",
    "keep_import",
    "start",
    "work",
]
