"""Orders are refunded the way they were paid, to the cent, and once."""

from decimal import Decimal as D

import pytest
from oscar.core.loading import get_model

from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments import exceptions, refunds, sending

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db


def parts(refund):
    """Return what a refund gave back, by kind of tender."""
    rows = refund.returns.select_related("allotment__tender").order_by("allotment__tender__number", "pk")
    return [(part.allotment.tender.kind, part.amount, part.state) for part in rows]


def test_the_whole_order_returns_to_the_card_and_the_till(shopper, programme, haircut, issue):
    card = issue("10.00")
    shopper.add(haircut, quantity=2)
    shopper.add_card(card)
    shopper.place()
    order = Order.objects.get()
    refund = refunds.refund(order=order, key="1", lines={order.lines.get().pk: 2}, reason="Closed")
    assert parts(refund) == [("giftcard", D("10.00"), "done"), ("on_site", D("50.00"), "done")]
    assert (refund.amount, refund.shipping) == (D("60.00"), D("0.00"))
    assert giftcards.balance(card).amount == D("10.00")


def test_three_partial_refunds_sum_to_the_whole(shopper, programme, make_product, issue):
    card = issue("10.00")
    shopper.add(make_product("33.35"), quantity=3)
    shopper.add_card(card)
    shopper.place()
    order = Order.objects.get()
    line = order.lines.get()
    made = [refunds.refund(order=order, key=str(n), lines={line.pk: 1}) for n in range(3)]
    assert [refund.amount for refund in made] == [D("33.35")] * 3
    assert sum(part.amount for refund in made for part in refund.returns.all()) == order.total_incl_tax
    assert giftcards.balance(card).amount == D("10.00")


def test_the_same_refund_twice_is_one(shopper, programme, haircut):
    shopper.add(haircut, quantity=2)
    shopper.place()
    order = Order.objects.get()
    line = order.lines.get().pk
    first = refunds.refund(order=order, key="1", lines={line: 1})
    assert refunds.refund(order=order, key="1", lines={line: 1}) == first
    assert order.loyalty_refunds.count() == 1


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"lines": 2}, "quantity"),
        ({"lines": -1}, "quantity"),
        ({"amounts": "30.01"}, "amount"),
        ({"amounts": "0.001"}, "amount"),
        ({"amounts": "-1"}, "amount"),
        ({"amount": "30.01"}, "amount"),
        ({"shipping": "0.01"}, "shipping"),
        ({}, ""),
    ],
)
def test_more_than_was_paid_is_refused(shopper, programme, haircut, wish, field):
    shopper.add(haircut)
    shopper.place()
    order = Order.objects.get()
    line = order.lines.get().pk
    said = {
        name: {line: D(value) if name == "amounts" else value} if name in ("lines", "amounts") else D(value)
        for name, value in wish.items()
    }
    with pytest.raises(exceptions.RefundRefused) as error:
        refunds.refund(order=order, key="1", **said)
    assert error.value.field.removesuffix(f"_{line}") == field
    assert not order.loyalty_refunds.exists()


def test_an_amount_is_shared_over_all_that_is_left(shopper, programme, make_product):
    for price in ("10.00", "20.01"):
        shopper.add(make_product(price))
    shopper.place()
    order = Order.objects.get()
    refunds.refund(order=order, key="1", amount=D("10.00"))
    rest = refunds.refund(order=order, key="2", amount=D("20.01"))
    assert rest.amount == D("20.01")
    with pytest.raises(exceptions.RefundRefused):
        refunds.refund(order=order, key="3", amount=D("0.01"))


def test_a_preview_says_what_will_be_done_and_writes_nothing(shopper, programme, haircut, issue):
    card = issue("10.00")
    shopper.add(haircut)
    shopper.add_card(card)
    shopper.place()
    order = Order.objects.get()
    done = refunds.preview(order=order, lines={order.lines.get().pk: 1})
    assert [(part.allotment.tender.kind, part.amount) for part in done.parts] == [
        ("giftcard", D("10.00")),
        ("on_site", D("20.00")),
    ]
    assert not order.loyalty_refunds.exists()
    assert giftcards.balance(card).amount == 0


def test_a_bought_card_stops_working_and_what_it_paid_is_not_refunded(shopper, rich, haircut, card_10):
    shopper.add(card_10, quantity=2, pay_with_points=True)
    shopper.place()
    order = Order.objects.get()
    used, unused = giftcards.cards_of_order(order).order_by("pk")
    shopper.add(haircut)
    shopper.add_card(used)
    shopper.place()
    line = order.lines.get().pk
    first = refunds.refund(order=order, key="1", lines={line: 1})
    unused.refresh_from_db()
    assert (first.amount, unused.state, ledger.balance(rich.account).usable) == (D("10.00"), "disabled", 1500)
    second = refunds.preview(order=order, lines={line: 1})
    assert (second.amount.amount, second.kept.amount, second.cards) == (D("0.00"), D("10.00"), (used,))
    refunds.refund(order=order, key="2", lines={line: 1})
    used.refresh_from_db()
    assert (used.state, ledger.balance(rich.account).usable) == ("disabled", 1500)


def test_what_comes_back_to_a_refunded_card_is_refunded_too(shopper, rich, haircut, card_10):
    shopper.add(card_10, pay_with_points=True)
    shopper.place()
    first = Order.objects.get()
    shopper.add(haircut)
    shopper.add_card(giftcards.cards_of_order(first).get())
    shopper.place()
    refunds.refund(order=first, key="1", lines={first.lines.get().pk: 1})
    assert ledger.balance(rich.account).usable == 1500
    second = Order.objects.exclude(pk=first.pk).get()
    refunds.give_all_back(order=second, key="2", kind="refund")
    due.sweep()
    due.sweep()
    assert ledger.balance(rich.account).usable == 2500


def test_everything_that_is_left_is_given_back_once(shopper, programme, haircut, issue):
    card = issue("10.00")
    shopper.add(haircut, quantity=3)
    shopper.add_card(card)
    shopper.place()
    order = Order.objects.get()
    refunds.refund(order=order, key="1", lines={order.lines.get().pk: 1})
    rest = refunds.give_all_back(order=order, key="2", kind="refund")
    assert rest.amount == D("60.00")
    assert refunds.give_all_back(order=order, key="2", kind="refund") == rest
    assert refunds.give_all_back(order=order, key="3", kind="refund") is None


def test_a_cancelled_order_still_owes_its_money(shopper, programme, haircut, issue):
    card = issue("10.00")
    shopper.add(haircut)
    shopper.add_card(card)
    shopper.place()
    order = Order.objects.get()
    order.set_status("Cancelled")
    due.sweep()
    assert giftcards.balance(card).amount == D("10.00")
    refund = refunds.give_all_back(order=order, key="1", kind="cancellation")
    assert parts(refund) == [("on_site", D("20.00"), "done")]


def test_what_was_refunded_is_not_returned_by_the_status_again(shopper, programme, haircut, issue):
    card = issue("15.00")
    shopper.add(haircut, quantity=2)
    shopper.add_card(card)
    shopper.place()
    order = Order.objects.get()
    refunds.refund(order=order, key="1", lines={order.lines.get().pk: 1})
    assert giftcards.balance(card).amount == D("7.50")
    order.set_status("Cancelled")
    due.sweep()
    assert giftcards.balance(card).amount == D("15.00")
    assert refunds.give_all_back(order=order, key="2", kind="refund").amount == D("22.50")


def test_a_refund_waits_for_the_provider(time, shopper, programme, haircut, paid_by_bank):
    shopper.add(haircut)
    shopper.place()
    order = Order.objects.get()
    bank = paid_by_bank(order)
    bank.answer = "down"
    refund = refunds.refund(order=order, key="1", lines={order.lines.get().pk: 1})
    due.sweep()
    assert parts(refund) == [("stripe", D("30.00"), "waiting")]
    bank.answer = None
    time.advance(minutes=1)
    due.sweep()
    assert parts(refund) == [("stripe", D("30.00"), "done")]
    assert refund.returns.get().reference == f"re_{refund.returns.get().pk}"


def test_a_provider_is_asked_once_for_all_lines(shopper, programme, make_product, paid_by_bank):
    for price in ("10.00", "20.00"):
        shopper.add(make_product(price))
    shopper.place()
    order = Order.objects.get()
    bank = paid_by_bank(order)
    source = order.sources.get()
    source.debit(source.amount_allocated)
    refund = refunds.give_all_back(order=order, key="1", kind="refund")
    due.sweep()
    source.refresh_from_db()
    assert [amount for _pk, amount, _atomic in bank.asked] == [D("30.00")]
    assert parts(refund) == [("stripe", D("10.00"), "done"), ("stripe", D("20.00"), "done")]
    assert source.amount_refunded == D("30.00")
    (reference,) = {part.reference for part in refund.returns.all()}
    assert sending.bounced(reference=reference, error="closed") == 2
    source.refresh_from_db()
    assert source.amount_refunded == D("0.00")
    assert sending.try_again(refund=refund, tender=order.payment_attempt.tenders.get()) == 2
    due.sweep()
    assert [amount for _pk, amount, _atomic in bank.asked] == [D("30.00"), D("30.00")]
    assert {state for _kind, _amount, state in parts(refund)} == {"done"}


@pytest.mark.django_db(transaction=True)
def test_a_provider_is_asked_outside_of_any_transaction(shopper, programme, haircut, paid_by_bank):
    shopper.add(haircut)
    shopper.place()
    order = Order.objects.get()
    bank = paid_by_bank(order)
    refunds.give_all_back(order=order, key="1", kind="refund")
    due.sweep()
    assert [atomic for _pk, _amount, atomic in bank.asked] == [False]


def test_a_provider_that_refuses_is_asked_again_only_by_hand(shopper, programme, haircut, paid_by_bank):
    shopper.add(haircut)
    shopper.place()
    order = Order.objects.get()
    bank = paid_by_bank(order)
    bank.answer = "refused"
    refund = refunds.refund(order=order, key="1", lines={order.lines.get().pk: 1})
    for _ in range(2):
        due.sweep()
    part = refund.returns.get()
    assert (part.state, part.error, len(bank.asked)) == ("failed", "The card was closed.", 1)
    bank.answer = None
    sending.try_again(refund=refund, tender=part.allotment.tender)
    due.sweep()
    part.refresh_from_db()
    assert (part.state, part.error) == ("done", "")
    assert part.key.endswith(":again:1")


def test_an_answer_that_comes_late_ends_nothing_that_was_asked_anew(shopper, programme, haircut, paid_by_bank):
    """Two ask under one key, and are refused; the owner asks once more before the second has heard of it."""
    shopper.add(haircut)
    shopper.place()
    order = Order.objects.get()
    bank = paid_by_bank(order)
    refund = refunds.refund(order=order, key="1", lines={order.lines.get().pk: 1})
    part, refuse = refund.returns.get(), bank.give_back

    def slowly(*, part):
        bank.give_back, bank.answer = refuse, "refused"
        assert sending.send(pk=part.pk) == "failed"
        sending.try_again(refund=refund, tender=part.allotment.tender)
        return refuse(part=part)

    bank.give_back = slowly
    sending.send(pk=part.pk)
    part.refresh_from_db()
    assert (part.state, part.error) == ("waiting", "")
    bank.answer = None
    due.sweep()
    part.refresh_from_db()
    assert (part.state, part.key.endswith(":again:1")) == ("done", True)


def test_money_that_is_not_taken_yet_is_given_back_later(time, shopper, programme, haircut, paid_by_bank):
    shopper.add(haircut)
    shopper.place()
    order = Order.objects.get()
    bank = paid_by_bank(order)
    tenders = get_loyalty_model("loyalty_payments", "Tender").objects.filter(kind="stripe")
    tenders.update(state="authorised")
    refund = refunds.refund(order=order, key="1", lines={order.lines.get().pk: 1})
    due.sweep()
    assert (bank.asked, refund.returns.get().state) == ([], "waiting")
    tenders.update(state="captured")
    time.advance(minutes=1)
    due.sweep()
    assert refund.returns.get().state == "done"


def test_what_a_provider_gave_and_did_not_arrive_fails(shopper, programme, haircut, paid_by_bank):
    shopper.add(haircut)
    shopper.place()
    order = Order.objects.get()
    paid_by_bank(order)
    source = order.sources.get()
    source.debit(source.amount_allocated)
    refund = refunds.refund(order=order, key="1", lines={order.lines.get().pk: 1})
    due.sweep()
    part = refund.returns.get()
    source.refresh_from_db()
    assert (part.state, source.amount_refunded) == ("done", D("30.00"))
    assert [sending.bounced(reference=part.reference, error="The card was closed.") for _time in range(2)] == [1, 0]
    part.refresh_from_db()
    source.refresh_from_db()
    assert (part.state, part.error, source.amount_refunded) == ("failed", "The card was closed.", D("0.00"))
    sending.try_again(refund=refund, tender=part.allotment.tender)
    due.sweep()
    part.refresh_from_db()
    source.refresh_from_db()
    assert (part.state, source.amount_refunded) == ("done", D("30.00"))


def test_a_lost_dispute_sends_no_money(shopper, programme, haircut, issue, paid_by_bank):
    card = issue("10.00")
    shopper.add(haircut)
    shopper.add_card(card)
    shopper.place()
    order = Order.objects.get()
    bank = paid_by_bank(order)
    refund = refunds.give_all_back(order=order, key="dp_1", kind="dispute")
    due.sweep()
    assert parts(refund) == [("giftcard", D("10.00"), "done"), ("stripe", D("20.00"), "done")]
    assert bank.asked == []
    assert giftcards.balance(card).amount == D("10.00")


def test_oscar_shows_the_refund(shopper, programme, haircut, issue):
    card = issue("10.00")
    shopper.add(haircut, quantity=2)
    shopper.add_card(card)
    shopper.place()
    order = Order.objects.get()
    line = order.lines.get()
    refunds.refund(order=order, key="1", lines={line.pk: 1})
    event = order.payment_events.get()
    assert (event.event_type.name, event.amount) == ("Refund", D("30.00"))
    assert [(row.line_id, row.quantity) for row in event.line_quantities.all()] == [(line.pk, 1)]
    source = order.sources.get(source_type__name="Gift card")
    assert (source.amount_refunded, source.transactions.get(txn_type="Refund").amount) == (D("5.00"), D("5.00"))
    assert get_loyalty_model("loyalty_payments", "TenderReturn").objects.count() == 2
