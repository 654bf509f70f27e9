"""The one writer of the ledger.

Every function takes a ``key``. The same key with the same content returns what the first call wrote; with other
content it raises :class:`~oscar_loyalty.ledger.exceptions.KeyConflict`. The content is the operation, the account, the
units, the kind, and what is being reversed or captured; times and explanations may differ from one try to the next.

Units are whole: points, or the minor unit of a currency. ``happened_at`` (default: now, which one in the future counts
as too) is the moment the write is about: pending, expired and held are decided as of then, and what fell due before it
is posted first, so that every ``balance_after`` is exact. What an account owes is paid by whatever comes, comes back or
comes free: who owes has nothing free. All functions run in one transaction of their own or in the caller's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from oscar_loyalty import clock
from oscar_loyalty.ledger import keyed, rows, shortcut, undoing
from oscar_loyalty.ledger.bulk_earning import earn_plain
from oscar_loyalty.ledger.exceptions import Blocked, HoldClosed, InsufficientUnits
from oscar_loyalty.ledger.expiring import expire_due
from oscar_loyalty.ledger.keyed import NOBODY, Ref
from oscar_loyalty.ledger.pages import (
    Opened,
    Page,
    Pages,
    Refused,
    free,
    in_one_transaction,
    model,
    others_to_lock,
)
from oscar_loyalty.ledger.pausing import pause, resume
from oscar_loyalty.ledger.selectors import undone

POLICIES = {"debt", "write_off", "block"}


@dataclass(frozen=True)
class Earning:
    """What :func:`earn_many` books: ``units`` above zero for an account.

    ``usable_from`` is the moment from which they can be spent (``None``: not known yet, they stay pending),
    ``expires_at`` the moment at which they are gone (``None``: never).
    """

    account: Any
    units: int
    key: str
    usable_from: datetime | None
    expires_at: datetime | None = None
    kind: str = "earn"
    explanation: dict[str, Any] = field(default_factory=dict)
    source: Ref = NOBODY
    actor: Ref = NOBODY
    happened_at: datetime | None = None
    note: str = ""


def open_account(*, unit: str, owner: Ref) -> Any:
    """Return the account of ``owner`` in ``unit``, opening it if there is none."""
    account, _ = model("Account").objects.get_or_create(
        unit=unit, owner_type=owner.type, owner_id=owner.id, defaults={"opened_at": clock.now()}
    )
    return account


def lock(accounts: Iterable[int]) -> None:
    """Lock accounts, and those they were merged into, in the ledger's order, until the caller's transaction ends.

    For whoever writes to several of them in one transaction: nobody then waits for anybody who waits for them.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("What is locked outside a transaction is free at once.")
    _lock(accounts=list(accounts))


def earn_many(earnings: Iterable[Earning], *, opened: Opened | None = None) -> list[Any]:
    """Book many earnings, in the order given, and return their entries.

    Who has ``opened`` the account writes as a part of their own transaction, without a savepoint: whatever goes wrong
    here, nothing of that may stand.

    :raises KeyConflict: when a key has been used for something else; nothing is booked then.
    :raises ValueError: when units are not above zero.
    """
    earnings = list(earnings)
    if not earnings:
        return []
    for earning in earnings:
        keyed.above_zero(earning.units)
        keyed.free_kind(earning.kind)
    if opened is None:
        return _earn_all(earnings)
    try:
        return _earn(earnings, opened)
    except Refused as refused:
        raise refused.__cause__ or refused from None


def _earn(earnings: Sequence[Earning], opened: Opened | None = None) -> list[Any]:
    now = clock.now()
    if len(earnings) == 1 and (made := _earn_at_once(earnings[0], now)) is not None:
        return [made]
    until = max(clock.past(earning.happened_at, now) for earning in earnings)
    keys = [earning.key for earning in earnings]
    pages = Pages({keyed.pk(earning.account) for earning in earnings}, until=until, keys=keys, opened=opened)
    result: dict[str, Any] = {}
    for earning in earnings:
        at = clock.past(earning.happened_at, now)
        fields = _fields(earning, at)
        before = result.get(earning.key) or pages.known.get(earning.key)
        if before is not None:
            result[earning.key] = keyed.same(before, fields["digest"])
            continue
        page = pages[keyed.pk(earning.account)]
        page.post_due(at)
        entry = page.post(**fields)
        page.add_lot(entry, earning.units, usable_from=earning.usable_from, expires_at=earning.expires_at)
        result[earning.key] = entry
    keyed.flush(pages, result)
    notes = {earning.key: earning.note for earning in earnings if earning.note and earning.key not in pages.known}
    texts = [model("EntryNote")(entry=result[key], text=text) for key, text in notes.items()]
    rows.insert(pages.cursor, model("EntryNote"), texts, keys=False)
    return [result[earning.key] for earning in earnings]


_earn_all = in_one_transaction(_earn)


def _fields(earning: Earning, at: datetime) -> dict[str, Any]:
    """Return what an earning's entry says, beside its place in the account."""
    return {
        "kind": earning.kind,
        "units": earning.units,
        "key": earning.key,
        "digest": keyed.digest("earn", keyed.pk(earning.account), earning.units, earning.kind),
        "effective_at": at,
        "explanation": earning.explanation,
        **keyed.refs(earning.source, earning.actor),
    }


def _earn_at_once(earning: Earning, now: datetime) -> Any | None:
    """Book one earning by the database's own function; None where it takes more than that knows of."""
    if others_to_lock():
        # An account was merged: all that must be locked is locked in its order, below. So it is with the others.
        return None
    fields = _fields(earning, clock.past(earning.happened_at, now))
    entry = model("Entry")(account_id=keyed.pk(earning.account), **fields, recorded_at=now)
    if not shortcut.earn(entry, earning.usable_from, earning.expires_at):
        return None
    keyed.note(entry, earning.note)
    return entry


def earn(*, account: Any, units: int, key: str, usable_from: datetime | None, **fields: Any) -> Any:
    """Book one :class:`Earning` and return its entry."""
    return earn_many([Earning(account=account, units=units, key=key, usable_from=usable_from, **fields)])[0]


def earn_in_bulk(earnings: Sequence[Earning]) -> dict[str, int]:
    """Book thousands of earnings as :func:`earn_many` does, a whole account's in one call; return the entries' primary
    keys, by the earnings' keys.
    """
    for earning in earnings:
        keyed.above_zero(earning.units)
        keyed.free_kind(earning.kind)
    if not earnings:
        return {}
    return _earn_in_bulk(earnings=earnings)


@in_one_transaction
def _earn_in_bulk(*, earnings: Sequence[Earning]) -> dict[str, int]:
    found, rest = earn_plain(earnings=earnings)
    found.update((entry.key, entry.pk) for entry in earn_many(rest))
    return found


@in_one_transaction
def spend(
    *,
    account: Any,
    units: int,
    key: str,
    kind: str = "spend",
    explanation: dict[str, Any] | None = None,
    source: Ref = NOBODY,
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
    note: str = "",
) -> Any:
    """Take ``units`` from the usable lots, first-expiring first, and return the entry.

    :raises InsufficientUnits: with the number missing.
    """
    keyed.above_zero(units)
    keyed.free_kind(kind)
    at = clock.past(happened_at)
    fields: dict[str, Any] = {
        "kind": kind,
        "units": -units,
        "key": key,
        "digest": keyed.digest("spend", keyed.pk(account), units, kind),
        "effective_at": at,
        "explanation": explanation or {},
        **keyed.refs(source, actor),
    }
    made = model("Entry")(account_id=keyed.pk(account), **fields, recorded_at=clock.now())
    if not others_to_lock() and shortcut.spend(made):
        keyed.note(made, note)
        return made
    pages = Pages([keyed.pk(account)], until=at, keys=[key])
    if before := pages.known.get(key):
        return keyed.same(before, fields["digest"])
    pages.post_due(at)
    page = pages[keyed.pk(account)]
    chosen = page.pick(units, at)
    entry = page.post(**fields)
    for lot, part in chosen:
        page.take(entry, lot, part)
    keyed.flush(pages, [key])
    keyed.note(entry, note)
    return entry


@in_one_transaction
def hold(
    *,
    account: Any,
    units: int,
    key: str,
    until: datetime,
    within_life: bool = False,
    source: Ref = NOBODY,
    happened_at: datetime | None = None,
) -> Any:
    """Set ``units`` of the usable lots aside until ``until`` and return the hold.

    Whoever pays with held units may do so after their last day. With ``within_life`` the hold ends no later than the
    first of them.

    :raises InsufficientUnits: with the number missing.
    """
    keyed.above_zero(units)
    at = clock.past(happened_at)
    row = model("Hold")(
        account_id=keyed.pk(account),
        key=key,
        digest=keyed.digest("hold", keyed.pk(account), units),
        units=units,
        until=until,
        source_type=source.type,
        source_id=source.id,
        created_at=at,
    )
    if not others_to_lock() and shortcut.hold(row, within_life=within_life):
        return row
    pages = Pages([keyed.pk(account)], until=at, keys=[key], of="Hold")
    if before := pages.known.get(key):
        return keyed.same(before, row.digest)
    pages.post_due(at)
    page = pages[keyed.pk(account)]
    chosen = page.pick(units, at)
    ends = [lot.expires_at for lot, _part in chosen if lot.expires_at is not None] if within_life else []
    row.account, row.until = page.account, min([until, *ends])
    keyed.create_hold(pages, row)
    for lot, part in chosen:
        lot.held += part
        page.touch(lot)
    parts = [model("HoldUse")(hold=row, lot=lot, units=part) for lot, part in chosen]
    rows.insert(pages.cursor, model("HoldUse"), parts, keys=False)
    pages.flush()
    return row


@in_one_transaction
def capture(
    *,
    hold: Any,
    key: str,
    kind: str = "spend",
    explanation: dict[str, Any] | None = None,
    source: Ref = NOBODY,
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
) -> Any:
    """Spend what ``hold`` has set aside and return the entry.

    :raises HoldClosed: when it was released, captured under another key, or its limit has passed.
    """
    keyed.free_kind(kind)
    at = clock.past(happened_at)
    fields: dict[str, Any] = {
        "kind": kind,
        "units": -hold.units,
        "key": key,
        "digest": keyed.digest("capture", hold.account_id, hold.units, kind, hold.pk),
        "effective_at": at,
        "explanation": explanation or {},
        **keyed.refs(source if source != NOBODY else Ref(hold.source_type, hold.source_id), actor),
    }
    made = model("Entry")(account_id=hold.account_id, **fields, recorded_at=clock.now())
    if not others_to_lock() and shortcut.capture(made, hold.pk):
        return made
    pages = Pages([hold.account_id], until=at, keys=[key])
    row = pages.hold(hold.pk)
    if before := pages.known.get(key):
        return keyed.same(before, fields["digest"])
    if row.state != "open" or row.until <= at:
        raise HoldClosed(f"The hold {row.key} is {'past its limit' if row.state == 'open' else row.state}.")
    pages.post_due(at)
    page = pages[row.account_id]
    entry = page.post(**fields)
    page.close_hold(row, "captured", at)
    row.entry = entry
    for lot, part in row.parts:
        page.take(entry, lot, part)
    keyed.flush(pages, [key])
    return entry


@in_one_transaction
def hand_over(
    *,
    hold: Any,
    target: Any,
    key: str,
    explanation: dict[str, Any] | None = None,
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
    notes: tuple[str, str] = ("", ""),
) -> tuple[Any, Any]:
    """Move what ``hold`` has set aside to another account; each part keeps its dates. Return both entries.

    ``notes`` go with the giver's entry and the taker's.

    :raises HoldClosed: when it was released, captured under another key, or its limit has passed.
    :raises ValueError: when both are the same account, or of different units.
    """
    at = clock.past(happened_at)
    keys = (f"{key}:out", f"{key}:in")
    pages = Pages([hold.account_id, keyed.pk(target)], until=at, keys=keys)
    row = pages.hold(hold.pk)
    digest = keyed.digest("hand_over", row.account_id, row.units, "transfer", row.pk, keyed.pk(target))
    if pages.known:
        return keyed.same_pair(pages.known, keys, digest)
    if row.state != "open" or row.until <= at:
        raise HoldClosed(f"The hold {row.key} is {'past its limit' if row.state == 'open' else row.state}.")
    giver, taker = pages[row.account_id], pages[keyed.pk(target)]
    _can_move(giver, taker)
    pages.post_due(at)
    giver.close_hold(row, "captured", at)
    written = _move(giver, taker, row.parts, keys, digest, at, "transfer", explanation or {}, actor)
    row.entry = written[0]
    keyed.flush(pages, keys)
    for entry, text in zip(written, notes, strict=True):
        keyed.note(entry, text)
    return written


@in_one_transaction
def release(*, hold: Any, happened_at: datetime | None = None) -> Any:
    """Free what ``hold`` has set aside; releasing it again changes nothing. Return the hold.

    :raises HoldClosed: when it was captured.
    """
    at = clock.past(happened_at)
    pages = Pages([hold.account_id], until=at)
    row = pages.hold(hold.pk)
    if row.state == "captured":
        raise HoldClosed(f"The hold {row.key} was captured.")
    pages.post_due(at)
    row.refresh_from_db(fields=["state", "closed_at"])
    if row.state == "open":
        page = pages[row.account_id]
        page.close_hold(row, "released", at)
        pages.post_due(at)
    return row


@in_one_transaction
def reverse(
    *,
    entry: Any,
    key: str,
    units: int | None = None,
    policy: str = "debt",
    grace: timedelta = timedelta(0),
    explanation: dict[str, Any] | None = None,
    source: Ref = NOBODY,
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
) -> Any:
    """Undo ``entry``, or ``units`` of it (default: what is left of it), and return the reversing entry.

    An earning is taken back from its own lot, then from others, first-expiring first; what has been spent becomes
    debt, is written off, or refused, by ``policy``: ``"debt"``, ``"write_off"``, ``"block"``. What expired of it is not
    taken back, and what is held is not touched. A spend is given back to the lots it came from, as if the smaller spend
    had been made; what returns to a lot that has expired meanwhile lives ``grace`` longer.

    What was written off, or had expired, counts as undone: no later call asks for it again.

    :raises Blocked: under ``"block"``, when units that were spent would have to be taken back.
    :raises ValueError: when more is asked for than is left of the entry, or it is neither an earning nor a spend.
    """
    if policy not in POLICIES:
        raise ValueError(f"There is no policy {policy!r}.")
    at = clock.past(happened_at)
    pages = Pages([entry.account_id], until=at, keys=[key])
    entry = model("Entry").objects.get(pk=entry.pk)
    if entry.kind in keyed.OWN_KINDS:
        raise ValueError(f"An entry of the kind {entry.kind!r} follows from others and is not reversed by itself.")
    digest = keyed.digest("reverse", entry.account_id, units, "reverse", entry.pk)
    if before := pages.known.get(key):
        return keyed.same(before, digest)
    pages.post_due(at)
    page = pages[entry.account_id]
    done = undone(entry)
    left = abs(entry.units) - done
    asked = left if units is None else units
    if asked < 0 or asked > left:
        raise ValueError(f"{asked} units asked for, {left} are left of entry {entry.pk}.")
    common = {
        "key": key,
        "digest": digest,
        "effective_at": at,
        "reverses": entry,
        **keyed.refs(source if source != NOBODY else Ref(entry.source_type, entry.source_id), actor),
    }
    if entry.units > 0:
        chain = pages.chain(entry.account_id)
        written = undoing.claw_back(page, chain, entry, asked, at, policy, explanation or {}, common)
    else:
        written = undoing.give_back(page, entry, asked, done, at, grace, explanation or {}, common)
    keyed.flush(pages, [key])
    return written


def adjust(*, account: Any, units: int, key: str, usable_from: datetime | None = None, **fields: Any) -> Any:
    """Add (``units`` above zero) or take (below) by hand, and return the entry.

    :raises InsufficientUnits: when more is taken than is usable.
    """
    if units > 0:
        at = usable_from or fields.get("happened_at") or clock.now()
        return earn(account=account, units=units, key=key, usable_from=at, kind="adjust", **fields)
    fields.pop("expires_at", None)
    return spend(account=account, units=-units, key=key, kind="adjust", **fields)


@in_one_transaction
def transfer(
    *,
    source: Any,
    target: Any,
    units: int,
    key: str,
    explanation: dict[str, Any] | None = None,
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
) -> tuple[Any, Any]:
    """Move ``units`` from one account to another; each part keeps its dates. Return both entries.

    :raises InsufficientUnits: with the number missing.
    :raises ValueError: when both are the same account, or of different units.
    """
    keyed.above_zero(units)
    at = clock.past(happened_at)
    digest = keyed.digest("transfer", keyed.pk(source), units, "transfer", keyed.pk(target))
    keys = (f"{key}:out", f"{key}:in")
    pages = Pages([keyed.pk(source), keyed.pk(target)], until=at, keys=keys)
    if pages.known:
        return keyed.same_pair(pages.known, keys, digest)
    giver, taker = pages[keyed.pk(source)], pages[keyed.pk(target)]
    _can_move(giver, taker)
    pages.post_due(at)
    chosen = giver.pick(units, at)
    written = _move(giver, taker, chosen, keys, digest, at, "transfer", explanation or {}, actor)
    keyed.flush(pages, keys)
    return written


@in_one_transaction
def merge(*, source: Any, target: Any, key: str, actor: Ref = NOBODY, happened_at: datetime | None = None) -> Any:
    """Move everything ``source`` has, debt and pending included, to ``target`` and return the target.

    Later writes to ``source`` follow it there.

    :raises Blocked: while a hold on ``source`` is open.
    """
    at = clock.past(happened_at)
    keys = (f"{key}:out", f"{key}:in")
    pages = Pages([keyed.pk(source), keyed.pk(target)], until=at, keys=keys)
    giver, taker = pages[keyed.pk(source)], pages[keyed.pk(target)]
    digest = keyed.digest("merge", keyed.pk(source), 0, "merge", keyed.pk(target))
    if pages.known:
        keyed.same_pair(pages.known, keys, digest)
        return taker.account
    if giver is taker and keyed.pk(source) != keyed.pk(target):
        return taker.account
    _can_move(giver, taker)
    pages.post_due(at)
    if model("Hold").objects.filter(account=giver.account, state="open").exists():
        raise Blocked("A checkout with these units is still open.")
    why = {"why": "merged"}
    debt = giver.account.debt
    chosen = [(lot, free(lot)) for lot in giver.open_lots(at, pending=True)]
    # Even an empty account leaves its line in both books: it says where it went, and keeps the key.
    written = dict(zip(keys, _move(giver, taker, chosen, keys, digest, at, "merge", why, actor), strict=True))
    if debt:
        fields: dict[str, Any] = {"digest": digest, "effective_at": at, "explanation": why, **keyed.refs(NOBODY, actor)}
        owed = (f"{key}:debt:out", f"{key}:debt:in")
        written[owed[0]] = giver.post(kind="merge", units=debt, key=owed[0], **fields)
        written[owed[1]] = taker.post(kind="merge", units=-debt, key=owed[1], **fields)
        giver.account.debt = 0
        taker.account.debt += debt
        for lot in list(taker.open_lots(at, pending=True)):
            taker.pay(written[owed[1]], lot)
    giver.account.merged_into = taker.account
    giver.changed.add("merged_into")
    keyed.flush(pages, written)
    return taker.account


def mature(*, entry: Any, key: str, usable_from: datetime, expires_at: datetime | None = None, **fields: Any) -> Any:
    """Say from when the units of an earning are usable (and until when); return the zero entry that records it."""
    times = {"usable_from": usable_from} | ({"expires_at": expires_at} if expires_at else {})
    return _retime(entry=entry, key=key, kind="matured", times=times, **fields)


def extend(*, entry: Any, key: str, expires_at: datetime | None, **fields: Any) -> Any:
    """Give the units left of an earning another end (``None``: none); return the zero entry that records it."""
    return _retime(entry=entry, key=key, kind="extended", times={"expires_at": expires_at}, **fields)


# What the operations share


@in_one_transaction
def _lock(*, accounts: Sequence[int]) -> None:
    Pages(accounts, until=clock.now())


@in_one_transaction
def _retime(
    *,
    entry: Any,
    key: str,
    kind: str,
    times: dict[str, Any],
    explanation: dict[str, Any] | None = None,
    source: Ref = NOBODY,
    actor: Ref = NOBODY,
    happened_at: datetime | None = None,
) -> Any:
    at = clock.past(happened_at)
    pages = Pages([entry.account_id], until=at, keys=[key])
    digest = keyed.digest(kind, entry.account_id, 0, kind, entry.pk)
    if before := pages.known.get(key):
        return keyed.same(before, digest)
    pages.post_due(at)
    page = pages[entry.account_id]
    rows = model("Lot").objects.filter(Q(entry=entry) | Q(origin__entry=entry), account=page.account)
    lots = [page.lot(lot) for lot in rows]
    detail = {name: value.isoformat() if value else None for name, value in times.items()}
    written = page.post(
        kind=kind,
        units=0,
        key=key,
        digest=digest,
        effective_at=at,
        explanation={**(explanation or {}), **detail},
        **keyed.refs(source if source != NOBODY else Ref(entry.source_type, entry.source_id), actor),
    )
    for lot in lots:
        # What is gone stays gone: only units that are left get other times.
        if lot.remaining > 0:
            for name, value in times.items():
                setattr(lot, name, value)
            if "expires_at" in times:
                lot.life_left = None
                page.stop(lot, at)
            page.touch(lot, times=True)
            page.watch(lot)
    keyed.flush(pages, [key])
    pages.post_due(at)
    return written


def _move(
    giver: Page,
    taker: Page,
    chosen: Sequence[tuple[Any, int]],
    keys: tuple[str, str],
    digest: str,
    at: datetime,
    kind: str,
    explanation: dict[str, Any],
    actor: Ref,
) -> tuple[Any, Any]:
    units = sum(part for _, part in chosen)
    fields: dict[str, Any] = {"digest": digest, "effective_at": at, "explanation": explanation, "kind": kind}
    out = giver.post(units=-units, key=keys[0], **{**fields, **keyed.refs(Ref.of("account", taker.account.pk), actor)})
    into = taker.post(units=units, key=keys[1], **{**fields, **keyed.refs(Ref.of("account", giver.account.pk), actor)})
    for lot, part in chosen:
        giver.take(out, lot, part)
        expires_at = lot.expires_at if lot.life_left is None else at + lot.life_left
        taker.add_lot(into, part, usable_from=lot.usable_from, expires_at=expires_at, origin_id=lot.origin_id or lot.pk)
    return out, into


def _can_move(giver: Page, taker: Page) -> None:
    if giver is taker:
        raise ValueError("Both are the same account.")
    if giver.account.unit != taker.account.unit:
        raise ValueError("The accounts have different units.")


__all__ = [
    "Earning",
    "InsufficientUnits",
    "Ref",
    "adjust",
    "capture",
    "earn",
    "earn_in_bulk",
    "earn_many",
    "expire_due",
    "extend",
    "hand_over",
    "hold",
    "lock",
    "mature",
    "merge",
    "open_account",
    "pause",
    "release",
    "resume",
    "reverse",
    "spend",
    "transfer",
]
