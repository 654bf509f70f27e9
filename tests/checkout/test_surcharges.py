"""Oscar rounds neither a surcharge of some percent nor the total with it, and a surcharge may be a rebate."""

from decimal import Decimal as D

import pytest
from oscar.apps.checkout.surcharges import FlatCharge, PercentageCharge
from oscar.core.loading import get_class, get_model

from oscar_loyalty.earning import orders, rules
from oscar_loyalty.earning import selectors as earning
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments import refunds, selectors
from oscar_loyalty.reports import audit

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db
PAGE = "/checkout/preview/"


@pytest.fixture(autouse=True)
def _books_agree(db):
    yield
    assert audit.run(keep=False).findings == []


@pytest.fixture
def surcharge(monkeypatch):
    """Let each order have a surcharge: ``surcharge(FlatCharge(...))``."""
    applicator = get_class("checkout.applicator", "SurchargeApplicator")

    def surcharge(charge):
        monkeypatch.setattr(applicator, "get_surcharges", lambda self, basket, **kwargs: (charge,))

    return surcharge


def paid(order):
    return [(part.kind, part.amount, part.points) for part in selectors.paid_with(order)]


def left(order):
    return sum(place.left for place in refunds.left_of(order).values())


def test_a_percentage_is_rounded_as_the_database_does(shopper, rich, programme, haircut, issue, surcharge):
    """33.33 and 1.9 % are 33.96327, of which 33.96 are stored."""
    surcharge(PercentageCharge(percentage=D("1.90")))
    haircut.stockrecords.update(price=D("33.33"))
    programme.points_at_checkout, programme.redemption_points, programme.redemption_amount = True, 100, D("1.00")
    programme.save()
    card = issue("10.00")
    shopper.add(haircut)
    shopper.add_card(card)
    shopper.client.post(PAGE, {"loyalty_points_do": "use", "points": "300"})
    shopper.client.get(PAGE)
    assert shopper.place().url == "/checkout/thank-you/"
    order = Order.objects.get()
    assert paid(order) == [("points", D("3.00"), 300), ("giftcard", D("10.00"), 0), ("on_site", D("20.96"), 0)]
    assert order.total_incl_tax == order.payment_attempt.total == D("33.96")
    assert left(order) == 3396
    refunds.give_all_back(order=order, key="all", kind="refund")
    assert (left(order), giftcards.balance(card).amount, ledger.balance(rich.account).usable) == (0, D("10.00"), 2500)


def test_a_card_and_points_can_pay_all_of_it(shopper, member, haircut, issue, surcharge):
    surcharge(PercentageCharge(percentage=D("1.90")))
    haircut.stockrecords.update(price=D("33.33"))
    shopper.add(haircut)
    shopper.add_card(issue("50.00"))
    shopper.client.get(PAGE)
    assert shopper.place().url == "/checkout/thank-you/"
    assert paid(Order.objects.get()) == [("giftcard", D("33.96"), 0)]


def test_without_anything_to_redeem(shopper, member, haircut, surcharge):
    surcharge(PercentageCharge(percentage=D("1.95")))
    # 33.9799…
    haircut.stockrecords.update(price=D("33.33"))
    shopper.add(haircut)
    shopper.client.get(PAGE)
    assert shopper.place().url == "/checkout/thank-you/"
    order = Order.objects.get()
    assert paid(order) == [("on_site", D("33.98"), 0)]
    # What is allotted to the surcharge is rounded too, not cut off.
    assert left(order) == 3398


def test_a_rebate_lowers_what_is_to_be_paid_for_each_line(shopper, rich, haircut, card_10, issue, surcharge):
    rebate = FlatCharge(excl_tax=D("-1.00"), incl_tax=D("-1.00"))
    rebate.name, rebate.code = "Rebate", "rebate"
    surcharge(rebate)
    card = issue("5.00")
    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    shopper.add_card(card)
    response = shopper.client.get(PAGE)
    assert response.status_code == 200 and response.context["loyalty_plan"].total == D("39.00")
    assert shopper.place().url == "/checkout/thank-you/"
    order = Order.objects.get()
    assert paid(order) == [("points_line", D("9.75"), 1000), ("giftcard", D("5.00"), 0), ("on_site", D("24.25"), 0)]
    assert {place.line and place.line.title: place.left for place in refunds.left_of(order).values()} == {
        "Haircut": 2925,
        str(card_10.title): 975,
        None: 0,
    }
    refunds.give_all_back(order=order, key="all", kind="refund")
    assert (left(order), giftcards.balance(card).amount, ledger.balance(rich.account).usable) == (0, D("5.00"), 2500)


def test_no_more_than_was_paid_of_an_order_placed_elsewhere(shopper, member, haircut, surcharge):
    rebate = FlatCharge(excl_tax=D("-1.00"), incl_tax=D("-1.00"))
    rebate.name, rebate.code = "Rebate", "rebate"
    surcharge(rebate)
    shopper.add(haircut, quantity=2)
    shopper.place()
    order = Order.objects.get()
    get_loyalty_model("loyalty_payments", "Allotment").objects.all().delete()
    get_loyalty_model("loyalty_payments", "PaymentAttempt").objects.all().delete()
    assert refunds.refund(order=order, key="1", lines={order.lines.get().pk: 1}).amount == D("29.50")
    assert refunds.give_all_back(order=order, key="2", kind="refund").amount == D("29.50")


def test_what_a_card_pays_of_a_rebated_order_brings_nothing(shopper, member, programme, haircut, issue, surcharge):
    """Neither in the preview nor after it."""
    rules.publish_rule(programme=programme, kind="unit", spec={"points": 80})
    rebate = FlatCharge(excl_tax=D("-3.00"), incl_tax=D("-3.00"))
    rebate.name, rebate.code = "Rebate", "rebate"
    surcharge(rebate)
    shopper.add(haircut)
    assert "80 petals" in shopper.client.get(PAGE).content.decode().replace("\xa0", " ")
    shopper.add_card(issue("27.00"))
    assert "petals" not in shopper.client.get(PAGE).content.decode()
    assert shopper.place().url == "/checkout/thank-you/"
    order = Order.objects.get()
    assert paid(order) == [("giftcard", D("27.00"), 0)]
    orders.review_order(order=order)
    award = earning.award_of_order(order)
    assert award is None or (award.points, award.spent) == (0, 0)
