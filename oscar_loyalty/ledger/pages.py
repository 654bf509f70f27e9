"""Accounts open for writing: locked, with what falls due posted first, and flushed in a few statements.

Private to :mod:`oscar_loyalty.ledger.books`.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache, wraps
from itertools import count
from typing import Any, ParamSpec, TypeVar

from django.db import transaction
from django.db.models import F

from oscar_loyalty import clock
from oscar_loyalty.ledger import rows
from oscar_loyalty.ledger.exceptions import InsufficientUnits, KeyConflict
from oscar_loyalty.loading import get_model

P = ParamSpec("P")
R = TypeVar("R")

#: Lots asked for at first, which is enough for most, and then at a time.
FIRST, MORE = 20, 200
FIGURES = ("sequence", "balance", "debt")
TIMES = ("usable_from", "expires_at", "life_left")
#: Accounts that an operation locks beside those it is about.
_also: ContextVar[frozenset[int]] = ContextVar("also", default=frozenset())


class Refused(Exception):
    """The database refuses what would be written under these keys, and so all that the transaction has done."""

    def __init__(self, keys: Iterable[str], of: str = "Entry") -> None:
        super().__init__("The database refuses.")
        self.keys, self.of = list(keys), of


class MergedAway(Exception):
    """Accounts that are locked have been merged into others, which must be locked too, in their turn."""

    def __init__(self, accounts: Iterable[int]) -> None:
        super().__init__("An account has been merged into another.")
        self.accounts = frozenset(accounts)


def in_one_transaction(function: Callable[P, R]) -> Callable[P, R]:
    """Let ``function`` run in a transaction, of its own or in the caller's.

    When an account turns out to have been merged into another, which must be locked in its turn, what it has locked
    is let go, and it begins anew, knowing of the other. A key taken by another account in the same moment is a
    conflict, not a crash.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        also: frozenset[int] = frozenset()
        while True:
            token = _also.set(also)
            try:
                with transaction.atomic():
                    return function(*args, **kwargs)
            except MergedAway as found:
                also |= found.accounts
            except Refused as refused:
                if known(refused.keys, refused.of):
                    raise KeyConflict("A key has been used for something else.") from refused
                raise refused.__cause__ or refused from None
            finally:
                _also.reset(token)

    return run


def others_to_lock() -> frozenset[int]:
    """Return accounts that the operation has to lock beside those it is about, as an earlier try has found."""
    return _also.get()


@cache
def model(name: str) -> Any:
    return get_model("loyalty_ledger", name)


def known(keys: Iterable[str], of: str = "Entry") -> dict[str, Any]:
    """Return the entries (or holds) that were written under these keys."""
    found: dict[str, Any] = {}
    for part in rows.slices(list(keys)):
        for row in model(of).objects.filter(key__in=part):
            found[row.key] = row
    return found


def free(lot: Any) -> int:
    """Units of ``lot`` that no hold has set aside."""
    return int(lot.remaining - lot.held)


def in_order(lots: Any) -> Any:
    """Order lots as they are spent: first-expiring first."""
    ends, starts = F("expires_at").asc(nulls_last=True), F("usable_from").asc(nulls_last=True)
    return lots.order_by(ends, starts, "pk")


class Page:
    """One account open for writing. What it is told to write lies in memory until :meth:`Pages.flush`."""

    def __init__(self, account: Any, cursor: Any) -> None:
        self.account = account
        self.cursor = cursor
        self.lots: dict[int, Any] = {}
        self.dirty: dict[int, Any] = {}
        #: Lots that have got other times, and fields of the account that have changed beside its figures.
        self.retimed: dict[int, Any] = {}
        self.changed: set[str] = set()
        self.entries: list[Any] = []
        self.new_lots: list[Any] = []
        self.uses: list[Any] = []
        self.closed_holds: list[Any] = []
        #: Lots that could have paid what the account owes, and have not.
        self.unpaid: list[Any] = []
        self._stale: list[tuple[datetime, int, Any]] = []
        self._expiring: list[tuple[datetime, int, Any]] = []
        self._serial = count()

    # What falls due

    def watch(self, lot: Any) -> None:
        """Let :meth:`post_due` see that ``lot`` expires."""
        if lot.expires_at is not None:
            heapq.heappush(self._expiring, (lot.expires_at, next(self._serial), lot))

    def watch_hold(self, hold: Any) -> None:
        heapq.heappush(self._stale, (hold.until, next(self._serial), hold))

    def post_due(self, at: datetime) -> None:
        """Release the holds past their limit and expire the lots past theirs, as of ``at``, in order of time; before
        that, pay what could have been paid."""
        self.repay(self.unpaid, at)
        self.unpaid = []
        while True:
            hold_due = self._stale[0][0] if self._stale and self._stale[0][0] <= at else None
            lot_due = self._expiring[0][0] if self._expiring and self._expiring[0][0] <= at else None
            if hold_due is not None and (lot_due is None or hold_due <= lot_due):
                hold = heapq.heappop(self._stale)[2]
                self.close_hold(hold, "released", hold.until)
            elif lot_due is not None:
                lot = heapq.heappop(self._expiring)[2]
                self._expire(lot)
            else:
                return

    def _expire(self, lot: Any) -> None:
        units = free(lot)
        if units <= 0:
            return
        entry = self.post(
            kind="expire",
            units=-units,
            key=f"expire:{self.account.pk}:{self.account.sequence + 1}",
            digest="expire",
            effective_at=lot.expires_at,
            explanation={"why": "expired", "expired_at": lot.expires_at.isoformat()},
        )
        self.take(entry, lot, units)

    # Writing

    def post(self, *, kind: str, units: int, key: str, digest: str, effective_at: datetime, **fields: Any) -> Any:
        """Add an entry and move the account's balance by it."""
        account = self.account
        account.sequence += 1
        account.balance += units
        entry = model("Entry")(
            account=account,
            sequence=account.sequence,
            key=key,
            digest=digest,
            kind=kind,
            units=units,
            balance_after=account.balance,
            effective_at=effective_at,
            recorded_at=clock.now(),
            **fields,
        )
        self.entries.append(entry)
        return entry

    def add_lot(self, entry: Any, units: int, **fields: Any) -> Any:
        """Add a lot; what the account owes is paid from it first."""
        lot = model("Lot")(account=self.account, entry=entry, units=units, remaining=units, **fields)
        self.new_lots.append(lot)
        self.pay(entry, lot)
        self.stop(lot, entry.effective_at)
        self.watch(lot)
        return lot

    def stop(self, lot: Any, at: datetime) -> None:
        """While the account rests, ``lot``, which got its end at ``at``, has none, but remembers how long it lives."""
        since = self.account.paused_at
        if since is not None and lot.expires_at is not None and lot.expires_at > since:
            lot.life_left, lot.expires_at = lot.expires_at - max(at, since), None

    def take(self, entry: Any, lot: Any, units: int) -> None:
        """Take ``units`` out of ``lot`` for ``entry``; negative units put them back."""
        lot.remaining -= units
        self.uses.append(model("LotUse")(entry=entry, lot=lot, units=units))
        self.touch(lot)

    def pay(self, entry: Any, lot: Any) -> None:
        """Let what is free of ``lot`` pay, as a part of ``entry``, what the account owes.

        To be called wherever units come, or come free: who owes has nothing free, whatever came first.
        """
        owed = min(self.account.debt, free(lot))
        if owed > 0:
            self.account.debt -= owed
            self.take(entry, lot, owed)

    def repay(self, lots: Sequence[Any], at: datetime) -> None:
        """Let what is free of ``lots`` pay what the account owes, where no entry brought it: by one of its own."""
        owed = min(self.account.debt, sum(map(free, lots)))
        if owed:
            entry = self.post(
                kind="repaid",
                units=0,
                key=f"repaid:{self.account.pk}:{self.account.sequence + 1}",
                digest="repaid",
                effective_at=at,
                explanation={"why": "repaid", "units": owed},
            )
            for lot in lots:
                self.pay(entry, lot)

    def touch(self, lot: Any, *, times: bool = False) -> None:
        """Let :meth:`Pages.flush` write what ``lot`` has and holds, and its ``times`` where they have changed."""
        if lot.pk is not None:
            self.dirty[lot.pk] = lot
            if times:
                self.retimed[lot.pk] = lot

    def lot(self, lot: Any) -> Any:
        """Return the one object that stands for this row in memory."""
        return self.lots.setdefault(lot.pk, lot)

    def close_hold(self, hold: Any, state: str, at: datetime) -> None:
        """End a hold; its lots are free again, pay what is owed, and expire at once if their time has passed."""
        hold.state, hold.closed_at = state, at
        self.closed_holds.append(hold)
        for row, units in hold.parts:
            lot = self.lot(row)
            lot.held -= units
            self.touch(lot)
            if state == "released":
                self.watch(lot)
        if state == "released":
            self.repay([self.lot(row) for row, _units in hold.parts], at)

    # Finding units

    def open_lots(self, at: datetime, *, pending: bool = False) -> Iterator[Any]:
        """Yield lots with free units that are alive, first-expiring first; usable ones only, unless ``pending``."""
        # The index holds lots with remaining > 0; from remaining > held alone no database knows that it may use it.
        usable = "" if pending else " AND $usable_from <= %s"
        text = (
            "FROM $lot_ WHERE $account = %s AND $remaining > 0 AND $remaining > $held"
            f" AND ($expires_at IS NULL OR $expires_at > %s){usable}"
            " ORDER BY $expires_at ASC NULLS LAST, $usable_from ASC NULLS LAST, $id LIMIT %s OFFSET %s"
        )
        Lot = model("Lot")
        connection = self.cursor.db
        text, moment = rows.fill(text, Lot, connection.vendor), connection.ops.adapt_datetimefield_value(at)
        moments = [moment] if pending else [moment, moment]
        seen, most = 0, FIRST
        while True:
            # Nobody else changes them, and we do when all are chosen: counting on from the last is exact.
            found = rows.load(self.cursor, [Lot], text, [self.account.pk, *moments, most, seen])
            for (row,) in found:
                lot = self.lot(row)
                if free(lot) > 0:
                    yield lot
            if len(found) < most:
                return
            seen, most = seen + most, MORE

    def pick(self, units: int, at: datetime) -> list[tuple[Any, int]]:
        """Choose ``units`` of usable lots, first-expiring first, leaving enough behind for the debt.

        :raises InsufficientUnits: with the number missing.
        """
        chosen: list[tuple[Any, int]] = []
        found, wanted = 0, units
        needed = units + self.account.debt
        for lot in self.open_lots(at):
            found += free(lot)
            part = min(free(lot), wanted)
            if part:
                chosen.append((lot, part))
                wanted -= part
            if found >= needed:
                return chosen
        raise InsufficientUnits(needed - found)


@lru_cache(maxsize=200)
def looks(accounts: int, keys: int, of: str, vendor: str) -> str:
    """Return three columns: whether any of so many keys is known, any lot of the accounts past its end, and any hold.

    Their parameters are the keys, the accounts, a moment, and the accounts and the moment once more.
    """
    marks = rows.marks(accounts)
    parts = [
        (of, f"$key IN ({rows.marks(keys)})" if keys else "1 = 0"),
        ("Lot", f"$account IN ({marks}) AND $remaining > 0 AND $expires_at <= %s"),
        ("Hold", f"$account IN ({marks}) AND $state = 'open' AND $until <= %s"),
    ]
    texts = [
        f"EXISTS(SELECT 1 FROM ${name.lower()}_ WHERE {condition})"  # noqa: S608  # nosec B608
        for name, condition in parts
    ]
    filled = (rows.fill(text, model(name), vendor) for text, (name, _) in zip(texts, parts, strict=True))
    return ", ".join(filled)


@dataclass(frozen=True)
class Opened:
    """An account that the caller has locked in this transaction, as it is since then, not merged into another.

    The caller has also seen, by :func:`looks`, that ``key`` is not known yet and that nothing has fallen due ``until``
    a moment; so none of this is asked for again. Good for one write.
    """

    account: Any
    key: str
    until: datetime


class Pages:
    """Several accounts open for writing, locked in primary-key order so that no two writers wait for each other.

    ``known`` are the entries (or what ``of`` names) that have been written under one of ``keys``. They, and what has
    fallen due, are looked up once the accounts are locked: what another has written meanwhile is seen.
    """

    def __init__(
        self,
        account_ids: Iterable[int],
        *,
        until: datetime,
        keys: Iterable[str] = (),
        of: str = "Entry",
        opened: Opened | None = None,
    ):
        Account = model("Account")
        self._connection = rows.database(Account)
        self._by_id: dict[int, Page]
        self.known: dict[str, Any]
        #: One for all that an operation does: making one costs as much as a statement.
        self.cursor = self._connection.cursor()
        wanted = sorted({*account_ids, *others_to_lock()})
        if opened is not None and wanted == [opened.account.pk] and [*keys] == [opened.key] and until <= opened.until:
            self.known, self._by_id = {}, {opened.account.pk: Page(opened.account, self.cursor)}
            return
        locking = " FOR UPDATE" if self._connection.features.has_select_for_update else ""
        self._by_id = {}
        for ids in rows.slices(wanted):
            text = f"FROM $account_ WHERE $id IN ({rows.marks(len(ids))}) ORDER BY $id{locking}"
            found = rows.load(self.cursor, [Account], rows.fill(text, Account, self._connection.vendor), ids)
            self._by_id.update((row.pk, Page(row, self.cursor)) for (row,) in found)
        merged = {page.account.merged_into_id for page in self._by_id.values()} - {None}
        if not merged <= self._by_id.keys():
            raise MergedAway(merged)
        keys = list(keys)
        some_known, some_lots, some_holds = self._look(until, keys, of)
        self.known = known(keys, of) if some_known else {}
        for ids in rows.slices(wanted):
            if some_lots:
                self._watch_lots(ids, until)
            if some_holds:
                self._watch_holds(ids, until)
        for ids in rows.slices([pk for pk, page in self._by_id.items() if page.account.debt]):
            self._watch_debts(ids)

    def __getitem__(self, account_id: int) -> Page:
        """Return the page of an account, or of the one it was merged into."""
        return self._by_id[self.chain(account_id)[-1]]

    def chain(self, account_id: int) -> list[int]:
        """Return the account and those it was merged into, one after the other."""
        found = [account_id]
        while (following := self._by_id[found[-1]].account.merged_into_id) is not None:
            found.append(following)
        return found

    def _look(self, until: datetime, keys: Sequence[str], of: str) -> tuple[bool, bool, bool]:
        """Return, by one query, whether any key is known, any lot is past its end and any hold past its limit."""
        ids = list(self._by_id)
        if not ids or max(len(ids), len(keys)) > rows.MOST:
            # Too many for one query. Among so many there will be some.
            return True, True, True
        moment = self._connection.ops.adapt_datetimefield_value(until)
        text = looks(len(ids), len(keys), of, self._connection.vendor)
        [found] = rows.execute(self.cursor, f"SELECT {text}", [*keys, *ids, moment, *ids, moment])
        some_known, some_lots, some_holds = map(bool, found)
        return some_known, some_lots, some_holds

    def _watch_lots(self, ids: Sequence[int], until: datetime) -> None:
        due = model("Lot").objects.filter(account__in=ids, remaining__gt=0, expires_at__lte=until)
        for lot in due.order_by("expires_at", "pk"):
            page = self._by_id[lot.account_id]
            page.watch(page.lot(lot))

    def _watch_holds(self, ids: Sequence[int], until: datetime) -> None:
        condition = f"$account IN ({rows.marks(len(ids))}) AND $state = 'open' AND $until <= %s"
        moment = self._connection.ops.adapt_datetimefield_value(until)
        for hold in self._holds(condition, [*ids, moment], "$until, $id"):
            self._by_id[hold.account_id].watch_hold(hold)

    def _watch_debts(self, ids: Sequence[int]) -> None:
        lots = model("Lot").objects.filter(account__in=ids, remaining__gt=0).filter(remaining__gt=F("held"))
        for lot in in_order(lots):
            page = self._by_id[lot.account_id]
            page.unpaid.append(page.lot(lot))

    def hold(self, pk: int) -> Any:
        """Return a hold of one of these accounts, with its ``parts``: pairs of a lot and units."""
        found = self._holds("$id = %s", [pk], "$id")
        if not found:
            raise model("Hold").DoesNotExist(f"There is no hold {pk}.")
        return found[0]

    def _holds(self, condition: str, params: Sequence[Any], order: str) -> list[Any]:
        Hold, Use, Lot = model("Hold"), model("HoldUse"), model("Lot")
        vendor = self._connection.vendor
        use, lot = rows.names(Use, vendor), rows.names(Lot, vendor)
        joined = (
            f"JOIN {use['holduse_']} ON {use['hold']} = $id JOIN {lot['lot_']} ON {use['lot']} = {lot['id']}"
            f" WHERE {condition} ORDER BY {order}, {use['id']}"
        )
        found: dict[int, Any] = {}
        for hold, part, row in rows.load(
            self.cursor, [Hold, Use, Lot], rows.fill(f"FROM $hold_ {joined}", Hold, vendor), params
        ):
            if hold.pk not in found:
                found[hold.pk] = hold
                hold.parts = []
            found[hold.pk].parts.append((self._by_id[row.account_id].lot(row), part.units))
        return list(found.values())

    def post_due(self, at: datetime) -> None:
        """Post what falls due on every page, and write it, so that queries see it."""
        for page in self._by_id.values():
            page.post_due(at)
        self.flush()

    def flush(self) -> None:
        """Write what the pages have gathered."""
        pages = list(self._by_id.values())
        rows.insert(self.cursor, model("Entry"), [entry for page in pages for entry in page.entries])
        new = [lot for page in pages for lot in page.new_lots]
        for lot in new:
            # Naming them once more, now that they have a primary key.
            lot.entry = lot.entry
        rows.insert(self.cursor, model("Lot"), new)
        uses = [use for page in pages for use in page.uses]
        for use in uses:
            use.entry, use.lot = use.entry, use.lot
        rows.insert(self.cursor, model("LotUse"), uses, keys=False)
        for page in pages:
            for lot in page.new_lots:
                page.lots[lot.pk] = lot
        retimed = [lot for page in pages for lot in page.retimed.values()]
        rows.update(self.cursor, model("Lot"), retimed, "remaining", "held", *TIMES)
        taken = [lot for page in pages for lot in page.dirty.values() if lot.pk not in page.retimed]
        rows.update(self.cursor, model("Lot"), taken, "remaining", "held")
        holds = [hold for page in pages for hold in page.closed_holds]
        for hold in holds:
            hold.entry = hold.entry
        rows.update(self.cursor, model("Hold"), holds, "state", "closed_at", "entry")
        figures = [page.account for page in pages if page.entries and not page.changed]
        rows.update(self.cursor, model("Account"), figures, *FIGURES)
        for page in pages:
            if page.changed:
                rows.update(self.cursor, model("Account"), [page.account], *FIGURES, *sorted(page.changed))
            page.entries, page.new_lots, page.uses, page.closed_holds = [], [], [], []
            page.dirty, page.retimed, page.changed = {}, {}, set()
