"""How a gift card is taxed: Council Directive (EU) 2016/1065, which put Articles 30a and 30b into 2006/112/EC.

A **multi-purpose** voucher may pay for things that are taxed differently: no tax is due when it is sold, but on what it
buys. With a **single-purpose** voucher the place of supply and the tax are known when it is issued: its sale is taxed
as the sale of the thing itself, and handing the thing over for it later is no sale of its own.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _

MULTI, SINGLE = "multi", "single"
TAX_KINDS = [(MULTI, _("multi-purpose: taxed when it pays")), (SINGLE, _("single-purpose: taxed when it is sold"))]


def tax_kind_of(product: Any) -> str:
    """Return how cards of ``product`` are taxed: as its denomination says, multi-purpose without one."""
    denomination = getattr(product, "loyalty_denomination", None) if product is not None else None
    return denomination.tax_kind if denomination is not None else MULTI
