"""Boosters and limits where the shop's own rows decide: orders, visits, gifts, and what is taken back."""

from datetime import UTC, datetime
from decimal import Decimal as D
from threading import Event

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oscar_loyalty.earning import allowance, bookings, followers, gifts, orders, rules, selectors
from oscar_loyalty.earning.limits import save_limits
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model
from tests.earning.test_races import at_once


@pytest.fixture
def limits(programme):
    """Set the programme's limits: ``limits(cap_day=50)``."""

    def limits(**fields):
        return save_limits(programme=programme, **fields)

    return limits


@pytest.fixture
def boost(programme):
    """Publish a booster: ``boost({"times": 2})``."""

    def boost(spec, **fields):
        return rules.publish_rule(programme=programme, kind="booster", spec=spec, **fields)

    return boost


@pytest.fixture
def buy(place, django_capture_on_commit_callbacks, shampoo):
    """Buy shampoos (12.50 each) and return the points of the award."""

    def buy(number=4, **fields):
        with django_capture_on_commit_callbacks(execute=True):
            order = place((shampoo, number), **fields)
        return selectors.award_of_order(order)

    return buy


def test_a_booster_holds_in_its_slot_on_the_shops_clock(member, per_euro, boost, buy, time):
    boost({"times": 2, "when": {"weekdays": [0], "from": "09:00", "until": "12:00"}}, name="Monday mornings")
    time.at = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)  # 9:30 in Paris
    with timezone.override("Asia/Tokyo"):
        award = buy(number=4)
    assert award.points == 100
    assert "Monday mornings: × 2, 50\xa0petals more" in selectors.preview_order(orders_of(award)).sentences
    time.at = datetime(2026, 11, 23, 11, 30, tzinfo=UTC)
    assert buy(number=4).points == 50


def orders_of(award):
    return get_model("order", "Order").objects.get(pk=award.source_id)


def test_only_the_first_order_is_the_first(member, per_euro, boost, buy, time, later):
    boost({"plus": 30, "when": {"first": True}})
    assert buy(number=4).points == 80
    later(days=1)
    assert buy(number=4).points == 50


def test_the_month_of_the_birthday(member, per_euro, boost, buy, time):
    boost({"times": 2, "when": {"birthday_month": True}})
    assert buy(number=4).points == 50
    member.birth_month = time.at.month
    member.save()
    assert buy(number=4).points == 100


def test_a_visit_is_in_the_slot_of_its_appointment(member, own, haircut, boost, time):
    boost({"times": 2, "when": {"weekdays": [0]}})
    monday = datetime(2026, 11, 30, 9, tzinfo=UTC)
    booking = bookings.made(reference="a", service=haircut, starts_at=monday, member=member)
    assert booking.award.points == 160


def test_only_the_first_visit_is_the_first(member, own, haircut, boost, time, later):
    boost({"plus": 30, "when": {"first": True, "channels": ["booking"]}})
    monday = datetime(2026, 11, 30, 9, tzinfo=UTC)
    first = bookings.made(reference="a", service=haircut, starts_at=monday, member=member)
    later(days=1)
    second = bookings.made(reference="b", service=haircut, starts_at=monday, member=member)
    assert (first.award.points, second.award.points) == (110, 80)
    bookings.cancelled(reference="a")
    bookings.cancelled(reference="b")
    third = bookings.made(reference="c", service=haircut, starts_at=monday, member=member)
    assert third.award.points == 110


def test_new_members_are_a_group(member, per_euro, boost, buy, later):
    boost({"plus": 5, "when": {"segments": ["new"]}})
    assert buy(number=4).points == 55
    later(days=31)
    assert buy(number=4).points == 50


def test_the_day_is_full(member, per_euro, limits, buy, later):
    limits(cap_day=70)
    first, second, third = buy(number=4), buy(number=4), buy(number=4)
    assert [award.points for award in (first, second, third)] == [50, 20, 0]
    assert second.explanation["capped"] == {"by": "day", "most": 20, "before": 50}
    later(days=1)
    assert buy(number=4).points == 50


def test_what_was_cancelled_makes_room_again(member, per_euro, limits, buy, cancel):
    limits(cap_member=50)
    award = buy(number=4)
    assert buy(number=4).points == 0
    cancel(orders_of(award))
    assert buy(number=4).points == 50


def test_a_rule_has_a_cap_of_its_own_for_each_member(member, programme, buy):
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": 1, "caps": {"member": 60}})
    assert [buy(number=4).points for _order in range(3)] == [50, 10, 0]


def test_a_preview_knows_the_limits(member, per_euro, limits, buy, basket_of, shampoo, rf, user):
    limits(cap_day=70)
    buy(number=4)
    request = rf.get("/")
    request.user = user
    basket = basket_of((shampoo, 4), owner=user)
    assert selectors.preview_basket(basket, request).points == 20


def test_gifts_come_from_the_budget_and_go_back_to_it(member, limits):
    row = limits(budget=100)
    first = gifts.give_points(member=member, points=80, reference="a", why="test")
    second = gifts.give_points(member=member, points=80, reference="b", why="test")
    assert (first.points, second.points) == (80, 20)
    assert gifts.give_points(member=member, points=80, reference="c", why="test").entry is None
    gifts.take_points(award=first)
    row.refresh_from_db()
    assert row.budget_used == allowance.used(row) == 20


def test_points_outside_of_its_dates_leave_the_budget_alone(member, per_euro, limits, buy, time):
    row = limits(budget=10, budget_since=time.at.date().replace(year=2040))
    assert buy(number=4).points == 50
    row.refresh_from_db()
    assert row.budget_used == 0


def test_an_order_without_limits_reads_no_earlier_award_and_no_budget(member, per_euro, limits, buy):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            buy(number=4)
        # PostgreSQL's SELECT … FOR UPDATE, which locks the row first, is no write.
        budget = [query for query in queries if query["sql"].startswith("UPDATE") and "budget_used" in query["sql"]]
        return len(queries), len(budget)

    # What is asked for once by each process is not counted.
    asked()
    plain, budgets = asked()
    assert budgets == 0
    limits(cap_day=1000, budget=1000)
    limited, budgets = asked()
    assert budgets == 1
    assert limited > plain


@pytest.mark.django_db(transaction=True)
def test_twenty_orders_at_once_cannot_overdraw_the_budget(member, per_euro, limits, place, shampoo, programme):
    row = limits(budget=333)
    placed = [place((shampoo, 4), number=str(9000 + number)) for number in range(20)]

    def review(index):
        orders.review_order(order=placed[index])

    at_once(review)
    given = [award.points for award in get_model("loyalty_earning", "Award").objects.all()]
    row.refresh_from_db()
    assert len(given) == 20
    assert sum(given) == row.budget_used == allowance.used(row) == 333
    assert D(sum(award.spent for award in get_model("loyalty_earning", "Award").objects.all())) == D(1000)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("written", [False, True], ids=["before it is written", "after it is written"])
def test_a_budget_that_is_set_while_an_order_is_awarded_counts_it(
    written, member, per_euro, limits, place, shampoo, programme, monkeypatch
):
    with transaction.atomic():
        order = place((shampoo, 4), number="1")
        connection.run_on_commit = []
    name, under_way, saved = "tell_given" if written else "earn_many", Event(), Event()
    where = followers if written else books
    function = getattr(where, name)

    def slow(*args, **named):
        under_way.set()
        # Who sets the budget has to wait for us where the award is written; on SQLite, always.
        saved.wait(2)
        return function(*args, **named)

    monkeypatch.setattr(where, name, slow)

    def work(index):
        if index == 0:
            orders.review_order(order=order)
        else:
            under_way.wait(20)
            save_limits(programme=get_model("loyalty_members", "Programme").objects.get(), budget=1000)
            saved.set()

    at_once(work, 2)
    row = get_model("loyalty_earning", "EarningPolicy").objects.get()
    assert row.budget_used == allowance.used(row) == 50
