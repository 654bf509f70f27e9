"""The few figures that the owner sees first."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.services import point_value
from oscar_loyalty.money import Money

#: How far back "lately" goes.
LATELY = timedelta(days=30)


@dataclass(frozen=True)
class Overview:
    """How the programme is doing. ``out`` are points that members have, usable or not yet; ``worth`` their value."""

    members: int
    joined: int
    on_hold: int
    out: int
    debt: int
    worth: Money
    earned: int
    spent: int
    expiring: int


def overview(programme: Any) -> Overview:
    """Return the figures of ``programme``, in four queries."""
    now = clock.now()
    lately = now - LATELY
    people = get_model("loyalty_members", "Member").objects.filter(programme=programme, merged_into__isnull=True)
    counts = people.aggregate(
        members=Count("pk", filter=~Q(status="closed")),
        on_hold=Count("pk", filter=Q(status="frozen")),
        joined=Count("pk", filter=Q(joined_at__gt=lately) & ~Q(status="closed")),
    )
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    lots = get_model("loyalty_ledger", "Lot").objects.filter(alive, account__unit=programme.unit, remaining__gt=0)
    held = lots.aggregate(
        out=Coalesce(Sum("remaining"), 0),
        expiring=Coalesce(Sum("remaining", filter=Q(expires_at__lte=now + LATELY)), 0),
    )
    accounts = get_model("loyalty_ledger", "Account").objects.filter(unit=programme.unit, debt__gt=0)
    debt = accounts.aggregate(debt=Coalesce(Sum("debt"), 0))["debt"]
    entries = get_model("loyalty_ledger", "Entry").objects.filter(
        account__unit=programme.unit, effective_at__gt=lately, effective_at__lte=now, kind__in=["earn", "spend"]
    )
    moved = entries.aggregate(
        earned=Coalesce(Sum("units", filter=Q(kind="earn")), 0),
        spent=Coalesce(Sum("units", filter=Q(kind="spend")), 0),
    )
    return Overview(
        members=counts["members"],
        joined=counts["joined"],
        on_hold=counts["on_hold"],
        out=held["out"],
        debt=debt,
        worth=Money(worth_of(held["out"], programme), programme.currency),
        earned=moved["earned"],
        spent=-moved["spent"],
        expiring=held["expiring"],
    )


def worth_of(units: int, programme: Any) -> Decimal:
    """Return what ``units`` points are worth at the programme's rate."""
    return (units * point_value(programme)).quantize(Decimal("0.01"), ROUND_HALF_UP)
