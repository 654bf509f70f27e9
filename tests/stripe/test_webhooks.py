"""What Stripe tells us: only from Stripe, only what is ours, each once, in any order."""

import json
from decimal import Decimal as D

import pytest
import stripe
from django.core import mail
from django.test import Client
from oscar.core.loading import get_model

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments import refunds, selectors, sending, settling
from oscar_loyalty.payments.stripe import events as stripe_events
from oscar_loyalty.payments.stripe import webhooks
from oscar_loyalty.payments.stripe.client import asking
from tests.stripe.conftest import last_attempt, tender_of

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db
URL = "/stripe/webhook/"


def events(**fields):
    return get_loyalty_model("loyalty_payments", "StripeEvent").objects.filter(**fields)


def tell(payload, signature):
    # As Stripe does: without a cookie, and without the token that our own forms have.
    return (
        Client(enforce_csrf_checks=True)
        .post(
            URL, payload, content_type="application/json", headers={"Stripe-Signature": signature} if signature else {}
        )
        .status_code
    )


@pytest.fixture
def paid(bank, to_stripe, shopper, rich, haircut, card_10):
    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    to_stripe(shopper)
    bank.pay()
    return last_attempt()


@pytest.fixture
def told(bank, paid):
    """Stripe's event that the session was paid: ``told(kind=…)`` returns its text and signature."""

    def told(type="checkout.session.completed", **more):
        [event] = bank.control.events(type=type)
        return bank.control.signed(event=event["id"], **more)

    return told


def test_an_event_is_stored_and_then_handled(paid, told):
    assert tell(*told()) == 200
    event = events().get()
    assert (event.state, event.kind, event.object_id) == (
        "waiting",
        "checkout.session.completed",
        tender_of(paid).session,
    )
    assert not Order.objects.exists()
    due.sweep()
    event.refresh_from_db()
    assert (event.state, event.attempt, event.note) == ("done", paid, "placed")
    assert tender_of(paid).state == "captured"


def test_told_again_it_is_the_same(paid, told):
    payload, signature = told()
    for _time in range(3):
        assert tell(payload, signature) == 200
        due.sweep()
    assert (events().count(), Order.objects.count()) == (1, 1)


def _changed(payload, signature, secret):
    return payload.replace("complete", "expired", 1), signature


def _another_secret(payload, signature, secret):
    return payload, stripe.WebhookSignature.generate_signature_header(payload, "whsec_another")


def _old(payload, signature, secret):
    old = int(clock.now().timestamp()) - 400
    return payload, stripe.WebhookSignature.generate_signature_header(payload, secret, old)


def _no_signature(payload, signature, secret):
    return payload, ""


def _another_scheme(payload, signature, secret):
    return payload, signature.replace("v1=", "v0=")


def _no_event(payload, signature, secret):
    return "[]", stripe.WebhookSignature.generate_signature_header("[]", secret)


def _no_json(payload, signature, secret):
    return "{", stripe.WebhookSignature.generate_signature_header("{", secret)


def _huge(payload, signature, secret):
    text = json.dumps({**json.loads(payload), "more": "x" * 600_000})
    return text, stripe.WebhookSignature.generate_signature_header(text, secret)


@pytest.mark.parametrize(
    "forge", [_changed, _another_secret, _old, _no_signature, _another_scheme, _no_event, _no_json, _huge]
)
def test_what_is_not_from_stripe_is_refused_and_not_stored(bank, paid, told, forge):
    payload, signature = told()
    assert tell(*forge(payload, signature, bank.running.webhook_secret)) == 400
    due.sweep()
    assert (events().count(), Order.objects.count()) == (0, 0)


def test_bytes_that_are_no_text(paid):
    assert tell(b"\xff\xfe", "t=1,v1=00") == 400


def test_only_what_is_sent_to_it(paid):
    assert Client().get(URL).status_code == 405


def test_a_secret_is_replaced(bank, paid, told, settings):
    settings.OSCAR_LOYALTY_STRIPE_WEBHOOK_SECRET = ["whsec_new", bank.running.webhook_secret]
    assert tell(*told()) == 200


@pytest.mark.parametrize("change", [{"livemode": True}, {"account": "acct_1Other"}])
def test_of_another_account_or_mode_nothing_follows(bank, paid, told, change):
    payload, _signature = told()
    text = json.dumps({**json.loads(payload), **change})
    assert tell(text, stripe.WebhookSignature.generate_signature_header(text, bank.running.webhook_secret)) == 200
    due.sweep()
    event = events().get()
    assert (event.state, event.payload, Order.objects.count()) == ("ignored", {}, 0)


@pytest.mark.parametrize("uuid", [None, "", "nonsense", "6f2b5c9e-0000-4000-8000-000000000000", 7])
def test_somebody_elses_payment_is_passed_over(bank, paid, told, uuid):
    event = json.loads(told()[0])
    event["data"]["object"] = {"id": "cs_test_else", "payment_intent": "pi_else", "metadata": {"attempt": uuid}}
    text = json.dumps(event)
    assert tell(text, stripe.WebhookSignature.generate_signature_header(text, bank.running.webhook_secret)) == 200
    due.sweep()
    assert (events().get().state, Order.objects.count()) == ("ignored", 0)


def test_an_event_is_not_believed(bank, to_stripe, shopper, member, haircut):
    """Signed and all: that it was paid is asked of Stripe."""
    shopper.add(haircut)
    to_stripe(shopper)
    text = json.dumps(
        {
            "id": "evt_1",
            "object": "event",
            "type": "checkout.session.completed",
            "created": 1,
            "livemode": False,
            "data": {
                "object": {"id": tender_of(last_attempt()).session, "status": "complete", "payment_status": "paid"}
            },
        }
    )
    assert tell(text, stripe.WebhookSignature.generate_signature_header(text, bank.running.webhook_secret)) == 200
    due.sweep()
    assert (last_attempt().state, Order.objects.count()) == ("open", 0)


def test_backwards_and_all_of_them(bank, paid):
    settling.settle(attempt=paid, at_once=True)
    for event in reversed(bank.control.events()):
        payload, signature = bank.control.signed(event=event["id"])
        assert tell(payload, signature) == 200
        due.sweep()
    assert not events(state="failed").exists()
    assert Order.objects.count() == 1
    assert tender_of(paid).state == "captured"


def test_what_fails_is_tried_again(bank, paid, told):
    tell(*told())
    bank.control.fault("GET /v1/*", "500_before", times=3)
    due.sweep()
    assert events().get().state == "failed"
    assert not Order.objects.exists()
    bank.control.faults(clear=True)
    bank.later(minutes=2)
    due.sweep()
    assert events().get().state == "done"
    assert Order.objects.count() == 1


def test_a_dispute_takes_back_once(bank, paid, rich):
    settling.settle(attempt=paid, at_once=True)
    assert ledger.balance(rich.account).usable == 1500
    bank.control.dispute(payment_intent=tender_of(paid).reference)
    [event] = bank.control.events(type="charge.dispute.created")
    for _time in range(2):
        assert tell(*bank.control.signed(event=event["id"])) == 200
        due.sweep()
    order = Order.objects.get()
    refund = get_loyalty_model("loyalty_payments", "Refund").objects.get()
    assert (refund.kind, refund.order) == ("dispute", order)
    assert ledger.balance(rich.account).usable == 2500
    assert get_loyalty_model("loyalty_giftcards", "GiftCard").objects.get().state == "disabled"
    assert "disputed" in order.notes.get().message
    # The bank has taken the money: none is sent.
    assert bank.books()["currencies"]["eur"]["refunded"] == 0


def tell_all(bank, type="charge.dispute.*"):
    """Tell all events of this type, twice."""
    for event in bank.control.events(type=type) * 2:
        assert tell(*bank.control.signed(event=event["id"])) == 200
        due.sweep()
    assert not events().exclude(state__in=["done", "ignored"]).exists()


def refunded(**fields):
    return get_loyalty_model("loyalty_payments", "Refund").objects.filter(**fields)


def returned():
    rows = get_loyalty_model("loyalty_payments", "TenderReturn").objects.filter(allotment__tender__kind="stripe")
    return sorted(rows.values_list("state", "reference", "amount"))


def test_an_inquiry_takes_nothing_back(bank, paid, rich):
    settling.settle(attempt=paid, at_once=True)
    order = Order.objects.get()
    inquiry = bank.control.dispute(payment_intent=tender_of(paid).reference, inquiry=True)
    tell_all(bank)
    assert (refunded().count(), ledger.balance(rich.account).usable) == (0, 1500)
    assert get_loyalty_model("loyalty_giftcards", "GiftCard").objects.get().state == "active"
    assert "No money has been taken back" in order.notes.get().message
    # It can be answered by a refund.
    refunds.refund(order=order, key="answer", amount=D("30.00"))
    due.sweep()
    assert bank.books()["currencies"]["eur"]["refunded"] == 3000
    bank.control.dispute(dispute=inquiry["id"], status="warning_closed")
    tell_all(bank)
    assert (refunded(kind="dispute").count(), order.notes.count()) == (0, 1)


def test_an_inquiry_that_becomes_a_dispute(bank, paid, rich):
    settling.settle(attempt=paid, at_once=True)
    inquiry = bank.control.dispute(payment_intent=tender_of(paid).reference, inquiry=True)
    tell_all(bank)
    bank.control.dispute(dispute=inquiry["id"], status="needs_response")
    tell_all(bank)
    assert refunded().get().kind == "dispute"
    assert ledger.balance(rich.account).usable == 2500
    assert Order.objects.get().notes.count() == 2


def test_a_dispute_that_is_won_is_told(bank, paid, rich):
    settling.settle(attempt=paid, at_once=True)
    dispute = bank.control.dispute(payment_intent=tender_of(paid).reference)
    tell_all(bank)
    bank.control.dispute(dispute=dispute["id"], status="won")
    tell_all(bank)
    assert (refunded().count(), ledger.balance(rich.account).usable) == (1, 2500)
    assert [note.message for note in Order.objects.get().notes.all() if "was won" in note.message]


def test_a_dispute_that_was_won_before_we_heard_of_it(bank, paid, rich):
    settling.settle(attempt=paid, at_once=True)
    dispute = bank.control.dispute(payment_intent=tender_of(paid).reference)
    bank.control.dispute(dispute=dispute["id"], status="won")
    tell_all(bank)
    assert (refunded().count(), Order.objects.get().notes.count()) == (0, 0)


def test_of_a_part_that_is_disputed_no_more_is_booked(bank, paid, rich):
    settling.settle(attempt=paid, at_once=True)
    order = Order.objects.get()
    dispute = bank.control.dispute(payment_intent=tender_of(paid).reference, amount=500)
    tell_all(bank)
    bank.control.dispute(dispute=dispute["id"], status="lost")
    tell_all(bank)
    assert (refunded().get().kind, refunded().get().amount) == ("dispute", D("5.00"))
    assert returned() == [("done", "", D("5.00"))]
    # What points paid for stays bought.
    assert ledger.balance(rich.account).usable == 1500
    assert get_loyalty_model("loyalty_giftcards", "GiftCard").objects.get().state == "active"
    assert "€5.00" in order.notes.get().message
    assert refunds.left_of(order)[order.lines.get(title="Haircut").pk].left == 2500


def test_half_of_a_payment_is_disputed_and_told_again(bank, paid, rich):
    """That the other half is all that is left by then changes nothing."""
    settling.settle(attempt=paid, at_once=True)
    dispute = bank.control.dispute(payment_intent=tender_of(paid).reference, amount=1500)
    tell_all(bank)
    bank.control.dispute(dispute=dispute["id"], status="lost")
    tell_all(bank)
    assert (refunded().get().amount, ledger.balance(rich.account).usable) == (D("15.00"), 1500)


def test_a_booked_dispute_whose_event_was_not_closed(bank, paid, rich, monkeypatch):
    """Handled up to the last step, and again: what waited of the other half is not closed as given by the bank."""
    settling.settle(attempt=paid, at_once=True)
    bank.control.fault("* /v1/refunds*", "500_before", times=100)
    bank.control.dispute(payment_intent=tender_of(paid).reference, amount=1500)
    [event] = bank.control.events(type="charge.dispute.created")
    with monkeypatch.context() as patch:
        patch.setattr(stripe_events, "_close", lambda *args: 1 / 0)
        tell(*bank.control.signed(event=event["id"]))
        due.sweep()
    refunds.refund(order=Order.objects.get(), key="half", amount=D("10.00"))
    bank.later(minutes=2)
    tell_all(bank)
    assert returned() == [("done", "", D("15.00")), ("waiting", "", D("10.00"))]
    bank.control.faults(clear=True)


def test_what_a_disputed_part_was_for_is_the_owners_to_say(bank, to_stripe, shopper, rich, haircut, card_10, issue):
    """Points, gift cards and the card have paid together: nobody knows which part is disputed."""
    gift = issue("12.00")
    shopper.add(haircut)
    shopper.add_card(gift)
    shopper.client.get("/checkout/preview/")
    to_stripe(shopper)
    bank.pay()
    attempt = last_attempt()
    settling.settle(attempt=attempt, at_once=True)
    dispute = bank.control.dispute(payment_intent=tender_of(attempt).reference, amount=900)
    tell_all(bank)
    order = Order.objects.get()
    # That the other half is given back meanwhile does not make it all that is left.
    refund = refunds.refund(order=order, key="other", amount=D("15.00"))
    due.sweep()
    assert sending.given_otherwise(refund=refund, tender=tender_of(attempt)) == 1
    assert returned() == [("done", "otherwise", D("9.00"))]
    bank.control.dispute(dispute=dispute["id"], status="lost")
    tell_all(bank)
    assert not refunded(kind="dispute").exists()
    assert "€9.00" in order.notes.get().message and "by an adjustment" in order.notes.get().message


def test_a_part_disputed_of_gift_cards_bought_is_the_owners_to_say(bank, to_stripe, shopper, member, haircut, card_10):
    shopper.add(haircut)
    shopper.add(card_10)
    to_stripe(shopper)
    bank.pay()
    settling.settle(attempt=last_attempt(), at_once=True)
    bank.control.dispute(payment_intent=tender_of(last_attempt()).reference, amount=1000)
    tell_all(bank)
    assert not refunded().exists()
    assert get_loyalty_model("loyalty_giftcards", "GiftCard").objects.get().state == "active"


def test_what_waited_to_be_given_back_was_given_by_the_bank(bank, paid, rich):
    settling.settle(attempt=paid, at_once=True)
    bank.control.fault("* /v1/refunds*", "500_before", times=100)
    refunds.refund(order=Order.objects.get(), key="half", amount=D("15.00"))
    due.sweep()
    assert returned() == [("waiting", "", D("15.00"))]
    bank.control.dispute(payment_intent=tender_of(paid).reference)
    bank.control.faults(clear=True)
    tell_all(bank)
    for _time in range(3):
        bank.later(hours=2)
        due.sweep()
    assert returned() == [("done", "", D("15.00")), ("done", sending.BY_THE_BANK, D("15.00"))]
    assert not selectors.unsettled_returns().exists()
    sums = bank.books()["currencies"]["eur"]
    assert (sums["refunded"], sums["disputed"]) == (0, 3000)


def test_what_went_back_before_a_dispute_is_not_disputed(bank, paid, rich):
    settling.settle(attempt=paid, at_once=True)
    refunds.refund(order=Order.objects.get(), key="half", amount=D("15.00"))
    due.sweep()
    bank.control.dispute(payment_intent=tender_of(paid).reference)
    tell_all(bank)
    assert refunded(kind="dispute").get().amount == D("25.00")  # 15.00 of the card, 10.00 of points
    assert ledger.balance(rich.account).usable == 2500


def test_a_refund_goes_to_the_card_and_bounces(bank, paid):
    settling.settle(attempt=paid, at_once=True)
    order = Order.objects.get()
    line = order.lines.get(title="Haircut")
    refund = refunds.refund(order=order, key="one", lines={line.pk: 1})
    due.sweep()
    part = refund.returns.get()
    assert (part.state, bank.books()["currencies"]["eur"]["refunded"]) == ("done", 3000)
    bank.control.refund(refund=part.reference, status="failed")
    for event in bank.control.events(type="refund.failed"):
        tell(*bank.control.signed(event=event["id"]))
    due.sweep()
    part.refresh_from_db()
    assert part.state == "failed"


@pytest.mark.parametrize("fault", ["500_after", "502_after", "timeout_after", "cut_after", "cut_before"])
def test_a_refund_whose_answer_is_lost_is_given_once(bank, paid, fault):
    settling.settle(attempt=paid, at_once=True)
    order = Order.objects.get()
    refund = refunds.refund(order=order, key="one", lines={order.lines.get(title="Haircut").pk: 1})
    bank.control.fault("POST /v1/refunds", fault, seconds=3)
    due.sweep()
    for _time in range(3):
        bank.later(minutes=20)
        due.sweep()
    assert (refund.returns.get().state, bank.books()["currencies"]["eur"]["refunded"]) == ("done", 3000)


def test_another_amount_under_its_name_is_said_and_not_taken_for_it(bank, paid):
    settling.settle(attempt=paid, at_once=True)
    order = Order.objects.get()
    refund = refunds.refund(order=order, key="one", lines={order.lines.get(title="Haircut").pk: 1})
    with asking() as shop:
        names = {"return": refund.returns.get().key}
        shop.refunds.create({"payment_intent": tender_of(paid).reference, "amount": 1000, "metadata": names})
    due.sweep()
    part = refund.returns.get()
    assert (part.state, bank.books()["currencies"]["eur"]["refunded"]) == ("failed", 1000)
    assert "€10.00 of €30.00" in part.error


def test_a_mail_says_that_nothing_was_taken(bank, paid, rich, shopper):
    get_model("partner", "StockRecord").objects.filter(price="30.00").update(price="31.00")
    settling.settle(attempt=paid, at_once=True)
    due.sweep()
    due.sweep()
    [letter] = [letter for letter in mail.outbox if "nothing was taken" in letter.subject]
    assert letter.to == [shopper.user.email]
    assert "€30.00 had been set aside" in letter.body
    assert "The price has changed" in letter.body
    link = next(word for word in letter.body.split() if "/checkout/card/back/" in word)
    path = link.partition("example.com")[2]
    assert shopper.client.get(path).url == "/basket/"
    assert shopper.client.get("/basket/").context["basket"].num_lines == 2


def test_what_events_say_is_forgotten_in_time(bank, paid, told):
    tell(*told())
    due.sweep()
    bank.clock.advance(days=91)
    assert webhooks.forget() == 1
    assert (events().get().payload, events().get().state) == ({}, "done")
    bank.clock.advance(days=-91)
