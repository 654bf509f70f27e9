"""A booked service that was also ordered earns once, by the booking: which pieces of which order lines are booked."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Count

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.sites import of_site

#: How long a paid service waits for its booking; one ordered earlier was had without the calendar.
PREPAID = timedelta(days=90)


def _bookings() -> Any:
    return get_model("loyalty_earning", "Booking").objects


def linked_quantities(lines: Iterable[int]) -> dict[int, int]:
    """Return how many pieces of each order line are booked. A booking that was called off leaves its piece free."""
    rows = _bookings().filter(order_line__in=list(lines)).exclude(state="cancelled").order_by()
    return dict(rows.values_list("order_line").annotate(number=Count("pk")))


def link_lines(*, member: Any, orders: Sequence[Any], members: Mapping[int, Any] | None = None) -> dict[int, int]:
    """Tie bookings of the orders' customers to their lines, and return how many pieces of each line are booked.

    A booking belongs to a line when it is of the same service, still free, and for a time after the order was placed.
    ``members`` by user, where the orders are several people's.
    """
    lines = [line.pk for order in orders for line in order.lines.all()]
    owners = {order.pk: (members or {}).get(order.user_id, member) for order in orders}
    products = {line.product_id for order in orders for line in order.lines.all()} - {None}
    waiting = defaultdict(list)
    open_ones = _bookings().filter(
        member__in={owner.pk for owner in owners.values() if owner}, product__in=products, order_line__isnull=True
    )
    for booking in open_ones.exclude(state="cancelled").order_by("starts_at", "pk"):
        waiting[booking.member_id, booking.product_id].append(booking)
    if waiting:
        # Bookings that are being made choose among the same lines; they and we take turns.
        mine = get_model("order", "Line").objects.filter(pk__in=lines, product__in=products).order_by("pk")
        list(mine.select_for_update(of=("self",), no_key=True).values_list("pk", flat=True))
    booked = linked_quantities(lines)
    for order in orders:
        owner = owners[order.pk]
        for line in order.lines.all():
            queue = waiting.get((owner.pk, line.product_id), []) if owner else []
            for booking in list(queue):
                if booked.get(line.pk, 0) >= line.quantity:
                    break
                if booking.starts_at is not None and booking.starts_at < order.date_placed:
                    continue
                queue.remove(booking)
                # Only a booking that is still free: another order may have taken it in the same moment.
                if _bookings().filter(pk=booking.pk, order_line__isnull=True).update(order_line=line.pk):
                    booked[line.pk] = booked.get(line.pk, 0) + 1
    return booked


def line_for(booking: Any) -> Any:
    """Return the order line that paid for ``booking`` before: the customer's oldest free one, or ``None``."""
    if booking.member is None or booking.member.user_id is None or booking.product_id is None:
        return None
    lines = get_model("order", "Line").objects.filter(
        of_site(booking.programme.site_id, "order__site"),
        order__user=booking.member.user_id,
        product=booking.product_id,
    )
    lines = lines.filter(order__date_placed__gte=booking.made_at - PREPAID)
    if booking.starts_at is not None:
        lines = lines.filter(order__date_placed__lte=booking.starts_at)
    programme = booking.programme
    lines = lines.exclude(order__status__in=programme.cancelled_order_statuses)
    lines = lines.exclude(status__in=programme.cancelled_line_statuses).order_by("pk")
    found = list(lines.select_for_update(of=("self",), no_key=True))
    booked = linked_quantities(line.pk for line in found)
    return next((line for line in found if booked.get(line.pk, 0) < line.quantity), None)
