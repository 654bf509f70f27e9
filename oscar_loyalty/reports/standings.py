"""What the overview says of members and of points that end: looked up at once where they are few, else kept for some
minutes."""

import time
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from oscar_loyalty import clock, times
from oscar_loyalty.due.registry import sweeper
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import day_totals

#: How far back "lately" goes, and how far ahead "soon": days, today included.
LATELY = 30
#: From so many members and lots on, a page shows what was found last, if that is not too old.
MANY, OLD = 20_000, timedelta(hours=6)
#: What was found is looked up again after this time, and not before so many times the time that it takes.
AGAIN, RATHER = timedelta(minutes=10), 100


@dataclass(frozen=True)
class Standing:
    """Of a programme: how many members, of them who joined lately and on hold; by tier; units that end soon.

    ``at`` is when that was so; ``None``: now.
    """

    members: int
    joined: int
    on_hold: int
    tiers: dict[int, int]
    expiring: int = 0
    at: datetime | None = None


def first_day(now: datetime) -> Any:
    """Return the first of the days that are lately."""
    return times.day_of(now) - timedelta(days=LATELY - 1)


def kept(programme: Any) -> tuple[Standing | None, int]:
    """Return how a large programme stood when somebody last looked, if that is not long ago, and how far the entries
    are counted; in one query."""
    found = get_model("loyalty_members", "Programme").objects.filter(pk=programme.pk)
    rows = found.values_list(day_totals.mark(), "standing__at", "standing__rows", "standing__figures")
    counted, at, number, known = rows.first() or (0, None, None, None)
    if at is None or number < MANY or at < clock.now() - OLD:
        return None, counted
    figures = dict(known)
    tiers = {int(pk): number for pk, number in figures.pop("tiers").items()}
    return Standing(**figures, tiers=tiers, at=at), counted


def people(programme: Any) -> tuple[Standing, int]:
    """Look up how members stand, in one query; return that, and how many there are in all."""
    since = times.start_of(first_day(clock.now()))
    members = get_model("loyalty_members", "Member").objects.filter(programme=programme, merged_into__isnull=True)
    counts = {"number": Count("pk"), "new": Count("pk", filter=Q(joined_at__gte=since))}
    rows = list(members.order_by().values("tier", "status").annotate(**counts))
    there = [row for row in rows if row["status"] != "closed"]
    tiers: dict[int, int] = defaultdict(int)
    for row in there:
        if row["tier"] is not None:
            tiers[row["tier"]] += row["number"]
    found = Standing(
        members=sum(row["number"] for row in there),
        joined=sum(row["new"] for row in there),
        on_hold=sum(row["number"] for row in there if row["status"] == "frozen"),
        tiers=dict(tiers),
    )
    return found, sum(row["number"] for row in rows)


def ending(programme: Any) -> QuerySet[Any]:
    """Return the lots that end soon."""
    now = clock.now()
    lots = get_model("loyalty_ledger", "Lot").objects.order_by().filter(account__unit=programme.unit, remaining__gt=0)
    return lots.filter(expires_at__gt=now, expires_at__lte=now + timedelta(days=LATELY))


@sweeper("reports.standings")
def keep() -> int:
    """Look up how the programmes stand that were not looked at for a while; return how many."""
    rows, done = get_model("loyalty_reports", "Standing").objects, 0
    kept = {row.programme_id: row for row in rows.all()}
    for programme in get_model("loyalty_members", "Programme").objects.order_by("pk"):
        last, now = kept.get(programme.pk), clock.now()
        if last is not None and now - last.at < max(AGAIN, timedelta(seconds=RATHER * last.seconds)):
            continue
        began = time.monotonic()
        found, number = people(programme)
        lots = ending(programme).aggregate(units=Coalesce(Sum("remaining"), 0), number=Count("pk"))
        found = replace(found, expiring=lots["units"])
        figures = {name: getattr(found, name) for name in ("members", "joined", "on_hold", "tiers", "expiring")}
        seconds = time.monotonic() - began
        fields = {"at": now, "seconds": seconds, "rows": number + lots["number"], "figures": figures}
        rows.update_or_create(programme=programme, defaults=fields)
        done += 1
    return done
