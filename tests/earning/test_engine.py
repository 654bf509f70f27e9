from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscar_loyalty.earning.engine import Line, Policy, Purchase, RuleFacts, evaluate
from oscar_loyalty.earning.rounding import round_points

EVERY_EURO = RuleFacts(version=1, kind="amount", points=D(1))
POLICY = Policy()


def line(key="a", amount="10", **fields):
    fields.setdefault("amount_excl", D(amount) / D("1.25"))
    return Line(key=key, amount_incl=D(amount), **fields)


def points(rules, *lines, policy=POLICY, **purchase):
    return evaluate(policy, rules, Purchase(lines=lines, **purchase)).points


def test_points_for_each_piece():
    rule = RuleFacts(version=1, kind="unit", target="product", target_id=7, points=D(80))
    assert points([rule], line(product=7, quantity=2)) == 160
    assert points([rule], line(product=8)) == 0


@pytest.mark.parametrize(
    ("targets", "winner"),
    [
        (["everything", "class"], "class"),
        (["class", "category"], "category"),
        (["category", "range"], "range"),
        (["range", "product"], "product"),
        (["product", "variant"], "variant"),
    ],
)
def test_the_rule_that_fits_most_closely_wins(targets, winner):
    ids = {"everything": None, "class": 1, "category": 2, "range": 3, "product": 4, "variant": 5}
    child = line(
        product=5, parent=4, product_class=1, categories=((2, 4),), ranges=frozenset([3]), quantity=1, amount="1"
    )
    rules = [
        RuleFacts(version=number, kind="unit", target=target, target_id=ids[target], points=D(100 * number))
        for number, target in enumerate(targets, start=1)
    ]
    assert points(rules, child) == 100 * (targets.index(winner) + 1)
    assert points(list(reversed(rules)), child) == 100 * (targets.index(winner) + 1)


def test_the_deepest_category_wins():
    rules = [
        RuleFacts(version=2, kind="unit", target="category", target_id=1, points=D(5)),
        RuleFacts(version=1, kind="unit", target="category", target_id=2, points=D(9)),
    ]
    assert points(rules, line(categories=((1, 4), (2, 8)))) == 9


def test_a_rule_whose_target_is_gone_fits_nothing():
    assert points([RuleFacts(version=1, kind="unit", target="product", points=D(5))], line()) == 0


def test_per_amount_counts_what_is_above_the_threshold_of_the_whole_order():
    rule = RuleFacts(version=1, kind="amount", points=D(2), per=D(1), threshold=D(5))
    assert points([rule], line("a", "3"), line("b", "4")) == 4
    assert points([rule], line("a", "5")) == 0
    assert points([replace(rule, per=D(10))], line("a", "23.90")) == 3


def test_a_line_with_points_of_its_own_is_left_out_of_the_amount():
    own = RuleFacts(version=2, kind="unit", target="product", target_id=7, points=D(80))
    assert points([EVERY_EURO, own], line("a", "45", product=7), line("b", "12.5")) == 92
    assert points([EVERY_EURO, replace(own, points=D(0))], line("a", "45", product=7), line("b", "12.5")) == 12


def test_tax_and_shipping_are_the_owners_choice():
    bought = line("a", "12.50")
    shipping = {"shipping_incl": D("5"), "shipping_excl": D("4")}
    assert points([EVERY_EURO], bought, **shipping) == 12
    assert points([EVERY_EURO], bought, policy=Policy(earn_tax="excl"), **shipping) == 10
    assert points([EVERY_EURO], bought, policy=Policy(earn_shipping=True), **shipping) == 17
    assert points([EVERY_EURO], bought, policy=Policy(earn_tax="excl", earn_shipping=True), **shipping) == 14


def test_rounding_happens_once():
    two = (line("a", "1.6"), line("b", "1.6"))
    assert [points([EVERY_EURO], *two, policy=Policy(rounding=mode)) for mode in ("down", "nearest", "up")] == [3, 3, 4]
    assert points([EVERY_EURO], line("a", "2.5"), policy=Policy(rounding="nearest")) == 3


def test_gift_cards_and_what_they_pay_bring_nothing():
    assert points([EVERY_EURO], line(is_giftcard=True)) == 0
    assert points([EVERY_EURO], line("a", "40", paid_otherwise=D(10))) == 30
    assert points([EVERY_EURO], line("a", "40", paid_otherwise=D(10)), policy=Policy(earn_tax="excl")) == 24
    own = RuleFacts(version=2, kind="unit", points=D(80))
    assert points([own], line("a", "40", paid_otherwise=D(10))) == 60
    assert points([own], line("a", "40", paid_otherwise=D(40))) == 0


def test_an_order_of_nothing_but_gift_cards_is_no_order():
    rule = RuleFacts(version=1, kind="order", points=D(50))
    assert points([rule], line(is_giftcard=True)) == 0
    assert points([rule], line()) == 50
    assert points([replace(rule, threshold=D(20))], line("a", "19.99")) == 0
    assert points([replace(rule, threshold=D(20))], line("a", "10"), line("b", "10")) == 50


def test_excluded_things_bring_nothing_unless_something_closer_says_so():
    no = RuleFacts(version=2, kind="exclude", target="category", target_id=2)
    own = RuleFacts(version=3, kind="unit", target="product", target_id=7, points=D(80))
    bought = line(product=7, categories=((2, 4),))
    assert points([EVERY_EURO, no], bought) == 0
    assert points([EVERY_EURO, no, own], bought) == 80
    assert points([replace(own, target="category", target_id=2), no], bought) == 0


def test_a_visit_brings_points_of_its_own_in_a_booking_only():
    rule = RuleFacts(version=1, kind="visit", points=D(10))
    assert points([rule], line()) == 0
    assert points([rule], line(), channel="booking") == 10
    assert points([EVERY_EURO, replace(rule, version=2)], line("a", "45"), channel="booking") == 55


def test_the_tier_multiplies():
    outcome = evaluate(POLICY, [EVERY_EURO], Purchase(lines=(line("a", "23.90"),), multiplier=D("1.5"), tier="gold"))
    assert outcome.points == 35
    assert outcome.explanation == {
        "base": "23.9",
        "multiplier": "1.5",
        "tier": "gold",
        "exact": "35.85",
        "rounding": "down",
        "rounded": True,
        "points": 35,
    }


amounts = st.decimals(min_value=0, max_value=5000, places=2)
lines = st.lists(
    st.builds(
        lambda number, amount, part, **fields: Line(
            key=str(number),
            amount_incl=amount,
            amount_excl=(amount * D("0.8")).quantize(D("0.01")),
            paid_otherwise=(amount * part).quantize(D("0.01")),
            **fields,
        ),
        number=st.integers(0, 10**6),
        amount=amounts,
        part=st.sampled_from([D(0), D(0), D("0.3"), D(1)]),
        product=st.integers(1, 4),
        product_class=st.integers(1, 2),
        categories=st.sampled_from([(), ((1, 4),), ((1, 4), (2, 8))]),
        ranges=st.sampled_from([frozenset(), frozenset([1])]),
        quantity=st.integers(1, 5),
        is_giftcard=st.sampled_from([False, False, False, True]),
    ),
    max_size=6,
    unique_by=lambda line: line.key,
)
rules = st.lists(
    st.builds(
        RuleFacts,
        version=st.integers(1, 10**6),
        kind=st.sampled_from(["unit", "amount", "order", "visit", "exclude"]),
        points=st.decimals(min_value=0, max_value=500, places=2),
        target=st.sampled_from(["everything", "class", "category", "range", "product", "variant"]),
        target_id=st.integers(1, 3),
        per=st.decimals(min_value=D("0.01"), max_value=100, places=2),
        threshold=st.sampled_from([D(0), D(5), D(100)]),
    ),
    max_size=6,
    unique_by=lambda rule: rule.version,
)
policies = st.builds(
    Policy,
    rounding=st.sampled_from(["down", "nearest", "up"]),
    earn_tax=st.sampled_from(["incl", "excl"]),
    earn_shipping=st.booleans(),
)
purchases = st.builds(
    lambda lines, **fields: Purchase(lines=tuple(lines), **fields),
    lines=lines,
    channel=st.sampled_from(["order", "booking"]),
    multiplier=st.sampled_from([D(0), D(1), D("1.25"), D("3.33")]),
    shipping_incl=amounts,
    shipping_excl=amounts,
)


@given(policies, rules, purchases)
def test_shares_sum_to_the_points(policy, rules, purchase):
    outcome = evaluate(policy, rules, purchase)
    assert outcome.points >= 0
    assert sum(line.points for line in outcome.lines) == outcome.points
    assert sum(line.share for line in outcome.lines) == outcome.points
    assert all(abs(line.share - line.points) < 1 for line in outcome.lines)


@given(policies, rules, purchases, st.randoms())
def test_the_order_of_lines_and_rules_does_not_matter(policy, rules, purchase, random):
    shuffled_lines, shuffled_rules = list(purchase.lines), list(rules)
    random.shuffle(shuffled_lines)
    random.shuffle(shuffled_rules)
    one = evaluate(policy, rules, purchase)
    other = evaluate(policy, shuffled_rules, replace(purchase, lines=tuple(shuffled_lines)))
    assert one.points == other.points and one.explanation == other.explanation

    def by_line(outcome):
        return {(line.key, line.rule_version): (line.share, line.points) for line in outcome.lines if line.key}

    assert by_line(one) == by_line(other)


@given(policies, rules, purchases.filter(lambda purchase: purchase.lines), amounts, st.integers(0, 5))
def test_buying_more_never_brings_less(policy, rules, purchase, more, pieces):
    first = purchase.lines[0]
    bigger = replace(
        first,
        quantity=first.quantity + pieces,
        amount_incl=first.amount_incl + more,
        amount_excl=first.amount_excl + more,
    )
    before = evaluate(policy, rules, purchase).points
    assert evaluate(policy, rules, replace(purchase, lines=(bigger, *purchase.lines[1:]))).points >= before


@given(policies, rules, purchases, lines)
def test_another_line_never_brings_less(policy, rules, purchase, more):
    keys = {line.key for line in purchase.lines}
    added = tuple(line for line in more if line.key not in keys)
    before = evaluate(policy, rules, purchase).points
    assert evaluate(policy, rules, replace(purchase, lines=purchase.lines + added)).points >= before


@given(st.fractions(min_value=0, max_value=10**6))
def test_rounding_is_never_further_than_one_point(exact):
    down, nearest, up = (round_points(exact, mode) for mode in ("down", "nearest", "up"))
    assert down <= exact <= up and down <= nearest <= up and up - down <= 1
