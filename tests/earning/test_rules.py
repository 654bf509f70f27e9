from decimal import Decimal as D

import pytest
from django.utils.translation import override
from oscar.test.factories import create_product

from oscar_loyalty.earning import facts, rules, selectors
from oscar_loyalty.earning.engine import evaluate
from oscar_loyalty.earning.exceptions import WrongRule
from oscar_loyalty.fields import localized
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services


def test_the_same_points_publish_no_new_version(programme, haircut, later):
    first = rules.set_product_points(product=haircut, points=80, actor=Ref.of("user", 7))
    assert (first.number, first.published_by) == (1, "7")
    assert rules.set_product_points(product=haircut, points=D("80.0")) == first
    later(days=1)
    second = rules.set_product_points(product=haircut, points=90)
    first.refresh_from_db()
    assert (second.number, first.valid_to) == (2, second.valid_from)
    assert selectors.own_points(haircut) == 90
    assert rules.set_product_points(product=haircut, points=None) is None
    assert rules.set_product_points(product=haircut, points=None) is None
    assert selectors.own_points(haircut) is None
    again = rules.set_product_points(product=haircut, points=0)
    assert (again.number, again.rule == second.rule, selectors.own_points(haircut)) == (1, False, 0)


@pytest.mark.parametrize("points", [-1, "1.5", "NaN", "Infinity", "1e309", "x", 10**9])
def test_points_are_whole_and_not_below_zero(points, programme, haircut):
    with pytest.raises(WrongRule):
        rules.set_product_points(product=haircut, points=points)
    assert not get_model("loyalty_earning", "Rule").objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "amount", "spec": {"points": 1, "per": 0}},
        {"kind": "amount", "spec": {}},
        {"kind": "love", "spec": {"points": 1}},
        {"kind": "unit", "spec": {"points": 1}, "target": "category"},
        {"kind": "unit", "spec": {"points": 1}, "target": "moon"},
    ],
)
def test_rules_that_make_no_sense_are_refused(wrong, programme):
    with pytest.raises(WrongRule):
        rules.publish_rule(programme=programme, **wrong)


def test_a_rule_is_published_changed_and_ended(programme, later):
    name = localized(en="Every euro", fr="Chaque euro")
    first = rules.publish_rule(programme=programme, kind="amount", spec={"points": 1}, name=name)
    later(days=1)
    second = rules.publish_rule(programme=programme, kind="amount", spec={"points": "2.50"}, rule=first.rule)
    assert second.spec == {"points": "2.5", "per": "1"}
    (rule,) = selectors.rules_of(programme)
    assert (rule.current, str(rule)) == (second, "Every euro")
    with override("fr"):
        assert str(rule) == "Chaque euro"
    later(days=1)
    rules.end_rule(rule=rule, actor=Ref.of("user", 3))
    rules.end_rule(rule=rule)
    assert selectors.rules_of(programme) == []
    (rule,) = selectors.rules_of(programme, ended=True)
    assert rule.ended_by == "3"
    with pytest.raises(WrongRule):
        rules.publish_rule(programme=programme, kind="amount", spec={"points": 3}, rule=rule)


def line_of(product, programme, time):
    book = facts.RuleBook(programme, since=time.at)
    line = facts.describe([product], book)[product.pk]
    return line, book.at(time.at, [line])


def points_of(product, programme, time):
    line, found = line_of(product, programme, time)
    purchase = facts.product_purchase(product, line, None, programme)
    return evaluate(facts.policy_of(programme), found, purchase).points


@pytest.fixture
def shelf(db, haircut):
    """Hair > Cuts, with the haircut in Cuts."""
    Category = get_model("catalogue", "Category")
    hair = Category.add_root(name="Hair")
    cuts = hair.add_child(name="Cuts")
    haircut.categories.add(cuts)
    return hair, cuts


def test_each_target_is_found_in_the_shop(programme, haircut, shampoo, shelf, time):
    hair, cuts = shelf
    span = get_model("offer", "Range").objects.create(name="Spring")
    span.add_product(haircut)
    expected = 0
    for target, target_object in [
        ("class", haircut.product_class),
        ("category", hair),
        ("category", cuts),
        ("range", span),
        ("product", haircut),
    ]:
        expected += 10
        rules.publish_rule(
            programme=programme, kind="unit", spec={"points": expected}, target=target, target_object=target_object
        )
        assert points_of(haircut, programme, time) == expected
        assert points_of(shampoo, programme, time) == 0


def test_variants_have_their_parents_points_or_their_own(programme, shelf, time):
    parent = create_product(title="Cut", product_class="Service", structure="parent")
    parent.categories.add(shelf[1])
    short, long = (create_product(title=title, parent=parent, product_class="Service") for title in ("Short", "Long"))
    rules.publish_rule(programme=programme, kind="unit", spec={"points": 5}, target="category", target_object=shelf[0])
    assert points_of(long, programme, time) == 5
    rules.set_product_points(product=parent, points=50)
    rules.set_product_points(product=short, points=30)
    assert (points_of(short, programme, time), points_of(long, programme, time)) == (30, 50)
    assert points_of(parent, programme, time) == 50


def test_a_deleted_target_does_not_make_a_rule_for_everything(programme, haircut, shampoo, time):
    rules.set_product_points(product=haircut, points=80)
    haircut.delete()
    assert points_of(shampoo, programme, time) == 0


def test_facts_cost_the_same_for_many_products(programme, shelf, time, django_assert_num_queries):
    rules.publish_rule(programme=programme, kind="unit", spec={"points": 5}, target="category", target_object=shelf[0])
    for number in range(20):
        create_product(title=f"Cut {number}", product_class="Service").categories.add(shelf[1])
    products = get_model("catalogue", "Product").objects.select_related(*facts.PRODUCT_RELATED)
    book = facts.RuleBook(programme, since=time.at)
    with django_assert_num_queries(3):
        assert len(facts.describe(products, book)) == 21


def test_what_is_awarded_survives_the_end_of_a_rule(order, own, petals, cancel):
    rules.end_rule(rule=own.rule)
    cancel(order.lines.get(title="Haircut"))
    assert petals() == (0, 12)


def test_rules_belong_to_their_programme(programme, haircut):
    rules.set_product_points(product=haircut, points=80)
    from django.contrib.sites.models import Site

    other = services.create_programme(site=Site.objects.create(domain="b.example", name="b"), name="B")
    assert selectors.own_points(haircut, other) is None
    rules.set_product_points(product=haircut, points=5, programme=other)
    assert (selectors.own_points(haircut, other), selectors.own_points(haircut, programme)) == (5, 80)
