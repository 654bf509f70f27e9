"""Points for the past: awards orders that were placed before the programme, or brought in from elsewhere."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from oscar_loyalty import clock
from oscar_loyalty.earning import orders
from oscar_loyalty.loading import get_model

#: Orders handled in one transaction.
SLICE = 500


@dataclass
class Outcome:
    """What a backfill did, or would do: orders it went through, those that brought points, and to how many members."""

    orders: int = 0
    awards: int = 0
    points: int = 0
    members: int = 0


def waiting(programme: Any, *, since: datetime | None = None, until: datetime | None = None) -> QuerySet[Any]:
    """Return the orders of members, in a period, that may bring points and were never awarded."""
    Order, Award = get_model("order", "Order"), get_model("loyalty_earning", "Award")
    Member, Review = get_model("loyalty_members", "Member"), get_model("loyalty_earning", "OrderReview")
    found = Order.objects.filter(site=programme.site_id, user__isnull=False, currency=programme.currency)
    found = found.exclude(status__in=programme.cancelled_order_statuses)
    if since:
        found = found.filter(date_placed__gte=since)
    if until:
        found = found.filter(date_placed__lt=until)
    if wanted := programme.award_on_status:
        reached = get_model("order", "OrderStatusChange").objects.filter(order=OuterRef("pk"), new_status=wanted)
        found = found.filter(Q(status=wanted) | Exists(reached))
    member = Member.objects.filter(programme=programme, user=OuterRef("user"), status="active")
    awards = Award.objects.filter(source_type="order", source_id=Cast(OuterRef("pk"), CharField()))
    # What was reviewed and brought nothing is not asked again, unless it was placed before its customer joined: that
    # is what a backfill is for.
    reviewed = Review.objects.filter(order=OuterRef("pk"), reviewed_at__isnull=False, status=OuterRef("status"))
    late = member.filter(joined_at__gt=OuterRef("date_placed"))
    return found.filter(Exists(member), ~Exists(awards)).exclude(Exists(reviewed) & ~Exists(late))


def run(
    *,
    programme: Any,
    since: datetime | None = None,
    until: datetime | None = None,
    rules_now: bool = True,
    from_today: bool = False,
    dry_run: bool = False,
    progress: Callable[[int, int], Any] | None = None,
) -> Outcome:
    """Award the orders of :func:`waiting` and return what that brought.

    With ``rules_now`` by the rules of today, since there were none then; else by those of each order's own time. With
    ``from_today`` the points wait and expire as if earned now. ``progress`` is told how many orders are done, and how
    many there are.

    Each customer's orders come in the order of time. Every slice is a transaction of its own, which looks again, so a
    run can be stopped at any moment, and two may run at once; orders placed meanwhile are left to the usual way.
    """
    outcome = Outcome()
    Order = get_model("order", "Order")
    now = clock.now()
    found = waiting(programme, since=since, until=min(until, now) if until else now)
    ordered = found.order_by("user_id", "date_placed", "pk").values_list("pk", flat=True)
    # Eight bytes for each order: asking the database for every slice anew would sort what is left of it each time.
    waiting_pks = array("q", ordered.iterator(chunk_size=5000))
    members: set[int] = set()
    for start in range(0, len(waiting_pks), SLICE):
        pks = waiting_pks[start : start + SLICE].tolist()
        with transaction.atomic():
            awards = orders.award_orders(
                programme=programme,
                orders=[Order(pk=pk) for pk in pks],
                rules_at=now if rules_now else None,
                joined=False,
                booked_at=now if from_today else None,
            )
            if dry_run:
                transaction.set_rollback(True)
        outcome.orders += len(awards)
        outcome.awards += sum(award.points > 0 for award in awards)
        outcome.points += sum(award.points for award in awards)
        members |= {award.member_id for award in awards if award.points}
        if progress is not None:
            progress(min(start + SLICE, len(waiting_pks)), len(waiting_pks))
    outcome.members = len(members)
    return outcome
