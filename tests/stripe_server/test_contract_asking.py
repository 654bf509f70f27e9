"""Promises 1 to 22: refusals, and asking twice."""

import threading
import uuid

import pytest
import stripe

from .conftest import Place, session_params
from .promises import promises


def refused(call, *arguments):
    with pytest.raises(stripe.StripeError) as caught:
        call(*arguments)
    error = caught.value
    return error.http_status, error.error.type, error.error.code, error.error.param


@promises(1)
def test_a_wrong_key_is_401(place, ours):
    wrong = stripe.StripeClient(
        "sk_test_wrong", max_network_retries=0, base_addresses={"api": ours.url} if place.name == "ours" else {}
    )
    with pytest.raises(stripe.AuthenticationError) as caught:
        wrong.v1.balance.retrieve()
    assert caught.value.http_status == 401


@promises(1)
def test_without_a_key_or_with_it_as_a_user_name(ours):
    import requests

    assert requests.get(f"{ours.url}/v1/balance", timeout=5).status_code == 401
    assert requests.get(f"{ours.url}/v1/balance", auth=(ours.test_key, ""), timeout=5).status_code == 200


@promises(2, 3)
def test_an_unknown_parameter(place):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        place.client.v1.payment_intents.create({"amount": 2000, "currency": "eur", "colour": "red"})
    error = caught.value
    assert (error.http_status, error.code, error.param) == (400, "parameter_unknown", "colour")
    assert error.error.type == "invalid_request_error"
    assert "colour" in error.user_message
    assert error.request_id.startswith("req_")


@promises(3)
def test_an_unknown_parameter_deep_inside(shop):
    params = session_params()
    params["line_items"][0]["price_data"]["colour"] = "red"
    found = refused(shop.client.v1.checkout.sessions.create, params)
    assert found == (400, "invalid_request_error", "parameter_unknown", "line_items[0][price_data][colour]")


@promises(4)
def test_a_missing_parameter(place):
    found = refused(place.client.v1.payment_intents.create, {"amount": 2000})
    assert found == (400, "invalid_request_error", "parameter_missing", "currency")


@promises(5)
@pytest.mark.parametrize("amount", ["12.50", "twelve", "1e3"])
def test_an_amount_is_a_whole_number(place, amount):
    found = refused(place.client.v1.payment_intents.create, {"amount": amount, "currency": "eur"})
    assert found == (400, "invalid_request_error", "parameter_invalid_integer", "amount")


@promises(6)
def test_an_empty_string_is_no_value(place):
    found = refused(place.client.v1.payment_intents.create, {"amount": 2000, "currency": "eur", "payment_method": ""})
    assert found[:3] == (400, "invalid_request_error", "parameter_invalid_empty")


@promises(7)
@pytest.mark.parametrize("currency", ["EUR", "euro", "zzz"])
def test_a_currency_is_a_known_one_in_lower_case(shop, currency):
    found = refused(shop.client.v1.payment_intents.create, {"amount": 2000, "currency": currency})
    assert found[0] == 400 and found[3] == "currency"


@promises(8)
@pytest.mark.parametrize(("currency", "least"), [("eur", 50), ("usd", 50), ("gbp", 30)])
def test_the_least_that_can_be_charged(place, currency, least):
    found = refused(place.client.v1.payment_intents.create, {"amount": least - 1, "currency": currency})
    assert found[:3] == (400, "invalid_request_error", "amount_too_small")


@promises(8, 10)
def test_the_least_of_a_session_in_yen(shop):
    assert shop.session((50, 1), currency="jpy").amount_total == 50
    found = refused(shop.client.v1.checkout.sessions.create, session_params((49, 1), currency="jpy"))
    assert found[2] == "amount_too_small"


@promises(9)
def test_the_most_that_can_be_charged(place):
    found = refused(place.client.v1.payment_intents.create, {"amount": 100_000_000, "currency": "eur"})
    assert found[2] == "amount_too_large"


@promises(10)
def test_yen_have_no_hundredths(place):
    assert place.client.v1.payment_intents.create({"amount": 500, "currency": "jpy"}).amount == 500


@promises(11)
@pytest.mark.parametrize(
    "metadata",
    [{f"key{number}": "x" for number in range(51)}, {"k" * 41: "x"}, {"key": "v" * 501}],
    ids=["too many", "name too long", "value too long"],
)
def test_metadata_has_limits(place, metadata):
    found = refused(place.client.v1.payment_intents.create, {"amount": 2000, "currency": "eur", "metadata": metadata})
    assert found[:2] == (400, "invalid_request_error")


@promises(11)
def test_metadata_within_its_limits_is_kept(place):
    metadata = {f"{number:02}{'k' * 38}": "v" * 500 for number in range(50)}
    intent = place.client.v1.payment_intents.create({"amount": 2000, "currency": "eur", "metadata": metadata})
    assert intent.metadata.to_dict() == metadata


@promises(12)
def test_what_does_not_exist_is_missing(place):
    assert refused(place.client.v1.payment_intents.retrieve, "pi_nothing") == (
        *(404, "invalid_request_error", "resource_missing", "intent"),
    )
    assert refused(place.client.v1.charges.retrieve, "ch_nothing")[2] == "resource_missing"
    assert refused(place.client.v1.refunds.create, {"payment_intent": "pi_nothing"})[2] == "resource_missing"


@promises(13)
def test_what_is_another_accounts_or_modes_is_missing(ours, shop):
    intent = shop.intent()
    for key in (ours.other_key, ours.live_key):
        found = refused(ours.client(key).v1.payment_intents.retrieve, intent.id)
        assert found[:3] == (404, "invalid_request_error", "resource_missing")
        assert refused(ours.client(key).v1.payment_intents.capture, intent.id)[2] == "resource_missing"
        assert ours.client(key).v1.payment_intents.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="a similar object exists in test mode"):
        ours.client(ours.live_key).v1.payment_intents.retrieve(intent.id)


@promises(14)
def test_an_address_that_does_not_exist(shop):
    assert refused(shop.client.v1.customers.list)[:2] == (404, "invalid_request_error")


# Asking twice


@promises(15)
def test_the_same_key_gets_the_same_answer(place):
    key = place.key()
    params = {"amount": 2000, "currency": "eur", "metadata": {"order": "1"}}
    first = place.client.v1.payment_intents.create(params, key)
    second = place.client.v1.payment_intents.create(params, key)
    assert first.id == second.id
    assert first.last_response.body == second.last_response.body
    assert "idempotent-replayed" not in {name.lower() for name in first.last_response.headers}
    assert second.last_response.headers["Idempotent-Replayed"] == "true"


@promises(15)
def test_a_capture_asked_twice_is_made_once(place):
    intent, key = place.intent(), place.key()
    for _ in range(2):
        captured = place.client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1500}, key)
        assert (captured.status, captured.amount_received) == ("succeeded", 1500)


@promises(15)
def test_the_answer_kept_is_that_of_its_time(place):
    """Not the object as it has become since."""
    key = place.key()
    params = {"amount": 2000, "currency": "eur"}
    intent = place.client.v1.payment_intents.create(params, key)
    place.client.v1.payment_intents.cancel(intent.id)
    assert place.client.v1.payment_intents.create(params, key).status == "requires_payment_method"


@promises(16)
def test_the_same_key_for_something_else(place):
    key = place.key()
    place.client.v1.payment_intents.create({"amount": 2000, "currency": "eur"}, key)
    with pytest.raises(stripe.IdempotencyError) as caught:
        place.client.v1.payment_intents.create({"amount": 2001, "currency": "eur"}, key)
    assert (caught.value.http_status, caught.value.error.type) == (400, "idempotency_error")
    with pytest.raises(stripe.IdempotencyError):
        place.client.v1.checkout.sessions.create(session_params(), key)


@promises(17)
def test_the_same_key_at_the_same_time(ours, control, shop):
    control.fault("POST /v1/payment_intents", "slow", seconds=0.4)
    key, params, answers = shop.key(), {"amount": 2000, "currency": "eur"}, []
    thread = threading.Thread(
        target=lambda: answers.append(ours.client().v1.payment_intents.create(params, key)), daemon=True
    )
    thread.start()
    while control.call("faults")["faults"]:
        pass
    found = refused(shop.client.v1.payment_intents.create, params, key)
    assert (found[0], found[2]) == (409, "idempotency_key_in_use")
    thread.join()
    assert shop.client.v1.payment_intents.create(params, key).id == answers[0].id


@promises(18)
def test_a_refusal_is_given_again(shop):
    intent, key = shop.intent(), shop.key()
    params = {"payment_intent": intent.id, "amount": 500}
    assert refused(shop.client.v1.refunds.create, params, key)[0] == 400
    shop.client.v1.payment_intents.capture(intent.id)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.client.v1.refunds.create(params, key)
    assert caught.value.headers["Idempotent-Replayed"] == "true"
    assert shop.client.v1.refunds.create(params, shop.key()).amount == 500


@promises(18)
@pytest.mark.parametrize(("kind", "captured"), [("500_after", 2000), ("500_stored", 0)])
def test_a_500_is_given_again(control, shop, kind, captured):
    intent, key = shop.intent(), shop.key()
    control.fault("POST /v1/payment_intents/*/capture", kind)
    for replayed in (None, "true"):
        with pytest.raises(stripe.APIError) as caught:
            shop.client.v1.payment_intents.capture(intent.id, {}, key)
        assert caught.value.http_status == 500
        assert caught.value.headers.get("Idempotent-Replayed") == replayed
    assert shop.client.v1.payment_intents.retrieve(intent.id).amount_received == captured


@promises(19)
def test_what_fails_validation_is_not_kept(place):
    key = place.key()
    refused(place.client.v1.payment_intents.create, {"amount": 2000, "currency": "eur", "colour": "red"}, key)
    assert place.client.v1.payment_intents.create({"amount": 2000, "currency": "eur"}, key).amount == 2000


@promises(20)
def test_keys_belong_to_an_account_and_mode(ours, shop):
    key, params = shop.key(), {"amount": 2000, "currency": "eur"}
    places = [shop, Place(ours.client(ours.other_key), "other"), Place(ours.client(ours.live_key), "live")]
    ids = {place.client.v1.payment_intents.create(params, key).id for place in places}
    assert len(ids) == 3


@promises(21)
def test_keys_are_forgotten_after_a_day(control, shop):
    key, params = shop.key(), {"amount": 2000, "currency": "eur"}
    first = shop.client.v1.payment_intents.create(params, key).id
    control.advance(24 * 3600 - 5)
    assert shop.client.v1.payment_intents.create(params, key).id == first
    control.advance(10)
    assert shop.client.v1.payment_intents.create(params, key).id != first


@promises(22)
def test_keys_are_not_longer_than_255(place):
    long = str(uuid.uuid4()).ljust(256, "x")
    params = {"amount": 2000, "currency": "eur"}
    assert refused(place.client.v1.payment_intents.create, params, {"idempotency_key": long})[0] == 400
    assert place.client.v1.payment_intents.create(params, {"idempotency_key": long[:255]}).amount == 2000
