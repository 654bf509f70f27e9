"""What members are told of their cards."""

from datetime import timedelta

import pytest
from django.core import mail

from oscar_loyalty.due import services as due
from oscar_loyalty.earning import goals
from oscar_loyalty.earning.goals import Step

pytestmark = pytest.mark.django_db


def test_a_gift_on_the_way_a_full_card_and_a_surprise(programme, member, time):
    common = {"programme": programme, "counts": "visits"}
    card = goals.create_goal(
        kind="stamps", name="Coffee", steps=[Step(1, points=5), Step(2, points=50)], key="a", **common
    )
    hidden = goals.create_goal(kind="surprise", name="Thanks", steps=[Step(1, points=7)], key="b", **common)
    goals.add_stamp(member=member, goal=card, reason="x", key="1")
    goals.add_stamp(member=member, goal=card, reason="x", key="2")
    goals.add_stamp(member=member, goal=hidden, reason="x", key="3")
    due.sweep()
    due.sweep()
    texts = " ".join(each.subject + each.body for each in mail.outbox).replace("\xa0", " ")
    assert "1 visit on “Coffee”, and a gift on the way: 5 petals" in texts
    assert "“Coffee” is complete, and this is yours: 50 petals" in texts
    assert "A surprise for you: 7 petals" in texts


def test_a_challenge_that_ends_soon_is_told_once(programme, member, time):
    challenge = goals.create_goal(
        programme=programme, kind="challenge", name="March", steps=[Step(3, points=5)], key="a", counts="visits",
        until=time.at + timedelta(days=10),
    )  # fmt: skip
    goals.add_stamp(member=member, goal=challenge, reason="x", key="1")
    due.sweep()
    mail.outbox.clear()
    time.at += timedelta(days=5)
    for _again in range(3):
        due.sweep()
    (told,) = mail.outbox
    assert "2 visits to go: March" in told.subject.replace("\xa0", " ")
    assert "ends on March 12, 2026" in told.body
