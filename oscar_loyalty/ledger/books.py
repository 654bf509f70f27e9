"""The one writer of the ledger.

Every function takes a ``key``. The same key with the same content returns what the first call wrote; with other
content it raises :class:`~oscar_loyalty.ledger.exceptions.KeyConflict`. The content is the operation, the account, the
units, the kind, and what is being reversed or captured; times and explanations may differ from one try to the next.

Units are whole: points, or the minor unit of a currency. ``happened_at`` (default: now) is the moment the write is
about: pending, expired and held are decided as of then, and what fell due before it is posted first, so that every
``balance_after`` is exact. All functions run in one transaction of their own or in the caller's.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, Sum

from oscar_loyalty import clock
from oscar_loyalty.ledger.exceptions import Blocked, HoldClosed, InsufficientUnits, KeyConflict
from oscar_loyalty.ledger.pages import Page, Pages, free, in_order, model
from oscar_loyalty.ledger.selectors import undone

#: Accounts handled in one transaction by bulk work.
SLICE = 200

#: Kinds that only this module gives. Their entries follow from others and are not reversed by themselves.
OWN_KINDS = {"expire", "clawback", "return", "transfer", "merge", "matured", "extended"}

POLICIES = {"debt", "write_off", "block"}


@dataclass(frozen=True)
class Ref:
    """Names a row of another room without a constraint: ``Ref("order", "100042")``."""

    type: str = ""
    id: str = ""

    @classmethod
    def of(cls, type: str, id: Any) -> "Ref":
        return cls(type, str(id))


NOBODY = Ref()


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


@transaction.atomic
def earn_many(earnings: Iterable[Earning]) -> list[Any]:
    """Book many earnings, in the order given, and return their entries.

    :raises KeyConflict: when a key has been used for something else; nothing is booked then.
    :raises ValueError: when units are not above zero.
    """
    earnings = list(earnings)
    if not earnings:
        return []
    for earning in earnings:
        _above_zero(earning.units)
        _free_kind(earning.kind)
    now = clock.now()
    until = max(earning.happened_at or now for earning in earnings)
    pages = Pages({_pk(earning.account) for earning in earnings}, until=until)
    known = _known(earning.key for earning in earnings)
    result: dict[str, Any] = {}
    for earning in earnings:
        digest = _digest("earn", _pk(earning.account), earning.units, earning.kind)
        before = result.get(earning.key) or known.get(earning.key)
        if before is not None:
            result[earning.key] = _same(before, digest)
            continue
        page = pages[_pk(earning.account)]
        at = earning.happened_at or now
        page.post_due(at)
        entry = page.post(
            kind=earning.kind,
            units=earning.units,
            key=earning.key,
            digest=digest,
            effective_at=at,
            explanation=earning.explanation,
            **_refs(earning.source, earning.actor),
        )
        page.add_lot(entry, earning.units, usable_from=earning.usable_from, expires_at=earning.expires_at)
        result[earning.key] = entry
    _flush(pages, result)
    notes = {earning.key: earning.note for earning in earnings if earning.note and earning.key not in known}
    model("EntryNote").objects.bulk_create(
        [model("EntryNote")(entry=result[key], text=text) for key, text in notes.items()]
    )
    return [result[earning.key] for earning in earnings]


def earn(*, account: Any, units: int, key: str, usable_from: datetime | None, **fields: Any) -> Any:
    """Book one :class:`Earning` and return its entry."""
    return earn_many([Earning(account=account, units=units, key=key, usable_from=usable_from, **fields)])[0]


@transaction.atomic
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
    _above_zero(units)
    _free_kind(kind)
    at = happened_at or clock.now()
    digest = _digest("spend", _pk(account), units, kind)
    pages = Pages([_pk(account)], until=at)
    if before := _known([key]).get(key):
        return _same(before, digest)
    pages.post_due(at)
    page = pages[_pk(account)]
    chosen = page.pick(units, at)
    entry = page.post(
        kind=kind,
        units=-units,
        key=key,
        digest=digest,
        effective_at=at,
        explanation=explanation or {},
        **_refs(source, actor),
    )
    for lot, part in chosen:
        page.take(entry, lot, part)
    _flush(pages, {key: entry})
    _note(entry, note)
    return entry


@transaction.atomic
def hold(
    *, account: Any, units: int, key: str, until: datetime, source: Ref = NOBODY, happened_at: datetime | None = None
) -> Any:
    """Set ``units`` of the usable lots aside until ``until`` and return the hold.

    :raises InsufficientUnits: with the number missing.
    """
    _above_zero(units)
    at = happened_at or clock.now()
    digest = _digest("hold", _pk(account), units)
    pages = Pages([_pk(account)], until=at)
    before = model("Hold").objects.filter(key=key).first()
    if before is not None:
        return _same(before, digest)
    pages.post_due(at)
    page = pages[_pk(account)]
    chosen = page.pick(units, at)
    row = _create_hold(
        account=page.account,
        key=key,
        digest=digest,
        units=units,
        until=until,
        source_type=source.type,
        source_id=source.id,
        created_at=at,
    )
    for lot, part in chosen:
        lot.held += part
        page.touch(lot)
    model("HoldUse").objects.bulk_create([model("HoldUse")(hold=row, lot=lot, units=part) for lot, part in chosen])
    pages.flush()
    return row


@transaction.atomic
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
    _free_kind(kind)
    at = happened_at or clock.now()
    pages = Pages([hold.account_id], until=at)
    row = model("Hold").objects.prefetch_related("uses__lot").get(pk=hold.pk)
    digest = _digest("capture", row.account_id, row.units, kind, row.pk)
    if before := _known([key]).get(key):
        return _same(before, digest)
    if row.state != "open" or row.until <= at:
        raise HoldClosed(f"The hold {row.key} is {'past its limit' if row.state == 'open' else row.state}.")
    pages.post_due(at)
    page = pages[row.account_id]
    entry = page.post(
        kind=kind,
        units=-row.units,
        key=key,
        digest=digest,
        effective_at=at,
        explanation=explanation or {},
        **_refs(source if source != NOBODY else Ref(row.source_type, row.source_id), actor),
    )
    page.close_hold(row, "captured", at)
    row.entry = entry
    for use in row.uses.all():
        page.take(entry, page.lot(use.lot), use.units)
    _flush(pages, {key: entry})
    return entry


@transaction.atomic
def release(*, hold: Any, happened_at: datetime | None = None) -> Any:
    """Free what ``hold`` has set aside; releasing it again changes nothing. Return the hold.

    :raises HoldClosed: when it was captured.
    """
    at = happened_at or clock.now()
    pages = Pages([hold.account_id], until=at)
    row = model("Hold").objects.prefetch_related("uses__lot").get(pk=hold.pk)
    if row.state == "captured":
        raise HoldClosed(f"The hold {row.key} was captured.")
    pages.post_due(at)
    row.refresh_from_db(fields=["state", "closed_at"])
    if row.state == "open":
        page = pages[row.account_id]
        page.close_hold(row, "released", at)
        pages.post_due(at)
    return row


@transaction.atomic
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
    taken back, and what is held is not touched. A spend is given back to the lots it came from, as if the smaller spend had been made;
    what returns to a lot that has expired meanwhile lives ``grace`` longer.

    What was written off, or had expired, counts as undone: no later call asks for it again.

    :raises Blocked: under ``"block"``, when units that were spent would have to be taken back.
    :raises ValueError: when more is asked for than is left of the entry, or it is neither an earning nor a spend.
    """
    if policy not in POLICIES:
        raise ValueError(f"There is no policy {policy!r}.")
    at = happened_at or clock.now()
    pages = Pages([entry.account_id], until=at)
    entry = model("Entry").objects.get(pk=entry.pk)
    if entry.kind in OWN_KINDS:
        raise ValueError(f"An entry of the kind {entry.kind!r} follows from others and is not reversed by itself.")
    digest = _digest("reverse", entry.account_id, units, "reverse", entry.pk)
    if before := _known([key]).get(key):
        return _same(before, digest)
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
        **_refs(source if source != NOBODY else Ref(entry.source_type, entry.source_id), actor),
    }
    if entry.units > 0:
        chain = pages.chain(entry.account_id)
        written = _claw_back(page, chain, entry, asked, at, policy, explanation or {}, common)
    else:
        written = _give_back(page, entry, asked, done, at, grace, explanation or {}, common)
    _flush(pages, {key: written})
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


@transaction.atomic
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
    _above_zero(units)
    at = happened_at or clock.now()
    digest = _digest("transfer", _pk(source), units, "transfer", _pk(target))
    pages = Pages([_pk(source), _pk(target)], until=at)
    keys = (f"{key}:out", f"{key}:in")
    known = _known(keys)
    if known:
        return _same_pair(known, keys, digest)
    giver, taker = pages[_pk(source)], pages[_pk(target)]
    _can_move(giver, taker)
    pages.post_due(at)
    chosen = giver.pick(units, at)
    written = _move(giver, taker, chosen, keys, digest, at, "transfer", explanation or {}, actor)
    _flush(pages, dict(zip(keys, written, strict=True)))
    return written


@transaction.atomic
def merge(*, source: Any, target: Any, key: str, actor: Ref = NOBODY, happened_at: datetime | None = None) -> Any:
    """Move everything ``source`` has, debt and pending included, to ``target`` and return the target.

    Later writes to ``source`` follow it there.

    :raises Blocked: while a hold on ``source`` is open.
    """
    at = happened_at or clock.now()
    pages = Pages([_pk(source), _pk(target)], until=at)
    giver, taker = pages[_pk(source)], pages[_pk(target)]
    digest = _digest("merge", _pk(source), 0, "merge", _pk(target))
    keys = (f"{key}:out", f"{key}:in")
    if known := _known(keys):
        _same_pair(known, keys, digest)
        return taker.account
    if giver is taker and _pk(source) != _pk(target):
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
        fields: dict[str, Any] = {"digest": digest, "effective_at": at, "explanation": why, **_refs(NOBODY, actor)}
        owed = (f"{key}:debt:out", f"{key}:debt:in")
        written[owed[0]] = giver.post(kind="merge", units=debt, key=owed[0], **fields)
        written[owed[1]] = taker.post(kind="merge", units=-debt, key=owed[1], **fields)
        giver.account.debt = 0
        taker.account.debt += debt
    giver.account.merged_into = taker.account
    _flush(pages, written)
    return taker.account


def mature(*, entry: Any, key: str, usable_from: datetime, expires_at: datetime | None = None, **fields: Any) -> Any:
    """Say from when the units of an earning are usable (and until when); return the zero entry that records it."""
    times = {"usable_from": usable_from} | ({"expires_at": expires_at} if expires_at else {})
    return _retime(entry=entry, key=key, kind="matured", times=times, **fields)


def extend(*, entry: Any, key: str, expires_at: datetime | None, **fields: Any) -> Any:
    """Give the units left of an earning another end (``None``: none); return the zero entry that records it."""
    return _retime(entry=entry, key=key, kind="extended", times={"expires_at": expires_at}, **fields)


def expire_due(*, at: datetime | None = None, progress: Any = None) -> int:
    """Post the expiries and release the holds that are due, in slices; return how many accounts had some."""
    at = at or clock.now()
    touched = 0
    last = 0
    while True:
        # The first condition is the index's own; the second leaves out what waits for its hold to end.
        lots = model("Lot").objects.filter(remaining__gt=0, expires_at__lte=at, account__gt=last)
        lots = lots.filter(remaining__gt=F("held"))
        holds = model("Hold").objects.filter(state="open", until__lte=at, account__gt=last)
        ids = sorted(
            set(lots.order_by("account_id").values_list("account_id", flat=True).distinct()[:SLICE])
            | set(holds.order_by("account_id").values_list("account_id", flat=True).distinct()[:SLICE])
        )[:SLICE]
        if not ids:
            return touched
        with transaction.atomic():
            Pages(ids, until=at).post_due(at)
        touched += len(ids)
        last = ids[-1]
        if progress is not None:
            progress(len(ids))


# What the operations share


def _claw_back(
    page: Page,
    chain: Sequence[int],
    entry: Any,
    asked: int,
    at: datetime,
    policy: str,
    why: dict[str, Any],
    common: dict[str, Any],
) -> Any:
    lots = list(in_order(model("Lot").objects.filter(Q(entry=entry) | Q(origin__entry=entry), account__in=chain)))
    expired = _total(model("LotUse").objects.filter(lot__in=lots, entry__kind="expire"))
    before = [row.explanation for row in _reversals(entry)]
    taken_before = sum(detail["asked"] - detail["expired"] for detail in before)
    wanted = max(0, min(asked, entry.units - expired - taken_before))
    taken: list[tuple[Any, int]] = []
    rest = wanted
    own = [page.lot(lot) for lot in lots if lot.account_id == page.account.pk]
    for lot in own:
        part = min(free(lot), rest) if lot.expires_at is None or lot.expires_at > at else 0
        if part > 0:
            taken.append((lot, part))
            rest -= part
    if rest:
        mine = {lot.pk for lot in own}
        for lot in page.open_lots(at, pending=True):
            if lot.pk in mine:
                continue
            part = min(free(lot), rest)
            taken.append((lot, part))
            rest -= part
            if not rest:
                break
    if rest and policy == "block":
        raise Blocked(f"{rest} of these units have been spent.")
    written_off = rest if policy == "write_off" else 0
    if rest and policy == "debt":
        page.account.debt += rest
    detail = {**why, "asked": asked, "expired": asked - wanted, "written_off": written_off}
    written = page.post(kind="clawback", units=-(wanted - written_off), explanation=detail, **common)
    for lot, part in taken:
        page.take(written, lot, part)
    return written


def _give_back(
    page: Page,
    entry: Any,
    asked: int,
    done: int,
    at: datetime,
    grace: timedelta,
    why: dict[str, Any],
    common: dict[str, Any],
) -> Any:
    written = page.post(kind="return", units=asked, explanation=why, **common)
    skip, rest = done, asked
    late: list[Any] = []
    uses = model("LotUse").objects.filter(entry=entry, units__gt=0).select_related("lot").order_by("-pk")
    for use in uses:
        passed = min(skip, use.units)
        skip -= passed
        part = min(use.units - passed, rest)
        if part <= 0:
            continue
        rest -= part
        lot = use.lot
        gone = lot.expires_at is not None and lot.expires_at <= at
        if lot.account_id != page.account.pk:
            # The account was merged since: the units go on where it has gone, with the dates they had.
            expires_at = at + grace if gone else lot.expires_at
            heir = {"usable_from": lot.usable_from, "expires_at": expires_at, "origin": lot.origin or lot}
            page.add_lot(written, part, **heir)
            continue
        lot = page.lot(lot)
        page.take(written, lot, -part)
        if gone:
            late.append(lot)
    if late:
        fields = {**common, "key": f"{common['key']}:grace", "effective_at": at}
        detail = {"why": "grace", "was": max(lot.expires_at for lot in late).isoformat()}
        page.post(kind="extended", units=0, explanation=detail, **fields)
        for lot in late:
            lot.expires_at = at + grace
            page.touch(lot)
            page.watch(lot)
    return written


@transaction.atomic
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
    at = happened_at or clock.now()
    pages = Pages([entry.account_id], until=at)
    digest = _digest(kind, entry.account_id, 0, kind, entry.pk)
    if before := _known([key]).get(key):
        return _same(before, digest)
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
        **_refs(source if source != NOBODY else Ref(entry.source_type, entry.source_id), actor),
    )
    for lot in lots:
        # What is gone stays gone: only units that are left get other times.
        if lot.remaining > 0:
            for name, value in times.items():
                setattr(lot, name, value)
            page.touch(lot)
            page.watch(lot)
    _flush(pages, {key: written})
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
    out = giver.post(units=-units, key=keys[0], **{**fields, **_refs(Ref.of("account", taker.account.pk), actor)})
    into = taker.post(units=units, key=keys[1], **{**fields, **_refs(Ref.of("account", giver.account.pk), actor)})
    for lot, part in chosen:
        giver.take(out, lot, part)
        taker.add_lot(
            into, part, usable_from=lot.usable_from, expires_at=lot.expires_at, origin_id=lot.origin_id or lot.pk
        )
    return out, into


def _can_move(giver: Page, taker: Page) -> None:
    if giver is taker:
        raise ValueError("Both are the same account.")
    if giver.account.unit != taker.account.unit:
        raise ValueError("The accounts have different units.")


def _above_zero(units: int) -> None:
    if not isinstance(units, int) or isinstance(units, bool) or units <= 0:
        raise ValueError("Units must be a whole number above zero.")


def _free_kind(kind: str) -> None:
    if kind in OWN_KINDS:
        raise ValueError(f"The kind {kind!r} is given by the books themselves.")


def _reversals(entry: Any) -> Any:
    return model("Entry").objects.filter(reverses=entry, kind__in=["clawback", "return"])


def _total(rows: Any) -> int:
    return rows.aggregate(total=Sum("units"))["total"] or 0


def _pk(account: Any) -> int:
    return account if isinstance(account, int) else account.pk


def _digest(operation: str, account: int, units: int | None, *more: Any) -> str:
    content = json.dumps([operation, account, units, *more], separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def _known(keys: Iterable[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    wanted = list(keys)
    for start in range(0, len(wanted), 500):
        for entry in model("Entry").objects.filter(key__in=wanted[start : start + 500]):
            found[entry.key] = entry
    return found


def _same_pair(known: dict[str, Any], keys: tuple[str, str], digest: str) -> tuple[Any, Any]:
    if len(known) < len(keys):
        raise KeyConflict(f"The key {next(iter(known))} has been used for something else.")
    return _same(known[keys[0]], digest), _same(known[keys[1]], digest)


def _same(row: Any, digest: str) -> Any:
    if row.digest != digest:
        raise KeyConflict(f"The key {row.key} has been used for something else.")
    return row


def _refs(source: Ref, actor: Ref) -> dict[str, str]:
    return {
        "source_type": source.type,
        "source_id": source.id,
        "actor_type": actor.type,
        "actor_id": actor.id,
    }


def _flush(pages: Pages, written: dict[str, Any]) -> None:
    """Write the pages; a key taken by another account in the same moment is a conflict, not a crash."""
    try:
        with transaction.atomic():
            pages.flush()
    except IntegrityError as error:
        if _known(written):
            raise KeyConflict("A key has been used for something else.") from error
        raise


def _create_hold(**fields: Any) -> Any:
    try:
        with transaction.atomic():
            return model("Hold").objects.create(**fields)
    except IntegrityError as error:
        raise KeyConflict(f"The key {fields['key']} has been used for something else.") from error


def _note(entry: Any, text: str) -> None:
    if text:
        model("EntryNote").objects.create(entry=entry, text=text)


__all__ = [
    "Earning",
    "InsufficientUnits",
    "Ref",
    "adjust",
    "capture",
    "earn",
    "earn_many",
    "expire_due",
    "extend",
    "hold",
    "mature",
    "merge",
    "open_account",
    "release",
    "reverse",
    "spend",
    "transfer",
]
