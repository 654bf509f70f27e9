"""A shop with one order that was paid in three ways, and one visit."""

from decimal import Decimal as D

import pytest

from oscar_loyalty import clock
from oscar_loyalty.earning import bookings, rules
from oscar_loyalty.loading import get_model
from tests.checkout.conftest import Shopper, card_10, haircut, issue, rich, shopper  # noqa: F401

Order = get_model("order", "Order")


@pytest.fixture
def order(programme, haircut, card_10, issue, rich, shopper):  # noqa: F811
    """A haircut, partly paid with a gift card of 25, and a gift card paid with points."""
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 2, "per": 1})
    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    shopper.add_card(issue("25.00"))
    shopper.place()
    order = Order.objects.get()
    from oscar_loyalty.earning.orders import review_order

    review_order(order=order)
    return order


@pytest.fixture
def visit(programme, member):
    """A visit of the member, attended; its award."""
    massage = get_model("catalogue", "Product").objects.create(
        title="Massage",
        structure="standalone",
        product_class=get_model("catalogue", "ProductClass").objects.create(name="Care", slug="care"),
    )
    rules.set_product_points(product=massage, points=80, programme=programme)
    bookings.made(reference="b1", service=massage, starts_at=clock.now(), member=member, price=D(40), currency="EUR")
    return bookings.attended(reference="b1").award
