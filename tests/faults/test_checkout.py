"""kill -9 at each step of a checkout, and a database that is cut off: nothing is lost, nothing doubled.

The shop is a process of its own and the customer comes by HTTP. Each boundary has a name; after it the sweep comes by,
and the customer tries again where there is no order.
"""

from decimal import Decimal as D

import pytest
from django.core.management import call_command
from django.db import connection
from oscar.core.loading import get_model

from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.reports import audit
from tests.faults.process import Lost, cut, mails

Order, Basket = get_model("order", "Order"), get_model("basket", "Basket")

SERVICES = "oscar_loyalty.payments.services"
#: What is killed where; the second word says whether there is an order then.
BOUNDARIES = {
    "before anything": ("oscar_loyalty.checkout.mixins:LoyaltyPaymentMixin.handle_payment:before", False),
    "before the attempt": (f"{SERVICES}:begin:before", False),
    "after the basket is frozen": (f"{SERVICES}:_freeze:after", False),
    "between two holds": (f"{SERVICES}:_hold:after", False),
    "after the attempt": (f"{SERVICES}:begin:after", False),
    "when the order is written": ("oscar.apps.order.utils:OrderCreator.place_order:after", False),
    "before the capture": (f"{SERVICES}:complete:before", False),
    "between two captures": ("oscar_loyalty.payments.tenders.own:GiftCard.capture:after", False),
    "before the commit": (f"{SERVICES}:complete:after", False),
    "after the commit": ("oscar_loyalty.checkout.cards:forget:before", True),
    "before the customer is answered": ("oscar.apps.checkout.mixins:OrderPlacementMixin.send_signal:before", True),
}


@pytest.fixture
def ready(rich, shopper, haircut, card_10, issue):
    """A haircut of 30 euros, 25 of them from a gift card, and a gift card for 1,000 points."""
    card = issue("25.00")
    shopper.add(haircut)
    basket = shopper.add(card_10, pay_with_points=True)
    shopper.add_card(card)
    shopper.client.get("/checkout/preview/")
    return rich, basket, card


def place(window, basket):
    return window.post("/checkout/preview/", action="place_order", loyalty_basket=basket.pk)


def assert_right(member, basket, card, *, placed):
    """All that is given for an order is given, once; without one nothing is, and nothing is set aside."""
    basket.refresh_from_db()
    assert Order.objects.count() == int(placed)
    assert basket.status == ("Submitted" if placed else "Open")
    balance = ledger.balance(member.account)
    assert (balance.usable, balance.held) == (1500 if placed else 2500, 0)
    assert giftcards.balance(card).amount == (D("0.00") if placed else D("25.00"))
    bought = get_loyalty_model("loyalty_giftcards", "GiftCard").objects.filter(order__isnull=False)
    assert [each.state for each in bought] == (["active"] if placed else [])
    attempts = get_loyalty_model("loyalty_payments", "PaymentAttempt").objects
    assert not attempts.filter(state="open").exists()
    assert attempts.filter(state="placed").count() == int(placed)
    report = audit.run()
    assert report.clean, report.findings


def sweep(later):
    with later(minutes=3):
        call_command("loyalty_run", verbosity=0)
        call_command("loyalty_run", verbosity=0)


@pytest.mark.parametrize("name", BOUNDARIES)
def test_kill_9_at_each_step_of_a_checkout(name, ready, window, open_shop, later, mail_folder):
    member, basket, card = ready
    boundary, placed = BOUNDARIES[name]
    shop = open_shop(boundary=boundary)
    customer = window().at(shop)
    with pytest.raises(Lost):
        place(customer, basket)
    assert shop.wait() == -9
    sweep(later)
    assert_right(member, basket, card, placed=placed)
    # The customer comes back and clicks again.
    customer.at(open_shop())
    if not placed:
        assert customer.get("/checkout/preview/")[0] == 200
    status, target, _text = place(customer, basket)
    assert (status, target) == (302, "/checkout/thank-you/")
    status, _target, text = customer.get("/checkout/thank-you/")
    assert status == 200
    assert Order.objects.get().number in text
    sweep(later)
    assert_right(member, basket, card, placed=True)
    told = [subject for subject in mails(mail_folder) if "gift card" in subject]
    assert told == ["Your gift card: €10.00 at example.com"]


CUTS = ["before the attempt", "after the attempt", "before the capture", "before the commit", "after the commit"]

# SQLite is a file: nobody can cut it off.
if connection.vendor == "postgresql":

    @pytest.mark.parametrize("name", CUTS)
    def test_a_database_that_is_cut_off_and_comes_back(name, ready, window, open_shop, later):
        member, basket, card = ready
        boundary, placed = BOUNDARIES[name]
        shop = open_shop(boundary=boundary, act=cut)
        customer = window().at(shop)
        place(customer, basket)
        sweep(later)
        assert_right(member, basket, card, placed=placed)
        # It is the same server, which has found its database again.
        if not placed:
            assert customer.get("/checkout/preview/")[0] == 200
        assert place(customer, basket)[:2] == (302, "/checkout/thank-you/")
        sweep(later)
        assert_right(member, basket, card, placed=True)
