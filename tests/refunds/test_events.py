"""What the shop's own refund code tells Oscar is a refund like any other, and the other way round."""

from decimal import Decimal as D

import pytest
from oscar.apps.order.exceptions import InvalidPaymentEvent
from oscar.core.loading import get_class, get_model

from oscar_loyalty.dashboard import checks
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.payments import refunds

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db


@pytest.fixture
def card(issue):
    return issue("10.00")


@pytest.fixture
def order(shopper, programme, haircut, card):
    """Two haircuts of 30 euros; 10 of them by gift card."""
    shopper.add(haircut, quantity=2)
    shopper.add_card(card)
    shopper.place()
    return Order.objects.get()


@pytest.fixture
def handle(order):
    """Tell the shop's event handler: ``handle("Refund", "30.00", quantities=[1])``."""

    def handle(name, amount, quantities=None):
        kind = get_model("order", "PaymentEventType").objects.get_or_create(name=name)[0]
        lines = list(order.lines.all()) if quantities else None
        handler = get_class("order.processing", "EventHandler")()
        return handler.handle_payment_event(order, kind, D(amount), lines, quantities)

    return handle


def test_pieces_are_refunded(order, handle, card):
    event = handle("Refund", "30.00", [1])
    refund = order.loyalty_refunds.get()
    assert (refund.key, refund.amount, refund.lines.get().quantity) == (f"payment-event:{event.pk}", D("30.00"), 1)
    assert order.payment_events.get() == event
    assert event.line_quantities.get().quantity == 1
    assert giftcards.balance(card).amount == D("5.00")


def test_oscars_own_page_names_the_price_of_whole_lines(order, handle):
    assert handle("Refund", "60.00", [1]).amount == D("30.00")


def test_less_than_a_piece_is_worth(order, handle):
    handle("Refunded", "12.00", [1])
    line = order.loyalty_refunds.get().lines.get()
    assert (line.quantity, line.amount) == (1, D("12.00"))


def test_an_amount_without_lines_is_shared(order, handle, card):
    handle("Refund", "12.00")
    assert order.loyalty_refunds.get().amount == D("12.00")
    assert giftcards.balance(card).amount == D("2.00")


@pytest.mark.parametrize(("amount", "quantities"), [("60.01", None), ("31.00", [1]), ("0.00", None)])
def test_more_than_was_paid_is_no_event(order, handle, amount, quantities):
    with pytest.raises(InvalidPaymentEvent):
        handle("Refund", amount, quantities)
    assert not order.payment_events.exists() and not order.loyalty_refunds.exists()


@pytest.mark.parametrize("amount", ["10.005", "NaN", "Infinity"])
@pytest.mark.parametrize("quantities", [None, [1]])
def test_what_is_no_amount_is_no_event(order, handle, amount, quantities):
    with pytest.raises(InvalidPaymentEvent, match="not an amount"):
        handle("Refund", amount, quantities)
    assert not order.payment_events.exists() and not order.loyalty_refunds.exists()


def test_other_events_refund_nothing(order, handle):
    handle("Paid", "60.00")
    assert not order.loyalty_refunds.exists()


def test_our_own_refund_is_one_event(order):
    refunds.refund(order=order, key="1", lines={order.lines.get().pk: 1})
    assert order.payment_events.count() == order.loyalty_refunds.count() == 1


def test_oscars_dashboard_refunds(client, admin_user, order):
    client.force_login(admin_user)
    kind = get_model("order", "PaymentEventType").objects.create(name="Refund")
    line = order.lines.get()
    data = {
        "line_action": "create_payment_event",
        "selected_line": line.pk,
        f"selected_line_qty_{line.pk}": "1",
        "payment_event_type": kind.code,
        "amount": "",
    }
    client.post(f"/dashboard/orders/{order.number}/", data)
    assert order.loyalty_refunds.get().amount == D("30.00")


def test_a_handler_without_the_mixin_is_named(monkeypatch):
    from oscar.apps.order import processing

    class ShopsOwn(processing.EventHandler):
        pass

    assert checks.event_handler(None) == []
    monkeypatch.setattr("oscar.core.loading.get_class", lambda *names: processing.EventHandler)
    assert checks.event_handler(None) == []
    monkeypatch.setattr("oscar.core.loading.get_class", lambda *names: ShopsOwn)
    assert [warning.id for warning in checks.event_handler(None)] == ["loyalty.W080"]
