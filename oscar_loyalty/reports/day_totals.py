"""Sums of the ledger's entries by day, kept so that nobody adds up all of them, and what was written since on top.

Entries never change, so each is counted once: in the order of their keys, up to one below which nothing can appear
any more. What lies beyond is added up when it is asked for. So the figures are those of the ledger at any moment,
whatever is booked late or backwards, and however long no sweep has been by.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import add
from typing import Any

from django.db import connections, router, transaction
from django.db.models import BigIntegerField, BooleanField, Case, Count, F, Max, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from oscar_loyalty import times
from oscar_loyalty.due.registry import sweeper
from oscar_loyalty.loading import get_model

#: Entries that one transaction counts, and slices of one sweep.
SLICE, MOST = 200_000, 50
_NOT_EMPTY = ~Q(units=0)
_SUMS = {
    "number": Count("pk", filter=_NOT_EMPTY),
    "empty": Count("pk", filter=Q(units=0)),
    "gained": Coalesce(Sum("units", filter=Q(units__gt=0)), 0),
    "taken": Coalesce(-Sum("units", filter=Q(units__lt=0)), Value(0), output_field=BigIntegerField()),
}


def _model(name: str) -> Any:
    return get_model("loyalty_reports", name)


def _entries() -> Any:
    return get_model("loyalty_ledger", "Entry").objects.order_by()


def _day() -> TruncDate:
    return TruncDate("effective_at", tzinfo=timezone.get_default_timezone())


# Counting


@sweeper("reports.day_totals")
def count() -> int:
    """Count what has come, as far as it is settled; return how many entries. Several may do so at once."""
    connection = connections[router.db_for_write(_model("Counting"))]
    if connection.in_atomic_block and connection.vendor == "postgresql":
        # Its number is older than what it would see: it could not tell what is still being written.
        return 0
    done, looked = 0, False
    for _slice in range(MOST):
        # Before the transaction gets its number.
        newest = _entries().using(connection.alias).aggregate(last=Max("pk"))["last"] or 0
        number = _count_slice(newest)
        if number is None and looked:
            # There is nothing more, or somebody writes still: later.
            break
        done += number or 0
        # What was seen in one transaction may be settled in the next.
        looked = number is None
    return done


@transaction.atomic
def _count_slice(newest: int) -> int | None:
    """Count some entries and return how many; ``None``: it was only looked how far there are any."""
    state = _state()
    if state is None:
        # Somebody else counts.
        return None
    zone = str(timezone.get_default_timezone())
    if state.zone != zone:
        # The shop's days begin at other moments: all anew.
        _model("DayTotal").objects.all().delete()
        state.zone, state.counted, state.seen, state.horizon = zone, 0, 0, 0
    number = None
    if state.counted < state.seen and _settled(state):
        end = min(state.seen, state.counted + SLICE)
        rows = _entries().filter(pk__gt=state.counted, pk__lte=end)
        rows = rows.annotate(unit=F("account__unit"), day=_day()).values("unit", "day", "kind")
        number = _add(rows.annotate(**_SUMS))
        state.counted = end
    else:
        # Whoever has drawn a key up to this one had locked its account before, and so had a number before ours.
        state.seen, state.horizon = max(state.counted, newest), _transaction("txid_current()")
    state.save()
    return number


def _state() -> Any:
    rows = _model("Counting").objects
    if not rows.exists():
        rows.get_or_create(pk=1)
    return rows.select_for_update(skip_locked=True).filter(pk=1).first()


#: Whoever writes entries holds this lock to the end, and had a number before. Not asked by the oldest transaction of
#: the server, which may be anybody's, in any of its databases, and take hours.
_WRITERS = """
    SELECT 1 FROM pg_locks writer JOIN pg_locks number USING (virtualtransaction)
    WHERE writer.locktype = 'relation' AND writer.relation = %s::regclass
        AND writer.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND writer.mode NOT IN ('AccessShareLock', 'RowShareLock')
        AND number.locktype = 'transactionid' AND number.mode = 'ExclusiveLock'
        AND age(number.transactionid) >= age((%s %% 4294967296)::text::xid)
    LIMIT 1
"""


def _settled(state: Any) -> bool:
    """Whether all who wrote entries before the horizon are done, so that nothing up to ``seen`` can appear any more."""
    if state.horizon == 0:
        return True
    model = _entries().model
    connection = connections[router.db_for_write(model)]
    with connection.cursor() as cursor:
        cursor.execute(_WRITERS, [connection.ops.quote_name(model._meta.db_table), state.horizon])
        return cursor.fetchone() is None


def _transaction(expression: str) -> int:
    connection = connections[router.db_for_write(_model("Counting"))]
    if connection.vendor != "postgresql":
        # One writes at a time: what is there has all come.
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}")
        return int(cursor.fetchone()[0])


def _add(rows: QuerySet[Any]) -> int:
    """Add sums of some entries to those of their days; nobody else does meanwhile."""
    DayTotal = _model("DayTotal")
    found = list(rows)
    days, units = {row["day"] for row in found}, {row["unit"] for row in found}
    there = DayTotal.objects.filter(unit__in=units, day__range=(min(days), max(days))) if found else []
    before = {(total.unit, total.day, total.kind): total for total in there}
    fresh, changed = [], []
    for row in found:
        total = before.get((row["unit"], row["day"], row["kind"]))
        if total is None:
            fresh.append(DayTotal(**row))
            continue
        for name in _SUMS:
            setattr(total, name, getattr(total, name) + row[name])
        changed.append(total)
    DayTotal.objects.bulk_create(fresh, batch_size=200)
    DayTotal.objects.bulk_update(changed, list(_SUMS), batch_size=100)
    return sum(row["number"] + row["empty"] for row in found)


# Reading


@dataclass(frozen=True)
class Sums:
    """Of some entries: how many moved units and how many none, units gained, and gone (a positive number)."""

    number: int = 0
    empty: int = 0
    gained: int = 0
    taken: int = 0

    @property
    def net(self) -> int:
        return self.gained - self.taken

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.number + other.number,
            self.empty + other.empty,
            self.gained + other.gained,
            self.taken + other.taken,
        )


def sums(
    unit: str, by: str, *, since: date | None = None, until: date | None = None, kind: str = ""
) -> dict[Any, Sums]:
    """Return the sums of the entries of ``unit`` by "kind" or by "day", in two queries.

    Both days are included and are those of ``effective_at``; ``kind``: only entries of that kind.
    """
    totals, entries = _between(*_of(unit, _counted()), since, until, kind)
    return _together(totals, {"what": F(by)}, entries, {"what": F("kind") if by == "kind" else _day()})


def days_of(
    unit: str, *, since: date | None = None, until: date | None = None, kind: str = ""
) -> tuple[dict[date, Sums], int]:
    """Return what :func:`sums` says of each day, and how many entries of other units there are on these days; in two
    queries."""
    totals, entries = _between(*_all(_counted()), since, until, kind)
    own = {"own": _whether(Q(unit=unit))}, {"own": _whether(Q(account__unit=unit))}
    found = _together(totals, {"what": F("day"), **own[0]}, entries, {"what": _day(), **own[1]})
    days = {day: one for (day, is_own), one in found.items() if is_own}
    return days, sum(one.number + one.empty for (_day_, is_own), one in found.items() if not is_own)


def sums_of_kinds(unit: str, since: date, until: date, *, counted: int) -> dict[tuple[str, bool], Sums]:
    """Return the sums of all entries of ``unit`` by kind and whether they are of these days (both included), in one
    query. ``counted`` is how far they were counted when :func:`mark` was asked."""
    totals, entries = _of(unit, counted)
    of_days = Q(effective_at__gte=times.start_of(since), effective_at__lt=times.end_of(until))
    early = {"what": F("kind"), "within": _whether(Q(day__gte=since, day__lte=until))}
    return _together(totals, early, entries, {"what": F("kind"), "within": _whether(of_days)})


def total(found: Iterable[Sums]) -> Sums:
    return reduce(add, found, Sums())


def _whether(condition: Q) -> Case:
    return Case(When(condition, then=True), default=False, output_field=BooleanField())


def mark() -> Coalesce:
    """Return the expression for how far the entries are counted."""
    return Coalesce(Subquery(_model("Counting").objects.order_by("pk").values("counted")[:1]), 0)


def _counted() -> int:
    return int(_model("Counting").objects.aggregate(counted=Coalesce(Max("counted"), 0))["counted"])


def _all(counted: int) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """Return the totals, and the entries that are in none of them.

    The mark may have moved on since ``counted``; that number is for the database, which cannot guess how few there are.
    """
    return _model("DayTotal").objects.order_by(), _entries().filter(pk__gt=counted).filter(pk__gt=mark())


def _of(unit: str, counted: int) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """Return both of one unit."""
    totals, entries = _all(counted)
    return totals.filter(unit=unit), entries.filter(account__unit=unit)


def _between(
    totals: Any, entries: Any, since: date | None, until: date | None, kind: str
) -> tuple[QuerySet[Any], QuerySet[Any]]:
    """Return those of these days, both included, and of this kind."""
    if kind:
        totals, entries = totals.filter(kind=kind), entries.filter(kind=kind)
    if since is not None:
        totals, entries = totals.filter(day__gte=since), entries.filter(effective_at__gte=times.start_of(since))
    if until is not None:
        totals, entries = totals.filter(day__lte=until), entries.filter(effective_at__lt=times.end_of(until))
    return totals, entries


def _together(totals: Any, early: dict[str, Any], entries: Any, late: dict[str, Any]) -> dict[Any, Sums]:
    """Add up both in one statement: between two, a slice might be counted and be missing, or there twice."""
    names = list(late)
    counted = totals.annotate(**early).values(*names).annotate(**{f"{name}_": Sum(name) for name in _SUMS})
    rows = counted.values_list(*names, *(f"{name}_" for name in _SUMS))
    rows = rows.union(entries.annotate(**late).values(*names).annotate(**_SUMS).values_list(*names, *_SUMS), all=True)
    found: dict[Any, Sums] = defaultdict(Sums)
    for row in rows:
        key, figures = row[: len(names)], row[len(names) :]
        found[key if len(key) > 1 else key[0]] += Sums(*map(int, figures))
    return dict(found)
