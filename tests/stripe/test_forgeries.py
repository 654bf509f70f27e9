"""What pretends to be Stripe, or is Stripe's and not as it should be: it breaks nothing and changes nothing."""

import hashlib
import hmac
import json

import pytest
import stripe

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments.stripe.views import LARGEST
from tests.simulation.scales import Scales, difference
from tests.stripe.conftest import last_attempt, tender_of
from tests.stripe.test_side_by_side import at_once
from tests.stripe.test_webhooks import Order, events, paid, tell, told  # noqa: F401

pytestmark = pytest.mark.django_db


def header(payload, secret, at=None):
    return stripe.WebhookSignature.generate_signature_header(payload, secret, at)


@pytest.fixture
def signed(bank):
    """Tell an event that has Stripe's own signature, whatever it says: ``signed(text or event)``."""

    def signed(event):
        text = event if isinstance(event, str) else json.dumps(event)
        return tell(text.encode(), header(text, bank.running.webhook_secret))

    return signed


@pytest.fixture
def nothing_changes():
    """What anybody owns is after the test as it was before."""
    # What is due in any case is done.
    due.sweep()
    scales = Scales()
    before = scales.afresh()
    yield
    assert not difference(before, scales.afresh())


def parts(signature):
    return dict(part.split("=", 1) for part in signature.split(","))


FORGED = {
    "no time": lambda t, v1: f"v1={v1}",
    "no signature": lambda t, v1: f"t={t}",
    "another time": lambda t, v1: f"t={int(t) + 1},v1={v1}",
    "the first time counts": lambda t, v1: f"t={int(t) - 1},t={int(t) + 2},v1={v1}",
    "words for a time": lambda t, v1: f"t=now,v1={v1}",
    "an endless time": lambda t, v1: f"t={'9' * 5000},v1={v1}",
    "another scheme": lambda t, v1: f"t={t},v0={v1}",
    "two wrong ones": lambda t, v1: f"t={t},v1={'0' * 64},v1={v1[:-1]}",
    "in capitals": lambda t, v1: f"t={t},v1={v1.upper()}",
    "letters of others": lambda t, v1: f"t={t},v1=é",
    "no pairs": lambda t, v1: "," * 2000,
    "many": lambda t, v1: f"t={t}," + ",".join(f"v1={number:064x}" for number in range(500)),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_header_is_refused(kind, bank, paid, told, nothing_changes):  # noqa: F811
    payload, signature = told()
    found = parts(signature)
    assert tell(payload, FORGED[kind](found["t"], found["v1"]).encode().decode("latin-1")) == 400
    due.sweep()
    assert not events().exists()


def test_one_right_signature_is_enough(paid, told):  # noqa: F811
    """As Stripe sends two while a secret is being replaced."""
    payload, signature = told()
    found = parts(signature)
    assert tell(payload, f"t={found['t']},v1={'0' * 64},v0={'0' * 64},v1={found['v1']}") == 200


def test_heard_by_others_and_told_later_it_is_refused(bank, paid, told, nothing_changes):  # noqa: F811
    payload, signature = told()
    at = int(parts(signature)["t"])
    for age, answer in ((301, 400), (3600, 400), (290, 200)):
        assert tell(payload, header(payload, bank.running.webhook_secret, at - age)) == answer
    # What was right for one text is so for no other, by one letter.
    for changed in (payload + " ", payload.replace('"livemode":', '"livemode" :', 1), payload[:-1]):
        assert tell(changed, signature) == 400
    assert events().count() == 1
    events().delete()


#: Bodies that are no event of Stripe's, though Stripe's secret has signed them.
ODD = {
    "a list": "[]",
    "a list of events": '[{"object": "event", "id": "evt_1"}]',
    "a word": '"event"',
    "a number": "7",
    "nothing": "null",
    "no number": "NaN",
    "deep": "[" * 100_000,
    "deep and whole": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "a number without end": '{"object": "event", "id": "evt_1", "created": ' + "9" * 6000 + "}",
    "no number within": '{"object": "event", "id": "evt_1", "data": {"object": {"amount": NaN}}}',
    "two of a key": '{"object": "event", "id": "evt_1", "id": ["evt_2"]}',
    "another object": '{"object": "charge", "id": "evt_1"}',
    "a number for an id": '{"object": "event", "id": 7}',
    "no id": '{"object": "event", "id": ""}',
    "a long id": json.dumps({"object": "event", "id": "e" * 300}),
    "half a sign": '{"object": "event", "id": "evt_\\ud800"}',
    "half a sign within": '{"object": "event", "id": "evt_1", "data": {"object": {"id": "\\udfff"}}}',
    "a list for data": '{"object": "event", "id": "evt_1", "data": []}',
    "words for data": '{"object": "event", "id": "evt_1", "data": "x"}',
    "a list within data": '{"object": "event", "id": "evt_1", "data": {"object": ["id"]}}',
    "words for a time": '{"object": "event", "id": "evt_1", "created": "soon"}',
    "a list for a time": '{"object": "event", "id": "evt_1", "created": [1]}',
    "a time far away": '{"object": "event", "id": "evt_1", "created": 99999999999999}',
    "a time long ago": '{"object": "event", "id": "evt_1", "created": -99999999999999}',
}


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_event_is_refused_though_it_is_signed(kind, signed, paid, nothing_changes):  # noqa: F811
    assert signed(ODD[kind]) == 400
    due.sweep()
    assert not events().exists()


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b"\x80{}", "{}".encode("utf-16"), b"\xef\xbb\xbf{}"])
def test_bytes_that_are_no_text_are_refused_whatever_their_header(body, bank, paid, nothing_changes):  # noqa: F811
    at = int(clock.now().timestamp())
    right = hmac.new(bank.running.webhook_secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert tell(body, f"t={at},v1={right}") == 400
    assert not events().exists()


def test_a_zero_sign_in_somebodys_name_is_left_out(signed, told, paid):  # noqa: F811
    """PostgreSQL keeps none; the event is from Stripe all the same."""
    event = json.loads(told()[0])
    event["data"]["object"]["customer_details"] = {"name": "Rose\x00", "path": "C:\\u0000"}
    assert signed(event) == 200
    assert events().get().payload["data"]["object"]["customer_details"] == {"name": "Rose", "path": "C:\\u0000"}


def test_a_body_too_large_is_not_even_read(bank, paid, nothing_changes):  # noqa: F811
    body = b"x" * (LARGEST + 1)
    assert tell(body, header(body.decode(), bank.running.webhook_secret)) == 400


#: What the event says of the payment, and what is so: nothing of it is believed.
LIES = [
    {"amount_total": 1},
    {"amount_total": 99_999_900},
    {"currency": "jpy"},
    {"payment_status": "unpaid"},
    {"status": "expired"},
    {"payment_intent": "pi_another"},
    {"payment_intent": {"id": ["pi"]}},
    {"client_reference_id": "another", "metadata": []},
    {"metadata": {"attempt": {"x": 1}}},
    {"object": "charge", "amount_refunded": 3000, "refunded": True},
]


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_what_an_event_says_of_a_payment_is_not_believed(lie, bank, paid, told, signed):  # noqa: F811
    event = json.loads(told()[0])
    event["data"]["object"] |= lie
    assert signed(event) == 200
    due.sweep()
    assert not [row.note for row in events(state="failed")]
    # Then or later, it is what Stripe says when it is asked.
    bank.later(minutes=20)
    due.sweep()
    tender = tender_of(paid)
    assert (Order.objects.count(), tender.state) == (1, "captured")
    [intent] = bank.books()["payment_intents"].values()
    assert (intent["captured"], paid.currency) == (int(tender.amount * 100), "EUR")


def test_the_payment_of_one_pays_for_no_other(bank, paid, told, signed, new_shopper, to_stripe, haircut):  # noqa: F811
    """Stripe's event about Rose's payment names another's order."""
    other = new_shopper()
    other.add(haircut)
    to_stripe(other)
    unpaid = last_attempt()
    assert unpaid != paid
    event = json.loads(told()[0])
    session = event["data"]["object"]
    for change in (
        {"client_reference_id": str(unpaid.uuid), "metadata": {"attempt": str(unpaid.uuid)}},
        {"id": tender_of(unpaid).session},
        {"id": tender_of(unpaid).session, "metadata": {"attempt": str(unpaid.uuid)}},
    ):
        event["id"] = f"evt_{len(json.dumps(change))}"
        event["data"]["object"] = session | change
        assert signed(event) == 200
        due.sweep()
    unpaid.refresh_from_db()
    assert (unpaid.state, tender_of(unpaid).state == "captured") == ("open", False)
    assert not Order.objects.filter(user=other.user).exists()


@pytest.mark.parametrize(
    "type", ["charge.refunded", "charge.dispute.created", "payment_intent.canceled", "refund.failed"]
)
def test_a_refund_that_was_not_takes_nothing_back(type, bank, paid, told, signed, rich):  # noqa: F811
    assert tell(*told()) == 200
    due.sweep()
    event = json.loads(told()[0])
    about = {"id": "dp_1", "object": "dispute", "payment_intent": tender_of(paid).reference, "amount": 3000}
    event |= {"id": "evt_x", "type": type, "data": {"object": about | {"status": "needs_response", "currency": "eur"}}}
    assert signed(event) == 200
    due.sweep()
    assert (Order.objects.count(), tender_of(paid).state) == (1, "captured")
    assert bank.books()["currencies"]["eur"]["refunded"] == 0
    assert not get_model("loyalty_payments", "Refund").objects.exists()


@pytest.mark.django_db(transaction=True)
def test_told_at_once_by_many_it_is_one(bank, paid, told):  # noqa: F811
    payload, signature = told()
    codes = []
    at_once(*[lambda: codes.append(tell(payload, signature))] * 6)
    assert codes == [200] * 6
    due.sweep()
    assert (events().count(), Order.objects.count()) == (1, 1)
