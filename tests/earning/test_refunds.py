"""What was refunded brings no points: in proportion, once, and as the owner's policy says."""

from decimal import Decimal as D

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oscar_loyalty.earning import orders, selectors
from oscar_loyalty.ledger import books
from oscar_loyalty.members import services
from oscar_loyalty.payments import refunds
from oscar_loyalty.payments.exceptions import RefundRefused


@pytest.fixture
def line(order):
    return {line.title: line.pk for line in order.lines.all()}


def test_one_of_two_pieces_takes_half_of_the_lines_points(order, line, petals):
    refunds.refund(order=order, key="1", lines={line["Haircut"]: 1})
    assert petals() == (0, 92)
    refunds.refund(order=order, key="2", lines={line["Haircut"]: 1})
    assert petals() == (0, 12)
    refunds.refund(order=order, key="3", lines={line["Shampoo"]: 1})
    assert petals() == (0, 0)


def test_an_amount_takes_its_part(order, line, petals):
    refunds.refund(order=order, key="1", amounts={line["Haircut"]: D("22.50")})
    assert petals() == (0, 132)


def test_what_was_refunded_and_then_cancelled_is_taken_once(order, line, petals, cancel, sweep):
    refunds.refund(order=order, key="1", lines={line["Haircut"]: 1})
    cancel(order.lines.get(title="Haircut"))
    assert petals() == (0, 12)
    refunds.give_all_back(order=order, key="2", kind="refund")
    assert petals() == (0, 0)
    cancel(order)
    sweep()
    assert petals() == (0, 0)


def test_an_order_that_was_refunded_before_it_brought_points(place, member, per_euro, shampoo, time, petals):
    order = place((shampoo, 4))
    line = order.lines.get().pk
    refunds.refund(order=order, key="1", lines={line: 1})
    refunds.refund(order=order, key="2", amounts={line: D("12.50")})
    orders.review_order(order=order)
    assert petals() == (0, 25)
    orders.review_order(order=order)
    refunds.give_all_back(order=order, key="3", kind="refund")
    orders.review_order(order=order)
    assert petals() == (0, 0)


def test_orders_awarded_in_bulk_know_what_was_refunded(place, programme, member, per_euro, shampoo, time, petals):
    order = place((shampoo, 4))
    line = order.lines.get().pk
    refunds.refund(order=order, key="1", lines={line: 1})
    refunds.refund(order=order, key="2", amounts={line: D("12.50")})
    orders.award_orders(programme=programme, orders=[order])
    assert petals() == (0, 25)


def test_a_programme_that_blocks_refuses_before_anything_is_written(order, line, later, member, programme, petals):
    services.save_programme(programme=programme, clawback_policy="block")
    later(days=14)
    books.spend(account=member.account, units=100, key="spent")
    done = refunds.preview(order=order, lines={line["Haircut"]: 2})
    assert (done.blocked, done.taken[0].points, done.taken[0].missing) == (True, 160, 88)
    with pytest.raises(RefundRefused) as error:
        refunds.refund(order=order, key="1", lines={line["Haircut"]: 2})
    assert error.value.field == "force"
    assert not order.loyalty_refunds.exists()
    assert petals() == (72, 0)
    refunds.refund(order=order, key="1", lines={line["Haircut"]: 2}, force=True)
    member.account.refresh_from_db()
    assert (petals(), member.account.debt) == ((0, 0), 88)


def test_a_programme_that_blocks_lets_pass_what_can_be_taken(order, line, later, member, programme, petals):
    services.save_programme(programme=programme, clawback_policy="block")
    later(days=14)
    books.spend(account=member.account, units=100, key="spent")
    refunds.refund(order=order, key="1", lines={line["Shampoo"]: 1})
    assert petals() == (60, 0)


def test_a_status_cannot_be_blocked(order, later, member, programme, cancel):
    services.save_programme(programme=programme, clawback_policy="block")
    later(days=14)
    books.spend(account=member.account, units=100, key="spent")
    cancel(order)
    member.account.refresh_from_db()
    assert member.account.debt == 100


def test_points_forgiven_are_told(order, line, later, member, programme):
    services.save_programme(programme=programme, clawback_policy="write_off")
    later(days=14)
    books.spend(account=member.account, units=100, key="spent")
    done = refunds.preview(order=order, lines={line["Haircut"]: 2})
    assert (done.blocked, done.taken[0].missing) == (False, 88)


def test_the_history_says_what_was_refunded(order, line, member):
    refunds.refund(order=order, key="1", lines={line["Shampoo"]: 1})
    assert selectors.history(member).object_list[0].sentences == ["Refunded: Shampoo"]
    refunds.give_all_back(order=order, key="2", kind="refund")
    assert selectors.history(member).object_list[0].sentences == ["Refunded"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(["Haircut", "Shampoo"]), st.integers(1, 4000)), max_size=6))
def test_more_refunded_never_leaves_more_points(place, member, own, per_euro, haircut, shampoo, time, petals, steps):
    before = petals()[1]
    order = place((haircut, 2), (shampoo, 1))
    orders.review_order(order=order)
    line = {row.title: row.pk for row in order.lines.all()}
    last = petals()[1]
    assert last == before + 172
    for number, (title, cents) in enumerate(steps):
        try:
            refunds.refund(order=order, key=f"{order.pk}:{number}", amounts={line[title]: D(cents) / 100})
        except RefundRefused:
            continue
        assert before <= petals()[1] <= last
        last = petals()[1]
    refunds.give_all_back(order=order, key=f"{order.pk}:rest", kind="refund")
    assert petals()[1] == before
