"""What rules may ask beside what was bought: when on the shop's clock, by whom, the first time or not."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q

from oscar_loyalty import times
from oscar_loyalty.earning import segments
from oscar_loyalty.earning.engine import Purchase
from oscar_loyalty.earning.facts import RuleBook, of_tier
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.selectors import orders_of


class Circumstances:
    """Completes purchases of a programme's members; asks the database only what some rule of ``book`` asks.

    The products in question must have been learned by the book before.
    """

    def __init__(self, book: RuleBook, members: Iterable[Any] = ()) -> None:
        self._programme = book.programme
        self._members = {member.pk: member for member in members if member is not None}
        self._birthday = book.asks("birthday_month")
        asked = {code for dated in book.known() if dated.facts.when for code in dated.facts.when.segments}
        self._segments = sorted(asked)
        self._first_orders: dict[int, int] = {}
        self._asks_first = book.asks("first")
        if self._asks_first:
            self._first_orders = self._load_first()

    def of(
        self,
        purchase: Purchase,
        *,
        member: Any,
        tier: Any,
        at: datetime,
        order: int | None = None,
        booking: Any = None,
    ) -> Purchase:
        """Return ``purchase`` as made by ``member`` (``None``: somebody who would join), of ``tier``, at a moment.

        ``order`` is the order's primary key, ``booking`` the booking; without one it is asked whether the member has
        bought or come before.
        """
        local = times.on_clock(at)
        completed = of_tier(purchase, tier).made(at=local)
        if self._asks_first:
            completed = completed.made(first=self._is_first(completed, member, order, booking))
        if member is None:
            return completed
        if self._birthday:
            completed = completed.made(birthday_month=member.birth_month == local.month)
        if self._segments:
            completed = completed.made(segments=segments.of_member(member, at, self._segments))
        return completed

    def _is_first(self, purchase: Purchase, member: Any, order: int | None, booking: Any) -> bool:
        if member is None:
            return True
        if purchase.channel == "booking":
            bookings = get_model("loyalty_earning", "Booking").objects.filter(member=member, made_at__isnull=False)
            if booking is not None:
                earlier = Q(made_at__lt=booking.made_at) | Q(made_at=booking.made_at, pk__lt=booking.pk)
                bookings = bookings.filter(earlier)
            return not bookings.exclude(state__in=["cancelled", "missed"]).exists()
        first = self._first_orders.get(member.user_id)
        return first is None or first == order

    def _load_first(self) -> dict[int, int]:
        """Return the first order of each of the members' users that was not cancelled."""
        users = [member.user_id for member in self._members.values() if member.user_id is not None]
        orders = orders_of(self._programme).filter(user__in=users)
        orders = orders.exclude(status__in=self._programme.cancelled_order_statuses)
        first: dict[int, int] = {}
        for user, pk in orders.order_by("-date_placed", "-pk").values_list("user", "pk"):
            first[user] = pk
        return first
