"""What runs now, as customers are told."""

from datetime import UTC, datetime

import pytest
from django.template import Context, Template
from django.utils import timezone
from django.utils.translation import override

from oscar_loyalty.account import selectors as account
from oscar_loyalty.earning import rules, selectors
from oscar_loyalty.earning.announcing import boosters_now
from oscar_loyalty.earning.conditions import When
from oscar_loyalty.privileges import access
from tests.earning.test_boosters import at


@pytest.mark.parametrize(
    ("when", "moment", "ends"),
    [
        ({"from": "09:00", "until": "15:00"}, "2026-11-23T10:00", "2026-11-23T15:00"),
        ({"from": "22:00", "until": "02:00"}, "2026-11-23T23:00", "2026-11-24T02:00"),
        ({"from": "22:00", "until": "02:00"}, "2026-11-24T01:00", "2026-11-24T02:00"),
        ({"weekdays": [0, 1]}, "2026-11-23T10:00", "2026-11-25T00:00"),
        ({"to": "2026-12-24"}, "2026-11-23T10:00", "2026-12-25T00:00"),
        ({"weekdays": [0]}, "2026-11-24T10:00", None),
        ({"tiers": ["gold"]}, "2026-11-24T10:00", None),
        ({"since": "2026-11-01"}, "2026-11-24T10:00", None),
    ],
)
def test_when_a_slot_ends(when, moment, ends):
    assert When.of(when).ends_at(at(moment)) == (at(ends) if ends else None)


@pytest.fixture
def boost(programme):
    def boost(spec, **fields):
        return rules.publish_rule(programme=programme, kind="booster", spec=spec, **fields)

    return boost


def shown(rf, user, **context):
    request = rf.get("/")
    request.user = user
    tag = "{% load loyalty_boosters %}{% loyalty_boosters product %}"
    html = Template(tag).render(Context({"request": request, **context}))
    return " ".join(html.replace("\xa0", " ").split())


def test_what_runs_is_told_with_its_end(member, user, rf, time, boost, haircut, shampoo, client):
    time.at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    boost({"times": 2, "when": {"from": "09:00", "until": "15:00"}}, name="Happy hours")
    boost({"plus": 50}, name="Hair", target="product", target_object=haircut)
    boost({"times": 3, "when": {"tiers": ["nobody"]}}, name="Not for you")
    text = shown(rf, user, product=shampoo)
    assert "<strong>Double petals</strong> Happy hours until 3 p.m." in text
    assert "Hair" not in text and "Not for you" not in text
    assert "50 petals more" in shown(rf, user, product=haircut)
    with override("fr"):
        assert "jusqu’à 15:00" in shown(rf, user, product=shampoo)
    time.at = datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert shown(rf, user, product=shampoo) == ""


@pytest.mark.parametrize("reader", [None, "Asia/Tokyo", "America/New_York"])
def test_the_last_day_is_the_shops(reader, member, user, rf, time, boost, shampoo):
    time.at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    boost({"times": 2, "when": {"to": "2026-12-24"}}, name="Advent")
    with timezone.override(reader):
        assert "Advent until Dec. 24, 2026" in shown(rf, user, product=shampoo)


def test_how_to_earn_says_boosters_in_words(programme, boost):
    boost({"times": 2, "when": {"weekdays": [0]}}, name="Mondays")
    boost({"plus": 5})
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": 1, "when": {"first": True}})
    ways = account.ways(programme, access.Viewer())
    said = [(way.title, way.sentence.replace("\xa0", " ")) for way in ways.general]
    assert said == [
        ("Mondays", "Double petals on Mondays"),
        ("More petals", "5 petals more, once for each purchase"),
        ("Everything in the shop", "1 petal per €1 on the first purchase"),
    ]
    assert not ways.none and not ways.products.object_list


def test_announcing_costs_a_bounded_number_of_queries(member, user, rf, boost, haircut, django_assert_max_num_queries):
    for number in range(8):
        boost({"plus": number + 1, "when": {"first": True, "segments": ["dormant"]}})
    request = rf.get("/")
    request.user = user
    with django_assert_max_num_queries(14):
        boosters_now(request, product=haircut)


@pytest.mark.parametrize(
    ("when", "moment", "begins"),
    [
        ({}, "2026-11-23T10:00", "2026-11-23T10:00"),
        ({"from": "09:00", "until": "15:00"}, "2026-11-23T16:00", "2026-11-24T09:00"),
        ({"weekdays": [0], "from": "09:00"}, "2026-11-24T10:00", "2026-11-30T09:00"),
        ({"since": "2026-12-24"}, "2026-11-24T10:00", None),
        ({"to": "2026-11-01"}, "2026-11-24T10:00", None),
    ],
)
def test_when_a_slot_begins(when, moment, begins):
    assert When.of(when or {"first": True}).begins_at(at(moment), days=7) == (at(begins) if begins else None)


def test_what_comes_is_told_as_far_ahead_as_the_owner_wishes(member, user, rf, time, boost, haircut):
    # A Saturday; Monday's hours are announced two days before, not three.
    boost({"times": 2, "announce": 2, "when": {"weekdays": [0], "from": "09:00", "until": "12:00"}})
    boost({"times": 3, "when": {"weekdays": [0]}}, name="Quiet")
    boost({"plus": 50, "announce": 30, "when": {"since": "2026-12-24", "tiers": ["nobody"]}})
    boost({"plus": 40, "announce": 30}, happened_at=datetime(2026, 12, 1, 8, tzinfo=UTC), name="December")
    time.at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert "Monday" not in shown(rf, user, product=haircut)
    time.at = datetime(2026, 11, 28, 9, tzinfo=UTC)
    text = shown(rf, user, product=haircut)
    assert "From Monday, 9 a.m.: double petals" in text and "Quiet" not in text
    assert "From Tuesday, 9 a.m.: 40 petals more" in text
    with override("fr"):
        assert "09:00" in shown(rf, user, product=haircut)
    # While it runs, it is not announced; then the next one is far away.
    time.at = datetime(2026, 11, 30, 10, tzinfo=UTC)
    assert "From Monday" not in shown(rf, user, product=haircut)


def test_what_comes_brings_nothing_before(member, user, rf, time, boost, per_euro, haircut):
    boost({"times": 2, "announce": 30}, happened_at=datetime(2026, 12, 1, tzinfo=UTC))
    time.at = datetime(2026, 11, 28, 9, tzinfo=UTC)
    request = rf.get("/")
    request.user = user
    assert selectors.preview_product(haircut, request).points == 45
