"""What is left of an order to give back: each of its lines, and what belongs to none.

All arithmetic is in hundredths, as Oscar stores amounts, and on what is *left*: a step shares itself in proportion to
what is left of each part (:func:`~oscar_loyalty.payments.planning.in_steps`), so no part ever gets more than it has,
none goes down again, and the last step returns exactly the rest. Of a currency without cents whole units go back; what
a discount has left of one goes with the last of them.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

from django.db.models import Q, Sum

from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import as_stored, hundredths, to_hundredths, to_minor
from oscar_loyalty.payments.planning import in_steps, paid_for


@dataclass
class Place:
    """One order line, or (``line`` is ``None``) shipping and surcharges. Amounts in hundredths, ``step`` of which make
    a minor unit of the currency.

    ``left`` has not been given back; of it, ``kept`` stays, since cards bought with the line have paid with it.
    ``pieces`` were not refunded so far. ``allotments`` say what paid for it, as far as the order has an attempt.
    """

    line: Any
    left: int
    paid: int
    step: int = 1
    pieces: int = 0
    is_cards: bool = False
    kept: int = 0
    allotments: list[Any] = field(default_factory=list)

    @property
    def free(self) -> int:
        """What can be given back."""
        return max(0, self.left - self.kept)

    def worth(self, quantity: int) -> int:
        """Return what ``quantity`` of the pieces that are left are worth: their part of what is left."""
        return self.whole(self.free * quantity // self.pieces) if self.pieces else 0

    def whole(self, amount: int) -> int:
        """Return what of ``amount`` can be given back: minor units, or all there is."""
        return self.free if amount >= self.free else amount // self.step * self.step

    def used_up(self, cards: Fraction) -> int:
        """Return what so many of the cards that the line bought have cost, in minor units, any part of one counted."""
        return ceil(self.paid * cards / self.line.quantity / self.step) * self.step

    def share(self, amount: int) -> list[tuple[Any, int]]:
        """Return which part of ``amount``, at most what is left, goes back to each allotment, if there are any."""
        if not self.allotments:
            return []
        lefts = [left_of(allotment) for allotment in self.allotments]
        parts = zip(self.allotments, in_steps(amount, lefts, self.step), strict=True)
        return [(allotment, part) for allotment, part in parts if part]


def left_of(allotment: Any) -> int:
    """Return what of an allotment has not gone back, in hundredths."""
    return to_hundredths(allotment.amount - allotment.returned_amount)


def places_of(order: Any, attempt: Any) -> dict[int | None, Place]:
    """Return the places of ``order`` by the line's primary key (``None``: shipping and surcharges).

    An order placed outside an attempt has no allotments: what is left of its lines is their price less its refunds.
    """
    step = hundredths(order.currency)
    lines = list(order.lines.select_related("product__product_class", "product__parent__product_class").order_by("pk"))
    refunded = get_model("loyalty_payments", "RefundLine").objects.filter(refund__order=order).order_by()
    sums = refunded.values("order_line").annotate(pieces=Sum("quantity"), money=Sum("amount"))
    gone = {row["order_line"]: (row["pieces"], row["money"]) for row in sums}
    result: dict[int | None, Place] = {}
    prices, total = [line.line_price_incl_tax for line in lines], as_stored(order.total_incl_tax)
    for line, amount in zip(lines, paid_for(prices, total, order.currency), strict=True):
        pieces, money = gone.get(line.pk, (0, Decimal(0)))
        paid = to_hundredths(amount)
        result[line.pk] = Place(
            line=line,
            paid=paid,
            step=step,
            left=paid - to_hundredths(as_stored(money)),
            pieces=line.quantity - pieces,
            is_cards=giftcards.is_giftcard(line.product),
        )
    rest = max(0, to_hundredths(total - sum(prices, Decimal(0))))
    given = order.loyalty_refunds.aggregate(given=Sum("shipping"))["given"] or Decimal(0)
    result[None] = Place(line=None, paid=rest, step=step, left=rest - to_hundredths(as_stored(given)))
    if attempt is not None:
        for place in result.values():
            place.left = 0
        rows = get_model("loyalty_payments", "Allotment").objects.filter(tender__attempt=attempt)
        for allotment in rows.select_related(
            "tender__entry", "tender__card", "tender__attempt__member__programme", "tender__attempt__order"
        ).order_by("pk"):
            place = result[allotment.order_line_id]
            place.allotments.append(allotment)
            place.left += left_of(allotment)
    _keep(order, result)
    return result


def _keep(order: Any, places: dict[int | None, Place]) -> None:
    lines = [place.line.pk for place in places.values() if place.is_cards]
    used = used_cards(lines) if lines else {}
    for pk, share in used.items():
        place = places[pk]
        place.kept = min(place.left, place.used_up(share))


def used_cards(lines: list[int]) -> dict[int, Fraction]:
    """Return for how many cards' worth the disabled cards that ``lines`` bought have paid, by line.

    What a checkout under way has set aside counts as paid.
    """
    result: dict[int, Fraction] = {}
    cards = get_model("loyalty_giftcards", "GiftCard").objects.filter(order_line__in=lines, state="disabled")
    cards = list(cards.select_related("account"))
    if not cards:
        return result
    balances = ledger.balances([card.account for card in cards])
    entries = get_model("loyalty_ledger", "Entry").objects.filter(account__in=[card.account_id for card in cards])
    # What paid, and what came back of it since.
    moved = entries.filter(Q(tender__isnull=False) | Q(reverses__tender__isnull=False)).order_by()
    units_of = dict(moved.values_list("account").annotate(units=Sum("units")))
    for card in cards:
        units = balances[card.account_id].held - units_of.get(card.account_id, 0)
        if units > 0:
            # What was put on it later is not what the order paid for.
            share = min(Fraction(1), Fraction(units, to_minor(card.value, card.currency)))
            result[card.order_line_id] = result.get(card.order_line_id, Fraction(0)) + share
    return result
