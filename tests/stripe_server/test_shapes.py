"""The objects have the shape of Stripe's own examples, and of what Stripe's client knows."""

import json
from pathlib import Path

import pytest
import stripe

from stripe_server import ControlError

EXAMPLES = json.loads(Path(__file__).with_name("stripe_objects.json").read_text(encoding="utf-8"))["resources"]
CLASSES = {
    "checkout.session": stripe.checkout.Session,
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "price": stripe.Price,
}
#: What a shop reads; it must be there.
READ = {
    "checkout.session": "id status payment_status payment_intent url amount_total currency expires_at metadata "
    "client_reference_id customer_email customer_details livemode created locale success_url cancel_url",
    "payment_intent": "id status amount amount_capturable amount_received currency metadata latest_charge livemode "
    "capture_method cancellation_reason canceled_at last_payment_error created",
    "charge": "id amount amount_captured amount_refunded captured refunded disputed paid status payment_intent "
    "currency payment_method_details failure_code failure_message created livemode",
    "refund": "id amount status reason charge payment_intent currency metadata created",
    "dispute": "id amount status reason charge payment_intent currency created",
    "event": "id type data created livemode api_version request",
}
#: Whose keys are the shop's own, or differ with the means of payment.
FREE = {"metadata", "payment_method_options"}


def differences(ours, example, known, path):
    """Yield what is neither in Stripe's example nor known to its client, and what is of another type than there."""
    inner = getattr(known, "_inner_class_types", {}) if known else {}
    names = set().union(*(vars(one).get("__annotations__", {}) for one in known.__mro__)) if known else set()
    for key, value in ours.items():
        here = f"{path}.{key}"
        if key not in example:
            if key not in names:
                yield f"{here} is unknown to Stripe"
            continue
        expected = example[key]
        if key in FREE or value is None or expected is None:
            continue
        if type(value) is not type(expected):
            yield f"{here} is {type(value).__name__}, Stripe's is {type(expected).__name__}"
        elif isinstance(value, dict):
            yield from differences(value, expected, inner.get(key), here)


@pytest.fixture
def everything(shop, control):
    """One of each, in the states that fill most of its fields."""
    client = shop.client
    session = shop.session(
        payment_intent_data={"capture_method": "manual", "metadata": {"a": "b"}}, customer_email="rose@example.com"
    )
    with pytest.raises(ControlError):
        control.pay(session.id, "4000000000000002")
    control.pay(session.id, "4000002500003155")
    intent = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    client.v1.payment_intents.capture(intent, {"amount_to_capture": 2000})
    client.v1.refunds.create({"payment_intent": intent, "amount": 100, "reason": "duplicate"})
    refund = client.v1.refunds.create({"payment_intent": intent, "amount": 100})
    control.refund(refund=refund.id)
    control.dispute(payment_intent=intent)
    declined = shop.session()
    with pytest.raises(ControlError):
        control.pay(declined.id, "4000000000000002")
    waiting = shop.session()
    control.pay(waiting.id, "4000002500003155", three_d_secure="leave")
    client.v1.checkout.sessions.expire(shop.session().id)
    client.v1.payment_intents.cancel(shop.intent().id)
    return {
        "checkout.session": client.v1.checkout.sessions.list(),
        "payment_intent": client.v1.payment_intents.list(),
        "charge": client.v1.charges.list(),
        "refund": client.v1.refunds.list(),
        "dispute": client.v1.disputes.list(),
        "event": client.v1.events.list({"limit": 100}),
        "price": [line.price for line in client.v1.checkout.sessions.line_items.list(session.id).data],
    }


def test_every_object_is_as_stripe_shows_it(everything):
    for kind, found in everything.items():
        objects = found if isinstance(found, list) else found.data
        assert objects, kind
        for one in objects:
            body = json.loads(str(one))
            if kind == "event":
                data = body["data"].pop("object")
                example, known = EXAMPLES[data["object"]], CLASSES[data["object"]]
                assert list(differences(data, example, known, body["type"])) == []
                body["data"] = {}
            assert list(differences(body, EXAMPLES[kind], CLASSES[kind], kind)) == []
            assert set(READ.get(kind, "").split()) <= set(body), kind


def test_a_difference_would_be_seen():
    example = EXAMPLES["charge"]
    for wrong in ({"colour": "red"}, {"amount": "100"}, {"payment_method_details": {"card": {"last4": 4242}}}):
        assert len(list(differences(wrong, example, stripe.Charge, "charge"))) == 1
    fine = {"payment_method_details": {"card": {"capture_before": 1}}}
    assert list(differences(fine, example, stripe.Charge, "charge")) == []
