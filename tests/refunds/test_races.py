"""Many refunds at once, and what else may happen to an order in the same moment."""

from decimal import Decimal as D
from threading import Event
from time import sleep

import pytest
from oscar.core.loading import get_model

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import orders, rules
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.exceptions import InsufficientUnits
from oscar_loyalty.members import services as members
from oscar_loyalty.payments import refunds
from oscar_loyalty.payments.exceptions import RefundRefused
from tests.checkout.test_races import at_once

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def card(issue):
    return issue("10.00")


@pytest.fixture
def order(shopper, programme, make_product, card):
    """Three pieces of 33.33 euros; 10 of them by gift card."""
    shopper.add(make_product("33.33"), quantity=3)
    shopper.add_card(card)
    shopper.place()
    return Order.objects.get()


def attempt(order, key, **wish):
    """Return a job that refunds, or is refused."""

    def job():
        try:
            return refunds.refund(order=Order.objects.get(pk=order.pk), key=key, **wish)
        except RefundRefused:
            return None

    return job


def given_back(order):
    return sum((part.amount for refund in order.loyalty_refunds.all() for part in refund.returns.all()), D(0))


def test_five_parallel_refunds_of_one_order(order, card):
    line = order.lines.get().pk
    done = at_once(*[attempt(order, str(number), lines={line: 1}) for number in range(5)])
    assert sum(refund is not None for refund in done) == 3
    assert given_back(order) == order.total_incl_tax
    assert giftcards.balance(card).amount == D("10.00")


def test_the_same_refund_from_twenty_threads_is_one(order):
    line = order.lines.get().pk
    done = at_once(*[attempt(order, "same", lines={line: 1}) for _number in range(20)])
    assert len({refund.pk for refund in done}) == 1
    assert given_back(order) == D("33.33")


def test_a_refund_and_a_cancellation_return_once(order, card):
    line = order.lines.get().pk

    def cancel():
        Order.objects.get(pk=order.pk).set_status("Cancelled")
        due.sweep()

    at_once(cancel, attempt(order, "1", lines={line: 2}), cancel_quietly(order), attempt(order, "2", lines={line: 1}))
    due.sweep()
    assert giftcards.balance(card).amount == D("10.00")
    refunds.give_all_back(order=order, key="rest", kind="refund")
    returned = [part for tender in order.payment_attempt.tenders.all() for part in tender.allotments.all()]
    assert all(part.returned_amount == part.amount for part in returned)


def cancel_quietly(order):
    def job():
        line = order.lines.get()
        orders.review_order(order=line.order)

    return job


def test_points_are_taken_back_or_spent_never_both(shopper, programme, member, make_product):
    members.save_programme(programme=programme, clawback_policy="block", pending_days=0)
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1"})
    shopper.add(make_product("100.00"))
    shopper.place()
    order = Order.objects.get()
    due.sweep()
    assert ledger.balance(member.account).usable == 100

    def spend():
        try:
            return books.spend(account=member.account, units=60, key="spend", happened_at=clock.now())
        except InsufficientUnits:
            return None

    spent, refunded = at_once(spend, attempt(order, "1", lines={order.lines.get().pk: 1}))
    assert (spent is None) != (refunded is None)
    member.account.refresh_from_db()
    assert (member.account.balance, member.account.debt) == ((0, 0) if refunded else (40, 0))


def test_cards_go_live_while_some_of_them_are_refunded(shopper, member, card_10, monkeypatch, caplog):
    """Both lock all cards of the order: in another order, one of the two would be a deadlock."""
    shopper.add(card_10, quantity=3)
    shopper.place()
    order, begun, activate = Order.objects.get(), Event(), giftcard_services.activate

    def slow_activate(**named):
        card = activate(**named)
        if not begun.is_set():
            begun.set()
            # Long enough for the refund to have the first card, and to wait for this one.
            sleep(1)
        return card

    monkeypatch.setattr(giftcard_services, "activate", slow_activate)

    def refund():
        begun.wait(20)
        return attempt(order, "1", lines={order.lines.get().pk: 1})()

    def paid():
        Order.objects.get(pk=order.pk).set_status("Being processed")
        Order.objects.get(pk=order.pk).set_status("Complete")

    _nothing, refunded = at_once(paid, refund)
    assert refunded is not None
    states = sorted(giftcards.cards_of_order(order).values_list("state", flat=True))
    assert states == ["active", "active", "disabled"]
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert order.sources.get().amount_debited == D("30.00")
