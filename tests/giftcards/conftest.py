from decimal import Decimal

import pytest

from oscar_loyalty.giftcards import selectors, services
from oscar_loyalty.giftcards.guard import Guard

GUARD = Guard(user_id=7, session_key="a session", address="192.0.2.1")


@pytest.fixture
def who():
    return GUARD


@pytest.fixture
def card(db, user):
    """A card of 50 euros that works."""
    return services.issue(value=Decimal("50"), key="first", buyer=user)


@pytest.fixture
def ten(db):
    """Gift cards of 10 euros are on sale, for 1,000 points."""
    return services.set_denomination(value=Decimal("10"), points_price=1000)


@pytest.fixture
def basket(db, user):
    from oscar.apps.partner.strategy import Selector
    from oscar.core.loading import get_model

    basket = get_model("basket", "Basket").objects.create(owner=user)
    basket.strategy = Selector().strategy()
    return basket


@pytest.fixture
def place(basket, user):
    """Place the basket as an order, without any view: ``place()``."""
    from oscar.apps.order.utils import OrderCreator
    from oscar.apps.shipping.methods import NoShippingRequired
    from oscar.core.prices import Price

    def place(number="100001", **fields):
        total = Price("EUR", basket.total_excl_tax, incl_tax=basket.total_incl_tax)
        method = NoShippingRequired()
        return OrderCreator().place_order(
            basket=basket,
            total=total,
            shipping_method=method,
            shipping_charge=method.calculate(basket),
            user=user,
            order_number=number,
            **fields,
        )

    return place


@pytest.fixture
def order(basket, ten, place):
    """An order of three cards of 10 euros for Anna."""
    options = selectors.options_for(
        recipient_name="Anna", recipient_email="anna@example.com", message="Happy birthday!\nRose"
    )
    basket.add_product(ten.product, quantity=3, options=options)
    return place()


@pytest.fixture
def boss(db, django_user_model):
    return django_user_model.objects.create_superuser(username="boss", email="boss@example.com", password="petale-demo")


@pytest.fixture
def clerk(db, django_user_model):
    """Somebody who manages gift cards, and nothing else."""
    from django.contrib.auth.models import Permission

    clerk = django_user_model.objects.create_user(
        username="clerk", email="clerk@example.com", password="petale-demo", is_staff=True
    )
    clerk.user_permissions.add(Permission.objects.get(codename="manage_cards"))
    return clerk
