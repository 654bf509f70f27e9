"""Two stamp cards of one person become one: no stamp is lost, no gift is taken back, none is given twice."""

import pytest

from oscar_loyalty.earning import actions, goals, occasions
from oscar_loyalty.earning.goals import Step
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import merging, services


@pytest.fixture
def twin(programme, member, django_user_model):
    """The same person, who joined once more with another e-mail."""
    user = django_user_model.objects.create_user(username="twin", email="rose2@example.com", first_name="Rose")
    return services.join(programme=programme, user=user, source="test")


@pytest.fixture
def card(programme, haircut):
    def card(*steps, **terms):
        steps = [Step(after, points=points) for after, points in steps]
        fields = {"kind": "stamps", "counts": "pieces", "target": "product", "target_object": haircut, "key": "card"}
        return goals.create_goal(programme=programme, name="Card", steps=steps, **{**fields, **terms})

    return card


@pytest.fixture
def buy(place, haircut, sweep, later):
    def buy(who, number):
        later(hours=1)
        order = place((haircut, number), by=who.user)
        sweep()
        return order

    return buy


def merge(source, target, sweep):
    merging.merge(source=source, target=target, key="m")
    sweep()


def gifts_of(member):
    """What the cards have brought, as the ledger has it."""
    awards = get_model("loyalty_earning", "Award").objects.filter(member=member, source_type="stamps")
    return sum(award.points - award.clawed_back for award in awards)


def rounds(member):
    """The cards that a member sees: count and state."""
    rows = get_model("loyalty_earning", "GoalCard").objects.filter(member=member, count__gt=0).order_by("round")
    return list(rows.values_list("count", "state"))


def test_stamps_of_a_card_with_a_gift_on_the_way_are_not_lost(card, buy, member, twin, sweep):
    card((2, 50), (10, 500))
    buy(twin, 7)
    buy(member, 1)
    merge(twin, member, sweep)
    assert rounds(member) == [(8, "open")]
    assert gifts_of(member) == 50


def test_a_gift_on_the_way_that_both_had_stays_and_is_not_given_again(card, buy, member, twin, sweep):
    card((2, 50), (5, 500))
    buy(twin, 2)
    buy(member, 2)
    merge(twin, member, sweep)
    assert (rounds(member), gifts_of(member)) == ([(4, "open")], 100)
    buy(member, 3)
    # The first card is full; the gift on the way of the second was there already.
    assert (rounds(member), gifts_of(member)) == ([(5, "full"), (2, "open")], 600)
    buy(member, 3)
    assert (rounds(member), gifts_of(member)) == ([(5, "full"), (5, "full")], 1100)
    buy(member, 2)
    assert gifts_of(member) == 1150


@pytest.mark.parametrize("each", [False, True])
def test_both_began_with_stamps(card, buy, member, twin, sweep, each):
    card((3, 50), (5, 500), head_start=2, head_start_each=each)
    buy(twin, 4)
    buy(member, 3)
    before = gifts_of(twin) + gifts_of(member)
    merge(twin, member, sweep)
    assert gifts_of(member) >= before == 1100 + 50 * each
    # What each had begun is there: 1 of the twin's second card (and with stamps on every card, 3).
    assert rounds(member)[:2] == [(5, "full"), (5, "full")]
    assert sum(count for count, _state in rounds(member)) == 2 + 4 + 2 + 3 + 2 * each


def test_both_began_with_stamps_and_are_on_the_way(card, buy, member, twin, sweep):
    card((10, 500), head_start=2)
    buy(twin, 6)
    buy(member, 1)
    merge(twin, member, sweep)
    # 6 and 1, and what each was given at the start.
    assert rounds(member) == [(10, "full"), (1, "open")]
    assert gifts_of(member) == 500


def test_what_is_returned_afterwards_takes_its_gift_along(card, buy, member, twin, sweep, cancel):
    card((2, 50), (5, 500))
    order = buy(twin, 5)
    buy(member, 2)
    merge(twin, member, sweep)
    assert gifts_of(member) == 600
    cancel(order)
    sweep()
    assert (rounds(member), gifts_of(member)) == ([(2, "open")], 50)


def test_what_is_reached_once_was_reached_twice(card, buy, member, twin, sweep):
    card((3, 300), repeats=False)
    buy(twin, 3)
    buy(member, 4)
    merge(twin, member, sweep)
    assert (rounds(member), gifts_of(member)) == ([(3, "full")], 600)
    buy(member, 3)
    assert gifts_of(member) == 600


def test_a_review_of_before_the_merge_is_given_and_taken_back_once(programme, member, twin, haircut, sweep, later):
    actions.set_rule(programme=programme, action="review", points=20)
    Review = get_model("reviews", "ProductReview")
    review = Review.objects.create(product=haircut, user=twin.user, score=5, title="-", body="-", status=1)
    sweep()
    assert ledger.balance(twin.account).book == 20
    merge(twin, member, sweep)
    assert ledger.balance(member.account).book == 20
    # The same again, by whichever of both, is the same.
    for who in (twin, member):
        who.refresh_from_db()
        assert actions.perform(member=who, action="review", reference=f"review:{review.pk}").points == 20
    assert ledger.balance(member.account).book == 20
    Review.objects.filter(pk=review.pk).update(status=2)
    assert occasions.product_reviews() == 1
    assert ledger.balance(member.account).book == 0
    assert occasions.product_reviews() == 0


def test_a_birthday_comes_once_in_twelve_months_also_after_a_merge(programme, member, twin, time, later, sweep):
    from oscar_loyalty.earning import profiles

    actions.set_rule(programme=programme, action="birthday", points=100)
    profiles.set_birthday(member=twin, day=10, month=3, year=None)
    profiles.set_birthday(member=member, day=20, month=3, year=None)
    later(days=9)
    sweep()
    assert ledger.balance(twin.account).book == 100
    merge(twin, member, sweep)
    later(days=10)
    sweep()
    assert ledger.balance(member.account).book == 100
