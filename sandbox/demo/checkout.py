"""Gift cards bought with points, bought as presents, and spent: by the whole way of a checkout, at its own time."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.sites.models import Site
from django.db import transaction
from oscar.core.loading import get_class, get_model

from oscar_loyalty import clock
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.members import selectors as members
from oscar_loyalty.payments import services as payments

OrderCreator = get_class("order.utils", "OrderCreator")
OrderTotalCalculator = get_class("checkout.calculators", "OrderTotalCalculator")
Free, NoShippingRequired = (get_class("shipping.methods", name) for name in ("Free", "NoShippingRequired"))
Selector = get_class("partner.strategy", "Selector")


def check_out(
    *,
    number: str,
    user: Any,
    programme: Any,
    lines: Sequence[tuple[Any, int, list[dict[str, Any]]]],
    at: datetime,
    cards: Sequence[Any] = (),
    address: Any = None,
) -> Any:
    """Place an order at ``at``, as the checkout does, and return it; one that is there already is returned as it is."""
    Order = get_model("order", "Order")
    known = Order.objects.filter(number=number).first()
    if known is not None:
        return known
    with clock.frozen(at):
        basket = get_model("basket", "Basket").objects.create(owner=user)
        basket.strategy = Selector().strategy(user=user)
        for product, quantity, options in lines:
            basket.add_product(product, quantity, options=options)
        method = Free() if basket.is_shipping_required() else NoShippingRequired()
        charge = method.calculate(basket)
        total = OrderTotalCalculator().calculate(basket, charge)
        plan = payments.plan_for(basket=basket, total=total.incl_tax, cards=cards)
        attempt = payments.begin(
            basket=basket,
            total=total,
            user=user,
            member=members.member_for(user, programme),
            site=Site.objects.get_current(),
            cards=cards,
            plan=plan,
            order_number=number,
            shipping_method=method,
            shipping_charge=charge,
        )
        with transaction.atomic():
            order = OrderCreator().place_order(
                basket=basket,
                total=total,
                shipping_method=method,
                shipping_charge=charge,
                shipping_address=address if basket.is_shipping_required() else None,
                user=user,
                order_number=number,
                status="Complete",
                date_placed=at,
            )
            payments.complete(attempt=attempt, order=order)
            basket.submit()
    return order


def gift_card(value: int) -> Any:
    """Return the product of a gift card."""
    return get_model("catalogue", "Product").objects.get(loyalty_denomination__value=Decimal(value))


def options(**chosen: Any) -> list[dict[str, Any]]:
    return giftcards.options_for(**chosen)


def first_card(order: Any) -> Any:
    return giftcards.cards_of_order(order).get()
