"""What was refunded brings no points: in proportion, once, and as the owner's policy says."""

from decimal import Decimal as D

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oscar.test.factories import create_product

from oscar_loyalty.earning import orders, rules, selectors
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


def test_points_on_shipping_go_with_the_shipping(place, programme, member, per_euro, shampoo, time, petals):
    services.save_programme(programme=programme, earn_shipping=True)
    order = place((shampoo, 2))
    Order = type(order)
    Order.objects.filter(pk=order.pk).update(
        shipping_incl_tax=D(10), shipping_excl_tax=D(10), total_incl_tax=D(35), total_excl_tax=D(35)
    )
    order.refresh_from_db()
    orders.review_order(order=order)
    assert petals() == (0, 35)
    refunds.refund(order=order, key="1", shipping=D(4))
    assert petals() == (0, 31)
    refunds.give_all_back(order=order, key="2", kind="refund")
    assert petals() == (0, 0)


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


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
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


# What was for the whole order goes back with what counted


@pytest.fixture
def bonus(programme):
    """50 petals for each order."""
    return rules.publish_rule(programme=programme, kind="order", spec={"points": 50})


@pytest.fixture
def stands(member, petals):
    """What is left of an order's petals, and of what was spent on it."""

    def stands(order):
        award = selectors.award_of_order(order)
        assert award.points - award.clawed_back == sum(petals())
        return award.points - award.clawed_back, award.spent - award.spent_back

    return stands


def test_an_excluded_line_takes_nothing_of_the_order(place, programme, haircut, shampoo, bonus, stands):
    rules.publish_rule(programme=programme, kind="exclude", spec={}, target="product", target_object=haircut)
    order = place((haircut, 2), (shampoo, 1))
    orders.review_order(order=order)
    refunds.refund(order=order, key="1", lines={order.lines.get(title="Haircut").pk: 2})
    assert stands(order) == (50, D("12.50"))
    refunds.refund(order=order, key="2", lines={order.lines.get(title="Shampoo").pk: 1})
    assert stands(order) == (0, 0)


def test_a_gift_card_takes_nothing_of_the_order(place, shampoo, bonus, stands, cancel):
    card = create_product(title="Card", price=D(100), product_class="Loyalty gift card", num_in_stock=100)
    order = place((card, 1), (shampoo, 1))
    orders.review_order(order=order)
    cancel(order.lines.get(title="Card"))
    orders.review_order(order=order)
    assert stands(order) == (50, D("12.50"))


def test_what_was_free_weighs_nothing_beside_what_was_paid(place, haircut, shampoo, bonus, stands):
    order = place((haircut, 2), (shampoo, 1))
    order.lines.filter(title="Haircut").update(line_price_incl_tax=0, line_price_excl_tax=0)
    type(order).objects.filter(pk=order.pk).update(total_incl_tax=D("12.50"), total_excl_tax=D("12.50"))
    order = type(order).objects.get(pk=order.pk)
    orders.review_order(order=order)
    refunds.refund(order=order, key="1", lines={order.lines.get(title="Shampoo").pk: 1})
    assert stands(order) == (0, 0)


def test_an_order_that_cost_nothing_is_weighed_by_its_pieces(place, haircut, shampoo, bonus, stands):
    order = place((haircut, 3), (shampoo, 1))
    order.lines.update(line_price_incl_tax=0, line_price_excl_tax=0)
    order = type(order).objects.get(pk=order.pk)
    orders.review_order(order=order)
    refunds.refund(order=order, key="1", lines={order.lines.get(title="Haircut").pk: 2})
    assert stands(order) == (25, 0)


def test_an_award_that_does_not_tell_what_counted_is_weighed_by_the_prices(place, haircut, shampoo, bonus, stands):
    order = place((haircut, 2), (shampoo, 1))
    orders.review_order(order=order)
    award = selectors.award_of_order(order)
    del award.explanation["counted"]
    award.save(update_fields=["explanation"])
    refunds.refund(order=order, key="1", lines={order.lines.get(title="Shampoo").pk: 1})
    assert stands(order) == (44, D(90))


def test_shipping_was_for_what_is_excluded_too(place, programme, member, haircut, shampoo, per_euro, time, petals):
    services.save_programme(programme=programme, earn_shipping=True)
    rules.publish_rule(programme=programme, kind="exclude", spec={}, target="product", target_object=haircut)
    order = place((haircut, 1), (shampoo, 4))
    type(order).objects.filter(pk=order.pk).update(
        shipping_incl_tax=D(19), shipping_excl_tax=D(19), total_incl_tax=D(114), total_excl_tax=D(114)
    )
    order.refresh_from_db()
    orders.review_order(order=order)
    assert petals() == (0, 69)
    refunds.refund(order=order, key="1", lines={order.lines.get(title="Shampoo").pk: 4})
    assert petals() == (0, 9)


@pytest.fixture
def rebated(place):
    """An order of which less is to be paid than its lines cost: ``rebated("51.75", (haircut, 1), …)``."""

    def rebated(total, *lines, **fields):
        order = place(*lines)
        type(order).objects.filter(pk=order.pk).update(total_incl_tax=D(total), total_excl_tax=D(total), **fields)
        order.refresh_from_db()
        orders.review_order(order=order)
        return order

    return rebated


def test_a_rebate_lowers_what_was_spent_and_all_of_it_goes_back(
    rebated, member, own, per_euro, haircut, shampoo, petals
):
    """A tenth less: 80 for the haircut, and 11.25 were paid for the shampoo."""
    order = rebated("51.75", (haircut, 1), (shampoo, 1))
    award = selectors.award_of_order(order)
    assert (petals(), award.spent) == ((0, 91), D("51.75"))
    refunds.refund(order=order, key="1", lines={order.lines.get(title="Haircut").pk: 1})
    assert petals() == (0, 11)
    refunds.refund(order=order, key="2", amounts={order.lines.get(title="Shampoo").pk: D("11.25")})
    award.refresh_from_db()
    assert (petals(), award.void, award.spent_back) == ((0, 0), True, D("51.75"))


def test_with_a_rebate_the_last_piece_takes_the_rest(rebated, member, per_euro, shampoo, petals):
    order = rebated("100", (shampoo, 9))
    assert petals() == (0, 100)
    line = order.lines.get().pk
    refunds.refund(order=order, key="1", lines={line: 4})
    assert petals() == (0, 56)
    refunds.refund(order=order, key="2", lines={line: 5})
    assert petals() == (0, 0) and selectors.award_of_order(order).void


def test_a_rebate_may_be_of_the_shipping(rebated, programme, member, per_euro, shampoo, petals):
    services.save_programme(programme=programme, earn_shipping=True)
    order = rebated("27", (shampoo, 2), shipping_incl_tax=D(5), shipping_excl_tax=D(5))
    assert petals() == (0, 27)
    refunds.give_all_back(order=order, key="1", kind="refund")
    assert petals() == (0, 0)


def test_what_a_booster_brought_on_shipping_goes_with_the_shipping(
    rebated, programme, member, per_euro, haircut, shampoo, petals
):
    services.save_programme(programme=programme, earn_shipping=True)
    rules.publish_rule(programme=programme, kind="booster", spec={"times": 2})
    order = rebated("67.50", (haircut, 1), (shampoo, 1), shipping_incl_tax=D(10), shipping_excl_tax=D(10))
    assert petals() == (0, 135)
    refunds.refund(order=order, key="1", shipping=D(5))
    assert petals() == (0, 125)
    refunds.refund(order=order, key="2", shipping=D(5))
    assert petals() == (0, 115)
    refunds.give_all_back(order=order, key="3", kind="refund")
    assert petals() == (0, 0) and selectors.award_of_order(order).void


def test_of_an_order_that_went_back_wholly_nothing_stays(rebated, programme, member, per_euro, petals):
    """The cards bring nothing, their shipping does; an award from before that was told apart has it all in one."""
    services.save_programme(programme=programme, earn_shipping=True)
    rules.publish_rule(programme=programme, kind="booster", spec={"times": 2})
    cards = [
        create_product(title=str(of), price=D(of), product_class="Loyalty gift card", num_in_stock=9)
        for of in (100, 50)
    ]
    order = rebated("160", *((card, 1) for card in cards), shipping_incl_tax=D(10), shipping_excl_tax=D(10))
    assert petals() == (0, 20)
    for line in selectors.award_of_order(order).lines.filter(explanation__rule="booster"):
        del line.explanation["shipping"]
        line.save(update_fields=["explanation"])
    refunds.give_all_back(order=order, key="1", kind="refund")
    assert petals() == (0, 0) and selectors.award_of_order(order).void
