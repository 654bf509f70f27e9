"""Prices and availability of gift cards, for the shop's ``partner.strategy``.

A gift card that pays for anything is a multi-purpose voucher: no tax is due when it is sold, but on what it buys. One
whose denomination is single-purpose is priced by the shop's own strategy, with its tax.
"""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from oscar.apps.partner import strategy
from oscar.apps.partner.strategy import PurchaseInfo
from oscar.core.loading import get_class, get_classes

from oscar_loyalty.giftcards import amounts, selectors
from oscar_loyalty.giftcards.exceptions import AmountRefused
from oscar_loyalty.giftcards.taxes import SINGLE, tax_kind_of

Available, Unavailable = get_classes("partner.availability", ["Available", "Unavailable"])
FixedPrice, UnavailablePrice = get_classes("partner.prices", ["FixedPrice", "Unavailable"])
AvailabilityBase = get_class("partner.availability", "Base")


class ChooseAmount(AvailabilityBase):  # type: ignore[misc]
    """On sale, but not without an amount, which the gift-card page asks for."""

    code = "choose-amount"
    message = _("You choose the amount")

    def is_purchase_permitted(self, quantity: int) -> tuple[bool, Any]:
        return False, _("Please choose the amount on the page of the gift cards.")


class WrongAmount(Unavailable):  # type: ignore[misc]
    """A line asks for an amount that is not, or no longer, on sale."""

    def __init__(self, why: str) -> None:
        self.message = why

    def is_purchase_permitted(self, quantity: int) -> tuple[bool, Any]:
        return False, self.message


class GiftCardStrategyMixin:
    """Sell gift cards without stock, and without tax unless they are single-purpose; leave every other product to the
    shop's own strategy.

    Put it first among the bases of a strategy built on Oscar's ``Structured``.
    """

    def fetch_for_line(self, line: Any, stockrecord: Any = None) -> Any:
        """A card of the buyer's choice costs what the line says, as long as the owner's bounds allow it."""
        row = amounts.custom_of(line.product) if selectors.is_giftcard(line.product) else None
        if row is None:
            return super().fetch_for_line(line, stockrecord)  # type: ignore[misc]
        stockrecord = stockrecord or self.select_stockrecord(line.product)  # type: ignore[attr-defined]
        return _of_choice(line.product, stockrecord, row, selectors.line_options(line).amount)

    def fetch_for_product(self, product: Any, stockrecord: Any = None) -> Any:
        """Without a line there is no amount yet, unless whoever fills a basket has just checked one."""
        chosen = getattr(product, amounts.CHOSEN, None)
        row = amounts.custom_of(product) if chosen is not None else None
        if row is None:
            return super().fetch_for_product(product, stockrecord)  # type: ignore[misc]
        return _of_choice(product, stockrecord or self.select_stockrecord(product), row, chosen)  # type: ignore[attr-defined]

    def pricing_policy(self, product: Any, stockrecord: Any) -> Any:
        if not selectors.is_giftcard(product) or tax_kind_of(product) == SINGLE:
            return super().pricing_policy(product, stockrecord)  # type: ignore[misc]
        return _price(stockrecord)

    def parent_pricing_policy(self, product: Any, children_stock: Any) -> Any:
        if not selectors.is_giftcard(product) or any(tax_kind_of(child) == SINGLE for child, _record in children_stock):
            return super().parent_pricing_policy(product, children_stock)  # type: ignore[misc]
        return _price(next((record for _child, record in children_stock if record is not None), None))

    def availability_policy(self, product: Any, stockrecord: Any) -> Any:
        if not selectors.is_giftcard(product):
            return super().availability_policy(product, stockrecord)  # type: ignore[misc]
        if stockrecord is None or not product.is_public:
            return Unavailable()
        # By its code: lists of many products ask this, and the line decides in the end.
        choice = (product.upc or "").startswith(amounts.UPC) and amounts.custom_of(product) is not None
        return ChooseAmount() if choice else Available()

    def parent_availability_policy(self, product: Any, children_stock: Any) -> Any:
        if not selectors.is_giftcard(product):
            return super().parent_availability_policy(product, children_stock)  # type: ignore[misc]
        on_sale = any(record is not None and child.is_public for child, record in children_stock)
        return Available() if on_sale else Unavailable()


def _of_choice(product: Any, stockrecord: Any, row: Any, amount: Decimal | None) -> Any:
    try:
        chosen = amounts.check(amount, row)
    except AmountRefused as refused:
        return PurchaseInfo(UnavailablePrice(), WrongAmount(str(refused)), stockrecord)
    if stockrecord is None or not product.is_public:
        return PurchaseInfo(UnavailablePrice(), Unavailable(), stockrecord)
    price = FixedPrice(currency=row.currency, excl_tax=chosen, tax=Decimal("0.00"))
    return PurchaseInfo(price, Available(), stockrecord)


def _price(stockrecord: Any) -> Any:
    if stockrecord is None or stockrecord.price is None:
        return UnavailablePrice()
    return FixedPrice(currency=stockrecord.price_currency, excl_tax=stockrecord.price, tax=Decimal("0.00"))


class GiftCardStrategy(
    GiftCardStrategyMixin, strategy.UseFirstStockRecord, strategy.StockRequired, strategy.NoTax, strategy.Structured
):
    """Oscar's default strategy with gift cards, for a shop that has none of its own."""


class Selector(strategy.Selector):
    """Name it in the shop's fork: ``from oscar_loyalty.giftcards.strategy import Selector``."""

    def strategy(self, request: Any = None, user: Any = None, **kwargs: Any) -> Any:
        return GiftCardStrategy(request)
