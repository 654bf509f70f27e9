"""What is for members first, while it is being paid for; and in a shop whose strategy knows nothing of it."""

from datetime import timedelta

import pytest
from oscar.core.loading import get_model

from oscar_loyalty import clock
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as joining
from oscar_loyalty.privileges import services
from oscar_loyalty.privileges.strategy import LoyaltyStrategy
from tests.stripe.conftest import last_attempt

Order, Basket = get_model("order", "Order"), get_model("basket", "Basket")
pytestmark = pytest.mark.django_db


@pytest.fixture
def wired(monkeypatch):
    def strategy(self, request=None, user=None, **kwargs):
        return LoyaltyStrategy(request, user=user)

    monkeypatch.setattr("oscar.apps.partner.strategy.Selector.strategy", strategy)


@pytest.fixture
def early(bank, programme, member, haircut):
    """The haircut is for Gold members first, and the shopper is one."""
    gold = members.tiers(programme).get(code="gold")
    joining.set_tier(member=member, tier=gold, key="up")
    now = clock.now()
    return services.create(
        programme=programme, tier=gold, target=haircut, opens_at=now, ends_at=now + timedelta(days=9), key="test"
    )


def lose(member):
    member.refresh_from_db()
    joining.set_status(member=member, status="frozen")


def test_a_payment_under_way_is_kept_whatever_becomes_of_the_tier(
    wired, early, bank, to_stripe, ways, shopper, member, haircut
):
    shopper.add(haircut)
    to_stripe(shopper)
    lose(member)
    bank.pay()
    assert shopper.client.get(ways(last_attempt())["paid"]).url == "/checkout/thank-you/"
    assert Order.objects.get().lines.get().product == haircut


def test_given_back_the_basket_is_asked_again(wired, early, bank, to_stripe, ways, shopper, member, haircut):
    shopper.add(haircut)
    to_stripe(shopper)
    lose(member)
    shopper.client.get(ways(last_attempt())["back"])
    assert Basket.objects.get().status == "Open"
    response = shopper.place()
    assert response.url == "/basket/"
    assert not Order.objects.exists()
    assert Basket.objects.get().lines.count() == 1


def test_a_shop_that_knows_nothing_of_it_refuses_at_the_checkout(early, bank, shopper, member, haircut, soap):
    """Its strategy sells the haircut to everybody: the checkout of the plugin does not."""
    shopper.add(haircut)
    shopper.add(soap)
    lose(member)
    for response in (shopper.client.get("/checkout/preview/"), shopper.place()):
        assert response.url == "/basket/"
    text = shopper.client.get("/basket/").content.decode()
    assert "“Haircut” cannot be ordered yet: Now for members from Gold on" in text
    assert "Everything else stays in your basket." in text
    assert not Order.objects.exists()
    assert Basket.objects.get().lines.count() == 2
    assert Basket.objects.get().status == "Open"


@pytest.fixture
def soap(db):
    from decimal import Decimal

    from oscar.test.factories import create_product, create_stockrecord

    product = create_product(title="Soap", product_class="Service")
    create_stockrecord(product, price=Decimal("4.00"), num_in_stock=None, partner_name="Salon")
    product.stockrecords.update(price_currency="EUR")
    return product
