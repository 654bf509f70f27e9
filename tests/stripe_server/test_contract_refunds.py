"""Promises 48 to 56: refunds, disputes and the balance."""

import pytest
import stripe

from stripe_server import ControlError

from .promises import promises

PENDING_REFUND, FAILING_REFUND = "pm_card_pendingRefund", "pm_card_refundFail"


def refused(call, *arguments):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call(*arguments)
    return caught.value


@promises(48)
def test_refunds_in_parts_and_never_more_than_was_captured(place):
    intent = place.intent(capture="automatic", expand=["latest_charge"])
    first = place.client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert (first.amount, first.status, first.charge) == (500, "succeeded", intent.latest_charge.id)
    second = place.client.v1.refunds.create({"charge": intent.latest_charge.id, "amount": 300})
    assert (second.amount, second.payment_intent) == (300, intent.id)
    error = refused(place.client.v1.refunds.create, {"payment_intent": intent.id, "amount": 1201})
    assert (error.http_status, error.param) == (400, "amount")
    assert "greater than unrefunded amount" in error.user_message
    charge = place.client.v1.charges.retrieve(intent.latest_charge.id)
    assert (charge.amount_refunded, charge.refunded) == (800, False)
    assert place.client.v1.refunds.create({"payment_intent": intent.id}).amount == 1200
    assert place.client.v1.charges.retrieve(charge.id).refunded


@promises(48)
def test_what_was_let_go_cannot_be_refunded_as_well(place):
    intent = place.intent()
    place.client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1500})
    error = refused(place.client.v1.refunds.create, {"payment_intent": intent.id, "amount": 1501})
    assert error.param == "amount"
    assert place.client.v1.refunds.create({"payment_intent": intent.id}).amount == 1500


@promises(48)
@pytest.mark.parametrize("amount", [0, -5])
def test_a_refund_is_of_something(place, amount):
    intent = place.intent(capture="automatic")
    error = refused(place.client.v1.refunds.create, {"payment_intent": intent.id, "amount": amount})
    assert error.param == "amount"


@promises(49)
def test_what_is_back_whole_is_not_refunded_again(place):
    intent = place.intent(capture="automatic")
    place.client.v1.refunds.create({"payment_intent": intent.id})
    error = refused(place.client.v1.refunds.create, {"payment_intent": intent.id, "amount": 1})
    assert error.code == "charge_already_refunded"


@promises(50)
def test_what_is_not_captured_cannot_be_refunded(place):
    intent = place.intent()
    assert refused(place.client.v1.refunds.create, {"payment_intent": intent.id}).http_status == 400
    bare = place.client.v1.payment_intents.create({"amount": 2000, "currency": "eur"})
    error = refused(place.client.v1.refunds.create, {"payment_intent": bare.id})
    assert "does not have a successful charge" in error.user_message
    assert place.client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"


@promises(51)
def test_a_refund_keeps_its_reason_and_metadata(place):
    intent = place.intent(capture="automatic")
    refund = place.client.v1.refunds.create(
        {
            "payment_intent": intent.id,
            "amount": 100,
            "reason": "requested_by_customer",
            "metadata": {"return": "7"},
        }
    )
    again = place.client.v1.refunds.retrieve(refund.id, {"expand": ["charge"]})
    assert (again.reason, again.metadata.to_dict()) == ("requested_by_customer", {"return": "7"})
    assert again.charge.amount_refunded == 100
    error = refused(place.client.v1.refunds.create, {"payment_intent": intent.id, "reason": "whim"})
    assert error.param == "reason"


@promises(52)
def test_refunds_in_pages(place):
    intent = place.intent(capture="automatic")
    ids = [place.client.v1.refunds.create({"payment_intent": intent.id, "amount": 100 + n}).id for n in range(5)]
    other = place.intent(capture="automatic")
    place.client.v1.refunds.create({"payment_intent": other.id, "amount": 100})

    first = place.client.v1.refunds.list({"payment_intent": intent.id, "limit": 2})
    assert ([one.id for one in first.data], first.has_more) == ([ids[4], ids[3]], True)
    last = place.client.v1.refunds.list({"payment_intent": intent.id, "limit": 3, "starting_after": ids[3]})
    assert ([one.id for one in last.data], last.has_more) == ([ids[2], ids[1], ids[0]], False)
    before = place.client.v1.refunds.list({"payment_intent": intent.id, "limit": 2, "ending_before": ids[1]})
    assert ([one.id for one in before.data], before.has_more) == ([ids[3], ids[2]], True)
    everything = place.client.v1.refunds.list({"payment_intent": intent.id, "limit": 2}).auto_paging_iter()
    assert [one.id for one in everything] == ids[::-1]


@promises(53)
def test_a_refund_that_takes_its_time(shop, control):
    intent = shop.intent(capture="automatic", card=PENDING_REFUND)
    refund = shop.client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert refund.status == "pending"
    control.advance(3600)
    assert shop.client.v1.refunds.retrieve(refund.id).status == "succeeded"
    (event,) = control.events("refund.updated")
    assert event["data"]["previous_attributes"] == {"status": "pending"}


@promises(53)
def test_a_refund_that_fails_later(shop, control):
    intent = shop.intent(capture="automatic", card=FAILING_REFUND)
    refund = shop.client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert refund.status == "succeeded"
    control.advance(3600)
    failed = shop.client.v1.refunds.retrieve(refund.id, {"expand": ["charge"]})
    assert (failed.status, failed.charge.amount_refunded) == ("failed", 0)
    assert len(control.events("refund.failed")) == 1
    assert control.books()["currencies"]["eur"]["net"] == 2000
    assert shop.client.v1.refunds.create({"payment_intent": intent.id}).amount == 2000


@promises(53)
def test_a_refund_fails_because_the_test_says_so(shop, control):
    intent = shop.intent(capture="automatic")
    refund = shop.client.v1.refunds.create({"payment_intent": intent.id})
    control.refund(refund=refund.id, failure_reason="expired_or_canceled_card")
    failed = shop.client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    with pytest.raises(ControlError):
        control.refund(refund=refund.id)


@promises(54, 55)
def test_a_dispute_takes_the_money_and_a_won_one_gives_it_back(shop, control):
    intent = shop.intent(capture="automatic", expand=["latest_charge"])
    dispute = control.dispute(payment_intent=intent.id)
    assert shop.client.v1.disputes.retrieve(dispute["id"]).amount == 2000
    assert shop.client.v1.charges.retrieve(intent.latest_charge.id).disputed
    assert control.books()["currencies"]["eur"]["net"] == 0
    assert refused(shop.client.v1.refunds.create, {"payment_intent": intent.id}).code == "charge_disputed"
    control.dispute(dispute=dispute["id"], status="won")
    assert control.books()["currencies"]["eur"]["net"] == 2000
    assert [event["type"] for event in control.events("charge.dispute.*")] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]
    assert shop.client.v1.refunds.create({"payment_intent": intent.id}).amount == 2000


@promises(55)
def test_a_lost_dispute(shop, control):
    intent = shop.intent(capture="automatic", card="pm_card_createDispute")
    (dispute,) = shop.client.v1.disputes.list({"payment_intent": intent.id}).data
    control.dispute(dispute=dispute.id, status="lost")
    assert shop.client.v1.disputes.retrieve(dispute.id).status == "lost"
    assert control.books()["currencies"]["eur"]["net"] == 0
    assert refused(shop.client.v1.refunds.create, {"payment_intent": intent.id}).code == "charge_disputed"


@promises(54, 55)
def test_an_inquiry_takes_no_money_until_it_becomes_a_dispute(shop, control):
    intent = shop.intent(capture="automatic")
    inquiry = control.dispute(payment_intent=intent.id, inquiry=True)
    found = shop.client.v1.disputes.retrieve(inquiry["id"])
    assert (found.status, found.is_charge_refundable, found.amount) == ("warning_needs_response", True, 2000)
    assert found.payment_method_details.card.case_type == "inquiry"
    assert control.books()["currencies"]["eur"]["net"] == 2000
    with pytest.raises(ControlError):
        control.dispute(dispute=inquiry["id"], status="won")
    control.dispute(dispute=inquiry["id"], status="needs_response")
    found = shop.client.v1.disputes.retrieve(inquiry["id"])
    assert (found.status, found.is_charge_refundable) == ("needs_response", False)
    assert control.books()["currencies"]["eur"]["net"] == 0
    assert refused(shop.client.v1.refunds.create, {"payment_intent": intent.id}).code == "charge_disputed"
    control.dispute(dispute=inquiry["id"], status="lost")
    assert [event["type"] for event in control.events("charge.dispute.*")] == [
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
    ]


@promises(55)
def test_an_inquiry_is_answered_by_a_refund_and_closed(shop, control):
    intent = shop.intent(capture="automatic")
    inquiry = control.dispute(payment_intent=intent.id, inquiry=True)
    assert shop.client.v1.refunds.create({"payment_intent": intent.id}).amount == 2000
    with pytest.raises(ControlError):
        control.dispute(dispute=inquiry["id"], status="needs_response")
    control.dispute(dispute=inquiry["id"], status="warning_closed")
    assert shop.client.v1.disputes.retrieve(inquiry["id"]).status == "warning_closed"
    sums = control.books()["currencies"]["eur"]
    assert (sums["refunded"], sums["disputed"], sums["net"]) == (2000, 0, 0)


@promises(56)
def test_the_balance_and_the_books(shop, control):
    whole, part, held, gone = (shop.intent(metadata={"order": str(number)}) for number in range(4))
    yen = shop.intent(5000, currency="jpy", capture="automatic")
    shop.client.v1.payment_intents.capture(whole.id)
    shop.client.v1.payment_intents.capture(part.id, {"amount_to_capture": 1500})
    shop.client.v1.payment_intents.cancel(gone.id)
    shop.client.v1.refunds.create({"payment_intent": whole.id, "amount": 300})

    balance = shop.client.v1.balance.retrieve()
    assert {one.currency: one.amount for one in balance.available} == {"eur": 3200, "jpy": 5000}
    books = control.books()
    assert books["currencies"]["eur"] == {
        "authorised": 2000,
        "captured": 3500,
        "refunded": 300,
        "released": 2500,
        "disputed": 0,
        "net": 3200,
    }
    assert {id: found["net"] for id, found in books["payment_intents"].items()} == {
        whole.id: 1700,
        part.id: 1500,
        held.id: 0,
        gone.id: 0,
        yen.id: 5000,
    }
    assert books["payment_intents"][whole.id]["metadata"] == {"order": "0"}
