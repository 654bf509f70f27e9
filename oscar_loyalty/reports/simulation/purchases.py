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
#: Orders or bookings that are fetched at once.
SLICE = 1000
#: How many members are remembered from one slice to the next.
REMEMBERED = 100_000


@dataclass(slots=True)
class Given:
    """An award as it was made: before anything was taken back, and which part of it stands (``kept``; ``None``: all)."""

    points: int
    clawed_back: int
    kept: Fraction | None
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


#: A piece: line, product, quantity, amounts with and without tax (where the programme asks), what points or cards paid.
Piece = tuple[str, int | None, int, Decimal, Decimal, Decimal]


NO_SHIPPING = (ZERO, ZERO, ZERO)


@dataclass(slots=True)
class Past:
    """A purchase that was made. ``tier`` is that of its moment, where there is no award that tells it."""

    kind: str
    pk: int
    at: datetime
    member: int
    tier: int | None
    pieces: tuple[Piece, ...]
    shipping: tuple[Decimal, Decimal, Decimal] = NO_SHIPPING
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
        self._people: dict[str, dict[int, Any]] = {"user_id": {}, "pk": {}}
        # Reading a number costs about as much as counting with it: what is not asked is not read.
        self._excl = programme.earn_tax == programme.EXCLUSIVE
        self._ships = bool(programme.earn_shipping)
        payments = "loyalty_payments"
        self._has = {
            "refunds": get_model(payments, "Refund").objects.exists(),
            "allotments": get_model(payments, "Allotment").objects.exists(),
            "bookings": get_model("loyalty_earning", "Booking").objects.filter(programme=programme).exists(),
            "moves": get_model("loyalty_members", "TierChange").objects.filter(member__programme=programme).exists(),
            "claims": get_model("loyalty_earning", "GuestClaim").objects.exists(),
            "awards": get_model("loyalty_earning", "Award").objects.filter(programme=programme).exists(),
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
        if len(streams) == 1:
            for row in streams[0]:
                yield row[3]
            return
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
        columns: tuple[str, ...] = ("user_id", "status", "currency")
        if self._ships:
            columns += ("shipping_incl_tax", "shipping_excl_tax")
        for part in self._slices(self._orders(), "date_placed", columns):
            yield from self._slice_of_orders(part)

    def _slice_of_orders(self, part: list[Any]) -> Iterator[tuple[datetime, str, int, Past | None]]:
        programme = self.programme
        pks = [row[1] for row in part]
        members = self._members("user_id", {row[2] for row in part})
        given = self._given("order", pks)
        lines = defaultdict(list)
        rows = get_model("order", "Line").objects.filter(order__in=pks).order_by("pk")
        columns = ["order_id", "pk", "product_id", "quantity", "status", "line_price_incl_tax"]
        if self._excl:
            columns.append("line_price_excl_tax")
        for row in rows.values_list(*columns):
            lines[row[0]].append(row)
        refunds = clawback.refunded(pks) if self._has["refunds"] else {}
        booked = linking.linked_quantities([x[1] for y in lines.values() for x in y]) if self._has["bookings"] else {}
        paid, rest = self._paid(pks)
        reached = self._reached(pks)
        claimed = self._claimed(pks)
        tier_at = self._tier_at(members)
        cancelled_orders, cancelled_lines = programme.cancelled_order_statuses, programme.cancelled_line_statuses
        for at, pk, user, status, currency, *shipped in part:
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
            for _order, line, product, quantity, line_status, incl, *more in lines.get(pk, ()):
                excl = more[0] if more else ZERO
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
                pieces.append((str(line), product, left, incl, excl, other))
            if len(pieces) > 1:
                pieces.sort(key=_by_line)
            shipping = NO_SHIPPING
            if shipped and counts:
                shipping = (shipped[0], shipped[1], rest.get(pk, ZERO))
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
        columns = ("member_id", "state", "product_id", "price", "currency", "starts_at")
        for part in self._slices(self._bookings(), "made_at", columns):
            members = self._members("pk", {row[2] for row in part})
            given = self._given("booking", [row[1] for row in part])
            tier_at = self._tier_at(members)
            for at, pk, who, state, product, price, currency, starts_at in part:
                member = members.get(who)
                rounds = given.get(pk)
                fits = member is not None and self._may(member, at) and state not in ("missed", "cancelled")
                if not rounds and not fits:
                    yield at, "booking", pk, None
                    continue
                counts = price is not None and currency in ("", self.programme.currency)
                amount = price if counts else ZERO
                pieces = (("booking", product, 1, amount, amount, ZERO),)
                # Points that were taken and given again are another award of the same visit.
                for number, award in enumerate(rounds or [None]):
                    tier = tier_at(member[0], member[2], at) if award is None else None
                    turnover = amount if number == 0 else ZERO
                    past = Past("booking", pk, at, who, tier, pieces, given=award, turnover=turnover, held_at=starts_at)
                    past.counted_at = award.happened_at if award is not None else at
                    yield at, "booking", pk, past

    # Members, and what they were given

    def _members(self, by: str, wanted: set[int]) -> dict[int, tuple[int, datetime, int | None, str]]:
        """Return these members by their user or their own key: key, when they joined, tier and status."""
        known = self._people[by]
        if len(known) > REMEMBERED:
            known.clear()
        new = wanted - known.keys()
        if new:
            rows = get_model("loyalty_members", "Member").objects.filter(**{f"{by}__in": new}, programme=self.programme)
            known |= {row[0]: row[1:] for row in rows.values_list(by, "pk", "joined_at", "tier_id", "status")}
        return {pk: known[pk] for pk in wanted if pk in known}

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
        if not self._has["awards"]:
            return {}
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
                kept = None if not back else Fraction(points - back, points)
            elif void:
                kept = Fraction(0)
            else:
                kept = None if not spent or not spent_back else 1 - Fraction(spent_back) / Fraction(spent)
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


def _by_line(piece: Piece) -> str:
    return piece[0]
