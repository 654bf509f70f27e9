from decimal import Decimal as D

import pytest
from oscar.core.loading import get_class, get_model
from oscar.test.factories import create_product, create_stockrecord

from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services


@pytest.fixture
def ten(db):
    """Gift cards of 10 euros for 1,000 points."""
    return services.set_denomination(value=D("10.00"), points_price=1000)


@pytest.fixture
def haircut(db):
    kind = get_model("catalogue", "ProductClass").objects.create(
        slug="service", name="Service", requires_shipping=False, track_stock=False
    )
    product = create_product(title="Haircut", product_class=kind.name)
    create_stockrecord(product, price=D("30.00"), num_in_stock=None, partner_name="Salon")
    product.stockrecords.update(price_currency="EUR")
    return product


@pytest.fixture
def shopper(client, user):
    client.force_login(user)
    return client


@pytest.fixture
def basket(user):
    """The user's open basket: ``basket()``."""

    def basket():
        found = get_model("basket", "Basket").open.get_or_create(owner=user)[0]
        found.strategy = get_class("partner.strategy", "Selector")().strategy(user=user)
        return found

    return basket


@pytest.fixture
def put(basket):
    """Put a product into the user's basket and return the line."""

    def put(product, quantity=1, **options):
        chosen = giftcards.options_for(**options) if giftcards.is_giftcard(product) else []
        return basket().add_product(product, quantity=quantity, options=chosen)[0]

    return put
