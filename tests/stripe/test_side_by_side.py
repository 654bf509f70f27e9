"""Return page, webhook, sweep and customer at once: one order, one capture, whoever comes first."""

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal as D
from functools import partial
from itertools import permutations

import pytest
from django.db import connection
from django.test import Client
from oscar.core.loading import get_model

from oscar_loyalty.due import services as due
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments import settling
from oscar_loyalty.payments.exceptions import PaymentProblem
from oscar_loyalty.payments.stripe import events as stripe_events
from oscar_loyalty.payments.stripe import webhooks
from tests.stripe.conftest import last_attempt, tender_of

Order, Basket = get_model("order", "Order"), get_model("basket", "Basket")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[False, True], ids=["own transactions", "ATOMIC_REQUESTS"], autouse=True)
def _atomic_requests(request):
    before = connection.settings_dict["ATOMIC_REQUESTS"]
    connection.settings_dict["ATOMIC_REQUESTS"] = request.param
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = before


def at_once(*jobs):
    def run(job):
        try:
            return job()
        except PaymentProblem as problem:
            # Stripe is busy with the same payment for another of us: that one, or the sweep, goes on.
            return problem
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        return list(pool.map(run, jobs))


@pytest.fixture
def gone_to_pay(bank, to_stripe, shopper, rich, haircut, card_10):
    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    to_stripe(shopper)
    return last_attempt()


@pytest.fixture
def callers(bank, shopper, ways):
    """The four who may bring a paid attempt to its end."""

    def return_page():
        client = Client()
        client.force_login(shopper.user)
        return client.get(ways(last_attempt())["paid"]).status_code

    def back_page():
        client = Client()
        client.force_login(shopper.user)
        return client.get(ways(last_attempt())["back"]).status_code

    def webhook():
        codes = []
        for event in bank.control.events():
            payload, signature = bank.control.signed(event=event["id"])
            codes.append(
                Client()
                .post(
                    "/stripe/webhook/",
                    payload,
                    content_type="application/json",
                    headers={"Stripe-Signature": signature},
                )
                .status_code
            )
        due.sweep()
        return codes

    def sweep():
        type(last_attempt()).objects.filter(state="open").update(leased_until=bank.clock.at)
        return settling.sweep()

    return {"return": return_page, "back": back_page, "webhook": webhook, "sweep": sweep}


def assert_ordered_and_paid_once(bank, rich):
    for _time in range(2):
        bank.later(minutes=10)
        due.sweep()
    attempt = last_attempt()
    assert (attempt.state, tender_of(attempt).state, Order.objects.count()) == ("placed", "captured", 1)
    assert Basket.objects.get(pk=attempt.basket_id).status == "Submitted"
    assert ledger.balance(rich.account).usable == 1500
    source = attempt.order.sources.get(source_type__name="Stripe")
    assert (source.amount_debited, source.transactions.count()) == (D("30.00"), 1)
    [intent] = bank.books()["payment_intents"].values()
    assert intent["captured"] == 3000


@pytest.mark.parametrize("order", list(permutations(["return", "webhook", "sweep"])), ids="-".join)
def test_in_any_order(bank, gone_to_pay, rich, callers, order):
    bank.pay()
    for name in order:
        callers[name]()
    assert_ordered_and_paid_once(bank, rich)


def test_all_at_once(bank, gone_to_pay, rich, callers):
    bank.pay()
    at_once(*callers.values(), *callers.values())
    assert_ordered_and_paid_once(bank, rich)


def test_all_at_once_when_it_can_no_longer_be_bought(bank, gone_to_pay, rich, callers):
    bank.pay()
    get_model("partner", "StockRecord").objects.filter(price=D("30.00")).update(price=D("31.00"))
    at_once(*callers.values(), *callers.values())
    for _time in range(2):
        bank.later(minutes=10)
        due.sweep()
    attempt = last_attempt()
    assert (attempt.state, tender_of(attempt).state, Order.objects.count()) == ("cancelled", "cancelled", 0)
    assert ledger.balance(rich.account).usable == 2500
    [intent] = bank.books()["payment_intents"].values()
    assert intent["status"] == "canceled"


@pytest.mark.parametrize("time", range(3))
def test_paid_while_it_is_given_up(bank, gone_to_pay, rich, callers, time):
    """Either it was paid in time, and there is an order; or the page was closed, and nothing is taken."""

    def pay():
        try:
            bank.pay(gone_to_pay)
            return True
        except Exception:
            return False

    paid, *_others = at_once(pay, callers["back"], callers["sweep"])
    if paid:
        assert_ordered_and_paid_once(bank, rich)
    else:
        bank.later(minutes=10)
        due.sweep()
        assert (last_attempt().state, Order.objects.count()) == ("cancelled", 0)
        assert ledger.balance(rich.account).usable == 2500


def test_the_last_one_is_sold_once(bank, to_stripe, new_shopper, programme, haircut):
    get_model("catalogue", "ProductClass").objects.filter(slug="service").update(track_stock=True)
    haircut.stockrecords.update(num_in_stock=1)
    attempts = []
    for _shopper in range(4):
        shopper = new_shopper()
        shopper.add(haircut)
        to_stripe(shopper)
        attempts.append(last_attempt())
        bank.pay(attempts[-1])
    results = at_once(*[lambda attempt=attempt: settling.settle(attempt=attempt, at_once=True) for attempt in attempts])
    due.sweep()
    assert sorted(map(str, results)) == ["cancelled", "cancelled", "cancelled", "placed"]
    assert Order.objects.count() == 1
    statuses = sorted(intent["status"] for intent in bank.books()["payment_intents"].values())
    assert statuses == ["canceled", "canceled", "canceled", "succeeded"]


def test_stripes_own_webhooks(bank, gone_to_pay, rich, live_server):
    """Stripe tells the shop by itself, of everything, in another order and twice; nobody comes back."""
    bank.control.endpoint(url=f"{live_server.url}/stripe/webhook/", secret=bank.running.webhook_secret)
    bank.control.hold()
    bank.pay()
    bank.control.release(order="reversed")
    bank.control.settle()
    deliveries = bank.control.deliveries()
    assert {delivery["status"] for delivery in deliveries if delivery.get("status")} == {200}, json.dumps(deliveries)
    due.sweep()
    bank.control.settle()
    assert_ordered_and_paid_once(bank, rich)
    bank.control.endpoint(url=f"{live_server.url}/stripe/webhook/", forget=True)


@pytest.mark.parametrize("said", ["an inquiry", "won"])
def test_two_events_of_one_dispute_tell_it_once(bank, gone_to_pay, callers, said):
    bank.pay()
    settling.settle(attempt=last_attempt(), at_once=True)
    dispute = bank.control.dispute(payment_intent=tender_of(last_attempt()).reference, inquiry=said == "an inquiry")
    if said == "won":
        callers["webhook"]()
        bank.control.dispute(dispute=dispute["id"], status="won")
    before = Order.objects.get().notes.count()
    for event in bank.control.events():
        payload, signature = bank.control.signed(event=event["id"])
        webhooks.receive(payload=payload.encode(), signature=signature)
    told = list(get_loyalty_model("loyalty_payments", "StripeEvent").objects.filter(state="waiting"))
    at_once(*[partial(stripe_events.handle, event=event) for event in told * 4])
    assert Order.objects.get().notes.count() == before + 1
