"""What counts towards a tier, always summed from the awards: nothing keeps a total of its own.

An order's award counts from the order on, a visit's from when its points can be spent; neither once it is void. What
was refunded is left out of what was spent, and points that were taken back of the points.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Case, F, Q, Sum, When

from oscar_loyalty.earning.allowance import PURCHASES
from oscar_loyalty.earning.tiering.ladder import LIFETIME, Ladder
from oscar_loyalty.loading import get_model

#: Members whose awards are summed by one query.
BATCH = 2000
#: Windows of different terms in one query.
WINDOWS = 60
#: When an award counts.
AT = Case(When(source_type="booking", then=F("usable_from")), default=F("happened_at"))
#: What of an award counts.
AMOUNTS = {
    "spend": F("spent") - F("spent_back"),
    "points": F("points") - F("clawed_back"),
    "orders": Case(When(source_type="order", then=1), default=0),
    "visits": Case(When(source_type="booking", then=1), default=0),
}
COUNTED = Q(void=False) & (~Q(source_type="booking") | Q(usable_from__isnull=False))


def totals(ladder: Ladder, now: datetime, ends: Mapping[int, datetime | None]) -> dict[int, tuple[Decimal, Decimal]]:
    """Return for each member, by primary key, what counts now, and what counts towards keeping the tier beyond the end
    in ``ends`` (``None``: no end). A few queries for each 2,000 members, one for one."""
    if not ladder.is_automatic:
        return {pk: (Decimal(0), Decimal(0)) for pk in ends}
    if len(ends) == 1:
        [(pk, end)] = ends.items()
        return {pk: _one(ladder, now, pk, end)}
    pks, found = list(ends), {}
    for start in range(0, len(pks), BATCH):
        found.update(_batch(ladder, now, {pk: ends[pk] for pk in pks[start : start + BATCH]}))
    return found


def _one(ladder: Ladder, now: datetime, pk: int, end: datetime | None) -> tuple[Decimal, Decimal]:
    since = ladder.since(now)
    start = ladder.kept_since(end) if end is not None and ladder.window != LIFETIME else None
    rows = awards(min(since, start or since) if since is not None else None)
    amount = AMOUNTS[ladder.metric]
    sums = {"now": Sum(amount, filter=Q(at__gte=since)) if since is not None else Sum(amount)}
    if start is not None:
        sums["kept"] = Sum(amount, filter=Q(at__gte=start))
    # Also what a membership without an account brought, which became part of this one.
    found = rows.filter(Q(member=pk) | Q(member__merged_into=pk)).aggregate(**sums)
    totals = {name: Decimal(str(total or 0)).quantize(Decimal("0.01")) for name, total in found.items()}
    return totals["now"], totals["now"] if ladder.window == LIFETIME else totals.get("kept", Decimal(0))


def beside(ladder: Ladder, now: datetime, since: datetime, pks: Sequence[int]) -> dict[int, Decimal]:
    """Return what counts for these members at ``now`` of all but what they bought or booked from ``since`` on."""
    gifts = ~Q(source_type__in=PURCHASES) & Q(happened_at__lt=now)
    found: dict[int, Decimal] = {}
    for start in range(0, len(pks), BATCH):
        owner = _owners(pks[start : start + BATCH])
        windows = [(ladder.since(now), list(owner))]
        found |= _add(owner, _sums(ladder.metric, windows, gifts | Q(happened_at__lt=since)))
    return found


def _owners(pks: Collection[int]) -> dict[int, int]:
    """Return who has what a member brought: itself, or whom a membership without an account became part of."""
    merged = get_model("loyalty_members", "Member").objects.filter(merged_into__in=list(pks))
    return {pk: pk for pk in pks} | dict(merged.order_by().values_list("pk", "merged_into"))


def _batch(ladder: Ladder, now: datetime, ends: Mapping[int, datetime | None]) -> dict[int, tuple[Decimal, Decimal]]:
    owner = _owners(ends)
    now_counts = _add(owner, _sums(ladder.metric, [(ladder.since(now), list(owner))]))
    if ladder.window == LIFETIME:
        return {pk: (now_counts[pk], now_counts[pk]) for pk in ends}
    starts: dict[datetime, list[int]] = defaultdict(list)
    for pk, own in owner.items():
        end = ends[own]
        start = ladder.kept_since(end) if end is not None else None
        if start is not None:
            starts[start].append(pk)
    windows, kept = sorted(starts.items()), defaultdict(Decimal)
    for first in range(0, len(windows), WINDOWS):
        kept.update(_add(owner, _sums(ladder.metric, windows[first : first + WINDOWS])))
    return {pk: (now_counts[pk], kept[pk]) for pk in ends}


def _add(owner: Mapping[int, int], sums: Iterable[tuple[int, Any]]) -> dict[int, Decimal]:
    found: dict[int, Decimal] = defaultdict(Decimal)
    for pk, total in sums:
        found[owner[pk]] += Decimal(str(total or 0)).quantize(Decimal("0.01"))
    return found


def _sums(metric: str, windows: Sequence[tuple[datetime | None, Collection[int]]], which: Q = COUNTED) -> Any:
    """Return pairs of a member's key and what counts since the start of their window (``None``: ever)."""
    starts = [start for start, _pks in windows if start is not None]
    rows = awards(min(starts, default=None)).filter(which, member__in=[pk for _start, pks in windows for pk in pks])
    if len(windows) > 1:
        rows = rows.filter(reduce(or_, (Q(at__gte=start, member__in=pks) for start, pks in windows)))
    return rows.values_list("member").annotate(total=Sum(AMOUNTS[metric]))


def awards(since: datetime | None) -> Any:
    """Return the awards that count, with when (``at``), from ``since`` on (``None``: all)."""
    rows = get_model("loyalty_earning", "Award").objects.filter(COUNTED).annotate(at=AT).order_by()
    if since is not None:
        # What the index knows comes first.
        early = Q(happened_at__gte=since) | Q(source_type="booking", usable_from__gte=since)
        rows = rows.filter(early, at__gte=since)
    return rows


def parts(metric: str, since: datetime | None) -> list[Any]:
    """Return the awards of :func:`awards` that matter to ``metric``, with their ``amount``, as querysets of which each
    has an index of its own."""
    rows = get_model("loyalty_earning", "Award").objects.filter(void=False).order_by()
    rows = rows.annotate(amount=AMOUNTS[metric])
    visits = rows.filter(source_type="booking", usable_from__isnull=False).annotate(at=F("usable_from"))
    others = rows.exclude(source_type="booking").annotate(at=F("happened_at"))
    if since is not None:
        visits, others = visits.filter(usable_from__gte=since), others.filter(happened_at__gte=since)
    return {"orders": [others], "visits": [visits]}.get(metric, [others, visits])
