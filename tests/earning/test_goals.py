"""Stamp cards, challenges, surprises and thresholds: what counts, what is given, and what is taken back."""

from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oscar_loyalty import times
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import bookings, cards, gifts, goal_selectors, goals, prizes, stamps
from oscar_loyalty.earning.exceptions import MembershipRests, WrongGoal
from oscar_loyalty.earning.goals import Step
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as ladder
from oscar_loyalty.members import services as members
from oscar_loyalty.members import tiers

pytestmark = pytest.mark.django_db


@pytest.fixture
def goal(programme, haircut):
    """Make a goal: the tenth haircut is 500 petals, unless told otherwise."""

    def goal(**fields):
        fields = {
            "programme": programme,
            "kind": "stamps",
            "name": "Ten haircuts",
            "steps": [Step(10, points=500)],
            "counts": "pieces",
            "target": "product",
            "target_object": haircut,
            "key": f"test:{get_model('loyalty_earning', 'Goal').objects.count()}",
            **fields,
        }
        if fields["target"] == "everything":
            fields["target_object"] = None
        return goals.create_goal(**fields)

    return goal


@pytest.fixture
def buy(place, sweep, django_capture_on_commit_callbacks):
    """Buy and let everything follow: ``buy((haircut, 3))``."""
    numbers = iter(range(100, 999))

    def buy(*lines, **fields):
        with django_capture_on_commit_callbacks(execute=True):
            order = place(*lines, number=str(next(numbers)), **fields)
        sweep()
        return order

    return buy


def counts(goal):
    """The member's cards: ``[(count, state), …]``."""
    rows = get_model("loyalty_earning", "GoalCard").objects.filter(goal=goal).order_by("round")
    return [(card.count, card.state) for card in rows]


def given(goal=None):
    rows = get_model("loyalty_earning", "GoalPrize").objects.filter(state="given")
    return rows.filter(card__goal=goal).count() if goal else rows.count()


def test_a_card_of_ten_and_an_order_of_twenty_three(goal, buy, haircut, shampoo, member, petals, sweep):
    card = goal()
    buy((haircut, 23), (shampoo, 4))
    assert counts(card) == [(10, "full"), (10, "full"), (3, "open")]
    assert given(card) == 2
    assert petals() == (1000, 0)
    sweep()
    assert petals() == (1000, 0)


def test_pieces_that_go_back_take_their_prize_along(goal, buy, haircut, shampoo, member, petals, cancel, sweep):
    card = goal(steps=[Step(2, points=20), Step(4, points=100)])
    buy((haircut, 3), (shampoo, 1))
    second = buy((haircut, 2))
    assert counts(card) == [(4, "full"), (1, "open")]
    assert petals() == (120, 0)
    cancel(second)
    sweep()
    assert counts(card) == [(3, "open")]
    assert petals() == (20, 0)
    buy((haircut, 1))
    assert counts(card) == [(4, "full")]
    assert petals() == (120, 0)
    assert get_model("loyalty_earning", "GoalPrize").objects.get(step__after=4).tries == 2


def test_a_refund_of_some_pieces_takes_these(goal, buy, haircut, member, sweep):
    from oscar_loyalty.payments import refunds

    card = goal(steps=[Step(5, points=100)])
    order = buy((haircut, 6))
    assert counts(card) == [(5, "full"), (1, "open")]
    line = order.lines.get()
    refunds.refund(order=order, key="1", lines={line.pk: 1})
    sweep()
    assert counts(card) == [(5, "full")]
    refunds.refund(order=order, key="2", lines={line.pk: 2})
    sweep()
    assert counts(card) == [(3, "open")]
    assert given() == 0


def test_the_first_card_begins_with_stamps(goal, buy, haircut, member):
    card = goal(steps=[Step(3, points=100)], head_start=1)
    buy((haircut, 3))
    assert counts(card) == [(3, "full"), (1, "open")]
    other = goal(steps=[Step(3, points=100)], head_start=1, head_start_each=True)
    buy((haircut, 3))
    assert counts(other) == [(3, "full"), (2, "open")]


def test_once_is_once_but_what_was_over_steps_in(goal, buy, haircut, member, cancel, sweep, later):
    card = goal(steps=[Step(2, points=100)], repeats=False)
    first = buy((haircut, 1))
    later(days=1)
    buy((haircut, 3))
    assert counts(card) == [(2, "full")]
    cancel(first)
    sweep()
    assert counts(card) == [(2, "full")]
    assert given(card) == 1


def test_visits_count_once_they_are_attended(goal, haircut, member, sweep, time):
    card = goal(counts="visits", target="everything", steps=[Step(2, points=100)])
    for name in ("a", "b"):
        bookings.made(reference=name, service=haircut, starts_at=None, member=member, price=D(45), currency="EUR")
    sweep()
    assert counts(card) == []
    bookings.attended(reference="a")
    bookings.attended(reference="b")
    sweep()
    assert counts(card) == [(2, "full")]
    bookings.corrected(reference="b", state="missed")
    sweep()
    assert counts(card) == [(1, "open")]
    assert given() == 0
    bookings.corrected(reference="b", state="attended")
    sweep()
    assert counts(card) == [(2, "full")]
    assert given() == 1


def test_a_challenge_has_an_end(goal, buy, haircut, member, time, later, sweep):
    end = time.at + timedelta(days=30)
    challenge = goal(kind="challenge", counts="orders", target="everything", steps=[Step(3, points=100)], until=end)
    buy((haircut, 1))
    buy((haircut, 1))
    later(days=31)
    sweep()
    assert counts(challenge) == [(2, "expired")]
    buy((haircut, 1))
    assert counts(challenge) == [(2, "expired")]
    assert given() == 0


@pytest.mark.parametrize("reader", [None, "Asia/Tokyo", "America/New_York"])
def test_the_last_day_of_a_challenge_is_the_shops(reader, goal, member, programme):
    challenge = goal(
        kind="challenge", counts="orders", target="everything", steps=[Step(3, points=100)],
        until=times.end_of(date(2026, 5, 31)),
    )  # fmt: skip
    with timezone.override(reader):
        assert "Until May 31, 2026" in goal_selectors.sentences(challenge, programme)


def test_days_since_the_first_begin_a_new_card(goal, buy, haircut, member, later):
    card = goal(steps=[Step(3, points=100)], days=10)
    buy((haircut, 2))
    later(days=11)
    buy((haircut, 1))
    assert counts(card) == [(2, "expired"), (1, "open")]


def test_days_since_the_first_end_with_the_day_that_was_told(goal, buy, haircut, member, later):
    card = goal(steps=[Step(3, points=100)], days=10)
    buy((haircut, 2))
    assert times.last_day(card.cards.get().ends_at) == date(2026, 3, 12)
    later(days=10, hours=10)
    buy((haircut, 1))
    assert counts(card) == [(3, "full")]


def test_thresholds_crossed_at_once_give_each_its_own(goal, buy, haircut, member, per_euro, petals, cancel, sweep):
    steps = [Step(100, points=5), Step(200, points=10), Step(1000, points=50)]
    threshold = goal(kind="threshold", counts="points", target="everything", steps=steps)
    order = buy((haircut, 5))
    assert counts(threshold) == [(225, "open")]
    # What a goal gave counts for none.
    assert petals() == (15, 225)
    cancel(order)
    sweep()
    assert petals() == (0, 0)
    assert given() == 0


def test_money_counts_in_the_smallest_coin(goal, buy, shampoo, member):
    spent = goal(kind="challenge", counts="money", target="everything", steps=[Step(2500, points=10)])
    buy((shampoo, 1))
    assert counts(spent) == [(1250, "open")]
    buy((shampoo, 1))
    assert counts(spent) == [(2500, "full")]


def test_small_orders_and_low_tiers_do_not_count(goal, buy, haircut, shampoo, member, programme):
    from oscar_loyalty.members import selectors

    top = selectors.tiers(programme).last()
    large = goal(counts="orders", target="everything", minimum=D(40), steps=[Step(2, points=10)])
    noble = goal(counts="orders", target="everything", tier=top, steps=[Step(2, points=10)])
    buy((shampoo, 1))
    buy((haircut, 1))
    assert counts(large) == [(1, "open")]
    assert counts(noble) == []


def test_a_card_that_was_begun_keeps_its_terms(goal, buy, haircut, member, time, later):
    card = goal(steps=[Step(4, points=100)])
    buy((haircut, 2))
    later(hours=1)
    new = goals.change_goal(
        goal=card, key="new", kind="stamps", name="Five", steps=[Step(5, points=100)], target="product",
        target_object=haircut,
    )  # fmt: skip
    later(hours=1)
    buy((haircut, 4))
    assert counts(card) == [(4, "full")]
    assert counts(new) == [(2, "open")]
    with pytest.raises(WrongGoal, match="ended"):
        goals.change_goal(goal=card, key="again", kind="stamps", name="Six", steps=[Step(6, points=100)])


def test_an_ended_card_can_still_be_filled_but_none_begins(goal, buy, haircut, member, later):
    card = goal(steps=[Step(2, points=100)])
    buy((haircut, 1))
    later(hours=1)
    goals.end_goal(goal=card)
    later(hours=1)
    buy((haircut, 5))
    assert counts(card) == [(2, "full")]


def test_what_was_before_counts_where_the_owner_says_so(goal, buy, haircut, member, time, sweep, later):
    buy((haircut, 4))
    later(days=1)
    assert counts(goal()) == []
    past = goal(since=time.at - timedelta(days=2), steps=[Step(3, points=100)])
    sweep()
    assert counts(past) == [(3, "full"), (1, "open")]
    assert stamps.backfill(goal=past) == 2
    assert counts(past) == [(3, "full"), (1, "open")]


def test_what_was_before_is_counted_once_however_long_it_takes(
    goal, buy, haircut, member, programme, django_user_model, time, sweep, later, monkeypatch
):
    """Each slice takes three minutes, and every minute's sweep comes by; a worker dies, and the next goes on."""
    buy((haircut, 4))
    for number in range(3):
        user = django_user_model.objects.create_user(f"other{number}", f"other{number}@example.com")
        members.join(programme=programme, user=user)
        buy((haircut, 1), by=user)
    later(days=1)
    done, stamp = [], stamps.stamp

    def slow_stamp(*, members, **named):
        done.extend(members)
        if len(done) == 3:
            raise RuntimeError("the plug was pulled")
        time.advance(minutes=3)
        due.sweep()
        return stamp(members=members, **named)

    monkeypatch.setattr(stamps, "SLICE", 1)
    past = goal(since=time.at - timedelta(days=2))
    monkeypatch.setattr(stamps, "stamp", slow_stamp)
    sweep()
    time.advance(minutes=2)
    sweep()
    people = list(get_model("loyalty_members", "Member").objects.order_by("pk").values_list("pk", flat=True))
    assert done == [*people[:3], *people[2:]]
    assert sorted(counts(past)) == [(1, "open")] * 3 + [(4, "open")]


def test_a_stamp_by_hand_is_given_once(goal, member, sweep):
    card = goal(steps=[Step(2, points=100)])
    first = goals.add_stamp(member=member, goal=card, reason="Machine was down", key="k")
    assert goals.add_stamp(member=member, goal=card, reason="Machine was down", key="k") == first
    assert counts(card) == [(1, "open")]
    goals.add_stamp(member=member, goal=card, reason="And another", key="l")
    assert given() == 1
    with pytest.raises(WrongGoal):
        goals.add_stamp(member=member, goal=card, reason="Too many", key="m", quantity=1000)
    members.set_status(member=member, status="frozen")
    with pytest.raises(MembershipRests):
        goals.add_stamp(member=member, goal=card, reason="On hold", key="n")


def test_who_is_on_hold_is_owed_the_prize(goal, haircut, member, sweep, time, petals):
    card = goal(counts="visits", target="everything", steps=[Step(1, points=100)])
    bookings.made(reference="a", service=haircut, starts_at=None, member=member, price=D(45), currency="EUR")
    members.set_status(member=member, status="frozen")
    bookings.attended(reference="a")
    sweep()
    assert counts(card) == [(1, "full")]
    assert given() == 0
    members.set_status(member=member, status="active")
    sweep()
    assert given() == 1


def test_a_reward_is_left_to_its_room_and_taken_back_by_the_same_name(goal, buy, haircut, member, cancel, monkeypatch):
    with pytest.raises(WrongGoal, match="no such reward"):
        goal(steps=[Step(2, reward=7)])
    monkeypatch.setattr(prizes, "_shelves", [lambda programme: {7: "A free coffee"}])
    goal(steps=[Step(2, reward=7)])
    order = buy((haircut, 2))
    Due = get_model("loyalty_due", "Due")
    row = Due.objects.get(kind="rewards.give")
    assert (row.payload["member"], row.payload["reward"], row.payload["why"]) == (member.pk, 7, "stamps")
    cancel(order)
    from oscar_loyalty.due import services as due

    due.sweep()
    assert Due.objects.get(kind="rewards.take").payload["reference"] == row.payload["reference"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"steps": []}, "steps"),
        ({"steps": [Step(2)]}, "steps"),
        ({"steps": [Step(2, points=1), Step(2, points=2)]}, "steps"),
        ({"steps": [Step(2, points=1)], "head_start": 2}, "steps"),
        ({"counts": "points"}, "target"),
        ({"target_object": None}, "target"),
        ({"days": 0}, "days"),
        ({"minimum": D(-1)}, "minimum"),
        ({"kind": "lottery"}, "kind"),
    ],
)
def test_what_makes_no_sense_is_refused(goal, fields, field):
    with pytest.raises(WrongGoal) as error:
        goal(**fields)
    assert error.value.field == field


def test_gifts_of_the_shop_count_as_points_but_not_as_orders(goal, member, sweep):
    points = goal(kind="threshold", counts="points", target="everything", steps=[Step(50, points=5)])
    orders = goal(counts="orders", target="everything")
    gifts.give_points(member=member, points=60, reference="test:1", why="review")
    sweep()
    assert counts(points) == [(50, "full"), (10, "open")]
    assert counts(orders) == []


def test_categories_and_types_and_ranges(goal, buy, haircut, shampoo, member):
    from oscar.test.factories import CategoryFactory, RangeFactory

    hair = CategoryFactory(name="Hair")
    haircut.categories.add(hair)
    chosen = RangeFactory(name="Chosen")
    chosen.add_product(haircut)
    made = [
        goal(target="category", target_object=hair),
        goal(target="class", target_object=haircut.product_class),
        goal(target="range", target_object=chosen),
    ]
    buy((haircut, 2), (shampoo, 1))
    assert [counts(each) for each in made] == [[(2, "open")]] * 3


def test_the_queries_do_not_grow_with_the_past(goal, buy, haircut, member, programme):
    goal()
    follow = [buy((haircut, 1)) for _each in range(2)]
    Award = get_model("loyalty_earning", "Award")

    def queries(order):
        pk = Award.objects.get(reference=f"order:{order.pk}").pk
        with CaptureQueriesContext(connection) as found:
            stamps.stamp(goals=stamps.goals_for(programme), awards=[pk], members=[member.pk])
        return len(found)

    few = queries(follow[-1])
    many = [buy((haircut, 1)) for _each in range(6)]
    assert queries(many[-1]) <= few


@pytest.fixture
def hair(haircut):
    """A category with the haircut in it."""
    category = get_model("catalogue", "Category").add_root(name="Hair", slug="hair")
    get_model("catalogue", "ProductCategory").objects.create(product=haircut, category=category)
    return category


@pytest.mark.parametrize("counting", ["pieces", "orders"])
@pytest.mark.parametrize("gone", ["deleted", "elsewhere"])
def test_what_is_stamped_stays_so_whatever_becomes_of_the_catalogue(
    goal, buy, haircut, shampoo, hair, petals, sweep, counting, gone
):
    from oscar_loyalty.payments import refunds

    size = 2 if counting == "pieces" else 1
    card = goal(target="category", target_object=hair, counts=counting, steps=[Step(size, points=500)], repeats=False)
    order = buy((haircut, 2), (shampoo, 1))
    assert counts(card) == [(size, "full")]
    lines = {line.title: line.pk for line in order.lines.all()}
    if gone == "deleted":
        haircut.delete()
    else:
        haircut.categories.clear()
    order = type(order).objects.get(pk=order.pk)
    refunds.refund(order=order, key="1", lines={lines["Shampoo"]: 1})
    sweep()
    assert (counts(card), petals()[0]) == ([(size, "full")], 500)
    # What goes back goes all the same.
    refunds.refund(order=order, key="2", lines={lines["Haircut"]: 2})
    sweep()
    assert (given(card), petals()[0]) == (0, 0)


@pytest.mark.parametrize("moved", ["before the refund", "after the refund"])
@pytest.mark.parametrize("told", [True, False])
def test_a_stamp_stands_by_what_it_was_for(goal, buy, haircut, shampoo, hair, petals, sweep, moved, told):
    """What else was in the order neither keeps it nor brings it back."""
    from oscar_loyalty.payments import refunds

    card = goal(target="category", target_object=hair, counts="orders", steps=[Step(1, points=500)], repeats=False)
    order = buy((haircut, 1), (shampoo, 2))
    assert (counts(card), petals()[0]) == ([(1, "full")], 500)
    line = {line.title: line.pk for line in order.lines.all()}
    if not told:
        # It was stamped before that was kept.
        get_model("loyalty_earning", "Stamp").objects.update(about=[])
    if moved == "before the refund":
        haircut.categories.clear()
    refunds.refund(order=order, key="1", lines={line["Haircut"]: 1})
    sweep()
    kept = not told and moved == "before the refund"
    assert (given(card), petals()[0]) == ((1, 500) if kept else (0, 0))
    haircut.categories.clear()
    refunds.refund(order=order, key="2", lines={line["Shampoo"]: 1})
    sweep()
    assert (given(card), petals()[0]) == ((1, 500) if kept else (0, 0))
    refunds.refund(order=order, key="3", lines={line["Shampoo"]: 1})
    sweep()
    assert (given(card), petals()[0]) == (0, 0)


def test_what_comes_into_the_goal_later_keeps_no_stamp(goal, buy, haircut, shampoo, hair, petals, sweep):
    from oscar_loyalty.payments import refunds

    card = goal(target="category", target_object=hair, counts="orders", steps=[Step(1, points=500)], repeats=False)
    order = buy((haircut, 1), (shampoo, 1))
    shampoo.categories.add(hair)
    refunds.refund(order=order, key="1", lines={order.lines.get(title="Haircut").pk: 1})
    sweep()
    assert (given(card), petals()[0]) == (0, 0)


def test_what_has_left_the_catalogue_fills_no_new_card(goal, buy, haircut, hair, member, time):
    first = goal(target="category", target_object=hair)
    buy((haircut, 2))
    haircut.categories.clear()
    second = goal(target="category", target_object=hair, since=time.at - timedelta(days=1))
    for each in (first, second):
        stamps.backfill(goal=each)
    assert (counts(first), counts(second)) == ([(2, "open")], [])


def test_who_has_done_what_is_done_once_is_not_offered_its_next_form(goal, buy, haircut, member, later, time):
    terms = {"steps": [Step(2, points=10)], "repeats": False, "kind": "challenge"}
    first = goal(**terms)
    buy((haircut, 2))
    later(hours=1)
    same = {"name": "Again", "target": "product", "target_object": haircut, **terms}
    second = goals.change_goal(goal=first, key="second", **same)
    third = goals.change_goal(goal=second, key="third", **same)
    later(hours=1)
    buy((haircut, 3))
    views, past = goal_selectors.cards_of(member, past=5)
    assert (views, [view.goal for view in past]) == ([], [first])
    # Again and again, it is open to everybody once more.
    fourth = goals.change_goal(goal=third, key="fourth", **{**same, "repeats": True})
    assert [view.goal for view in goal_selectors.cards_of(member)[0]] == [fourth]


def test_who_has_not_done_it_is_offered_its_next_form(goal, buy, haircut, member, later):
    terms = {"steps": [Step(2, points=10)], "repeats": False, "kind": "challenge"}
    first = goal(**terms, days=1)
    buy((haircut, 1))
    later(days=3)
    second = goals.change_goal(goal=first, key="second", name="Again", target="product", target_object=haircut, **terms)
    assert [view.goal for view in goal_selectors.cards_of(member)[0]] == [second]


def test_a_tier_is_needed_by_goals_in_force_alone(programme, goal, time):
    silver = ladder.tiers(programme).get(code="silver")
    ended = goal(tier=silver)
    past = goal(tier=silver, until=time() + timedelta(days=1))
    assert tiers.uses_of(silver) == ["goals"]
    goals.end_goal(goal=ended)
    assert tiers.uses_of(silver) == ["goals"]
    time.at += timedelta(days=1)
    assert tiers.uses_of(silver) == []
    tiers.remove(tier=silver)
    # What is over goes on saying for whom it was.
    for row in (ended, past):
        row = get_model("loyalty_earning", "Goal").objects.get(pk=row.pk)
        assert f"From tier {silver.name} on" in goal_selectors.sentences(row, programme)


def test_a_sweep_asks_no_more_for_many_cards_that_end_soon(programme, goal, time):
    ends = goal(counts="visits", target="everything", until=time() + timedelta(days=5))
    asked, told = [], []
    for number in (3, 30, 0):
        for each in range(number):
            who = members.join(programme=programme, email=f"{number}-{each}@example.com")
            goals.add_stamp(member=who, goal=ends, reason="x", key=f"{number}-{each}")
        with CaptureQueriesContext(connection) as queries:
            cards.look_after()
        asked.append(len(queries))
        told.append(get_model("loyalty_due", "Due").objects.filter(kind=cards.REMINDER).count())
    assert told == [3, 33, 33]
    assert asked[0] == asked[1] == asked[2] <= 4


def test_a_reminder_is_known_by_its_card_and_end(programme, goal, member, time):
    ends = goal(counts="visits", target="everything", until=time() + timedelta(days=5))
    goals.add_stamp(member=member, goal=ends, reason="x", key="1")
    cards.look_after()
    card = get_model("loyalty_earning", "GoalCard").objects.get()
    row = get_model("loyalty_due", "Due").objects.get(kind=cards.REMINDER)
    assert (row.key, row.payload) == (f"{card.pk}:{ends.until.isoformat()}", {"card": card.pk})


def test_reminders_are_left_a_slice_at_a_time(programme, goal, time, monkeypatch):
    monkeypatch.setattr(cards, "REMINDERS", 2)
    ends = goal(counts="visits", target="everything", until=time() + timedelta(days=5))
    for each in range(5):
        who = members.join(programme=programme, email=f"{each}@example.com")
        goals.add_stamp(member=who, goal=ends, reason="x", key=str(each))
    assert [cards.look_after() for _sweep in range(4)] == [2, 2, 1, 0]
