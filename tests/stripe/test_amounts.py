"""What Stripe is asked for is what the order costs in the end: whatever percents and offers make of it."""

from decimal import Decimal as D

import pytest
from oscar.apps.checkout.surcharges import PercentageCharge
from oscar.core.loading import get_class, get_model

from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.payments import refunds
from tests.checkout.conftest import Shopper
from tests.stripe.conftest import last_attempt, tender_of
from tests.stripe.test_settling import settle

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db
PAGE = "/checkout/preview/"


def test_a_surcharge_of_some_percent(bank, to_stripe, ways, monkeypatch, shopper, member, haircut):
    applicator = get_class("checkout.applicator", "SurchargeApplicator")
    charge = PercentageCharge(percentage=D("1.90"))
    monkeypatch.setattr(applicator, "get_surcharges", lambda self, basket, **kwargs: (charge,))
    haircut.stockrecords.update(price=D("33.33"))
    shopper.add(haircut)
    shopper.client.get(PAGE)
    to_stripe(shopper)
    bank.pay()
    assert shopper.client.get(ways(last_attempt())["paid"]).url == "/checkout/thank-you/"
    order = Order.objects.get()
    assert order.total_incl_tax == tender_of(last_attempt()).amount == D("33.96")
    assert bank.books()["currencies"]["eur"]["captured"] == 3396


# Currencies without cents


@pytest.fixture
def in_currency(settings, bank, user, haircut):
    """A shopper with haircuts less ten percent: ``in_currency("JPY", "1005.00")``."""
    reach = get_model("offer", "Range").objects.create(name="All", includes_all_products=True)
    get_model("offer", "ConditionalOffer").objects.create(
        name="Ten percent",
        condition=get_model("offer", "Condition").objects.create(range=reach, type="Count", value=1),
        benefit=get_model("offer", "Benefit").objects.create(range=reach, type="Percentage", value=10),
        offer_type="Site",
        status="Open",
    )

    def in_currency(currency, price, *more):
        settings.OSCAR_DEFAULT_CURRENCY = currency
        haircut.stockrecords.update(price=D(price), price_currency=currency)
        shopper = Shopper(user)
        for product in (haircut, *more):
            basket = shopper.add(product)
        basket.lines.update(price_currency=currency)
        shopper.client.get(PAGE)
        return shopper

    return in_currency


@pytest.mark.parametrize("currency", ["JPY", "ISK"])
def test_half_a_yen_is_said_before_anybody_pays(bank, in_currency, currency):
    """Nor half a króna, which Stripe counts in hundredths, and takes no longer."""
    shopper = in_currency(currency, "1005.00")
    said = f"904.50\xa0{currency} is no whole amount"
    assert said in shopper.client.get("/checkout/payment-details/").content.decode()
    response = shopper.place()
    assert response.status_code == 200 and said in response.content.decode()
    assert last_attempt() is None and not bank.books()["payment_intents"]
    shopper.client.post("/checkout/payment-details/", {"loyalty_choose_money": "1", "loyalty_money": "on_site"})
    shopper.client.get(PAGE)
    assert shopper.place().url == "/checkout/thank-you/"


def test_two_halves_are_charged_and_go_back_as_a_whole(bank, to_stripe, in_currency, haircut):
    from oscar.test.factories import create_product, create_stockrecord

    polish = create_product(title="Polish", product_class="Service")
    create_stockrecord(polish, price=D("1005.00"), num_in_stock=None, partner_name="Salon")
    polish.stockrecords.update(price_currency="JPY")
    to_stripe(in_currency("JPY", "1005.00", polish))
    bank.pay()
    assert settle(last_attempt()) == "placed"
    order = Order.objects.get()
    back = []
    for line in order.lines.all():
        assert refunds.refund(order=order, key=str(line.pk), lines={line.pk: 1}).amount == D("904.50")
        due.sweep()
        back.append(bank.books()["currencies"]["jpy"]["refunded"])
    assert back == [904, 1809] and order.total_incl_tax == 1809


def test_what_is_lost_gives_back_all_else_to_the_half(bank, to_stripe, in_currency, settings):
    settings.OSCAR_DEFAULT_CURRENCY = "HUF"
    shopper = in_currency("HUF", "4235.00")
    card = giftcard_services.issue(value=D("1000"), currency="HUF", key="card", deliver=False)
    shopper.add_card(card)
    shopper.client.get(PAGE)
    to_stripe(shopper)
    assert tender_of(last_attempt()).amount == D("2811.50")
    bank.pay()
    bank.control.fault("POST /v1/payment_intents/*/capture", "500_before", times=100)
    assert settle(last_attempt()) == "down"
    assert giftcards.balance(card).amount == 0
    bank.control.dashboard_cancel(payment_intent=tender_of(last_attempt()).reference)
    assert settle(last_attempt()) == "placed"
    assert tender_of(last_attempt()).state == "failed"
    assert giftcards.balance(card).amount == 1000
