"""Points for the past: awards orders that were placed before the programme, or brought in from elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from oscar_loyalty import clock
from oscar_loyalty.earning import orders
from oscar_loyalty.loading import get_model

#: Customers handled in one transaction, all orders of each: their books stay in the order of time.
SLICE = 50


@dataclass
class Outcome:
    """What a backfill did, or would do."""

    orders: int = 0
    awards: int = 0
    points: int = 0
    members: int = 0


def waiting(programme: Any, *, since: datetime | None = None, until: datetime | None = None) -> QuerySet[Any]:
    """Return the orders of members, in a period, that were never awarded."""
    Order, Award = get_model("order", "Order"), get_model("loyalty_earning", "Award")
    Member, Review = get_model("loyalty_members", "Member"), get_model("loyalty_earning", "OrderReview")
    found = Order.objects.filter(site=programme.site_id, user__isnull=False, currency=programme.currency)
    if since:
        found = found.filter(date_placed__gte=since)
    if until:
        found = found.filter(date_placed__lt=until)
    member = Member.objects.filter(programme=programme, user=OuterRef("user"))
    reviewed = Review.objects.filter(order=OuterRef("pk"), reviewed_at__isnull=False, status=OuterRef("status"))
    awarded = Award.objects.filter(lines__order_line__order=OuterRef("pk"))
    # What was reviewed and brought nothing (cancelled, nothing to earn) is not asked again, unless it was placed
    # before its customer joined: that is what a backfill is for.
    late = Member.objects.filter(programme=programme, user=OuterRef("user"), joined_at__gt=OuterRef("date_placed"))
    found = found.filter(Exists(member)).exclude(Exists(awarded))
    return found.exclude(Exists(reviewed) & ~Exists(late))


def run(
    *,
    programme: Any,
    since: datetime | None = None,
    until: datetime | None = None,
    rules_now: bool = True,
    from_today: bool = False,
    dry_run: bool = False,
    progress: Callable[[int], Any] | None = None,
) -> Outcome:
    """Award the orders of :func:`waiting` and return what that brought.

    With ``rules_now`` by the rules of today, since there were none then; else by those of each order's own time.
    With ``from_today``
    the points wait and expire as if earned now. It goes customer by customer and commits every few, so that it can
    be stopped and
    goes on where it was; orders placed meanwhile are left to the usual way.
    """
    outcome = Outcome()
    now = clock.now()
    found = waiting(programme, since=since, until=until or now)
    last = 0
    while True:
        rest = found.filter(user__gt=last).order_by("user_id")
        users = list(rest.values_list("user_id", flat=True).distinct()[:SLICE])
        if not users:
            return outcome
        batch = list(found.filter(user__gt=last, user__lte=users[-1]).order_by("date_placed", "pk"))
        with transaction.atomic():
            awards = orders.award_orders(
                programme=programme,
                orders=batch,
                rules_at=now if rules_now else None,
                joined=False,
                booked_at=now if from_today else None,
            )
            if dry_run:
                transaction.set_rollback(True)
        outcome.orders += len(batch)
        outcome.awards += sum(award.points > 0 for award in awards)
        outcome.points += sum(award.points for award in awards)
        outcome.members += len({award.member_id for award in awards if award.points})
        last = users[-1]
        if progress is not None:
            progress(len(batch))
