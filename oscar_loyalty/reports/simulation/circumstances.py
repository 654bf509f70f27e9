"""What rules ask about members, as it was when a purchase was awarded."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from oscar_loyalty.earning.circumstances import Circumstances
from oscar_loyalty.earning.engine import Purchase
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.selectors import orders_of

LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)
GONE = ("cancelled", "missed")


class Then(Circumstances):
    """Circumstances as of the moment ``as_of``, to be set before each purchase: what was cancelled later was there."""

    as_of: datetime = LONG_AGO

    def _load_first(self) -> Any:
        """Return each user's orders, the first one first, with when they were cancelled."""
        users = [member.user_id for member in self._members.values() if member.user_id is not None]
        statuses = self._programme.cancelled_order_statuses
        changes = get_model("order", "OrderStatusChange").objects.filter(order__user__in=users, new_status__in=statuses)
        cancelled: dict[int, datetime] = {}
        for order, at in changes.order_by("-date_created").values_list("order", "date_created"):
            cancelled[order] = at
        orders = orders_of(self._programme).filter(user__in=users)
        found: dict[int, list[Any]] = defaultdict(list)
        for user, pk, status in orders.order_by("date_placed", "pk").values_list("user", "pk", "status"):
            found[user].append((pk, cancelled.get(pk, LONG_AGO) if status in statuses else None))
        self._visits: dict[int, list[Any]] = defaultdict(list)
        rows = get_model("loyalty_earning", "Booking").objects.filter(
            member__in=list(self._members), made_at__isnull=False
        )
        for member, at, pk, state, state_at in rows.values_list("member", "made_at", "pk", "state", "state_at"):
            self._visits[member].append((at, pk, state_at if state in GONE else None))
        return found

    def _is_first(self, purchase: Purchase, member: Any, order: int | None, booking: Any) -> bool:
        if purchase.channel == "booking":
            own = (booking.made_at, booking.pk)
            return not any((at, pk) < own and self._there(gone_at) for at, pk, gone_at in self._visits[member.pk])
        there = (pk for pk, gone_at in self._first_orders.get(member.user_id, ()) if self._there(gone_at))
        return next(there, order) == order

    def _there(self, gone_at: datetime | None) -> bool:
        return gone_at is None or gone_at > self.as_of
