"""Programmes to start from, and how far one is."""

from datetime import time as clock_time
from decimal import Decimal

import pytest

from oscar_loyalty.earning import beginning, drafts, presets
from oscar_loyalty.loading import get_model


def test_a_part_back_follows_the_rate(programme):
    programme.redemption_points, programme.redemption_amount = 50, Decimal(2)
    assert presets.points_for(programme, 1) == Decimal("0.25")
    assert presets.points_for(programme, "0.1") == Decimal("0.025")


@pytest.mark.parametrize(
    ("code", "numbers", "said"),
    [
        ("supermarket", {"percent": Decimal(2)}, ["2 petals per €1"]),
        ("salon", {"visit": 50, "percent": Decimal(1)}, ["50 petals for each visit", "1 petal per €1, orders only"]),
        ("salon", {"visit": 50, "percent": None}, ["50 petals for each visit"]),
        (
            "happy_hours",
            {"times": Decimal(2), "weekday": "1", "begins": clock_time(9), "ends": clock_time(12)},
            ["Double petals on Tuesdays from 9 a.m. to noon"],
        ),
    ],
)
def test_says_what_it_makes_and_makes_it_once(programme, code, numbers, said):
    preset = presets.get(code)
    assert [" ".join(one.split()) for one in presets.says(preset, programme, numbers)] == said
    made = [presets.begin(preset=preset, programme=programme, numbers=numbers, key="once") for _click in range(2)]
    assert made[0] == made[1] and made[0].items.count() == len(said)
    drafts.publish(draft=made[0])


def test_chosen_products_each_once(programme, haircut, shampoo):
    numbers = {"product": haircut, "points": 80, "product_2": haircut, "points_2": 90}
    numbers |= {"product_3": shampoo, "points_3": 5}
    draft = presets.begin(preset=presets.get("products"), programme=programme, numbers=numbers, key="p")
    assert {(item.product, item.spec["points"]) for item in draft.items.all()} == {(haircut, "90"), (shampoo, "5")}


def test_a_coffee_card_gives_the_price_in_points(programme, haircut):
    goal = presets.get("coffee").goal(programme, {"product": haircut, "size": 10})
    assert goal["points"] == 4500 and goal["product"] == haircut.pk and "10" in str(goal["name"])


def test_another_app_adds_its_own(programme, monkeypatch):
    monkeypatch.setattr(presets, "_presets", dict(presets._presets))
    presets.register(presets.Preset("mine", "Mine", "For me.", changes=lambda programme, numbers: []))
    assert presets.presets()[-1].code == "mine"


def test_the_steps_tick_themselves_off(programme, member, place, haircut, sweep, django_assert_num_queries):
    assert beginning.beginning_of(None).next == 1
    assert beginning.beginning_of(programme).next == 2
    numbers = {"percent": Decimal(1)}
    draft = presets.begin(preset=presets.get("supermarket"), programme=programme, numbers=numbers, key="x")
    now = beginning.beginning_of(programme)
    assert (now.next, now.draft, now.done) == (3, draft, 2)
    drafts.publish(draft=draft)
    assert beginning.beginning_of(programme).next == 4
    place((haircut, 1), number="1")
    sweep()
    with django_assert_num_queries(2):
        assert beginning.beginning_of(programme).is_over
    assert get_model("loyalty_earning", "Award").objects.get().points == 45
