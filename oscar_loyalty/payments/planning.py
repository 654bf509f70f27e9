"""How an order is going to be paid: pure arithmetic on amounts, no query and no write.

Line-bound tenders come first (points for a gift-card line), then gift cards in the order they were added, then money
for the
rest. Gift cards never pay for gift cards. The tenders' amounts sum to the total, to the minor unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

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
    """The tenders, what is left for money, and the points they take."""

    tenders: tuple[PlanTender, ...]
    total: Decimal
    money: Decimal
    points: int
    cards: Decimal

    @property
    def is_split(self) -> bool:
        """Whether something other than money pays a part."""
        return bool(self.points or self.cards)


def plan(
    *, lines: Sequence[PlanLine], total: Decimal, cards: Sequence[PlanCard] = (), money_kind: str = "shop"
) -> Plan:
    """Return how ``total`` (lines, shipping and surcharges, with tax) is paid.

    :raises ValueError: when the lines cost more than the total, or an amount is below zero.
    """
    if total < 0 or any(line.amount < 0 for line in lines) or sum(line.amount for line in lines) > total:
        raise ValueError("The lines do not fit the total.")
    tenders: list[PlanTender] = []
    left = total
    points = 0
    for line in lines:
        if line.points is not None and line.amount > 0:
            tenders.append(PlanTender("points_line", line.amount, points=line.points, line_index=line.index))
            left -= line.amount
            points += line.points
    for_cards = total - sum((line.amount for line in lines if line.is_giftcard), Decimal(0))
    paid_by_cards = Decimal(0)
    for card in cards:
        part = min(card.balance, for_cards - paid_by_cards)
        if part > 0:
            tenders.append(PlanTender("giftcard", part, card=card.id))
            paid_by_cards += part
    left -= paid_by_cards
    if left > 0:
        tenders.append(PlanTender(money_kind, left))
    return Plan(tuple(tenders), total, left, points, paid_by_cards)


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


def allot(
    *, tenders: Sequence[PlanTender], lines: Sequence[PlanLine], rest: int, minor: int
) -> list[dict[int | None, int]]:
    """Return for each tender which part of it paid which line, in minor units (``None``: shipping and surcharges).

    ``rest`` is what shipping and surcharges cost in minor units, ``minor`` the number of minor units in one of the
    currency.
    Gift cards share what they pay over the lines they may pay, by largest remainder; money pays what is left of each.
    """
    open_: dict[int | None, int] = {line.index: int(line.amount * minor) for line in lines}
    open_[None] = rest
    closed_to_cards = {line.index for line in lines if line.is_giftcard}
    result: list[dict[int | None, int]] = []
    for tender in tenders:
        amount = int(tender.amount * minor)
        if tender.kind == "points_line":
            parts: dict[int | None, int] = {tender.line_index: amount}
        else:
            places = [
                place
                for place, left in open_.items()
                if left > 0 and (tender.kind not in NOT_FOR_CARDS or place not in closed_to_cards)
            ]
            shares = largest_remainder(amount, [open_[place] for place in places])
            parts = dict(zip(places, shares, strict=True))
        for place, part in parts.items():
            open_[place] -= part
        result.append({place: part for place, part in parts.items() if part})
    return result
