"""How an order is going to be paid: pure arithmetic on amounts, no query and no write.

Line-bound tenders come first (points for a gift-card line), then points at the programme's rate, then gift cards in
the order they were added, then money for the rest. Neither points at the rate nor gift cards pay for gift cards. The
tenders' amounts sum to the total, to the last digit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal

from oscar_loyalty.money import as_stored, from_hundredths, hundredths, to_hundredths

#: Kinds of tender that are not money: they bring no points of their own, and return as themselves.
NOT_MONEY = ("points_line", "points", "giftcard")
#: Kinds whose units are points.
IN_POINTS = ("points_line", "points")
#: Kinds that cannot buy gift cards.
NOT_FOR_CARDS = ("points", "giftcard")


@dataclass(frozen=True)
class PlanLine:
    """A line to be paid: ``amount`` with tax and discounts; ``points`` is its price when it is to be paid with
    points."""

    index: int
    amount: Decimal
    is_giftcard: bool = False
    points: int | None = None


@dataclass(frozen=True)
class PlanCard:
    """A gift card offered in payment, with what it has."""

    id: int
    balance: Decimal


@dataclass(frozen=True)
class PlanPoints:
    """Points at the programme's rate, offered in payment.

    ``wanted`` is how many the customer wants to use at most, ``usable`` how many there are (those for lines
    included); ``rate_points`` are worth ``rate_amount``. They pay at most ``share`` percent of what is no gift card,
    and leave at least ``minimum_cash`` of the order that is not paid with points of either kind.
    """

    wanted: int
    usable: int
    rate_points: int
    rate_amount: Decimal
    share: int = 100
    minimum_cash: Decimal = Decimal(0)

    def worth(self, number: int, minor: int) -> Decimal:
        """Return what ``number`` points pay, in whole minor units, parts of one left out."""
        return (number * self.rate_amount * minor // self.rate_points) / minor

    def least(self, minor: int) -> int:
        """Return the fewest points that are worth a minor unit."""
        return _ceiling(self.rate_points, self.rate_amount * minor)

    def within(self, amount: Decimal, number: int, minor: int) -> tuple[int, Decimal]:
        """Return how many of ``number`` points pay at most ``amount``, and what they pay.

        They are the fewest that pay it: nobody gives a point that makes no difference.
        """
        if amount <= 0 or number <= 0:
            return 0, Decimal(0)
        # The most points whose worth is still less than one unit more than the amount.
        units = int(amount * minor)
        most = _ceiling((units + 1) * self.rate_points, self.rate_amount * minor) - 1
        paid = self.worth(min(number, most), minor)
        return _ceiling(int(paid * minor) * self.rate_points, self.rate_amount * minor), paid


def _ceiling(part: int, whole: Decimal) -> int:
    """Return ``part / whole``, rounded up."""
    quotient, rest = divmod(Decimal(part), whole)
    return int(quotient) + (1 if rest else 0)


@dataclass(frozen=True)
class PlanTender:
    """One tender of a plan: ``kind`` as in the model; ``points`` for points, ``card`` for a gift card."""

    kind: str
    amount: Decimal
    points: int = 0
    line_index: int | None = None
    card: int | None = None

    @property
    def money(self) -> bool:
        """Whether it is paid in money."""
        return self.kind not in NOT_MONEY


@dataclass(frozen=True)
class Plan:
    """The tenders, what is left for money, and the points they take.

    ``minimum`` is the least that the money's provider takes, apart from nothing; ``taken_back`` is by how much points
    and gift cards pay less than they could, so that the rest is not below it. ``unit`` is the smallest amount that the
    provider knows.
    """

    tenders: tuple[PlanTender, ...]
    total: Decimal
    money: Decimal
    points: int
    cards: Decimal
    minimum: Decimal = Decimal(0)
    taken_back: Decimal = Decimal(0)
    unit: Decimal = Decimal("0.01")

    @property
    def is_split(self) -> bool:
        """Whether something other than money pays a part."""
        return bool(self.points or self.cards)

    @property
    def at_rate(self) -> PlanTender | None:
        """Points at the programme's rate, if they pay a part."""
        return next((tender for tender in self.tenders if tender.kind == "points"), None)

    @property
    def paid_with_points(self) -> Decimal:
        """What points of either kind pay."""
        return sum((tender.amount for tender in self.tenders if tender.kind in IN_POINTS), Decimal(0))

    @property
    def too_small(self) -> bool:
        """Whether the rest is less than its provider takes, and nothing could be taken back for it."""
        return 0 < self.money < self.minimum

    @property
    def too_fine(self) -> bool:
        """Whether the rest has a part of a unit, such as half a yen, which its provider cannot take."""
        return bool(self.money % self.unit)


def plan(
    *,
    lines: Sequence[PlanLine],
    total: Decimal,
    cards: Sequence[PlanCard] = (),
    points: PlanPoints | None = None,
    money_kind: str = "shop",
    minimum_charge: Decimal = Decimal(0),
    minor: int = 100,
    unit: Decimal = Decimal("0.01"),
) -> Plan:
    """Return how ``total`` (lines, shipping and surcharges, with tax) is paid.

    ``minor`` is the number of minor units in one of the currency: 100 cents, 1 yen. A part of a minor unit, as a
    discount of some percent may leave of a yen, is paid in money. Where the rest is less than ``minimum_charge`` but
    not nothing, points at the rate pay less, then the last gift cards. A total below the sum of the lines, as a rebate
    makes it, is the lines' in proportion.

    :raises ValueError: when the total or a line is below zero.
    """
    lines = _within(lines, total, minor)
    tenders = [
        PlanTender("points_line", line.amount, points=line.points, line_index=line.index)
        for line in lines
        if line.points is not None and line.amount > 0
    ]
    open_ = _open_to_all(lines, total, minor)
    number, amount = most_at_rate(lines=lines, total=total, points=points, minor=minor) if points else (0, Decimal(0))
    if amount:
        tenders.append(PlanTender("points", amount, points=number))
        open_ -= amount
    for card in cards:
        part = min(_floor(card.balance, minor), open_)
        if part > 0:
            tenders.append(PlanTender("giftcard", part, card=card.id))
            open_ -= part
    left = total - sum((tender.amount for tender in tenders), Decimal(0))
    before = left
    if 0 < left < minimum_charge:
        tenders, left = _take_back(tenders, left, minimum_charge, points, minor)
    if left > 0:
        tenders.append(PlanTender(money_kind, left))
    return Plan(
        tenders=tuple(tenders),
        total=total,
        money=left,
        points=sum(tender.points for tender in tenders),
        cards=sum((tender.amount for tender in tenders if tender.kind == "giftcard"), Decimal(0)),
        minimum=minimum_charge,
        taken_back=left - before,
        unit=unit,
    )


def most_at_rate(
    *, lines: Sequence[PlanLine], total: Decimal, points: PlanPoints, minor: int = 100
) -> tuple[int, Decimal]:
    """Return how many of the points wanted can pay for a part of the order, and what they pay of it."""
    lines = _within(lines, total, minor)
    bound = [line for line in lines if line.points is not None and line.amount > 0]
    for_lines = sum((line.amount for line in bound), Decimal(0))
    open_ = _open_to_all(lines, total, minor)
    most = min(open_, _floor(open_ * points.share / 100, minor), total - for_lines - points.minimum_cash)
    free = points.usable - sum(line.points or 0 for line in bound)
    return points.within(_floor(most, minor), min(points.wanted, free), minor)


def _within(lines: Sequence[PlanLine], total: Decimal, minor: int) -> Sequence[PlanLine]:
    """Return the lines at what is to be paid for each of ``total``."""
    if total < 0 or any(line.amount < 0 for line in lines):
        raise ValueError("Nobody pays less than nothing.")
    parts = within([to_hundredths(line.amount) for line in lines], to_hundredths(total), max(1, 100 // minor))
    return [replace(line, amount=from_hundredths(part)) for line, part in zip(lines, parts, strict=True)]


def _floor(amount: Decimal, minor: int) -> Decimal:
    return (amount * minor).to_integral_value(ROUND_DOWN) / minor


def _open_to_all(lines: Sequence[PlanLine], total: Decimal, minor: int) -> Decimal:
    """Return what points at the rate and gift cards may pay, in whole minor units of each line."""
    rest = total - sum((line.amount for line in lines), Decimal(0))
    return sum((_floor(line.amount, minor) for line in lines if not line.is_giftcard), _floor(rest, minor))


def _take_back(
    tenders: list[PlanTender], left: Decimal, minimum: Decimal, points: PlanPoints | None, minor: int
) -> tuple[list[PlanTender], Decimal]:
    """Return the tenders with so much less of points at the rate, then of the last cards, that the rest is enough."""
    kept, rest = list(tenders), left
    by_turn = [tender for tender in kept if tender.kind == "points"]
    by_turn += reversed([tender for tender in kept if tender.kind == "giftcard"])
    for tender in by_turn:
        if rest >= minimum:
            break
        place = kept.index(tender)
        wanted = max(Decimal(0), _floor(tender.amount - (minimum - rest), minor))
        if tender.kind == "points" and points is not None:
            number, amount = points.within(wanted, tender.points, minor)
            smaller = replace(tender, amount=amount, points=number)
        else:
            smaller = replace(tender, amount=wanted)
        rest += tender.amount - smaller.amount
        kept[place : place + 1] = [smaller] if smaller.amount else []
    # What is not enough even so helps nobody: the customer's choice stays, and is refused.
    return (kept, rest) if rest >= minimum else (tenders, left)


def largest_remainder(units: int, weights: Sequence[int]) -> list[int]:
    """Share ``units`` in proportion to ``weights``, in whole units that sum to it; the first gets an equal remainder.

    Hamilton's method of apportionment.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares = [units * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda place: (-(units * weights[place] % whole), place))
    for place in order[: units - sum(shares)]:
        shares[place] += 1
    return shares


def within(prices: Sequence[int], total: int, step: int = 1) -> list[int]:
    """Return what is to be paid for each of ``prices``: the price, or, where a rebate makes ``total`` less than their
    sum, its part of the total, in multiples of ``step`` where all of them are."""
    if total >= sum(prices):
        return list(prices)
    unit = 1 if any(amount % step for amount in (total, *prices)) else step
    return [part * unit for part in largest_remainder(total // unit, prices)]


def paid_for(prices: Sequence[Decimal], total: Decimal, currency: str) -> list[Decimal]:
    """Return what is to be paid, with tax, for each of an order's ``prices``, of ``total`` (:func:`within`)."""
    if sum(prices) <= total:
        return list(prices)
    whole = [to_hundredths(as_stored(amount)) for amount in (total, *prices)]
    return [from_hundredths(part) for part in within(whole[1:], max(0, whole[0]), hundredths(currency))]


def in_steps(units: int, lefts: Sequence[int], step: int) -> list[int]:
    """Share ``units`` in proportion to ``lefts``, at most all of each, in multiples of ``step``.

    What is no multiple comes from those that have a part of a step left.

    :raises ValueError: when they have not that much.
    """
    whole = [left // step for left in lefts]
    shares = [share * step for share in largest_remainder(min(units // step, sum(whole)), whole)]
    for place, left in enumerate(lefts):
        shares[place] += min(units - sum(shares), left % step)
    if sum(shares) != units:
        raise ValueError(f"{units} cannot be shared in steps of {step}.")
    return shares


def allot(
    *, tenders: Sequence[PlanTender], lines: Sequence[PlanLine], rest: int, minor: int, step: int = 1
) -> list[dict[int | None, int]]:
    """Return for each tender which part of it paid which line, in minor units (``None``: shipping and surcharges).

    ``rest`` is what shipping and surcharges cost in minor units, below zero for a rebate, which lowers the lines
    (:func:`within`); ``minor`` is the number of minor units in one of the currency. Points at the rate and gift cards
    share what they pay over the lines they may pay, by largest remainder, in multiples of ``step``; money pays what is
    left of each.
    """
    prices = [int(line.amount * minor) for line in lines]
    parts_of_total = within(prices, sum(prices) + rest, step)
    open_: dict[int | None, int] = {line.index: part for line, part in zip(lines, parts_of_total, strict=True)}
    open_[None] = max(0, rest)
    closed_to_cards = {line.index for line in lines if line.is_giftcard}
    result: list[dict[int | None, int]] = []
    for tender in tenders:
        amount = int(tender.amount * minor)
        if tender.kind == "points_line":
            parts: dict[int | None, int] = {tender.line_index: amount}
        else:
            small = step if tender.kind in NOT_FOR_CARDS else 1
            places = [
                place
                for place, left in open_.items()
                if left >= small and (tender.kind not in NOT_FOR_CARDS or place not in closed_to_cards)
            ]
            shares = largest_remainder(amount // small, [open_[place] // small for place in places])
            parts = {place: share * small for place, share in zip(places, shares, strict=True)}
        for place, part in parts.items():
            open_[place] -= part
        result.append({place: part for place, part in parts.items() if part})
    return result
