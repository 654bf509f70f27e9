"""Promises 23 to 47, sessions and payments; and that every promise has a test."""

import importlib
import re
from pathlib import Path

import pytest
import stripe

import stripe_server
from stripe_server import ControlError

from .conftest import session_params
from .promises import promises

HERE = Path(__file__).parent
DECLINED, POOR, THREE_D_SECURE = "4000000000000002", "4000000000009995", "4000002500003155"
MANUAL = {"capture_method": "manual"}


def test_every_promise_has_a_test():
    text = (Path(stripe_server.__file__).parent / "CONTRACT.md").read_text(encoding="utf-8")
    written = [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)]
    assert written == list(range(1, len(written) + 1))
    tested = set()
    for path in HERE.glob("test_*.py"):
        module = importlib.import_module(f"{__package__}.{path.stem}")
        for name, test in vars(module).items():
            if name.startswith("test_"):
                tested.update(getattr(test, "promises", ()))
    assert tested == set(written)


def code(call, *arguments):
    with pytest.raises(stripe.StripeError) as caught:
        call(*arguments)
    return caught.value.code


# Sessions


@promises(23)
def test_a_new_session(place):
    session = place.session()
    assert (session.status, session.payment_status, session.payment_intent) == ("open", "unpaid", None)
    assert session.url.startswith("http") and session.id in session.url
    assert session.id.startswith("cs_test_") and not session.livemode
    again = place.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert again.payment_intent is None


@promises(24)
def test_the_total_of_a_session(place):
    session = place.session(
        (1250, 2),
        (300, 1),
        client_reference_id="order-7",
        customer_email="rose@example.com",
        locale="fr",
        metadata={"attempt": "7"},
    )
    assert (session.amount_subtotal, session.amount_total, session.currency) == (2800, 2800, "eur")
    assert (session.client_reference_id, session.customer_email) == ("order-7", "rose@example.com")
    assert (session.locale, session.metadata.to_dict()) == ("fr", {"attempt": "7"})
    params = session_params((1250, 2), (300, 1))
    params["line_items"][1]["price_data"]["currency"] = "usd"
    with pytest.raises(stripe.InvalidRequestError):
        place.client.v1.checkout.sessions.create(params)


@promises(25)
def test_how_long_a_session_lives(place):
    session = place.session()
    assert session.expires_at - session.created == 24 * 3600
    for seconds in (29 * 60, 25 * 3600):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            place.session(expires_at=session.created + seconds)
        assert caught.value.param == "expires_at"
    assert place.session(expires_at=session.created + 31 * 60).status == "open"


@promises(27)
def test_only_an_open_session_can_be_expired(place):
    session = place.session()
    expired = place.client.v1.checkout.sessions.expire(session.id)
    assert (expired.status, expired.url, expired.payment_status) == ("expired", None, "unpaid")
    with pytest.raises(stripe.InvalidRequestError):
        place.client.v1.checkout.sessions.expire(session.id)


@promises(27)
def test_a_paid_session_cannot_be_expired_nor_an_expired_one_paid(shop, control, held):
    with pytest.raises(stripe.InvalidRequestError, match="status of complete"):
        shop.client.v1.checkout.sessions.expire(held.id)
    session = shop.client.v1.checkout.sessions.expire(shop.session().id)
    with pytest.raises(ControlError):
        control.pay(session.id)
    assert len(control.books()["payment_intents"]) == 1


@promises(28)
def test_a_session_expires_by_itself(shop, control):
    session = shop.session(expires_at=control.now() + 31 * 60)
    with pytest.raises(ControlError):
        control.pay(session.id, DECLINED)
    control.advance(31 * 60)
    session = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (session.status, session.payment_intent.status) == ("expired", "canceled")
    (event,) = control.events("checkout.session.expired")
    assert event["data"]["object"]["id"] == session.id
    assert event["created"] == session.expires_at


@promises(29)
def test_a_paid_session(shop, control):
    session = shop.session(payment_intent_data=MANUAL)
    control.pay(session.id, email="rose@example.com")
    session = shop.client.v1.checkout.sessions.retrieve(session.id)
    assert (session.status, session.url) == ("complete", None)
    assert session.payment_intent.startswith("pi_")
    assert session.customer_details.email == "rose@example.com"
    (event,) = control.events("checkout.session.completed")
    assert event["data"]["object"]["payment_intent"] == session.payment_intent


@promises(30)
def test_paid_is_said_once_the_money_is_captured(shop, control, held):
    assert held.payment_status == "unpaid"
    shop.client.v1.payment_intents.capture(held.payment_intent.id)
    assert shop.client.v1.checkout.sessions.retrieve(held.id).payment_status == "paid"
    at_once = shop.session()
    assert control.pay(at_once.id)["payment_status"] == "paid"


@promises(31)
def test_where_metadata_goes(shop, control):
    session = shop.session(
        metadata={"basket": "1"}, payment_intent_data={**MANUAL, "metadata": {"attempt": "7"}, "description": "Order 7"}
    )
    control.pay(session.id)
    session = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert session.metadata.to_dict() == {"basket": "1"}
    assert session.payment_intent.metadata.to_dict() == {"attempt": "7"}
    assert session.payment_intent.description == "Order 7"
    assert session.payment_intent.latest_charge.metadata.to_dict() == {"attempt": "7"}


@promises(32)
def test_expanding(shop, held):
    plain = shop.client.v1.checkout.sessions.retrieve(held.id)
    assert plain.payment_intent == held.payment_intent.id
    captured = shop.client.v1.payment_intents.capture(held.payment_intent.id, {"expand": ["latest_charge.refunds"]})
    assert captured.latest_charge.captured and captured.latest_charge.refunds.data == []
    assert code(shop.client.v1.checkout.sessions.retrieve, held.id, {"expand": ["colour"]}) is None
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        shop.client.v1.payment_intents.list({"expand": ["latest_charge"]})
    (listed,) = shop.client.v1.payment_intents.list({"expand": ["data.latest_charge"]}).data
    assert listed.latest_charge.id == captured.latest_charge.id


@promises(33)
def test_the_lines_of_a_session(place):
    session = place.session((1250, 2), (300, 1))
    lines = {
        (line.description, line.quantity, line.amount_total)
        for line in place.client.v1.checkout.sessions.line_items.list(session.id).data
    }
    assert lines == {("Rose 0", 2, 2500), ("Rose 1", 1, 300)}


@promises(34)
@pytest.mark.parametrize("means", ["ideal", "bancontact"])
def test_what_cannot_be_captured_later_is_refused(shop, means):
    with pytest.raises(stripe.InvalidRequestError):
        shop.session(payment_intent_data=MANUAL, payment_method_types=[means])
    assert shop.session(payment_intent_data=MANUAL, payment_method_types=["card"]).payment_method_types == ["card"]


# Payments


@promises(35)
def test_money_that_is_held(place):
    intent = place.intent(expand=["latest_charge"])
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 2000, 0)
    charge = intent.latest_charge
    assert (charge.captured, charge.amount_captured, charge.paid, charge.status) == (False, 0, True, "succeeded")
    week = charge.payment_method_details.card.capture_before - charge.created
    assert 6 * 24 * 3600 < week <= 7 * 24 * 3600


@promises(36)
def test_money_that_is_taken_at_once(place):
    intent = place.intent(capture="automatic", expand=["latest_charge"])
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("succeeded", 0, 2000)
    assert (intent.latest_charge.captured, intent.latest_charge.amount_captured) == (True, 2000)


@promises(37)
def test_money_is_captured_once(place):
    intent = place.intent()
    captured = place.client.v1.payment_intents.capture(intent.id, {"expand": ["latest_charge"]})
    assert (captured.status, captured.amount_received, captured.amount_capturable) == ("succeeded", 2000, 0)
    assert captured.latest_charge.captured
    with pytest.raises(stripe.InvalidRequestError, match="already been captured") as caught:
        place.client.v1.payment_intents.capture(intent.id)
    assert caught.value.code == "payment_intent_unexpected_state"
    assert caught.value.error.payment_intent.status == "succeeded"


@promises(37)
def test_what_is_not_held_cannot_be_captured(place):
    intent = place.client.v1.payment_intents.create({"amount": 2000, "currency": "eur"})
    assert code(place.client.v1.payment_intents.capture, intent.id) == "payment_intent_unexpected_state"


@promises(38)
def test_capturing_a_part_lets_the_rest_go(place):
    intent = place.intent()
    captured = place.client.v1.payment_intents.capture(
        intent.id, {"amount_to_capture": 1500, "expand": ["latest_charge"]}
    )
    assert (captured.status, captured.amount_received, captured.amount_capturable) == ("succeeded", 1500, 0)
    charge = captured.latest_charge
    assert (charge.amount, charge.amount_captured, charge.amount_refunded) == (2000, 1500, 500)
    assert not charge.refunded
    assert [one.amount for one in place.client.v1.refunds.list({"payment_intent": intent.id}).data] == [500]


@promises(39)
def test_more_than_is_held_cannot_be_captured(place):
    intent = place.intent()
    with pytest.raises(stripe.InvalidRequestError) as caught:
        place.client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 2001})
    assert caught.value.http_status == 400
    assert place.client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"


@promises(40)
def test_held_money_is_let_go(place):
    intent = place.intent()
    canceled = place.client.v1.payment_intents.cancel(
        intent.id, {"cancellation_reason": "abandoned", "expand": ["latest_charge"]}
    )
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert canceled.canceled_at >= canceled.created
    assert (canceled.amount_capturable, canceled.amount_received) == (0, 0)
    charge = canceled.latest_charge
    assert (charge.captured, charge.refunded, charge.amount_refunded) == (False, True, 2000)
    assert code(place.client.v1.payment_intents.capture, intent.id) == "payment_intent_unexpected_state"


@promises(41)
def test_what_is_over_cannot_be_cancelled(place):
    taken, gone = place.intent(capture="automatic"), place.intent()
    place.client.v1.payment_intents.cancel(gone.id)
    for intent in (taken, gone):
        assert code(place.client.v1.payment_intents.cancel, intent.id) == "payment_intent_unexpected_state"


@promises(42)
def test_the_intent_of_an_open_session_cannot_be_cancelled(shop, control, held):
    session = shop.session()
    with pytest.raises(ControlError):
        control.pay(session.id, DECLINED)
    tried = shop.client.v1.checkout.sessions.retrieve(session.id).payment_intent
    assert code(shop.client.v1.payment_intents.cancel, tried) == "payment_intent_unexpected_state"
    assert control.pay(session.id)["status"] == "complete"
    assert shop.client.v1.payment_intents.cancel(held.payment_intent.id).status == "canceled"


@promises(43)
def test_a_hold_ends_after_a_week(shop, control, held):
    control.advance(7 * 24 * 3600)
    intent = shop.client.v1.payment_intents.retrieve(held.payment_intent.id, {"expand": ["latest_charge"]})
    assert (intent.status, intent.amount_capturable) == ("canceled", 0)
    assert (intent.latest_charge.captured, intent.latest_charge.refunded) == (False, True)
    assert [event["type"] for event in control.events()][-2:] == ["charge.expired", "payment_intent.canceled"]
    assert code(shop.client.v1.payment_intents.capture, intent.id) == "payment_intent_unexpected_state"


@promises(43)
def test_a_hold_is_good_until_its_last_second(shop, control, held):
    control.advance(7 * 24 * 3600 - 30)
    assert shop.client.v1.payment_intents.capture(held.payment_intent.id).status == "succeeded"
    control.advance(60)
    assert shop.client.v1.payment_intents.retrieve(held.payment_intent.id).status == "succeeded"


@promises(44)
@pytest.mark.parametrize(("card", "reason"), [(DECLINED, "generic_decline"), (POOR, "insufficient_funds")])
def test_a_declined_card_may_be_followed_by_another(shop, control, card, reason):
    session = shop.session(payment_intent_data=MANUAL)
    with pytest.raises(ControlError) as caught:
        control.pay(session.id, card)
    assert (caught.value.status, caught.value.code) == (402, "card_declined")
    session = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    intent = session.payment_intent
    assert (session.status, intent.status) == ("open", "requires_payment_method")
    assert (intent.last_payment_error.code, intent.last_payment_error.decline_code) == ("card_declined", reason)
    assert (intent.latest_charge.status, intent.latest_charge.paid) == ("failed", False)
    assert [event["type"] for event in control.events()] == [
        *("payment_intent.created", "charge.failed", "payment_intent.payment_failed"),
    ]
    assert control.pay(session.id)["status"] == "complete"
    again = shop.client.v1.payment_intents.retrieve(intent.id)
    assert (again.status, again.last_payment_error) == ("requires_capture", None)


@promises(45)
def test_three_d_secure(shop, control):
    session = shop.session(payment_intent_data=MANUAL)
    assert control.pay(session.id, THREE_D_SECURE, three_d_secure="leave")["status"] == "open"
    session = shop.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert session.payment_intent.status == "requires_action"
    assert session.payment_intent.latest_charge is None

    other = shop.session(payment_intent_data=MANUAL)
    with pytest.raises(ControlError) as caught:
        control.pay(other.id, THREE_D_SECURE, three_d_secure="fail")
    assert caught.value.code == "payment_intent_authentication_failure"
    other = shop.client.v1.checkout.sessions.retrieve(other.id, {"expand": ["payment_intent"]})
    assert (other.status, other.payment_intent.status) == ("open", "requires_payment_method")

    assert control.pay(other.id, THREE_D_SECURE)["status"] == "complete"
    intent = shop.client.v1.payment_intents.retrieve(other.payment_intent.id, {"expand": ["latest_charge"]})
    assert intent.latest_charge.payment_method_details.card.three_d_secure.result == "authenticated"


@promises(46)
def test_what_a_charge_tells_of_its_card(place):
    cards = [
        place.intent(card=card, expand=["latest_charge"]).latest_charge.payment_method_details.card
        for card in ("pm_card_visa", "pm_card_visa", "pm_card_mastercard")
    ]
    assert [(card.brand, card.last4) for card in cards] == [("visa", "4242"), ("visa", "4242"), ("mastercard", "4444")]
    assert cards[0].fingerprint == cards[1].fingerprint != cards[2].fingerprint


@promises(47)
def test_a_declined_card_by_the_api(place):
    with pytest.raises(stripe.CardError) as caught:
        place.intent(card="pm_card_visa_chargeDeclined")
    error = caught.value
    assert (error.http_status, error.code, error.error.decline_code) == (402, "card_declined", "generic_decline")
    assert error.error.payment_intent.status == "requires_payment_method"
    kept = place.client.v1.payment_intents.retrieve(error.error.payment_intent.id)
    assert kept.last_payment_error.code == "card_declined"
