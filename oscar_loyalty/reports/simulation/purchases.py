"""The real orders and bookings of a period, in slices, read only: no rows become objects.

Each says how it was awarded, if it was: of which tier, with which pieces left out, and how much of it stands. So the
same rules give the same points once more.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from django.db.models import DateTimeField, F, Max, Q, Value

from oscar_loyalty.earning import clawback, facts, linking
from oscar_loyalty.earning.allowance import PURCHASES
from oscar_loyalty.loading import get_model
from oscar_loyalty.lookups import among
from oscar_loyalty.members.selectors import orders_of, rests

ZERO = Decimal(0)
#: Orders or bookings that are fetched at once.
SLICE = 2500
#: How many members are remembered from one slice to the next.
REMEMBERED = 100_000


@dataclass(slots=True)
class Given:
    """An award as it was made: before anything was taken back, and what part of it stands (``None``: all)."""

    points: int
    clawed_back: int
    kept: Fraction | None
    tier: Any
    multiplier: Decimal
    left_out: dict[str, int]
    newest_rule: datetime | None = None
    recorded_at: datetime | None = None
    happened_at: datetime | None = None
    #: When points of it were taken back, with how many were taken by then; and whether nothing of it is left.
    taken: tuple[tuple[datetime, int], ...] = ()
    void: bool = False

    @property
    def stands(self) -> int:
        return self.points - self.clawed_back

    def rules_at(self, at: datetime) -> datetime:
        """Return of when the rules were: of the purchase's own time, or, in a backfill, of when it was written."""
        later = self.newest_rule is not None and self.newest_rule > at
        return self.recorded_at if later and self.recorded_at is not None else at


#: A piece: line, product, quantity, amounts with and without tax (where the programme asks), what points or cards paid.
Piece = tuple[int, int | None, int, Decimal, Decimal, Decimal]


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
    #: When its points were reckoned: what was cancelled or taken back later was still there.
    known_at: datetime | None = None


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
            tier.pk: tier for tier in get_model("loyalty_members", "Tier").everything.filter(programme=programme)
        }

    def tier(self, pk: int | None) -> Any:
        return self._tiers.get(pk)

    def _orders(self) -> Any:
        rows = orders_of(self.programme).filter(user__isnull=False)
        return rows.filter(date_placed__gte=self.since, date_placed__lt=self.until)

    def _bookings(self) -> Any:
        rows = get_model("loyalty_earning", "Booking").objects.filter(programme=self.programme, member__isnull=False)
        return rows.filter(made_at__gte=self.since, made_at__lt=self.until)

    def count(self) -> int:
        """Return how many orders and bookings there are to look at."""
        return self._orders().count() + (self._bookings().count() if self._has["bookings"] else 0)

    @cached_property
    def _limited(self) -> bool:
        """Whether it matters what was given before: only then does the order of the awards."""
        held = Q(spec__has_key="caps")
        return bool(
            facts.limits_of(self.programme).is_limited
            or get_model("loyalty_earning", "RuleVersion").objects.filter(held, rule__programme=self.programme).exists()
            or get_model("loyalty_earning", "DraftItem").objects.filter(held, draft__programme=self.programme).exists()
        )

    def __iter__(self) -> Iterator[Past | None]:
        """Yield them; ``None`` for each that cannot bring anything.

        Where there are caps or a budget they come in the order in which they were awarded, those without an award when
        they were made; otherwise first the orders, then the bookings, each in the order of time.
        """
        if self._limited:
            ranks = sorted(self._ranks())
            for start in range(0, len(ranks), SLICE):
                yield from self._ranked(ranks[start : start + SLICE])
            return
        # Eight bytes for each: asking the database for every slice anew would sort what is left each time.
        rows = self._orders().order_by("date_placed", "pk").values_list("pk", flat=True)
        pks = array("q", rows.iterator(chunk_size=5000))
        for start in range(0, len(pks), SLICE):
            part = pks[start : start + SLICE].tolist()
            found = self._slice_of_orders(part)
            for pk in part:
                yield found.get(pk)
        if self._has["bookings"]:
            rows = self._bookings().order_by("made_at", "pk").values_list("pk", flat=True)
            pks = array("q", rows.iterator(chunk_size=5000))
            for start in range(0, len(pks), SLICE):
                part = pks[start : start + SLICE].tolist()
                visits = self._slice_of_bookings(part)
                for pk in part:
                    yield from visits.get(pk) or [None]

    def _ranks(self) -> Iterator[tuple[datetime, int, str, int, int]]:
        """Yield when each was reckoned, its award, and which it is: kind, key, and of a booking the round."""
        awards: dict[tuple[str, int], list[tuple[datetime, int]]] = defaultdict(list)
        rows = get_model("loyalty_earning", "Award").objects.filter(programme=self.programme)
        rows = rows.filter(source_type__in=PURCHASES).order_by("pk")
        columns = ("pk", "source_type", "source_id", "entry__recorded_at", "happened_at")
        last: datetime | None = None
        for award, kind, source, recorded_at, happened_at in rows.values_list(*columns).iterator(chunk_size=5000):
            # Those without points have no entry: they were made after the one before them.
            last = recorded_at or (happened_at if last is None else max(last, happened_at))
            awards[kind, int(source)].append((last, award))
        streams = [("order", self._orders(), "date_placed"), ("booking", self._bookings(), "made_at")]
        for kind, rows, moment in streams:
            for pk, at in rows.values_list("pk", moment).iterator(chunk_size=5000):
                for number, (known_at, award) in enumerate(awards.get((kind, pk)) or [(at, 0)]):
                    yield known_at, award, kind, pk, number

    def _ranked(self, ranks: list[tuple[datetime, int, str, int, int]]) -> Iterator[Past | None]:
        orders = self._slice_of_orders([pk for _at, _award, kind, pk, _number in ranks if kind == "order"])
        visits = self._slice_of_bookings(list({pk for _at, _award, kind, pk, _number in ranks if kind == "booking"}))
        for known_at, _award, kind, pk, number in ranks:
            rounds = visits.get(pk) or [None]
            past = orders.get(pk) if kind == "order" else rounds[number] if number < len(rounds) else None
            if past is not None:
                past.known_at = known_at
            yield past

    # Orders

    def _slice_of_orders(self, pks: list[int]) -> dict[int, Past]:
        if not pks:
            return {}
        columns = ["date_placed", "pk", "user_id", "status", "currency", "total_incl_tax"]
        if self._ships:
            columns += ["shipping_incl_tax", "shipping_excl_tax"]
        part = list(get_model("order", "Order").objects.filter(among("pk", pks)).order_by().values_list(*columns))
        result = {}
        programme = self.programme
        members = self._members("user_id", {row[2] for row in part})
        given = self._given("order", pks)
        lines = defaultdict(list)
        rows = get_model("order", "Line").objects.filter(among("order", pks)).order_by("pk")
        columns = ["order_id", "pk", "product_id", "quantity", "status", "line_price_incl_tax"]
        if self._excl:
            columns.append("line_price_excl_tax")
        for order, *row in rows.values_list(*columns):
            lines[order].append(row)
        refunds = clawback.refunded(pks) if self._has["refunds"] else {}
        booked = linking.linked_quantities([x[0] for y in lines.values() for x in y]) if self._has["bookings"] else {}
        paid, rest = self._paid(pks)
        reached = self._reached(pks)
        claimed, moves = self._claimed(pks), self._has["moves"]
        tier_at = self._tier_at(members)
        cancelled_orders, cancelled_lines = programme.cancelled_order_statuses, programme.cancelled_line_statuses
        for at, pk, user, status, currency, total, *shipped in part:
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
                continue
            counts = currency == programme.currency
            pieces: list[Piece] = []
            turnover = ZERO
            gone = clawback.left_out({}, refunds.get(pk, {})) if pk in refunds else {}
            bought = lines.get(pk, ())
            prices = [(row[4], row[5] if self._excl else ZERO) for row in bought]
            amounts, sent = facts.paid_of(prices, (shipped[0], shipped[1]) if shipped else facts.FREE, total, currency)
            for (line, product, quantity, line_status, *_price), (incl, excl) in zip(bought, amounts, strict=True):
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
                    incl, excl, other = (facts.part_of(amount, left, quantity) for amount in (incl, excl, other))
                if not counts:
                    incl = excl = other = ZERO
                turnover += incl
                pieces.append((line, product, left, incl, excl, other))
            if len(pieces) > 1:
                # As the engine sorts its keys, which are text.
                pieces.sort(key=_by_line)
            shipping = NO_SHIPPING
            if shipped and counts:
                shipping = (*sent, rest.get(pk, ZERO))
            if award is None:
                tier, counted_at = tier_at(member[0], member[2], at) if moves else member[2], at
            else:
                tier, counted_at = None, award.happened_at
            past = Past("order", pk, at, member[0], tier, tuple(pieces), shipping, award, turnover, None, counted_at)
            result[pk] = past
        return result

    def _paid(self, pks: list[int]) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
        if not self._has["allotments"]:
            return {}, {}
        return facts._paid_otherwise([SimpleNamespace(pk=pk) for pk in pks])

    def _reached(self, pks: list[int]) -> set[int] | None:
        """Return which orders once had the status at which points are given; ``None`` where none is asked for."""
        wanted = self.programme.award_on_status
        if not wanted:
            return None
        rows = get_model("order", "OrderStatusChange").objects.filter(among("order", pks), new_status=wanted)
        return set(rows.values_list("order", flat=True))

    def _claimed(self, pks: list[int]) -> set[int]:
        if not self._has["claims"]:
            return set()
        return set(
            get_model("loyalty_earning", "GuestClaim")
            .objects.filter(among("order", pks))
            .values_list("order", flat=True)
        )

    # Bookings

    def _slice_of_bookings(self, pks: list[int]) -> dict[int, list[Past]]:
        if not pks:
            return {}
        columns = ("made_at", "pk", "member_id", "state", "product_id", "price", "currency", "starts_at")
        rows = get_model("loyalty_earning", "Booking").objects.filter(among("pk", pks)).order_by()
        part = list(rows.values_list(*columns))
        members = self._members("pk", {row[2] for row in part})
        given = self._given("booking", pks)
        tier_at = self._tier_at(members)
        result: dict[int, list[Past]] = {}
        for at, pk, who, state, product, price, currency, starts_at in part:
            member = members.get(who)
            rounds = given.get(pk)
            if member is None or not (rounds or (self._may(member, at) and state not in ("missed", "cancelled"))):
                continue
            counts = price is not None and currency in ("", self.programme.currency)
            amount = price if counts else ZERO
            pieces = ((0, product, 1, amount, amount, ZERO),)
            # Points that were taken and given again are another award of the same visit.
            for number, award in enumerate(rounds or [None]):
                tier = tier_at(member[0], member[2], at) if award is None else None
                turnover = amount if number == 0 else ZERO
                past = Past(
                    "booking", pk, at, member[0], tier, pieces, given=award, turnover=turnover, held_at=starts_at
                )
                past.counted_at = award.happened_at if award is not None else at
                result.setdefault(pk, []).append(past)
        return result

    # Members, and what they were given

    def _members(self, by: str, wanted: set[int]) -> dict[int, tuple[int, datetime | None, int | None, str]]:
        """Return these members by their user or their own key: key, when they joined, tier and status."""
        known = self._people[by]
        if len(known) > REMEMBERED:
            known.clear()
        new = wanted - known.keys()
        if new:
            # When somebody joined is not asked where purchases from before are taken, too.
            joined_at = Value(None, DateTimeField()) if self.earlier else F("joined_at")
            columns = ("pk", joined_at, "tier_id", "status", "merged_into_id")
            rows = get_model("loyalty_members", "Member").objects.filter(programme=self.programme)
            found = {row[0]: row[1:] for row in rows.filter(among(by, new)).values_list(by, *columns)}
            for key, row in found.items():
                # What a merged membership did counts for the one that goes on.
                while row[4] is not None:
                    row = rows.values_list(*columns).get(pk=row[4])
                known[key] = row[:4]
        return {pk: known[pk] for pk in wanted if pk in known}

    def _may(self, member: Any, at: datetime, *, claimed: bool = False) -> bool:
        pk, joined_at, _tier, status = member
        if status != "active" or (pk in self._held and self._rested(SimpleNamespace(pk=pk), at)):
            return False
        return self.earlier or (at >= self.programme.started_at and (joined_at <= at or claimed))

    @cached_property
    def _rested(self) -> Any:
        """Says whether a member was on hold at a moment."""
        return rests([SimpleNamespace(pk=pk) for pk in self._held])

    @cached_property
    def _held(self) -> set[int]:
        """Those who ever were on hold or closed."""
        changes = get_model("loyalty_members", "StatusChange").objects.filter(member__programme=self.programme)
        return set(changes.order_by().values_list("member", flat=True))

    def _tier_at(self, members: dict[int, Any]) -> Any:
        changes: dict[int, list[Any]] = defaultdict(list)
        if self._has["moves"]:
            people = among("member", {row[0] for row in members.values()})
            rows = get_model("loyalty_members", "TierChange").objects.filter(people)
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
        mine = among("source_id", [str(pk) for pk in pks])
        rows = Award.objects.filter(mine, programme=self.programme, source_type=kind)
        columns = ("pk", "source_id", "points", "clawed_back", "spent", "spent_back", "void", "tier_id", "multiplier")
        more = ("explanation__left_out", "entry", "entry__recorded_at", "happened_at")
        rows = list(rows.order_by("pk").values_list(*columns, *more))
        newest = self._newest([row[0] for row in rows])
        taken = self._taken([row[10] for row in rows if row[3]]) if self._limited else {}
        found: dict[int, Any] = defaultdict(list)
        for pk, source, points, back, spent, spent_back, void, tier, multiplier, left_out, entry, recorded, at in rows:
            if points:
                kept = None if not back else Fraction(points - back, points)
            elif void:
                kept = Fraction(0)
            else:
                kept = None if not spent or not spent_back else 1 - Fraction(spent_back) / Fraction(spent)
            tier = self.tier(tier)
            award = Given(points, back, kept, tier, multiplier, left_out or {}, newest.get(pk), recorded, at)
            award.taken, award.void = tuple(taken.get(entry, ())), void
            if kind == "order":
                found[int(source)] = award
            else:
                found[int(source)].append(award)
        return found

    def _taken(self, entries: list[int]) -> dict[int, list[tuple[datetime, int]]]:
        """Return for each entry of an award when points were taken back, and how many were by then."""
        found: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
        rows = (
            get_model("loyalty_ledger", "Entry")
            .objects.filter(among("reverses", entries))
            .order_by("recorded_at", "pk")
        )
        for entry, at, units in rows.values_list("reverses", "recorded_at", "units"):
            before = found[entry][-1][1] if found[entry] else 0
            found[entry].append((at, before + abs(units)))
        return found

    def _newest(self, awards: list[int]) -> dict[int, datetime]:
        """Return since when the newest rule is valid that each award came from."""
        if not awards:
            return {}
        lines = get_model("loyalty_earning", "AwardLine").objects.filter(among("award", awards)).order_by()
        return dict(lines.values_list("award").annotate(at=Max("rule_version__valid_from")))


def _by_line(piece: Piece) -> str:
    return str(piece[0])
