"""The worst case: what the owner allows, and what discounts, points, tier and boosters may come to together."""

from datetime import timedelta
from decimal import Decimal

import pytest

from oscar_loyalty import clock
from oscar_loyalty.earning import drafts, margin, rules
from oscar_loyalty.earning.limits import save_limits
from oscar_loyalty.loading import get_model


@pytest.fixture
def change(programme):
    """A change that is not published: ``change("amount", {"points": 2})``."""

    def change(kind, spec, target="everything", target_object=None):
        Item = get_model("loyalty_earning", "DraftItem")
        field = {Item._meta.get_field("rule").related_model.TARGET_FIELDS.get(target): target_object}
        fields = field if target_object is not None else {}
        return Item(kind=kind, spec=rules.clean_spec(kind, spec), target=target, **fields)

    return change


@pytest.fixture
def limit(programme):
    return save_limits(programme=programme, margin_limit=10)


@pytest.fixture
def gold(programme):
    tier = programme.tiers.order_by("-rank").first()
    tier.multiplier, tier.discount = Decimal("1.5"), Decimal(5)
    tier.save()
    return tier


def test_without_a_limit_nothing_is_reckoned(programme, change):
    assert margin.worst(programme, [change("amount", {"points": 50})]) is None


@pytest.mark.parametrize(("day", "percent"), [("0001-01-01", 6), ("9999-12-31", 3)])
def test_a_booster_of_a_day_at_the_end_of_the_calendar(programme, limit, per_euro, day, percent):
    rules.publish_rule(programme=programme, kind="booster", spec={"times": 3})
    save_limits(programme=programme, margin_limit=10, stacking="multiply")
    version = rules.publish_rule(programme=programme, kind="booster", spec={"times": 2})
    # As one could be published before the days that are believed were bounded.
    version.rule.versions.update(spec={**version.spec, "when": {"since": day}})
    assert margin.worst(programme).percent == percent


def test_points_tier_and_discount_add_up(programme, limit, gold, change):
    # 100 petals are worth €1: 2 per euro, times 1.5, on the 95 % that Gold pays, beside the 5 % that Gold does not.
    case = margin.worst(programme, [change("amount", {"points": 2})])
    assert case.percent == Decimal("7.9") and case.tier == gold and not case.is_too_much
    said = " ".join(case.sentences).replace("\xa0", " ")
    assert "At worst: an order of €100, on Monday, 03/02/2026 1 p.m., for Gold" in said
    assert "Standing discount of 5%: €5" in said
    assert "Together 285 petals, worth €2.85" in said and "That is €7.85 of €100: 7.9% of the price" in said


@pytest.mark.parametrize(("stacking", "percent"), [("multiply", "12.0"), ("add", "8.0"), ("best", "6.0")])
def test_boosters_count_as_they_stack(programme, per_euro, change, stacking, percent):
    save_limits(programme=programme, margin_limit=5, stacking=stacking)
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 2, "per": "1"}, rule=per_euro.rule)
    rules.publish_rule(programme=programme, kind="booster", spec={"times": 2})
    case = margin.worst(programme, [change("booster", {"times": 3})])
    assert case.percent == Decimal(percent) and case.is_too_much


def test_boosters_that_never_meet_do_not_add_up(programme, limit, per_euro, change, haircut):
    rules.publish_rule(programme=programme, kind="booster", spec={"times": 4, "when": {"weekdays": [0]}})
    tuesday = change("booster", {"times": 3, "when": {"weekdays": [1]}})
    assert margin.worst(programme, [tuesday]).percent == 3
    monday = change("booster", {"times": 3, "when": {"weekdays": [0], "from": "09:00"}})
    assert margin.worst(programme, [monday]).percent == 12
    Category = get_model("catalogue", "Category")
    one, other = Category.add_root(name="Hair"), Category.add_root(name="Nails")
    rules.publish_rule(programme=programme, kind="booster", spec={"times": 9}, target="category", target_object=one)
    apart = change("booster", {"times": 3, "when": {"weekdays": [1]}}, "category", other)
    assert margin.worst(programme, [apart]).percent == 3
    # Something is in both.
    for category in (one, other):
        get_model("catalogue", "ProductCategory").objects.create(product=haircut, category=category)
    assert margin.worst(programme, [apart]).percent == 27


def test_a_product_costs_what_its_points_are_worth(programme, limit, own, change):
    case = margin.worst(programme, [change("booster", {"times": 10})])
    # 10 × 80 petals are €8 of the haircut's €45.
    assert case.percent == Decimal("17.8") and case.title == "Haircut" and case.price == 45


def test_what_is_for_an_order_is_set_against_the_least_it_costs(programme, limit, change):
    case = margin.worst(programme, [change("order", {"points": 400, "threshold": "20"})])
    assert case.percent == 20 and case.price == 20


def test_a_cap_does_not_hide_what_a_small_purchase_brings(programme, limit, change):
    assert margin.worst(programme, [change("amount", {"points": 20, "caps": {"order": 5}})]).percent == 20


def test_what_begins_later_counts_too(programme, limit, change, per_euro):
    draft = drafts.start(programme=programme, name="Later")
    drafts.put(draft=draft, kind="booster", spec={"times": 5})
    drafts.publish(draft=draft, at=clock.now() + timedelta(days=30))
    assert margin.worst(programme, [change("booster", {"times": 4})]).percent == 20
    assert margin.worst(programme).percent == 5


def test_a_change_takes_the_place_of_what_it_changes(programme, limit, per_euro):
    draft = drafts.start(programme=programme, name="More")
    drafts.put(draft=draft, rule=per_euro.rule, spec={"points": 3, "per": "1"})
    assert margin.worst(programme, draft.items.all()).percent == 3


def test_by_how_much_points_multiply(programme, per_euro, gold, change):
    rules.publish_rule(programme=programme, kind="booster", spec={"times": 10})
    assert margin.most_times(programme, [change("booster", {"times": 8})]) == 120
    assert margin.most_times(programme, [change("booster", {"times": 8, "when": {"tiers": ["nobody"]}})]) == 1


def test_many_rules_cost_no_more_queries(programme, limit, change, django_assert_max_num_queries):
    from oscar.test.factories import create_product

    for number in range(20):
        product = create_product(title=f"Product {number}", price=Decimal(10 + number))
        rules.set_product_points(product=product, points=number)
    with django_assert_max_num_queries(10):
        assert margin.worst(programme, [change("booster", {"times": 2})]).percent == Decimal("1.4")
