"""Early access in availability, basket and checkout, for the shop's ``partner.strategy``."""

from typing import Any

from oscar.apps.partner import strategy
from oscar.apps.partner.strategy import PurchaseInfo
from oscar.core.loading import get_class

from oscar_loyalty.giftcards.strategy import GiftCardStrategyMixin
from oscar_loyalty.privileges import access, words

Unavailable = get_class("partner.availability", "Unavailable")
UnavailablePrice = get_class("partner.prices", "Unavailable")


class MembersFirst(Unavailable):  # type: ignore[misc]
    """Not for this customer yet."""

    code = "members-first"

    def __init__(self, gate: Any) -> None:
        self.gate = gate

    @property
    def message(self) -> str:
        return words.refusal(self.gate)

    def is_purchase_permitted(self, quantity: int) -> tuple[bool, Any]:
        return False, self.message


class EarlyAccessStrategyMixin:
    """Let only those buy what is for members first who may; leave the rest to the shop's own strategy.

    Put it first among the bases of a strategy, and hand the user on in the ``Selector``::

        class Selector(strategy.Selector):
            def strategy(self, request=None, user=None, **kwargs):
                return ShopStrategy(request, user=user)

    Who buys is the visitor behind ``request``, else ``user``, else a stranger, who has nothing early.
    """

    def __init__(self, request: Any = None, *args: Any, user: Any = None, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if user is not None and request is None:
            self.user = user if user.is_authenticated else None

    @property
    def loyalty_viewer(self) -> access.Viewer:
        if self.request is not None:  # type: ignore[attr-defined]
            return access.viewer_of(self.request)  # type: ignore[attr-defined]
        # Whoever places an order without a request may tell the user later.
        user = self.user  # type: ignore[has-type]
        if getattr(self, "_loyalty_viewer", None) is None or self._loyalty_viewer.user != user:
            self._loyalty_viewer = access.Viewer(user)
        return self._loyalty_viewer

    _loyalty_lines = 0

    def fetch_for_product(self, product: Any, stockrecord: Any = None) -> Any:
        info = super().fetch_for_product(product, stockrecord)  # type: ignore[misc]
        return info if self._loyalty_lines else self._first_members(info, product)

    def fetch_for_parent(self, product: Any) -> Any:
        return self._first_members(super().fetch_for_parent(product), product)  # type: ignore[misc]

    def fetch_for_line(self, line: Any, stockrecord: Any = None) -> Any:
        """What is in a basket keeps its price, so that nothing in it breaks; it cannot be ordered until it may be.

        A basket that is frozen is being paid for: it was looked at before, and what was promised is kept.
        """
        self._loyalty_lines += 1
        try:
            info = super().fetch_for_line(line, stockrecord)  # type: ignore[misc]
        finally:
            self._loyalty_lines -= 1
        if line.basket.status == type(line.basket).FROZEN:
            return info
        return self._first_members(info, line.product, priced=True)

    def select_children_stockrecords(self, product: Any) -> Any:
        """A parent's price and availability are those of the variants that this customer may have, if there are any."""
        found = super().select_children_stockrecords(product)  # type: ignore[misc]
        own = [(child, record) for child, record in found if self.loyalty_viewer.gate(child).allowed]
        return own or found

    def parent_availability_policy(self, product: Any, children_stock: Any) -> Any:
        gates = [self.loyalty_viewer.gate(child) for child, _record in children_stock]
        if gates and not any(gate.allowed for gate in gates):
            return MembersFirst(gates[0])
        return super().parent_availability_policy(product, children_stock)  # type: ignore[misc]

    def parent_pricing_policy(self, product: Any, children_stock: Any) -> Any:
        gates = [self.loyalty_viewer.gate(child) for child, _record in children_stock]
        if gates and not any(gate.priced for gate in gates):
            return UnavailablePrice()
        priced = [pair for pair, gate in zip(children_stock, gates, strict=True) if gate.priced]
        return super().parent_pricing_policy(product, priced)  # type: ignore[misc]

    def _first_members(self, info: Any, product: Any, *, priced: bool = False) -> Any:
        gate = self.loyalty_viewer.gate(product)
        if gate.allowed:
            return info
        return PurchaseInfo(
            price=info.price if priced or gate.priced else UnavailablePrice(),
            availability=MembersFirst(gate),
            stockrecord=info.stockrecord,
        )


class LoyaltyStrategy(
    EarlyAccessStrategyMixin,
    GiftCardStrategyMixin,
    strategy.UseFirstStockRecord,
    strategy.StockRequired,
    strategy.NoTax,
    strategy.Structured,
):
    """Oscar's default strategy with gift cards and early access, for a shop that has none of its own."""


class Selector(strategy.Selector):
    """Name it in the shop's fork: ``from oscar_loyalty.privileges.strategy import Selector``."""

    def strategy(self, request: Any = None, user: Any = None, **kwargs: Any) -> Any:
        return LoyaltyStrategy(request, user=user)
