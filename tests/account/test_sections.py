"""The row above the member's pages: the few that matter, a menu for the rest, and nothing that is empty."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from oscar.test.factories import create_product

from oscar_loyalty.account import sections
from oscar_loyalty.earning import goals
from oscar_loyalty.earning.goals import Step
from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, leaving, statuses
from oscar_loyalty.members import selectors as members
from oscar_loyalty.privileges import services as privileges
from oscar_loyalty.rewards import services as rewards

pytestmark = pytest.mark.django_db
PLAIN = ["Overview", "Gift cards", "History", "My card"]
OTHERS = ["Tiers", "How to earn", "Messages", "About you", "Privacy"]


def row_of(text):
    """The titles in the row, and those in the menu."""
    nav = re.search(r'<nav class="loyalty-sections.*?</nav>', text, re.DOTALL)[0]
    row, menu = nav.split("<details", 1)
    named = re.compile(r"<a [^>]*>([^<]+)</a>")
    in_row = named.findall(row)
    return in_row, [title for title in named.findall(menu) if title not in in_row]


@pytest.fixture
def everything(programme, member, time):
    """A programme in which there is something behind each entry."""
    goals.create_goal(
        programme=programme, kind="stamps", name="Coffee", steps=[Step(5, points=50)], key="k", counts="visits"
    )
    referrals.save_scheme(programme=programme, is_active=True)
    giving.save_policy(programme=programme, is_active=True, households=True)
    soap = create_product(title="Soap", price=Decimal("20.00"), num_in_stock=5)
    gold = members.tiers(programme).get(code="gold")
    privileges.create(programme=programme, tier=gold, target=soap, ends_at=time() + timedelta(days=9), key="w")
    tea = get_model("loyalty_rewards", "Reward")(programme=programme, name="Tea", kind="experience", points=100)
    rewards.save_reward(reward=tea)


def test_what_has_nothing_to_show_is_not_there(page, member):
    assert row_of(page()) == (PLAIN, OTHERS)


def test_all_there_is_is_named_once(page, everything, settings):
    settings.OSCAR_ALLOW_ANON_CHECKOUT = True
    row, menu = row_of(page())
    assert row == ["Overview", "Rewards", "Gift cards", "History", "My card"]
    more = ["Stamp cards", "Tiers", "Early access", "How to earn", "Friends", "Give points", "Household"]
    assert menu == [*more, "Messages", "About you", "Privacy", "Guest orders"]


@pytest.mark.parametrize("name", ["cards/", "early/", "invite/", "household/", "give/"])
def test_the_page_that_is_shown_is_in_the_row(page, member, name):
    text = page(name)
    row, menu = row_of(text)
    nav = re.search(r'<nav class="loyalty-sections.*?</nav>', text, re.DOTALL)[0]
    current = re.search(r'aria-current="page">([^<]+)<', nav)[1]
    assert nav.count("aria-current") == 1
    assert current in row and current not in menu
    assert "loyalty-sections--aside" in nav


def test_a_stranger_sees_what_is_for_strangers(page, programme):
    assert row_of(page()) == (["Overview", "Gift cards"], ["Tiers", "How to earn"])


def test_whoever_has_left_sees_what_they_keep(page, member):
    leaving.leave(member=member, key="left")
    assert row_of(page()) == (["Overview", "Gift cards", "History"], ["Messages", "Privacy"])


def test_whoever_is_on_hold_finds_everything(page, member, everything):
    before = row_of(page())
    statuses.set_status(member=member, status="frozen", reason="?", key="hold")
    assert row_of(page()) == before


def test_a_shop_without_a_programme_has_no_menu(page, user):
    row, menu = row_of(page())
    assert row == ["Overview", "Gift cards"] and not menu


def test_a_household_can_be_left_after_the_owner_switched_them_off(page, member, programme, everything):
    from oscar_loyalty.members import services

    lea = services.join(programme=programme, email="lea@example.com", source="test")
    household = get_model("loyalty_members", "Household").objects.create(programme=programme, created_at=lea.joined_at)
    household.people.create(member=member, joined_at=lea.joined_at)
    giving.save_policy(programme=programme, is_active=False)
    _row, menu = row_of(page())
    assert "Household" in menu and "Give points" not in menu


def test_one_query_for_all_there_is(member, everything):
    with CaptureQueriesContext(connection) as queries:
        sections.facts(member.programme, member, guests=True)
    assert len(queries) == 1


def test_one_entry_alone_is_no_menu():
    found = sections.entries(frozenset({"rewards", "tiers"}))
    arranged = sections.arrange(found)
    assert not arranged.more and [entry.code for entry in arranged.row] == ["overview", "rewards", "giftcards", "tier"]
    assert not arranged.aside
