"""The member's page of stamp cards: every state, and the same queries however many cards there were."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oscar_loyalty.earning import goals
from oscar_loyalty.earning.goals import Step
from oscar_loyalty.members import services as members

pytestmark = pytest.mark.django_db


@pytest.fixture
def card(programme):
    steps = [Step(5, points=50, name="a cookie"), Step(10, points=500)]
    return goals.create_goal(
        programme=programme, kind="stamps", name="Coffee", steps=steps, key="coffee", counts="visits", head_start=2
    )


@pytest.fixture
def stamp(member, card):
    def stamp(number, key="k"):
        return goals.add_stamp(member=member, goal=card, reason="At the desk", key=key, quantity=number)

    return stamp


def test_nothing_to_fill(page, member):
    assert "There is no card to fill" in page("cards/")
    assert "My stamp cards" not in page()


def test_strangers_are_invited(page, programme):
    assert "Join Pétales" in page("cards/")


def test_a_card_says_how_far_it_is_and_why(page, member, card, stamp):
    assert "2 of 10 visits, 8 to go" in page("cards/")
    stamp(5)
    text = page("cards/")
    assert "7 of 10 visits, 3 to go" in text
    assert "At 5 visits: a cookie" in text
    assert "For it you get: 500 petals" in text
    assert "from us: At the desk" in text
    assert "7 of 10 visits, 3 to go" in page()


def test_a_full_card_is_kept_and_the_next_is_empty(page, member, card, stamp):
    stamp(8)
    text = page("cards/")
    assert "0 of 10 visits, 10 to go" in text
    assert "10 visits: complete" in text


def test_a_surprise_is_hidden_until_it_is_given(page, member, programme):
    surprise = goals.create_goal(
        programme=programme, kind="surprise", name="Our thanks", steps=[Step(2, points=9)], key="s", counts="visits",
        repeats=False,
    )  # fmt: skip
    goals.add_stamp(member=member, goal=surprise, reason="x", key="1")
    assert "Our thanks" not in page("cards/")
    goals.add_stamp(member=member, goal=surprise, reason="x", key="2")
    assert "Our thanks" in page("cards/")


def test_a_membership_on_hold_keeps_its_card_in_sight(page, member, card, stamp):
    stamp(1)
    members.set_status(member=member, status="frozen")
    text = page("cards/")
    assert "on hold" in text
    assert "3 of 10" in text


def test_the_queries_do_not_grow(page, member, card, stamp, programme):
    def queries():
        with CaptureQueriesContext(connection) as found:
            page("cards/")
        return len(found)

    stamp(9)
    few = queries()
    for number in range(8):
        stamp(7, key=str(number))
        goals.create_goal(
            programme=programme, kind="challenge", name=f"C{number}", steps=[Step(3, points=5)], key=f"c{number}",
            counts="orders",
        )  # fmt: skip
    assert queries() <= few + 1
