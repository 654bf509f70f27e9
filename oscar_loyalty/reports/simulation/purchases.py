"""The real orders and bookings of a period in the order of time, in slices, read only: no rows become objects.

Each says how it was awarded, if it was: of which tier, with which pieces left out, and how much of it stands. So the
same rules give the same points once more.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from django.db.models import Max, Q

from oscar_loyalty.earning import clawback, facts, linking
from oscar_loyalty.loading import get_model

ZERO = Decimal(0)
ONE = Fraction(1)
#: Orders or bookings that are fetched at once.
SLICE = 1000


@dataclass(slots=True)
class Given:
    """An award as it was made: before anything was taken back, and which part of it stands (``kept``)."""

    points: int
    clawed_back: int
    kept: Fraction
    tier: Any
    multiplier: Decimal
    left_out: dict[str, int]
    newest_rule: datetime | None = None
    recorded_at: datetime | None = None
    happened_at: datetime | None = None

    @property
    def stands(self) -> int:
        return self.points - self.clawed_back

    def rules_at(self, at: datetime) -> datetime:
        """Return of when the rules were: of the purchase's own time, or, in a backfill, of when it was written."""
        later = self.newest_rule is not None and self.newest_rule > at
        return self.recorded_at if later and self.recorded_at is not None else at


#: A piece: line, product, title, quantity, amounts with and without tax, what points or cards paid.
Piece = tuple[str, int | None, str, int, Decimal, Decimal, Decimal]


@dataclass(slots=True)
class Past:
    """A purchase that was made. ``tier`` is that of its moment, where there is no award that tells it."""

    kind: str
    pk: int
    at: datetime
    member: int
    tier: int | None
    pieces: tuple[Piece, ...]
    shipping: tuple[Decimal, Decimal, Decimal] = (ZERO, ZERO, ZERO)
    given: Given | None = None
    turnover: Decimal = ZERO
    #: The moment that conditions ask about, of a booking the visit; and the one that caps of a day count.
    held_at: datetime | None = None
    counted_at: datetime | None = None


class Purchases:
    """The purchases of a programme's members from ``since`` until before ``until``.

    ``earlier`` takes those from before their customer joined, too. Purchases that brought nothing since they were
    cancelled are left out.
    """

    def __init__(self, programme: Any, since: datetime, until: datetime, *, earlier: bool = False) -> None:
        self.programme, self.since, self.until, self.earlier = programme, since, until, earlier
        payments = "loyalty_payments"
        self._has = {
            "refunds": get_model(payments, "Refund").objects.exists(),
            "allotments": get_model(payments, "Allotment").objects.exists(),
            "bookings": get_model("loyalty_earning", "Booking").objects.filter(programme=programme).exists(),
            "moves": get_model("loyalty_members", "TierChange").objects.filter(member__programme=programme).exists(),
            "claims": get_model("loyalty_earning", "GuestClaim").objects.exists(),
        }
        self._tiers = {
            tier.pk: tier for tier in get_model("loyalty_members", "Tier").objects.filter(programme=programme)
        }

    def tier(self, pk: int | None) -> Any:
        return self._tiers.get(pk)

    def _orders(self) -> Any:
        rows = get_model("order", "Order").objects.filter(site=self.programme.site_id, user__isnull=False)
        return rows.filter(date_placed__gte=self.since, date_placed__lt=self.until)

    def _bookings(self) -> Any:
        rows = get_model("loyalty_earning", "Booking").objects.filter(programme=self.programme, member__isnull=False)
        return rows.filter(made_at__gte=self.since, made_at__lt=self.until)

    def count(self) -> int:
        """Return how many orders and bookings there are to look at."""
        return self._orders().count() + (self._bookings().count() if self._has["bookings"] else 0)

    def __iter__(self) -> Iterator[Past | None]:
        """Yield them in the order of time; ``None`` for each that cannot bring anything."""
        streams = [self._past_orders()]
        if self._has["bookings"]:
            streams.append(self._past_bookings())
        # Those that are left out travel with their moment, so that the streams keep their order.
        for _at, _kind, _pk, past in heapq.merge(*streams, key=lambda row: row[:3]):
            yield past

    def _slices(self, rows: Any, moment: str, columns: tuple[str, ...]) -> Iterator[list[Any]]:
        """Yield slices by key, each looked up anew: nothing is held open, and no memory grows."""
        last: Any = None
        while True:
            found = rows
            if last is not None:
                found = rows.filter(Q(**{f"{moment}__gt": last[0]}) | Q(**{moment: last[0], "pk__gt": last[1]}))
                found = found.filter(**{f"{moment}__gte": last[0]})
            part = list(found.order_by(moment, "pk").values_list(moment, "pk", *columns)[:SLICE])
            if not part:
                return
            yield part
            last = part[-1][:2]

    # Orders

    def _past_orders(self) -> Iterator[tuple[datetime, str, int, Past | None]]:
        columns = ("user_id", "status", "currency", "shipping_incl_tax", "shipping_excl_tax")
        for part in self._slices(self._orders(), "date_placed", columns):
            yield from self._slice_of_orders(part)

    def _slice_of_orders(self, part: list[Any]) -> Iterator[tuple[datetime, str, int, Past | None]]:
        programme = self.programme
        pks = [row[1] for row in part]
        members = self._members(Q(user__in={row[2] for row in part}), "user_id")
        given = self._given("order", pks)
        lines = defaultdict(list)
        rows = get_model("order", "Line").objects.filter(order__in=pks).order_by("pk")
        columns = ("pk", "product_id", "title", "quantity", "line_price_incl_tax", "line_price_excl_tax", "status")
        for order, *line in rows.values_list("order_id", *columns):
            lines[order].append(line)
        refunds = clawback.refunded(pks) if self._has["refunds"] else {}
        booked = linking.linked_quantities([x[0] for y in lines.values() for x in y]) if self._has["bookings"] else {}
        paid, rest = self._paid(pks)
        reached = self._reached(pks)
        claimed = self._claimed(pks)
        tier_at = self._tier_at(members)
        cancelled_orders, cancelled_lines = programme.cancelled_order_statuses, programme.cancelled_line_statuses
        for at, pk, user, status, currency, ship_incl, ship_excl in part:
            member, award = members.get(user), given.get(pk)
            known = member is not None and (
                award is not None
                or (
                    self._may(member, at, claimed=pk in claimed)
                    and status not in cancelled_orders
                    and (reached is None or status == programme.award_on_status or pk in reached)
                )
            )
            if not known:
                yield at, "order", pk, None
                continue
            counts = currency == programme.currency
            pieces: list[Piece] = []
            turnover = ZERO
            gone = clawback.left_out({}, refunds.get(pk, {})) if pk in refunds else {}
            for line, product, title, quantity, incl, excl, line_status in lines.get(pk, ()):
                if award is not None:
                    without = award.left_out.get(str(line), 0)
                else:
                    without = quantity if line_status in cancelled_lines else gone.get(line, 0)
                    without += booked.get(line, 0)
                left = quantity - without
                if left <= 0:
                    continue
                other = paid.get(line, ZERO)
                if without:
                    share = Decimal(left) / Decimal(quantity)
                    incl, excl, other = incl * share, excl * share, other * share
                if not counts:
                    incl = excl = other = ZERO
                turnover += incl
                pieces.append((str(line), product, title, left, incl, excl, other))
            pieces.sort()
            shipping = (ship_incl, ship_excl, rest.get(pk, ZERO)) if counts else (ZERO, ZERO, rest.get(pk, ZERO))
            tier = tier_at(member[0], member[2], at) if award is None else None
            past = Past("order", pk, at, member[0], tier, tuple(pieces), shipping, award, turnover)
            past.counted_at = award.happened_at if award is not None else at
            yield at, "order", pk, past

    def _paid(self, pks: list[int]) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
        if not self._has["allotments"]:
            return {}, {}
        return facts._paid_otherwise([SimpleNamespace(pk=pk) for pk in pks])

    def _reached(self, pks: list[int]) -> set[int] | None:
        """Return which orders once had the status at which points are given; ``None`` where none is asked for."""
        wanted = self.programme.award_on_status
        if not wanted:
            return None
        rows = get_model("order", "OrderStatusChange").objects.filter(order__in=pks, new_status=wanted)
        return set(rows.values_list("order", flat=True))

    def _claimed(self, pks: list[int]) -> set[int]:
        if not self._has["claims"]:
            return set()
        return set(
            get_model("loyalty_earning", "GuestClaim").objects.filter(order__in=pks).values_list("order", flat=True)
        )

    # Bookings

    def _past_bookings(self) -> Iterator[tuple[datetime, str, int, Past | None]]:
        columns = ("member_id", "state", "product_id", "title", "price", "currency", "starts_at")
        for part in self._slices(self._bookings(), "made_at", columns):
            members = self._members(Q(pk__in={row[2] for row in part}), "pk")
            given = self._given("booking", [row[1] for row in part])
            tier_at = self._tier_at(members)
            for at, pk, who, state, product, title, price, currency, starts_at in part:
                member = members.get(who)
                rounds = given.get(pk)
                fits = member is not None and self._may(member, at) and state not in ("missed", "cancelled")
                if not rounds and not fits:
                    yield at, "booking", pk, None
                    continue
                counts = price is not None and currency in ("", self.programme.currency)
                amount = price if counts else ZERO
                pieces = (("booking", product, title, 1, amount, amount, ZERO),)
                # Points that were taken and given again are another award of the same visit.
                for number, award in enumerate(rounds or [None]):
                    tier = tier_at(member[0], member[2], at) if award is None else None
                    turnover = amount if number == 0 else ZERO
                    past = Past("booking", pk, at, who, tier, pieces, given=award, turnover=turnover, held_at=starts_at)
                    past.counted_at = award.happened_at if award is not None else at
                    yield at, "booking", pk, past

    # Members, and what they were given

    def _members(self, which: Q, by: str) -> dict[int, tuple[int, datetime, int | None, str]]:
        rows = get_model("loyalty_members", "Member").objects.filter(which, programme=self.programme)
        return {row[0]: row[1:] for row in rows.values_list(by, "pk", "joined_at", "tier_id", "status")}

    def _may(self, member: Any, at: datetime, *, claimed: bool = False) -> bool:
        _pk, joined_at, _tier, status = member
        return status == "active" and (
            self.earlier or (at >= self.programme.started_at and (joined_at <= at or claimed))
        )

    def _tier_at(self, members: dict[int, Any]) -> Any:
        changes: dict[int, list[Any]] = defaultdict(list)
        if self._has["moves"]:
            rows = get_model("loyalty_members", "TierChange").objects.filter(
                member__in=[row[0] for row in members.values()]
            )
            told = rows.order_by("happened_at", "pk").values_list("member_id", "happened_at", "before_id", "after_id")
            for member, moment, before, after in told:
                changes[member].append((moment, before, after))

        def tier_at(member: int, now: int | None, at: datetime) -> int | None:
            own = changes.get(member)
            if not own:
                return now
            tier = own[0][1]
            for moment, _before, after in own:
                if moment > at:
                    break
                tier = after
            return tier

        return tier_at

    def _given(self, kind: str, pks: list[int]) -> dict[int, Any]:
        """Return the award of each order; of each booking all, the first before the next."""
        Award = get_model("loyalty_earning", "Award")
        rows = Award.objects.filter(programme=self.programme, source_type=kind, source_id__in=[str(pk) for pk in pks])
        columns = ("pk", "source_id", "points", "clawed_back", "spent", "spent_back", "void", "tier_id", "multiplier")
        rows = list(
            rows.order_by("pk").values_list(*columns, "explanation__left_out", "entry__recorded_at", "happened_at")
        )
        newest = self._newest([row[0] for row in rows])
        found: dict[int, Any] = defaultdict(list)
        for pk, source, points, back, spent, spent_back, void, tier, multiplier, left_out, recorded, happened in rows:
            if points:
                kept = ONE if not back else Fraction(points - back, points)
            elif void:
                kept = Fraction(0)
            else:
                kept = ONE - (Fraction(spent_back) / Fraction(spent) if spent else 0)
            award = Given(
                points, back, kept, self.tier(tier), multiplier, left_out or {}, newest.get(pk), recorded, happened
            )
            if kind == "order":
                found[int(source)] = award
            else:
                found[int(source)].append(award)
        return found

    def _newest(self, awards: list[int]) -> dict[int, datetime]:
        """Return since when the newest rule is valid that each award came from."""
        if not awards:
            return {}
        lines = get_model("loyalty_earning", "AwardLine").objects.filter(award__in=awards).order_by()
        return dict(lines.values_list("award").annotate(at=Max("rule_version__valid_from")))
