"""Accounts open for writing: locked, with what falls due posted first, and flushed in a few statements.

Private to :mod:`oscar_loyalty.ledger.books`.
"""

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q

from oscar_loyalty import clock
from oscar_loyalty.ledger.exceptions import InsufficientUnits
from oscar_loyalty.loading import get_model


def model(name: str) -> Any:
    return get_model("loyalty_ledger", name)


def free(lot: Any) -> int:
    """Units of ``lot`` that no hold has set aside."""
    return int(lot.remaining - lot.held)


def in_order(lots: Any) -> Any:
    """Order lots as they are spent: first-expiring first."""
    ends, starts = F("expires_at").asc(nulls_last=True), F("usable_from").asc(nulls_last=True)
    return lots.order_by(ends, starts, "pk")


def slices(values: Iterable[int]) -> Iterator[list[int]]:
    """Cut primary keys, in their order, into lists that a query can carry."""
    wanted = sorted(values)
    for start in range(0, len(wanted), 500):
        yield wanted[start : start + 500]


class Page:
    """One account open for writing. What it is told to write lies in memory until :meth:`Pages.flush`."""

    def __init__(self, account: Any) -> None:
        self.account = account
        self.lots: dict[int, Any] = {}
        self.dirty: dict[int, Any] = {}
        self.entries: list[Any] = []
        self.new_lots: list[Any] = []
        self.uses: list[Any] = []
        self.closed_holds: list[Any] = []
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
        """Release the holds past their limit and expire the lots past theirs, as of ``at``, in order of time."""
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
        owed = min(self.account.debt, units)
        if owed:
            self.account.debt -= owed
            self.take(entry, lot, owed)
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

    def touch(self, lot: Any) -> None:
        if lot.pk is not None:
            self.dirty[lot.pk] = lot

    def lot(self, lot: Any) -> Any:
        """Return the one object that stands for this row in memory."""
        return self.lots.setdefault(lot.pk, lot)

    def close_hold(self, hold: Any, state: str, at: datetime) -> None:
        """End a hold; its lots are free again, and expire at once if their time has passed."""
        hold.state, hold.closed_at = state, at
        self.closed_holds.append(hold)
        for use in hold.uses.all():
            lot = self.lot(use.lot)
            lot.held -= use.units
            self.touch(lot)
            if state == "released":
                self.watch(lot)

    # Finding units

    def open_lots(self, at: datetime, *, pending: bool = False) -> Iterator[Any]:
        """Yield lots with free units that are alive, first-expiring first; usable ones only, unless ``pending``."""
        # The index holds lots with remaining > 0; from remaining > held alone no database knows that it may use it.
        lots = model("Lot").objects.filter(account=self.account, remaining__gt=0).filter(remaining__gt=F("held"))
        lots = lots.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at))
        if not pending:
            lots = lots.filter(usable_from__lte=at)
        for row in in_order(lots).iterator(chunk_size=100):
            lot = self.lot(row)
            if free(lot) > 0:
                yield lot

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


class Pages:
    """Several accounts open for writing, locked in primary-key order so that no two writers wait for each other."""

    def __init__(self, account_ids: Iterable[int], *, until: datetime) -> None:
        self._by_id: dict[int, Page] = {}
        wanted = set(account_ids)
        locking = connection.features.has_select_for_update
        while True:
            mark = transaction.savepoint() if locking else None
            for ids in slices(wanted):
                rows = model("Account").objects.select_for_update().filter(pk__in=ids).order_by("pk")
                self._by_id.update((row.pk, Page(row)) for row in rows)
            more = {page.account.merged_into_id for page in self._by_id.values()} - {None} - wanted
            if more and mark:
                # Where an account was merged into must be locked too, in its turn. This lets the locks go.
                transaction.savepoint_rollback(mark)
            elif mark:
                transaction.savepoint_commit(mark)
            if not more:
                break
            wanted |= more
        self._load_due(until)

    def __getitem__(self, account_id: int) -> Page:
        """Return the page of an account, or of the one it was merged into."""
        return self._by_id[self.chain(account_id)[-1]]

    def chain(self, account_id: int) -> list[int]:
        """Return the account and those it was merged into, one after the other."""
        found = [account_id]
        while (following := self._by_id[found[-1]].account.merged_into_id) is not None:
            found.append(following)
        return found

    def _load_due(self, until: datetime) -> None:
        for ids in slices(self._by_id):
            due = model("Lot").objects.filter(account__in=ids, remaining__gt=0, expires_at__lte=until)
            for lot in due.order_by("expires_at", "pk"):
                page = self._by_id[lot.account_id]
                page.watch(page.lot(lot))
            holds = model("Hold").objects.filter(account__in=ids, state="open", until__lte=until)
            for hold in holds.order_by("until", "pk").prefetch_related("uses__lot"):
                self._by_id[hold.account_id].watch_hold(hold)

    def post_due(self, at: datetime) -> None:
        """Post what falls due on every page, and write it, so that queries see it."""
        for page in self._by_id.values():
            page.post_due(at)
        self.flush()

    def flush(self) -> None:
        """Write what the pages have gathered."""
        pages = list(self._by_id.values())
        model("Entry").objects.bulk_create([entry for page in pages for entry in page.entries], batch_size=500)
        model("Lot").objects.bulk_create([lot for page in pages for lot in page.new_lots], batch_size=500)
        model("LotUse").objects.bulk_create([use for page in pages for use in page.uses], batch_size=500)
        dirty = [lot for page in pages for lot in page.dirty.values()]
        for page in pages:
            for lot in page.new_lots:
                page.lots[lot.pk] = lot
        _rewrite("Lot", dirty, ["remaining", "held", "usable_from", "expires_at", "life_left"])
        holds = [hold for page in pages for hold in page.closed_holds]
        if holds:
            model("Hold").objects.bulk_update(holds, ["state", "closed_at", "entry"], batch_size=200)
        moved = [page.account for page in pages if page.entries or page.account.merged_into_id]
        _rewrite("Account", moved, ["sequence", "balance", "debt", "merged_into", "paused_at"])
        for page in pages:
            page.entries, page.new_lots, page.uses, page.closed_holds, page.dirty = [], [], [], [], {}


def _rewrite(name: str, rows: list[Any], fields: list[str]) -> None:
    """Write these fields of rows that exist, and that their account's lock keeps for us."""
    if len(rows) == 1:
        rows[0].save(update_fields=fields)
    elif connection.features.supports_update_conflicts_with_target:
        # Many times quicker than bulk_update, whose statement asks every row for every other one's case.
        model(name).objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["pk"], update_fields=fields, batch_size=500
        )
    elif rows:
        model(name).objects.bulk_update(rows, fields, batch_size=200)
