"""What somebody wants refunded, checked against what is left of the order; no query and no write."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from oscar_loyalty.money import Money, from_hundredths, hundredths, to_hundredths
from oscar_loyalty.payments import places, tenders
from oscar_loyalty.payments.exceptions import RefundRefused
from oscar_loyalty.payments.planning import in_steps

#: Kinds of refund for which the provider has moved, or never had, the money itself.
WITHOUT_MONEY = ("dispute", "capture_failed")


@dataclass(frozen=True)
class Wish:
    """What is to be given back; see :func:`refund`."""

    lines: Mapping[int, int] = field(default_factory=dict)
    amounts: Mapping[int, Decimal] = field(default_factory=dict)
    shipping: Decimal | None = None
    amount: Decimal | None = None


class Wanted:
    """A wish in hundredths, as :class:`places.Place` counts, checked against what is left."""

    def __init__(self, wish: Wish, left: dict[int | None, places.Place], currency: str, *, loose: bool = False) -> None:
        self.left, self.currency = left, currency
        self.quantities: dict[int, int] = {}
        self.units: dict[int | None, int] = {}
        if wish.amount is not None:
            if wish.lines or wish.amounts or wish.shipping is not None:
                raise ValueError("An amount for the whole order excludes all others.")
            self._spread(wish.amount)
        for pk, quantity in wish.lines.items():
            if quantity:
                self._pieces(pk, quantity)
        for pk, amount in wish.amounts.items():
            self._amount(pk, amount, loose)
        if wish.shipping:
            self.units[None] = self._units(wish.shipping, left[None].free, "shipping")
        if not self.units:
            raise RefundRefused(_("Choose what is to be refunded."))

    def _units(self, amount: Decimal, most: int, where: str, too_much: str = "") -> int:
        """Return the amount in hundredths: whole minor units, or all that there is."""
        try:
            units = to_hundredths(amount)
        except ValueError as error:
            raise RefundRefused(_("This is not an amount in this order’s currency."), where) from error
        if units <= 0:
            raise RefundRefused(_("Enter an amount above zero."), where)
        if units > most:
            text = too_much or _("At most %(amount)s can be refunded here.")
            raise RefundRefused(text % {"amount": Money(from_hundredths(most), self.currency)}, where)
        if units != most and units % hundredths(self.currency):
            raise RefundRefused(_("This is not an amount in this order’s currency."), where)
        return units

    def _place(self, pk: int, where: str) -> places.Place:
        place = self.left.get(pk)
        if place is None or pk is None:
            raise RefundRefused(_("This order has no such line."), where)
        return place

    def _pieces(self, pk: int, quantity: int) -> None:
        place = self._place(pk, "lines")
        if quantity < 0 or quantity > place.pieces:
            text = ngettext(
                "Only %(number)s is left to refund.", "Only %(number)s are left to refund.", place.pieces
            ) % {"number": place.pieces}
            raise RefundRefused(text, f"quantity_{pk}")
        self.quantities[pk] = quantity
        self.units[pk] = place.worth(quantity)

    def _amount(self, pk: int, amount: Decimal, loose: bool) -> None:
        place = self._place(pk, "amounts")
        if place.is_cards and pk not in self.quantities and not loose:
            raise RefundRefused(_("Gift cards are refunded by the piece."), f"amount_{pk}")
        most = self.units[pk] if pk in self.quantities else place.free
        self.units[pk] = self._units(amount, most, f"amount_{pk}")

    def _spread(self, amount: Decimal) -> None:
        open_ = {pk: place.free for pk, place in self.left.items() if not place.is_cards and place.free}
        too_much = ""
        if any(place.is_cards and place.free for place in self.left.values()):
            too_much = _("At most %(amount)s can be refunded here. Gift cards are refunded by the piece.")
        units = self._units(amount, sum(open_.values()), "amount", too_much)
        shares = in_steps(units, list(open_.values()), hundredths(self.currency))
        self.units = {pk: share for pk, share in zip(open_, shares, strict=True) if share}

    def pieces_gone(self, pk: int) -> int:
        """Return how many pieces of a line have been refunded, those of this refund included."""
        place = self.left[pk]
        return int(place.line.quantity - place.pieces + self.quantities[pk])

    def keep(self, used: Mapping[int, Any], kind: str) -> int:
        """Lower what the lines get by what the cards disabled just now have paid; return by how much."""
        kept = 0
        for pk, share in used.items():
            place = self.left[pk]
            if kind in WITHOUT_MONEY and all(tenders.of(part.tender.kind).money for part in place.allotments):
                # The money is gone already, whatever the cards have paid.
                continue
            part = min(self.units[pk], max(0, place.used_up(share) - place.kept))
            self.units[pk] -= part
            kept += part
        return kept
