"""kill -9 at each step of an order with nothing to redeem, and of its award: there is all of it or nothing, once."""

from decimal import Decimal as D

import pytest
from django.core.management import call_command
from oscar.core.loading import get_model

from oscar_loyalty.earning import rules
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.reports import audit
from tests.faults.process import Lost, mails

Order = get_model("order", "Order")

DIRECT = "oscar_loyalty.payments.direct"
#: What is killed where; the second word says whether there is an order then.
BOUNDARIES = {
    "before the basket is taken": (f"{DIRECT}:claim:before", False),
    "after the basket is taken": (f"{DIRECT}:claim:after", False),
    "when the order is written": ("oscar.apps.order.utils:OrderCreator.place_order:after", False),
    "before the due rows": (f"{DIRECT}:record:after", False),
    "before the commit": ("oscar_loyalty.due.rows:write:after", False),
    "after the commit": ("oscar_loyalty.checkout.cards:forget:before", True),
    "before the customer is answered": ("oscar.apps.checkout.mixins:OrderPlacementMixin.send_signal:before", True),
}
#: On the page after the order, or in the sweep.
AWARDS = {
    "before the award": "oscar_loyalty.earning.orders:review_order:before",
    "before the award's commit": "oscar_loyalty.earning.followers:tell_given:after",
    "after the award": "oscar_loyalty.earning.orders:review_order:after",
}


@pytest.fixture
def ready(member, programme, shopper, haircut):
    """A haircut of 30 euros, for which there are 30 points."""
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1"})
    basket = shopper.add(haircut)
    shopper.client.get("/checkout/preview/")
    return member, basket


def place(window, basket):
    return window.post("/checkout/preview/", action="place_order", loyalty_basket=basket.pk)


def sweep(later, minutes=3):
    with later(minutes=minutes):
        call_command("loyalty_run", verbosity=0)


def assert_right(member, basket, *, placed):
    basket.refresh_from_db()
    assert Order.objects.count() == int(placed)
    assert basket.status == ("Submitted" if placed else "Open")
    attempts = get_loyalty_model("loyalty_payments", "PaymentAttempt").objects
    assert list(attempts.values_list("state", "total")) == ([("placed", D("30.00"))] if placed else [])
    awards = get_loyalty_model("loyalty_earning", "Award").objects
    assert list(awards.values_list("points", flat=True)) == ([30] if placed else [])
    balance = ledger.balance(member.account)
    assert int(balance.usable) + int(balance.pending) == (30 if placed else 0)
    report = audit.run(keep=False)
    assert report.clean, report.findings


@pytest.mark.parametrize("name", BOUNDARIES)
def test_kill_9_at_each_step_of_an_order(name, ready, window, open_shop, later, mail_folder):
    member, basket = ready
    boundary, placed = BOUNDARIES[name]
    shop = open_shop(boundary=boundary)
    customer = window().at(shop)
    with pytest.raises(Lost):
        place(customer, basket)
    assert shop.wait() == -9
    # The process is gone that would have shown the next page: the sweep makes the award.
    sweep(later)
    assert_right(member, basket, placed=placed)
    customer.at(open_shop())
    assert place(customer, basket)[:2] == (302, "/checkout/thank-you/")
    status, _target, text = customer.get("/checkout/thank-you/")
    assert status == 200
    assert Order.objects.get().number in text
    assert_right(member, basket, placed=True)
    sweep(later, minutes=6)
    assert_right(member, basket, placed=True)
    assert len([subject for subject in mails(mail_folder) if "order" in subject.lower()]) == 1


@pytest.mark.parametrize("name", AWARDS)
def test_kill_9_while_the_page_after_it_makes_the_award(name, ready, window, open_shop, later):
    member, basket = ready
    shop = open_shop(boundary=AWARDS[name])
    customer = window().at(shop)
    assert place(customer, basket)[:2] == (302, "/checkout/thank-you/")
    with pytest.raises(Lost):
        customer.get("/checkout/thank-you/")
    assert shop.wait() == -9
    # The row is still leased by the dead; the sweep finds the order all the same.
    sweep(later)
    assert_right(member, basket, placed=True)
    sweep(later, minutes=10)
    assert_right(member, basket, placed=True)
