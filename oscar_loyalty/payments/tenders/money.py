"""Money that we neither take nor give: at the salon, or by the shop's own payment."""

from decimal import Decimal
from typing import Any

from oscar_loyalty.payments.tenders.base import TenderKind


class OnSite(TenderKind):
    """Paid when the customer comes; the order is paid once its status says so."""

    kind, source = "on_site", "At the salon"
    paid_when_placed = False
    waits_for_nobody = True

    def debited(self, *, tender: Any) -> Any:
        return Decimal(0)


class Shop(TenderKind):
    """Taken by the shop's own ``handle_payment``, which records it itself."""

    kind = "shop"


class Later(Shop):
    """The shop's own payment where placing the order is not paying it, such as an invoice: its status says when."""

    kind = "later"
    paid_when_placed = False
