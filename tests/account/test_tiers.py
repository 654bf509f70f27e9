"""What members see of their tier: how far the next one is, what each brings, and what is at risk."""

import re
from datetime import UTC, datetime

import pytest
from django.template import engines
from django.urls import reverse

from oscar_loyalty.fields import localized
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services
from oscar_loyalty.members import tiers as moving
from tests.earning.tier_help import ladder, spend

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at(time):
    """The clock stands before anything is made."""


@pytest.fixture
def page(client, user):
    """Text of a page as the member sees it: ``page("overview")``."""
    client.force_login(user)

    def page(name="overview", **headers):
        response = client.get(reverse(f"loyalty-account:{name}"), headers=headers or None)
        assert response.status_code == 200
        return re.sub(r"\s+", " ", response.content.decode()).replace("\xa0", " ")

    return page


def test_the_bar_says_how_far_it_is(page, programme, member, django_assert_max_num_queries):
    ladder(programme, silver=200, gold=500)
    spend(member, 150)
    text = page()
    assert 'value="75"' in text and 'aria-valuetext="€50.00 more for Silver"' in text
    assert "<strong>€50.00</strong> more, and you are Silver." in text
    assert "So far: €150.00 in the last 12 months." in text
    assert 'href="/accounts/loyalty/tier/"' in text
    with django_assert_max_num_queries(40):
        page()


def test_other_things_that_count(page, programme, member):
    ladder(programme, metric="visits", silver=3, gold=8, window="year")
    assert "<strong>3 visits</strong> more" in page() and "0 visits in this calendar year" in page()
    ladder(programme, metric="points", silver=100, gold=500, window="lifetime")
    assert "<strong>100 petals</strong> more" in page() and "0 petals since you joined" in page()


def test_there_is_no_bar_where_tiers_are_by_hand_or_nobody_asks(page, client, programme, member):
    assert "loyalty-tierbar" not in page()
    ladder(programme)
    services.set_status(member=member, status="frozen")
    assert "loyalty-tierbar" not in page()
    client.logout()
    assert client.get(reverse("loyalty-account:tier")).status_code == 302


def test_at_the_top_there_is_nothing_above(page, programme, member):
    ladder(programme)
    spend(member, 900)
    text = page()
    assert "there is nothing above Gold" in text and "You are Gold until March 2, 2027." in text


def test_what_is_at_risk_is_said_with_what_is_missing(page, programme, member, time):
    ladder(programme, warning_days=30, grace_days=10)
    spend(member, 250)
    time.move_to(datetime(2027, 2, 20, 12, tzinfo=UTC))
    assert "To stay Silver, you need <strong>€200.00</strong> more until March 12, 2027." in page()
    spend(member, 220)
    text = page()
    assert "To stay Silver" not in text
    assert "You have done enough already to keep it after that." in text


def test_what_was_given_says_until_when(page, programme, member, time):
    tiers = ladder(programme)
    moving.give_by_hand(member=member, tier=tiers["silver"], key="k", until=datetime(2026, 8, 31, 22, tzinfo=UTC))
    assert "We have made you Silver, until Aug. 31, 2026 at least." in page()


def test_the_page_says_what_each_tier_brings_and_how_it_is_kept(page, programme, member):
    tiers = ladder(programme, silver=200, gold=500)
    gold = tiers["gold"]
    gold.discount, gold.free_shipping, gold.perks = 10, True, localized(en="Champagne", fr="Champagne")
    gold.multiplier, gold.support = "1.5", localized(en="Call Ada", fr="Appelez Ada")
    gold.save()
    text = page("tier")
    assert "From €500.00 in the last 12 months" in text and "Where everybody begins" in text
    assert "1.5 times the petals" in text and "10% off everything but gift cards" in text and "Free delivery" in text
    assert "Champagne" in text and "You keep it for 12 months" in text and "30 more days" in text
    # The contact is for those who have the tier.
    assert "Call Ada" not in text
    spend(member, 600)
    assert "Call Ada" in page("tier")


def test_the_page_without_tiers_rules_or_membership(page, programme, client, django_user_model):
    user = django_user_model.objects.create_user(username="new", email="new@example.com", password="x")
    client.force_login(user)
    assert client.get(reverse("loyalty-account:tier")).status_code == 200
    text = page("tier")
    assert "We give it ourselves" in text and "How to reach and keep" not in text
    get_model("loyalty_members", "Tier").objects.filter(programme=programme).update(removed_at=programme.started_at)
    assert "there are no tiers" in page("tier")
    assert not members.tiers(programme).exists()


def test_in_french(page, programme, member):
    ladder(programme)
    spend(member, 250)
    for name in ("overview", "tier"):
        page(name, **{"accept-language": "fr"})


def test_a_broken_bar_breaks_no_page(rf, user, programme, member, monkeypatch, caplog):
    from oscar_loyalty.earning.tiering import selectors

    def broken(*_arguments, **_more):
        raise RuntimeError("broken")

    monkeypatch.setattr(selectors, "standing", broken)
    request = rf.get("/")
    request.user = user

    template = engines["django"].from_string("{% load loyalty_tiers %}[{% loyalty_tier_progress %}]")
    assert template.render({}, request) == "[]"
    assert "loyalty_tier_progress failed" in caplog.text
