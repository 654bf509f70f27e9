"""Prices and availability of gift cards, for the shop's ``partner.strategy``.

A gift card that pays for anything is a multi-purpose voucher: no tax is due when it is sold, but on what it buys. One
whose denomination is single-purpose is priced by the shop's own strategy, with its tax.
"""

from decimal import Decimal
from typing import Any

from oscar.apps.partner import strategy
from oscar.core.loading import get_classes

from oscar_loyalty.giftcards import selectors
from oscar_loyalty.giftcards.taxes import SINGLE, tax_kind_of

Available, Unavailable = get_classes("partner.availability", ["Available", "Unavailable"])
FixedPrice, UnavailablePrice = get_classes("partner.prices", ["FixedPrice", "Unavailable"])


class GiftCardStrategyMixin:
    """Sell gift cards without stock, and without tax unless they are single-purpose; leave every other product to the
    shop's own strategy.

    Put it first among the bases of a strategy built on Oscar's ``Structured``.
    """

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
        return Available() if stockrecord is not None and product.is_public else Unavailable()

    def parent_availability_policy(self, product: Any, children_stock: Any) -> Any:
        if not selectors.is_giftcard(product):
            return super().parent_availability_policy(product, children_stock)  # type: ignore[misc]
        on_sale = any(record is not None and child.is_public for child, record in children_stock)
        return Available() if on_sale else Unavailable()


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
