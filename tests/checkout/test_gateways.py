"""Shops that take money themselves keep their payment: it is asked for the rest, whatever kind it is."""

from decimal import Decimal as D

import pytest
from django.core import mail
from oscar.apps.order.exceptions import UnableToPlaceOrder
from oscar.apps.payment.exceptions import PaymentError, RedirectRequired, UnableToTakePayment
from oscar.core.loading import get_model

from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import audit
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments import selectors, settling
from tests.checkout.shop_views import Gateway

Order, Basket = get_model("order", "Order"), get_model("basket", "Basket")
Source, SourceType = get_model("payment", "Source"), get_model("payment", "SourceType")
pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.checkout.shop_urls")]


@pytest.fixture(autouse=True)
def _books_agree(db):
    yield
    assert list(audit.audit()) == []


@pytest.fixture
def gateway(monkeypatch):
    """Let the shop's payment do this: ``asked = gateway(function)``."""

    def gateway(function):
        asked = []
        monkeypatch.setattr(Gateway, "gateway", lambda view, number, total: function(view, number, total))
        monkeypatch.setattr(Gateway, "asked", asked)
        return asked

    return gateway


@pytest.fixture
def split(shopper, rich, programme, haircut, card_10, issue):
    """A basket of 40 euros: 10 by points for a card, 15 by points at the rate, 5 by a gift card, 10 by the shop."""
    programme.points_at_checkout = True
    programme.save()
    basket = shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    card = issue("5.00")
    shopper.add_card(card)
    shopper.client.post("/checkout/payment-details/", {"loyalty_points_do": "use", "points": "1500"})
    shopper.client.get("/checkout/preview/")
    return basket, card


def assert_all_is_as_before(basket, card, rich):
    basket.refresh_from_db()
    assert (basket.status, basket.num_lines) == ("Open", 2)
    assert ledger.balance(rich.account).usable == 2500
    assert giftcards.balance(card).amount == D("5.00")
    assert not Order.objects.exists()
    assert not get_loyalty_model("loyalty_ledger", "Hold").objects.filter(state="open").exists()


def test_money_that_is_taken_at_once(shopper, rich, split, gateway):
    def take(view, number, total):
        kind = SourceType.objects.get_or_create(name="Bank")[0]
        view.add_payment_source(
            Source(source_type=kind, currency=total.currency, amount_allocated=total.incl_tax, reference="bank-1")
        )
        view.add_payment_event("Paid", total.incl_tax, reference="bank-1")

    asked = gateway(take)
    assert shopper.place().url == "/checkout/thank-you/"
    ((number, total, _kwargs),) = asked
    order = Order.objects.get()
    assert (str(number), total.incl_tax, total.excl_tax, total.currency) == (
        order.number,
        D("10.00"),
        D("10.00"),
        "EUR",
    )
    assert [(part.kind, part.amount) for part in selectors.paid_with(order)] == [
        ("points_line", D("10.00")),
        ("points", D("15.00")),
        ("giftcard", D("5.00")),
        ("shop", D("10.00")),
    ]
    sources = {source.source_type.name: source.amount_allocated for source in order.sources.all()}
    assert sum(source.amount_allocated for source in order.sources.all()) == order.total_incl_tax
    assert sources["Bank"] == D("10.00")
    # The shop keeps its own mail, sent in the request as ever.
    assert [message.subject for message in mail.outbox] == [f"Confirmation of order {order.number}"]
    assert not get_loyalty_model("loyalty_due", "Due").objects.filter(kind="payments.order_mail").exists()


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (UnableToTakePayment("The card was refused."), "The card was refused."),
        (PaymentError("The bank is away."), "no payment has been taken"),
        (ValueError("A mistake in the shop's code"), "no payment has been taken"),
        (KeyError("amount"), "no payment has been taken"),
    ],
    ids=["refused", "error", "crash", "other crash"],
)
def test_money_that_is_not_taken_gives_all_back(shopper, rich, split, gateway, problem, words):
    basket, card = split

    def fail(view, number, total):
        raise problem

    gateway(fail)
    assert words in shopper.place().content.decode()
    assert_all_is_as_before(basket, card, rich)
    # What was chosen is still chosen: the next try is one click away.
    gateway(lambda view, number, total: None)
    shopper.client.get("/checkout/preview/")
    shopper.place()
    assert [part.amount for part in selectors.paid_with(Order.objects.get())] == [D(10), D(15), D(5), D(10)]


def test_a_process_that_is_told_to_stop_gives_all_back(shopper, rich, split, gateway):
    _basket, card = split

    def stop(view, number, total):
        raise SystemExit

    gateway(stop)
    with pytest.raises(SystemExit):
        shopper.place()
    assert ledger.balance(rich.account).usable == 2500
    assert giftcards.balance(card).amount == D("5.00")


@pytest.fixture
def elsewhere(gateway):
    def go(view, number, total):
        raise RedirectRequired("https://bank.example/pay")

    return gateway(go)


def test_a_customer_who_pays_elsewhere_comes_back_to_the_order(shopper, rich, split, elsewhere):
    basket, _card = split
    assert shopper.place().url == "https://bank.example/pay"
    assert elsewhere[0][1].incl_tax == D("10.00")
    assert ledger.balance(rich.account).usable == 0
    basket.refresh_from_db()
    assert basket.status == "Frozen"
    assert shopper.client.get("/bank/return/").url == "/checkout/thank-you/"
    assert [part.amount for part in selectors.paid_with(Order.objects.get())] == [D(10), D(15), D(5), D(10)]
    basket.refresh_from_db()
    assert basket.status == "Submitted"


def test_a_customer_who_stays_elsewhere_gets_all_back_in_the_end(time, shopper, rich, split, elsewhere):
    basket, card = split
    shopper.place()
    attempt = get_loyalty_model("loyalty_payments", "PaymentAttempt").objects.get(state="open")
    time.advance(minutes=59)
    assert settling.settle(attempt=attempt) == "open"
    time.advance(minutes=2)
    assert settling.settle(attempt=attempt) == "cancelled"
    assert_all_is_as_before(basket, card, rich)


def test_coming_back_too_late_places_no_order_without_its_points(time, shopper, rich, split, elsewhere):
    basket, card = split
    shopper.place()
    attempt = get_loyalty_model("loyalty_payments", "PaymentAttempt").objects.get(state="open")
    time.advance(minutes=61)
    settling.settle(attempt=attempt)
    with pytest.raises(UnableToPlaceOrder, match="took too long"):
        shopper.client.get("/bank/return/")
    assert_all_is_as_before(basket, card, rich)


def test_what_crashes_while_the_order_is_written_gives_all_back(shopper, rich, split, gateway, monkeypatch):
    basket, card = split
    gateway(lambda view, number, total: None)

    def broken(self, order):
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Gateway, "save_payment_details", broken)
        assert "A problem occurred" in shopper.place().content.decode()
    assert_all_is_as_before(basket, card, rich)


def test_nothing_left_asks_the_gateway_nothing(shopper, rich, split, gateway, issue):
    asked = gateway(lambda view, number, total: None)
    shopper.add_card(issue("10.00"))
    shopper.client.get("/checkout/preview/")
    assert shopper.place().url == "/checkout/thank-you/"
    assert asked == []
