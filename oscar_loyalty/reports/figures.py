"""The few figures that the owner sees first."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import CharField, Count, Q, Sum, Value

from oscar_loyalty import clock, times
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.services import point_value
from oscar_loyalty.money import Money
from oscar_loyalty.reports import day_totals, standings

#: Lots that have ended, and are looked at one by one.
FEW = 2_000


@dataclass(frozen=True)
class Overview:
    """How the programme is doing. ``out`` are points that members have, usable or not yet; ``worth`` their value.

    ``joined``, ``earned`` and ``spent`` are of the last 30 days with today. ``tiers`` are members by tier. ``at``: as
    of when members, tiers and what expires are told, where that is not now.
    """

    members: int
    joined: int
    on_hold: int
    out: int
    debt: int
    worth: Money
    earned: int
    spent: int
    expiring: int
    tiers: dict[int, int]
    at: datetime | None = None


def overview(programme: Any) -> Overview:
    """Return the figures of ``programme``, in four queries."""
    now = clock.now()
    kept, counted = standings.kept(programme)
    standing = kept or standings.people(programme)[0]
    first, last = standings.first_day(now), times.day_of(now)
    sums = day_totals.sums_of_kinds(programme.unit, first, last, counted=counted)
    booked = day_totals.total(sums.values()).net
    earned, spent = (sums.get((kind, True), day_totals.Sums()).net for kind in ("earn", "spend"))
    left = _left(programme, now, ending=kept is None)
    # All entries sum to what is left of all lots, less debts; what has ended is out no more, posted or not.
    out = booked + left["debt"] - left["late"]
    return Overview(
        members=standing.members,
        joined=standing.joined,
        on_hold=standing.on_hold,
        out=out,
        debt=left["debt"],
        worth=Money(worth_of(out, programme), programme.currency),
        earned=earned,
        spent=-spent,
        expiring=left["ending"] if kept is None else kept.expiring,
        tiers=standing.tiers,
        at=standing.at,
    )


def _left(programme: Any, now: datetime, *, ending: bool) -> dict[str, int]:
    """Return all debt, what has ended and is not posted yet, and, if asked for, what ends soon; in one query."""
    accounts = get_model("loyalty_ledger", "Account").objects.order_by().filter(unit=programme.unit, debt__gt=0)
    # Between two sweeps few are late, which the database cannot guess: it would make ready to read all accounts.
    ended = get_model("loyalty_ledger", "Lot").objects.order_by().filter(remaining__gt=0, expires_at__lte=now)
    first = ended.order_by("expires_at").values("pk")[:FEW]
    late = ended.filter(pk__in=first).annotate(of=ledger.unit_of_account())
    parts = [("debt", accounts, Sum("debt")), ("late", late, Sum("remaining", filter=Q(of=programme.unit)))]
    if ending:
        parts.append(("ending", standings.ending(programme), Sum("remaining")))
    rows, *others = (
        rows.annotate(what=Value(name, CharField()))
        .values("what")
        .annotate(total=total, number=Count("pk"))
        .values_list("what", "total", "number")
        for name, rows, total in parts
    )
    found = {"debt": 0, "late": 0, "ending": 0}
    for name, units, number in rows.union(*others, all=True):
        found[name] = int(units or 0)
        if name == "late" and number >= FEW:
            # No sweep was by for long.
            all_of_them = ended.filter(account__unit=programme.unit)
            found[name] = int(all_of_them.aggregate(total=Sum("remaining"))["total"] or 0)
    return found


def worth_of(units: int, programme: Any) -> Decimal:
    """Return what ``units`` points are worth at the programme's rate."""
    return (units * point_value(programme)).quantize(Decimal("0.01"), ROUND_HALF_UP)
