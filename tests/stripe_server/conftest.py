import os
import uuid

import pytest
import stripe

import stripe_server

from .receiver import Receiver

#: With a key of Stripe's own test mode, what needs no browser is asked there too (``make test-stripe``).
STRIPE_KEY = os.environ.get("STRIPE_TEST_KEY", "")
PLACES = ["ours", *(["stripe"] if STRIPE_KEY.startswith("sk_test_") else [])]


class Place:
    """Where a promise is tried: our server, or Stripe's test mode."""

    def __init__(self, client, name):
        self.client, self.name = client, name

    def key(self):
        return {"idempotency_key": f"contract-{uuid.uuid4()}"}

    def intent(self, amount=2000, *, currency="eur", card="pm_card_visa", capture="manual", **more):
        """A PaymentIntent paid at once with a test card."""
        params = {
            "amount": amount,
            "currency": currency,
            "payment_method": card,
            "payment_method_types": ["card"],
            "capture_method": capture,
            "confirm": True,
            **more,
        }
        return self.client.v1.payment_intents.create(params)

    def session(self, *lines, **more):
        return self.client.v1.checkout.sessions.create(session_params(*lines, **more))


def session_params(*lines, currency="eur", **more):
    """The parameters of a session; ``lines`` are pairs of unit amount and quantity."""
    items = [
        {
            "price_data": {"currency": currency, "unit_amount": amount, "product_data": {"name": f"Rose {place}"}},
            "quantity": quantity,
        }
        for place, (amount, quantity) in enumerate(lines or [(1250, 2)])
    ]
    return {
        "mode": "payment",
        "line_items": items,
        "success_url": "https://shop.example/thanks?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.example/basket",
        **more,
    }


@pytest.fixture(scope="session")
def _running():
    with stripe_server.running(retry_seconds=(0.05, 0.05, 0.1)) as server:
        yield server


@pytest.fixture
def ours(_running):
    """Our server, with empty books."""
    _running.control.reset()
    return _running


@pytest.fixture
def control(ours):
    return ours.control


@pytest.fixture
def shop(ours):
    """Our server as a place, spoken to as the shop."""
    return Place(ours.client(), "ours")


@pytest.fixture(params=PLACES)
def place(request):
    if request.param == "stripe":
        return Place(stripe.StripeClient(STRIPE_KEY, max_network_retries=0), "stripe")
    return request.getfixturevalue("shop")


@pytest.fixture
def held(shop, control):
    """A session paid with manual capture: the PaymentIntent waits for its capture."""
    session = shop.session(payment_intent_data={"capture_method": "manual"})
    control.pay(session.id)
    return shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})


@pytest.fixture
def receiver():
    """A webhook endpoint that remembers what came."""
    with Receiver("whsec_test") as found:
        yield found
