import itertools
from decimal import Decimal as D

import pytest
from django.test import Client
from oscar.core.loading import get_class, get_model
from oscar.test.factories import create_product, create_stockrecord

from oscar_loyalty import clock
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.ledger import books

numbers = itertools.count(1)


@pytest.fixture
def haircut(db):
    """A service of 30 euros that needs no shipping and never runs out."""
    ProductClass = get_model("catalogue", "ProductClass")
    kind = ProductClass.objects.get_or_create(
        slug="service", defaults={"name": "Service", "requires_shipping": False, "track_stock": False}
    )[0]
    product = create_product(title="Haircut", product_class=kind.name)
    create_stockrecord(product, price=D("30.00"), num_in_stock=None, partner_name="Salon")
    product.stockrecords.update(price_currency="EUR")
    return product


@pytest.fixture
def card_10(db):
    """Gift cards of 10 euros for 1,000 points; the product."""
    return giftcard_services.set_denomination(value=D("10.00"), points_price=1000).product


@pytest.fixture
def issue():
    """Make a gift card that works: ``issue("25.00")``."""

    def issue(value):
        return giftcard_services.issue(value=D(value), key=f"test:{next(numbers)}", deliver=False)

    return issue


class Shopper:
    """Somebody with a browser."""

    def __init__(self, user=None):
        self.client = Client()
        self.user = user
        if user is not None:
            self.client.force_login(user)

    def add(self, product, *, quantity=1, pay_with_points=False, **options):
        """Put a product into the basket, as the shop's own forms do."""
        basket = get_model("basket", "Basket").open.get_or_create(owner=self.user)[0]
        basket.strategy = get_class("partner.strategy", "Selector")().strategy(user=self.user)
        chosen = (
            giftcards.options_for(pay_with_points=pay_with_points, **options) if giftcards.is_giftcard(product) else []
        )
        basket.add_product(product, quantity=quantity, options=chosen)
        # The checkout asks for nothing else when nothing is shipped.
        self.client.get("/checkout/shipping-method/")
        return basket

    def add_card(self, card):
        return self.client.post(
            "/checkout/preview/", {"loyalty_add_card": "1", "code": giftcard_services.code_of(card)}
        )

    def place(self, **data):
        return self.client.post("/checkout/preview/", {"action": "place_order", **data})


@pytest.fixture
def shopper(user):
    return Shopper(user)


@pytest.fixture
def new_shopper(django_user_model):
    def make():
        number = next(numbers)
        user = django_user_model.objects.create_user(
            username=f"shopper{number}", email=f"shopper{number}@example.com", password="petale-demo"
        )
        return Shopper(user)

    return make


@pytest.fixture
def rich(member):
    """The member has 2,500 points to spend."""
    books.earn(account=member.account, units=2500, key="rich", usable_from=clock.now(), kind="adjust")
    return member
