"""What the overview says of members and of points that end: looked up at once where they are few, else kept for some
minutes."""

import time
from collections import defaultdict
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from oscar_loyalty import clock, times
from oscar_loyalty.due.registry import sweeper
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors
from oscar_loyalty.reports import day_totals

#: Customers who are not members yet, and are named to the owner.
SHOWN = 8
#: How far back "lately" goes, and how far ahead "soon": days, today included.
LATELY = 30
#: From so many members and lots on, a page shows what was found last, if that is not too old.
MANY, OLD = 20_000, timedelta(hours=6)
#: What was found is looked up again after this time, and not before so many times the time that it takes.
AGAIN, RATHER = timedelta(minutes=10), 100


@dataclass(frozen=True)
class Outside:
    """Active users without a membership: how many customers, how many of the shop's staff, and the keys of the first
    customers. ``at`` is when that was so; ``None``: now."""

    customers: int
    staff: int
    first: tuple[int, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True)
class Standing:
    """Of a programme: how many members, of them who joined lately and on hold; by tier; units that end soon.

    Who is ``outside`` is looked up for large programmes only (else ``None``: :func:`outside` does). ``at`` is when that
    was so; ``None``: now.
    """

    members: int
    joined: int
    on_hold: int
    tiers: dict[int, int]
    expiring: int = 0
    outside: Outside | None = None
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
    return _read(known, at), counted


def _read(known: dict[str, Any], at: datetime) -> Standing:
    tiers = {int(pk): number for pk, number in known["tiers"].items()}
    around = known.get("outside")
    outside = Outside(**{**around, "first": tuple(around["first"]), "at": at}) if around else None
    return Standing(**{**known, "tiers": tiers, "outside": outside, "at": at})


def current(programme: Any) -> Standing:
    """Return how a programme stands: as of lately for a large one, else now; in two queries at most."""
    return kept(programme)[0] or people(programme)[0]


def tiers_of(programme: Any) -> tuple[list[Any], datetime | None]:
    """Return the tiers from the lowest to the highest, each with the ``number`` of its members, and when that was so,
    as :func:`current` says."""
    standing, found = current(programme), list(selectors.tiers(programme))
    for tier in found:
        tier.number = standing.tiers.get(tier.pk, 0)
    return found, standing.at


def members_of(programmes: Collection[Any]) -> tuple[dict[int, int], datetime | None]:
    """Return how many members programmes have, by their keys, in two queries; and, where some are large and told as of
    lately, since when at the most."""
    pks = [programme.pk for programme in programmes]
    rows = get_model("loyalty_reports", "Standing").objects
    large = list(rows.filter(programme__in=pks, rows__gte=MANY, at__gte=clock.now() - OLD))
    found = {row.programme_id: _read(row.figures, row.at).members for row in large}
    members = get_model("loyalty_members", "Member").objects.filter(merged_into__isnull=True)
    members = members.filter(programme__in=set(pks) - set(found)).exclude(status="closed").order_by()
    counted = members.values("programme").annotate(number=Count("pk")).values_list("programme", "number")
    return dict.fromkeys(pks, 0) | found | dict(counted), min((row.at for row in large), default=None)


def outside(programme: Any) -> Outside:
    """Return who is not a member: as of lately for a large programme, else now; in three queries at most. Whoever has a
    million members has all users read for it."""
    found = kept(programme)[0]
    return found.outside if found is not None and found.outside is not None else _outside(programme)


def _outside(programme: Any) -> Outside:
    users = selectors.outsiders(programme, staff=True)
    counts = users.order_by().aggregate(
        customers=Count("pk", filter=Q(is_staff=False)), staff=Count("pk", filter=Q(is_staff=True))
    )
    first = selectors.outsiders(programme).values_list("pk", flat=True)[:SHOWN] if counts["customers"] else ()
    return Outside(**counts, first=tuple(first))


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
        if number + lots["number"] >= MANY:
            found = replace(found, outside=_outside(programme))
        figures = asdict(found)
        del figures["at"]
        seconds = time.monotonic() - began
        fields = {"at": now, "seconds": seconds, "rows": number + lots["number"], "figures": figures}
        rows.update_or_create(programme=programme, defaults=fields)
        done += 1
    return done
