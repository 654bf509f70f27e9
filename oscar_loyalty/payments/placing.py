"""Placing an order from an attempt's snapshot, without a request: what the customer agreed to, or nothing."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _
from django.utils.translation import override
from oscar.apps.order.exceptions import UnableToPlaceOrder
from oscar.apps.partner.exceptions import InvalidStockAdjustment
from oscar.core.loading import get_class
from oscar.core.prices import Price

from oscar_loyalty.loading import get_model
from oscar_loyalty.payments import services
from oscar_loyalty.payments.exceptions import CannotPlace


def place(*, attempt: Any) -> Any:
    """Place the order of ``attempt`` and close it with the order; return the order.

    Runs in the caller's transaction, under the locks of :func:`services.locked`. Nothing is placed but what the
    snapshot says: the same lines at the same total, shipped in the same way, as long as it can still be bought.

    :raises CannotPlace: when that is no longer so.
    :raises AttemptClosed: when what was set aside for it is free again.
    """
    with override(attempt.snapshot.get("language")):
        return _place(attempt)


def _place(attempt: Any) -> Any:
    wanted = attempt.snapshot
    user = _user(attempt)
    _lock_stock(wanted)
    basket = _basket(attempt, user)
    shipping_address = _address("ShippingAddress", wanted["shipping_address"])
    method, charge = _shipping(basket, user, shipping_address, wanted["shipping"])
    surcharges = _surcharges(wanted["surcharges"], attempt.currency)
    total = get_class("checkout.calculators", "OrderTotalCalculator")(None).calculate(
        basket, charge, surcharges=surcharges
    )
    agreed = wanted["total"]
    if (total.currency, total.incl_tax, total.excl_tax) != (
        agreed["currency"],
        Decimal(agreed["incl"]),
        Decimal(agreed["excl"]),
    ):
        raise CannotPlace(_("The price has changed meanwhile."))
    # Oscar's own way of writing addresses, and keeping them in the customer's address book; it asks for no request.
    placement = get_class("checkout.mixins", "OrderPlacementMixin")()
    shipping_address = placement.create_shipping_address(user, shipping_address)
    billing_address = placement.create_billing_address(
        user, _address("BillingAddress", wanted["billing_address"]), shipping_address
    )
    fields = {**wanted["order_fields"], "site": attempt.site}
    if wanted["guest_email"]:
        fields["guest_email"] = wanted["guest_email"]
    try:
        order = get_class("order.utils", "OrderCreator")().place_order(
            user=user,
            order_number=attempt.order_number or None,
            basket=basket,
            shipping_address=shipping_address,
            shipping_method=method,
            shipping_charge=charge,
            total=total,
            billing_address=billing_address,
            status=wanted["status"] or None,
            surcharges=surcharges,
            **fields,
        )
    except (UnableToPlaceOrder, InvalidStockAdjustment, ValueError) as problem:
        # Oscar says with a ValueError that a voucher is used up, or that the order's number is taken.
        raise CannotPlace(str(problem)) from problem
    services.complete(attempt=attempt, order=order)
    basket.submit()
    return order


def _user(attempt: Any) -> Any:
    if attempt.snapshot["user"] is None:
        return AnonymousUser()
    if attempt.user is None:
        raise CannotPlace(_("The customer's account is gone."))
    return attempt.user


def _lock_stock(wanted: Any) -> None:
    """Lock the stock of what is bought, in one order, so that nobody takes the last one between looking and writing."""
    rows = get_model("partner", "StockRecord").objects.filter(
        pk__in={line["stockrecord"] for line in wanted["lines"] if line["stockrecord"]}
    )
    list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def _basket(attempt: Any, user: Any) -> Any:
    Basket = get_model("basket", "Basket")
    basket = Basket.objects.filter(pk=attempt.basket_id).first()
    if basket is None or basket.status in (Basket.MERGED, Basket.SUBMITTED):
        raise CannotPlace(_("The basket is gone."))
    if get_model("order", "Order").objects.filter(basket=basket).exists():
        raise CannotPlace(_("This order has been placed already."))
    strategy = get_class("partner.strategy", "Selector")().strategy(request=None, user=user)
    # Oscar's own leaves it empty.
    strategy.user = user
    basket.strategy = strategy
    # There may be no request; what a tier brings counts on its own Site only.
    basket.loyalty_site = attempt.site
    # Before the lines are looked at: it forgets them, and the taxes set on them.
    basket.reset_offer_applications()
    lines = [(line, _what(line)) for line in basket.all_lines()]
    agreed = {_what_was(line): line for line in attempt.snapshot["lines"]}
    if Counter(what for _line, what in lines) != Counter(map(_what_was, attempt.snapshot["lines"])):
        raise CannotPlace(_("The basket has changed meanwhile."))
    for line, what in lines:
        permitted, reason = strategy.fetch_for_line(line).availability.is_purchase_permitted(line.quantity)
        if not permitted:
            product = line.product.get_title()
            raise CannotPlace(_("“%(product)s”: %(reason)s") % {"product": product, "reason": reason})
        _set_tax(line.purchase_info.price, agreed[what].get("unit_excl"), agreed[what]["unit_price"])
    get_class("offer.applicator", "Applicator")().apply(basket, user)
    return basket


def _set_tax(price: Any, excl: str | None, incl: str) -> None:
    """Set the tax that the shop's view had set on ``price``, where nobody but that view knows it.

    A snapshot of an earlier version has no ``excl``: the total will not be the one agreed upon.
    """
    if price.is_tax_known or excl is None:
        return
    if price.excl_tax != Decimal(excl):
        raise CannotPlace(_("The price has changed meanwhile."))
    price.tax = Decimal(incl) - Decimal(excl)


def _what(line: Any) -> tuple[Any, ...]:
    chosen = {attribute.option.code: str(attribute.value) for attribute in line.attributes.select_related("option")}
    return line.product_id, line.stockrecord_id, line.quantity, tuple(sorted(chosen.items()))


def _what_was(line: Any) -> tuple[Any, ...]:
    chosen = {option["option"]: str(option["value"]) for option in line["options"]}
    return line["product"], line["stockrecord"], line["quantity"], tuple(sorted(chosen.items()))


def _address(model: str, fields: Any) -> Any:
    return get_model("order", model)(**fields) if fields else None


def _shipping(basket: Any, user: Any, address: Any, wanted: Any) -> tuple[Any, Any]:
    methods = get_class("shipping.repository", "Repository")().get_shipping_methods(
        basket=basket, user=user, shipping_addr=address, request=None
    )
    method = next((method for method in methods if method.code == wanted["code"]), None)
    if method is None:
        raise CannotPlace(_("This way of shipping is no longer offered."))
    charge = method.calculate(basket)
    if not charge.is_tax_known:
        _set_tax(charge, wanted.get("excl"), wanted["amount"])
        charge.tax_code = wanted.get("tax_code")
    if charge.incl_tax != Decimal(wanted["amount"]):
        raise CannotPlace(_("Shipping costs something else by now."))
    return method, charge


@dataclass(frozen=True)
class _Surcharge:
    name: str
    code: str


def _surcharges(wanted: Any, currency: str) -> Any:
    """Return the surcharges that were agreed upon, as Oscar's order wants them."""
    from oscar.apps.checkout.applicator import SurchargeList, SurchargePrice

    if not wanted:
        return None
    return SurchargeList(
        SurchargePrice(
            _Surcharge(each["name"], each["code"]),
            Price(
                currency=currency,
                excl_tax=Decimal(each["excl"]),
                incl_tax=Decimal(each["amount"]),
                tax_code=each["tax_code"],
            ),
        )
        for each in wanted
    )
