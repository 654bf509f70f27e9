"""What a member may pay with points at the programme's rate: how much of an order, or why not."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.money import as_stored, exponent
from oscar_loyalty.payments import planning, snapshots

#: More than anybody has: to ask what an order allows, whoever pays.
ALL = 10**12


@dataclass(frozen=True)
class PointsOffer:
    """Points at the rate, for one order.

    ``usable`` is what the member has besides the points for gift-card lines, ``worth`` what they are worth; ``most``
    of them can pay ``most_amount`` of this order, ``least`` are worth a minor unit, and ``chosen`` is how many are to.

    ``why`` says why none can: ``"closed"``, ``"member"``, ``"frozen"``, ``"giftcards"`` (nothing but gift cards),
    ``"small"`` (the order is too small for what must be paid otherwise), ``"none"`` (no points), ``"few"`` (worth
    nothing); or nothing.
    """

    programme: Any
    member: Any
    chosen: int
    currency: str
    minimum_cash: Decimal
    usable: int = 0
    worth: Decimal = Decimal(0)
    most: int = 0
    most_amount: Decimal = Decimal(0)
    least: int = 0
    why: str = ""


def minor_of(currency: str) -> int:
    """Return how many minor units one of the currency has."""
    return int(10 ** exponent(currency))


def is_on(programme: Any, currency: str) -> bool:
    """Return whether orders in ``currency`` may be paid with points at the rate."""
    return bool(programme.is_active and programme.points_at_checkout and programme.currency == currency)


def at_rate(*, member: Any, currency: str, wanted: int, usable: int | None = None) -> planning.PlanPoints | None:
    """Return the points at the rate that ``member`` offers, or ``None``; ``usable`` spares a query, if it is known."""
    if member is None or member.status != "active" or not is_on(member.programme, currency):
        return None
    if usable is None:
        usable = ledger.balance(member.account).usable
    return _terms(member.programme, wanted, usable)


def _terms(programme: Any, wanted: int, usable: int) -> planning.PlanPoints:
    return planning.PlanPoints(
        wanted=wanted,
        usable=usable,
        rate_points=programme.redemption_points,
        rate_amount=programme.redemption_amount,
        share=programme.points_share,
        minimum_cash=programme.minimum_cash,
    )


def most_of(programme: Any, total: Decimal) -> tuple[int, Decimal]:
    """Return how many points can pay for an order of ``total`` without gift cards, and what they pay of it."""
    lines = [planning.PlanLine(0, total)]
    minor = minor_of(programme.currency)
    return planning.most_at_rate(lines=lines, total=total, points=_terms(programme, ALL, ALL), minor=minor)


def offer(*, programme: Any, member: Any, basket: Any, total: Decimal, chosen: int = 0) -> PointsOffer | None:
    """Return what can be paid with points of the order of ``basket``, or ``None`` where that is no question.

    ``programme`` is the site's, open or not: whoever has chosen points is told that it has closed meanwhile.
    """
    currency = basket.currency
    if programme is None or (not is_on(programme, currency) and not chosen):
        return None
    found = {
        "programme": programme,
        "member": member,
        "chosen": chosen,
        "currency": currency,
        "minimum_cash": programme.minimum_cash,
    }
    if not is_on(programme, currency):
        return PointsOffer(**found, why="closed")
    if member is None or member.status == "closed":
        return PointsOffer(**found, why="member")
    if member.status != "active":
        return PointsOffer(**found, why="frozen")
    lines, total, minor = snapshots.plan_lines(basket), as_stored(total), minor_of(currency)
    balance = int(ledger.balance(member.account).usable)
    mine, all_ = _terms(programme, ALL, balance), _terms(programme, ALL, ALL)
    most, amount = planning.most_at_rate(lines=lines, total=total, points=mine, minor=minor)
    usable = max(0, balance - sum(line.points or 0 for line in lines if line.amount > 0))
    found |= {
        "usable": usable,
        "worth": mine.worth(usable, minor),
        "most": most,
        "most_amount": amount,
        "least": mine.least(minor),
    }
    if most:
        return PointsOffer(**found)
    if not planning.most_at_rate(lines=lines, total=total, points=all_, minor=minor)[0]:
        only_cards = sum((line.amount for line in lines if line.is_giftcard), Decimal(0)) == total
        return PointsOffer(**found, why="giftcards" if only_cards else "small")
    return PointsOffer(**found, why="few" if usable else "none")
