"""What a member has in the programme on one page: as many queries for ten movements as for thousands, and not many."""

import re
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from oscar_loyalty import clock
from oscar_loyalty.earning import adjustments, goals
from oscar_loyalty.earning.goals import Step
from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, households
from oscar_loyalty.members import services as members
from oscar_loyalty.rewards import services as rewards
from tests.earning.tier_help import ladder, spend

#: Within a test's own transaction the tags would make savepoints, which the page of a shop does not have.
pytestmark = pytest.mark.django_db(transaction=True)

#: With the session, Oscar's menus and the basket of every page.
MOST = 25
KEYS = count()


@pytest.fixture
def rich(time, programme, member, django_user_model):
    """A member who has of everything something."""
    ladder(programme, silver=200, gold=900)
    spend(member, 250)
    steps = [Step(5, points=50, name="a cookie"), Step(10, points=500)]
    for number in range(2):
        goal = goals.create_goal(
            programme=programme, kind="stamps", name=f"Card {number}", steps=steps, key=f"{number}", counts="visits"
        )
        goals.add_stamp(member=member, goal=goal, reason="At the desk", key=f"k{number}", quantity=3)
    reward = get_model("loyalty_rewards", "Reward")
    five = {"programme": programme, "kind": "amount", "points": 50, "value": 5, "limit": 3}
    for number in range(3):
        made = rewards.save_reward(reward=reward(**five, name=f"Reward {number}"))
    referrals.save_scheme(programme=programme, is_active=True, referrer_points=200, friend_points=100)
    giving.save_policy(programme=programme, is_active=True, per_day=None, per_month=None, households=True)
    books.earn(account=member.account, units=5000, key="rich", kind="adjust", usable_from=clock.now())
    rewards.claim(reward=made, member=member, key="claim")
    for number in range(3):
        user = django_user_model.objects.create_user(
            f"o{number}", f"o{number}@example.com", first_name=f"Other{number}"
        )
        other = members.join(programme=programme, user=user)
        books.earn(account=other.account, units=500, key=f"o{number}", kind="adjust", usable_from=clock.now())
        giving.give(source=other, to=member.email, units=50, key=f"g{number}")
    households.invite(member=other, to=member.email, key="home")
    boss = django_user_model.objects.create_superuser("boss", "boss@example.com", "x")
    adjustments.request_adjustment(
        programme=programme, members=[member], units=7, reason="For you", key="adjusted", user=boss
    )
    return member


def movements(member, number):
    """So many purchases, every second of which is taken back."""
    for one in range(number):
        entry = books.earn(account=member.account, units=10, key=f"m{next(KEYS)}", usable_from=clock.now())
        award = spend(member, 10, told=False, entry=entry)
        award.lines.create(title="Haircut", points=10, share=10, happened_at=award.happened_at)
        if one % 2:
            books.reverse(entry=entry, key=f"back:{award.pk}")


def queries_of(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        response = client.get(address)
    assert response.status_code == 200
    return [re.sub(r"\b[0-9a-f]{32}\b|\d+", "", query["sql"]) for query in queries], response.content.decode()


@pytest.mark.parametrize("page", ["account", "dashboard"])
def test_a_members_page_costs_few_queries_and_no_more_with_a_long_history(page, client, rich, django_user_model):
    viewer = rich.user
    address = reverse("loyalty-account:overview")
    if page == "dashboard":
        viewer = django_user_model.objects.get(username="boss")
        address = reverse("loyalty-dashboard:loyalty-member", args=[rich.pk])
    client.force_login(viewer)
    movements(rich, 20)
    few, text = queries_of(client, address)
    for said in ("Silver", "Card 0", "Reward 2", "Other2", "Invite") if page == "account" else ("Silver", "For you"):
        assert said in text, said
    movements(rich, 60)
    many, _text = queries_of(client, address)
    assert len(many) == len(few), sorted(set(many) ^ set(few))
    assert len(many) <= MOST, "\n".join(sorted(sql[:400] for sql in many))
