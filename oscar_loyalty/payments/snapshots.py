"""What a checkout consists of, as data: enough to know later what was going to be bought, by whom, for how much."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils.translation import get_language

from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.money import as_stored
from oscar_loyalty.payments.planning import PlanLine


def plan_lines(basket: Any) -> list[PlanLine]:
    """Return the lines of ``basket`` as the plan needs them, in the basket's order."""
    lines = []
    for index, line in enumerate(basket.all_lines()):
        is_card = giftcards.is_giftcard(line.product)
        points = None
        if is_card and giftcards.line_options(line).pay_with_points:
            price = giftcards.line_points_price(line)
            points = price * line.quantity if price is not None else None
        lines.append(PlanLine(index, _amount(line), is_giftcard=is_card, points=points))
    return lines


def _amount(line: Any) -> Decimal:
    return as_stored(line.line_price_incl_tax_incl_discounts or Decimal(0))


def snapshot(
    *,
    basket: Any,
    total: Any,
    guest_email: str = "",
    shipping_address: Any = None,
    shipping_method: Any = None,
    shipping_charge: Any = None,
    billing_address: Any = None,
    surcharges: Any = None,
    mail: bool = False,
    user: Any = None,
    status: str = "",
    order_fields: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the whole of a submission as JSON data.

    ``mail``: whether the outbox confirms the order. ``order_fields`` is what the shop adds to its orders (Oscar's
    ``order_kwargs``), ``status`` the one they begin with.
    """
    lines = basket.all_lines()
    # Oscar has fetched with a basket what was chosen for its lines.
    prefetch_related_objects(lines, "attributes__option")
    return {
        "user": user.pk if user is not None and user.is_authenticated else None,
        "status": status or "",
        "order_fields": dict(order_fields or {}),
        "guest_email": guest_email or "",
        "language": get_language(),
        "mail": mail,
        "lines": [
            {
                "line": line.pk,
                "product": line.product_id,
                "stockrecord": line.stockrecord_id,
                "title": str(line.product.get_title()),
                "quantity": line.quantity,
                "unit_price": str(line.unit_price_incl_tax),
                "unit_excl": str(line.unit_price_excl_tax),
                "amount": str(_amount(line)),
                "options": [
                    {"option": attribute.option.code, "value": attribute.value} for attribute in line.attributes.all()
                ],
            }
            for line in lines
        ],
        "offers": [
            {"offer": item["offer"].pk, "name": str(item["name"]), "discount": str(item["discount"])}
            for item in basket.offer_applications
        ],
        "vouchers": sorted({item["voucher"].code for item in basket.offer_applications if item["voucher"]}),
        "shipping": {
            "code": getattr(shipping_method, "code", ""),
            "name": str(getattr(shipping_method, "name", "")),
            "amount": str(shipping_charge.incl_tax) if shipping_charge is not None else "0",
            "excl": str(shipping_charge.excl_tax) if shipping_charge is not None else "0",
            "tax_code": shipping_charge.tax_code if shipping_charge is not None else None,
        },
        "shipping_address": _address(shipping_address),
        "billing_address": _address(billing_address),
        "surcharges": [
            {
                "name": str(charge.surcharge.name),
                "code": str(charge.surcharge.code or ""),
                "excl": str(charge.price.excl_tax),
                "amount": str(charge.price.incl_tax),
                "tax_code": charge.price.tax_code,
            }
            for charge in surcharges or []
        ],
        "total": {"excl": str(total.excl_tax), "incl": str(total.incl_tax), "currency": total.currency},
    }


def _address(address: Any) -> dict[str, str] | None:
    if address is None:
        return None
    fields = [field.attname for field in address._meta.concrete_fields if not field.primary_key]
    return {name: str(getattr(address, name)) for name in fields if getattr(address, name) not in (None, "")}
