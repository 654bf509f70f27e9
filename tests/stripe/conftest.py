"""The shop's own pages against a Stripe of our own, spoken to by Stripe's client over HTTP."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from oscar.core.loading import get_model

import stripe_server
from oscar_loyalty import clock
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments.stripe import client as stripe_client
from oscar_loyalty.payments.stripe import minimums
from oscar_loyalty.reports import audit
from tests.checkout.conftest import *  # noqa: F403
from tests.dashboard.conftest import boss, staff, url  # noqa: F401

Order, Basket = get_model("order", "Order"), get_model("basket", "Basket")


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch):
    """One request is one request: what is tried again is tried again by us."""
    monkeypatch.setattr(stripe_client, "RETRIES", 0)
    monkeypatch.setattr(stripe_client, "TIMEOUT", (2.0, 1.5))
    stripe_client._client.cache_clear()
    yield
    stripe_client._client.cache_clear()


@pytest.fixture(scope="session")
def stripe_process():
    with stripe_server.running() as running:
        yield running


class Bank:
    """Stripe, and time, which passes for both sides."""

    def __init__(self, running, frozen):
        self.running, self.control, self.clock = running, running.control, frozen

    def later(self, **delta):
        seconds = int(timedelta(**delta).total_seconds())
        self.control.advance(seconds)
        self.clock.advance(seconds=seconds)

    def pay(self, attempt=None, card="4242424242424242", **more):
        return self.control.pay(session=tender_of(attempt or last_attempt()).session, card=card, **more)

    def books(self):
        return self.control.books()


def last_attempt():
    return get_loyalty_model("loyalty_payments", "PaymentAttempt").objects.order_by("pk").last()


def tender_of(attempt):
    return attempt.tenders.get(kind="stripe")


@pytest.fixture
def bank(stripe_process, settings, db):
    stripe_process.control.reset()
    settings.OSCAR_LOYALTY_STRIPE_SECRET_KEY = stripe_process.test_key
    settings.OSCAR_LOYALTY_STRIPE_WEBHOOK_SECRET = stripe_process.webhook_secret
    settings.OSCAR_LOYALTY_STRIPE_API_BASE = stripe_process.url
    settings.OSCAR_LOYALTY_MONEY = ["stripe", "on_site"]
    # A whole second, as Stripe counts.
    with clock.frozen(datetime.fromtimestamp(stripe_process.control.now(), UTC)) as frozen:
        stripe_process.control.clock(freeze=True)
        yield Bank(stripe_process, frozen)
    compare(stripe_process.control.books())


def compare(books):
    """Stripe's books and ours say the same of each payment, and ours agree with themselves."""
    assert audit.run(keep=False).findings == []
    tenders = get_loyalty_model("loyalty_payments", "Tender").objects.filter(kind="stripe").select_related("attempt")
    by_attempt = {str(tender.attempt.uuid): tender for tender in tenders}
    for intent in books["payment_intents"].values():
        tender = by_attempt[intent["client_reference_id"]]
        kept = intent["captured"] - intent["refunded"] - intent["disputed"]
        if tender.state == "captured":
            # All of it, but where somebody took less by hand: then we know how much.
            taken = Decimal(tender.detail.get("taken", tender.amount))
            assert (intent["captured"], intent["authorised"]) == (minimums.to_stripe(taken, tender.attempt.currency), 0)
            sources = get_model("payment", "Source").objects.filter(order=tender.attempt.order_id)
            assert sources.get(source_type__name="Stripe").amount_debited == taken
        elif tender.state == "authorised":
            assert intent["authorised"] == intent["amount"]
        else:
            assert (kept, intent["authorised"]) == (0, 0) or tender.attempt.state == "open"
        if tender.attempt.state != "placed":
            assert kept == 0
    for order in Order.objects.all():
        attempt = get_loyalty_model("loyalty_payments", "PaymentAttempt").objects.filter(order=order).get()
        assert sum(tender.amount for tender in attempt.tenders.all()) == order.total_incl_tax
    # No attempt has two payments, and none of them is nobody's.
    references = [intent["client_reference_id"] for intent in books["payment_intents"].values()]
    assert len(references) == len(set(references))


@pytest.fixture
def to_stripe(bank):
    """Place the order, and return Stripe's page of it."""

    def go(shopper):
        response = shopper.place()
        assert response.status_code == 302, response.content.decode()
        assert response.url.startswith(bank.running.url)
        return response.url

    return go


@pytest.fixture
def ways():
    """The addresses that Stripe was given: ``ways(attempt)["paid"]``."""
    from oscar_loyalty.checkout import going_on

    def ways(attempt):
        return {page: going_on.address(attempt, page) for page in ("paid", "back")}

    return ways


@pytest.fixture
def guests_welcome(settings):
    """Oscar decides when its addresses are made whether guests may check out."""
    import importlib

    from django.urls import clear_url_caches

    import tests.urls

    def again():
        importlib.reload(tests.urls)
        clear_url_caches()

    settings.OSCAR_ALLOW_ANON_CHECKOUT = True
    again()
    yield
    settings.OSCAR_ALLOW_ANON_CHECKOUT = False
    again()
