"""What goes wrong on demand, as Stripe's client meets it; the books tell what was done all the same."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import stripe

from stripe_server import ControlError

CAPTURE = "POST /v1/payment_intents/*/capture"


@pytest.mark.parametrize(
    ("kind", "error", "done"),
    [
        ("500_before", stripe.APIError, False),
        ("500_after", stripe.APIError, True),
        ("500_stored", stripe.APIError, False),
        ("502_after", stripe.APIError, True),
        ("cut_before", stripe.APIConnectionError, False),
        ("cut_after", stripe.APIConnectionError, True),
        ("429", stripe.RateLimitError, False),
        ("lock_timeout", stripe.RateLimitError, False),
        ("401", stripe.AuthenticationError, False),
        ("402", stripe.CardError, False),
    ],
)
def test_a_fault_happens_once_and_the_books_tell(shop, control, kind, error, done):
    intent = shop.intent()
    control.fault(CAPTURE, kind)
    with pytest.raises(error):
        shop.client.v1.payment_intents.capture(intent.id, {}, shop.key())
    assert control.books()["currencies"]["eur"]["captured"] == (2000 if done else 0)
    if not done:
        assert shop.client.v1.payment_intents.capture(intent.id, {}, shop.key()).status == "succeeded"


@pytest.mark.parametrize("kind", ["502_after", "cut_after", "500_before", "cut_before", "429"])
def test_the_same_key_gets_the_good_answer_in_the_end(shop, control, kind):
    intent, key = shop.intent(), shop.key()
    control.fault(CAPTURE, kind)
    with pytest.raises(stripe.StripeError):
        shop.client.v1.payment_intents.capture(intent.id, {}, key)
    captured = shop.client.v1.payment_intents.capture(intent.id, {}, key)
    assert captured.status == "succeeded"
    replayed = kind.endswith("after")
    assert (captured.last_response.headers.get("Idempotent-Replayed") == "true") is replayed


def test_the_client_itself_tries_again(ours, shop, control):
    intent = shop.intent()
    control.fault(CAPTURE, "cut_after")
    client = ours.client(max_network_retries=1)
    assert client.v1.payment_intents.capture(intent.id).status == "succeeded"
    assert len(control.events("charge.captured")) == 1


@pytest.mark.parametrize(("kind", "captured"), [("timeout_before", 0), ("timeout_after", 2000)])
def test_no_answer_in_time(ours, shop, control, kind, captured):
    intent = shop.intent()
    control.fault(CAPTURE, kind, seconds=30)
    hasty = ours.client(http_client=stripe.RequestsClient(timeout=0.3))
    began = time.monotonic()
    with pytest.raises(stripe.APIConnectionError):
        hasty.v1.payment_intents.capture(intent.id)
    while captured and not control.events("charge.captured") and time.monotonic() - began < 10:
        time.sleep(0.02)
    control.call("faults", clear=True)
    assert time.monotonic() - began < 10
    assert control.books()["currencies"]["eur"]["captured"] == captured


def test_many_at_once_never_take_or_give_back_more_than_there_is(shop, control):
    intents = [shop.intent(), shop.intent(capture="automatic")]

    def ask(number):
        calls = (
            lambda: shop.client.v1.payment_intents.capture(intents[0].id, {"amount_to_capture": 100 + number}),
            lambda: shop.client.v1.refunds.create({"payment_intent": intents[1].id, "amount": 300}),
        )
        try:
            calls[number % 2]()
        except stripe.InvalidRequestError:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(ask, range(24)))
    assert sum(done[::2]) == 1
    assert sum(done[1::2]) == 6
    books = control.books()["payment_intents"]
    assert books[intents[1].id]["refunded"] == 1800
    assert books[intents[0].id]["captured"] + books[intents[0].id]["released"] == 2000
    assert len(control.events("charge.captured")) == 1


def test_faults_by_pattern_and_number(shop, control):
    control.fault("GET /v1/payment_intents/*", "500_before", times=2)
    intent = shop.intent()
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            shop.client.v1.payment_intents.retrieve(intent.id)
    assert shop.client.v1.payment_intents.retrieve(intent.id).id == intent.id
    control.fault("POST *", "429", times=5)
    assert control.call("faults")["faults"] == [{"match": "POST *", "kind": "429", "times": 5, "seconds": 30}]
    control.call("faults", clear=True)
    assert shop.intent().status == "requires_capture"


def test_the_dashboard_goes_past_the_shop(shop, control):
    first, second, third = shop.intent(), shop.intent(), shop.intent()
    control.dashboard_capture(payment_intent=first.id)
    control.dashboard_refund(payment_intent=first.id, amount=700)
    control.dashboard_cancel(payment_intent=second.id)
    books = control.books()["payment_intents"]
    assert (books[first.id]["net"], books[second.id]["status"]) == (1300, "canceled")
    assert books[third.id]["authorised"] == 2000


def test_a_control_that_does_not_exist_or_is_asked_wrongly_says_so(ours, control):
    for name, values in (("nothing", {}), ("faults", {"match": "*", "kind": "flood"}), ("pay", {"colour": "red"})):
        with pytest.raises(ControlError) as caught:
            control.call(name, **values)
        assert caught.value.status in (400, 404)
    assert requests.post(f"{ours.url}/_control/pay", data="nonsense", timeout=5).status_code == 400


def test_the_clock_stands_still_when_told(control):
    now = control.call("clock", to=1_900_000_000, freeze=True)
    assert now == {"now": 1_900_000_000, "frozen": True}
    assert control.advance(60) == 1_900_000_060
    control.call("clock", freeze=False)
    assert control.now() - 1_900_000_060 in (0, 1)
