"""Prices as a French salon writes them: with VAT inside."""

from decimal import ROUND_HALF_UP, Decimal

from oscar.apps.partner import strategy
from oscar.core.loading import get_class

from oscar_loyalty.giftcards.strategy import GiftCardStrategyMixin
from oscar_loyalty.privileges.strategy import EarlyAccessStrategyMixin

FixedPrice = get_class("partner.prices", "TaxInclusiveFixedPrice")
UnavailablePrice = get_class("partner.prices", "Unavailable")

VAT = Decimal("0.20")


class VatIncluded:
    """The price on a stock record is what the customer pays; the tax is worked out of it."""

    def pricing_policy(self, product, stockrecord):
        if not stockrecord or stockrecord.price is None:
            return UnavailablePrice()
        rate = self.get_rate(product, stockrecord)
        net = (stockrecord.price / (1 + rate)).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return FixedPrice(currency=stockrecord.price_currency, excl_tax=net, tax=stockrecord.price - net)

    def parent_pricing_policy(self, product, children_stock):
        for child, stockrecord in children_stock:
            if stockrecord is not None:
                return self.pricing_policy(child, stockrecord)
        return UnavailablePrice()

    def get_rate(self, product, stockrecord):
        return VAT


class SalonStrategy(
    EarlyAccessStrategyMixin,
    GiftCardStrategyMixin,
    strategy.UseFirstStockRecord,
    VatIncluded,
    strategy.StockRequired,
    strategy.Structured,
):
    """Some things are for members first. Gift cards carry no VAT when they are sold: it is due on what they will pay
    for."""


class Selector(strategy.Selector):
    def strategy(self, request=None, user=None, **kwargs):
        return SalonStrategy(request, user=user)
