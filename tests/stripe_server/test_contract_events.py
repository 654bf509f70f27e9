"""Promises 57 to 63: events, and how they reach the shop."""

import time

import pytest
import stripe

import stripe_server

from .promises import promises

SECRET = "whsec_test"


@pytest.fixture
def hooked(ours, receiver):
    """Our server's test-mode events go to the receiver."""
    ours.control.endpoint(url=receiver.url, secret=SECRET)
    yield ours
    ours.control.endpoint(url=receiver.url, forget=True)


@promises(57)
def test_events_are_listed_and_retrieved(shop):
    first, second = shop.intent(), shop.intent(capture="automatic")
    created = shop.client.v1.events.list({"type": "payment_intent.created"}).data
    assert [event.data.object["id"] for event in created] == [second.id, first.id]
    some = shop.client.v1.events.list({"types": ["payment_intent.succeeded", "charge.*"], "limit": 2})
    assert ([event.type for event in some.data], some.has_more) == (
        ["payment_intent.succeeded", "charge.succeeded"],
        True,
    )
    event = shop.client.v1.events.retrieve(created[0].id)
    assert (event.type, event.data.object["id"]) == ("payment_intent.created", second.id)


@promises(58)
def test_the_events_of_a_payment(shop, control, held):
    shop.client.v1.payment_intents.capture(held.payment_intent.id)
    shop.client.v1.refunds.create({"payment_intent": held.payment_intent.id, "amount": 500})
    assert [event["type"] for event in control.events()] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "checkout.session.completed",
        "charge.captured",
        "payment_intent.succeeded",
        "refund.created",
        "charge.refunded",
    ]


@promises(58)
def test_the_events_of_a_payment_let_go(shop, control, held):
    shop.client.v1.payment_intents.cancel(held.payment_intent.id)
    assert [event["type"] for event in control.events()][4:] == [
        *("refund.created", "charge.refunded", "payment_intent.canceled"),
    ]


@promises(59)
def test_an_event_is_of_its_moment(shop, control, held):
    key = shop.key()
    shop.client.v1.payment_intents.capture(held.payment_intent.id, {}, key)
    authorised, captured = (
        control.events(type)[0] for type in ("payment_intent.amount_capturable_updated", "charge.captured")
    )
    assert authorised["data"]["object"]["status"] == "requires_capture"
    assert authorised["request"] == {"id": None, "idempotency_key": None}
    assert captured["request"]["id"].startswith("req_")
    assert captured["request"]["idempotency_key"] == key["idempotency_key"]
    assert (captured["api_version"], captured["livemode"]) == (stripe_server.API_VERSION, False)


@promises(60)
def test_deliveries_are_signed(hooked, receiver, shop):
    shop.intent()
    assert hooked.control.settle()
    assert receiver.types() == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
    ]
    payload, header = receiver.got[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(payload, header, "whsec_other")


@promises(60)
@pytest.mark.parametrize("kind", ["wrong_secret", "old", "tampered", "unsigned"])
def test_what_a_shop_must_refuse(ours, shop, kind):
    shop.intent()
    event = ours.control.events()[0]["id"]
    payload, header = ours.control.signed(event, SECRET, kind)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(payload, header, SECRET)
    payload, header = ours.control.signed(event, SECRET)
    assert stripe.Webhook.construct_event(payload, header, SECRET).id == event


@promises(61)
def test_what_is_not_answered_is_sent_again(hooked, receiver, shop):
    receiver.answers = [500, 302]
    shop.client.v1.payment_intents.create({"amount": 2000, "currency": "eur"})
    assert hooked.control.settle()
    assert len({payload for payload, _ in receiver.got}) == 1 and len(receiver.got) == 3
    (delivery,) = hooked.control.deliveries()
    assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("delivered", 3, 200)


@promises(61)
def test_it_is_given_up_in_the_end(hooked, receiver, shop):
    receiver.answers = [500] * 10
    shop.client.v1.payment_intents.create({"amount": 2000, "currency": "eur"})
    assert hooked.control.settle()
    (delivery,) = hooked.control.deliveries()
    assert (delivery["state"], delivery["attempts"]) == ("failed", 4)


@promises(62)
def test_held_back_and_in_another_order(hooked, receiver, shop):
    hooked.control.hold()
    shop.intent()
    assert hooked.control.settle() and receiver.got == []
    assert hooked.control.release("reversed")["released"] == 3
    assert receiver.types() == [
        "payment_intent.amount_capturable_updated",
        "charge.succeeded",
        "payment_intent.created",
    ]


@promises(62)
def test_some_are_held_back(hooked, receiver, shop):
    hooked.control.hold("payment_intent.*")
    shop.intent()
    assert hooked.control.settle()
    assert receiver.types() == ["charge.succeeded"]


@promises(62)
def test_twice_late_and_never(hooked, receiver, shop):
    hooked.control.bend("charge.succeeded", "double")
    hooked.control.bend("payment_intent.created", "late", seconds=0.2)
    hooked.control.bend("payment_intent.amount_capturable_updated", "drop")
    began = time.monotonic()
    shop.intent()
    assert hooked.control.settle()
    assert time.monotonic() - began >= 0.2
    assert receiver.types() == ["charge.succeeded", "charge.succeeded", "payment_intent.created"]
    assert receiver.got[0][0] == receiver.got[1][0]
    lost = hooked.control.events("payment_intent.amount_capturable_updated")[0]["id"]
    hooked.control.resend(event=lost)
    assert hooked.control.settle()
    assert receiver.events()[-1].id == lost


@promises(63)
def test_events_of_others_do_not_come(hooked, receiver, shop):
    for key in (hooked.other_key, hooked.live_key):
        hooked.client(key).v1.payment_intents.create({"amount": 2000, "currency": "eur"})
    mine = shop.client.v1.payment_intents.create({"amount": 2000, "currency": "eur"})
    assert hooked.control.settle()
    assert [event.data.object["id"] for event in receiver.events()] == [mine.id]


@promises(63)
def test_events_that_are_not_the_shops_say_so(ours, shop):
    shop.intent()
    event = ours.control.events()[0]["id"]
    live = stripe.Webhook.construct_event(*ours.control.signed(event, SECRET, "livemode"), SECRET)
    assert live.livemode is True
    others = stripe.Webhook.construct_event(*ours.control.signed(event, SECRET, "other_account"), SECRET)
    assert others.account.startswith("acct_") and others.id != event
