from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscar_loyalty.payments.planning import PlanCard, PlanLine, allot, largest_remainder, plan


def kinds(result):
    return [(tender.kind, tender.amount) for tender in result.tenders]


def test_points_pay_their_line_and_money_the_rest():
    result = plan(
        lines=[PlanLine(0, D("23.90")), PlanLine(1, D("10.00"), is_giftcard=True, points=1000)],
        total=D("38.80"),
        money_kind="on_site",
    )
    assert kinds(result) == [("points_line", D("10.00")), ("on_site", D("28.80"))]
    assert (result.points, result.money) == (1000, D("28.80"))


def test_a_gift_card_pays_no_gift_card():
    result = plan(
        lines=[PlanLine(0, D("15.00")), PlanLine(1, D("50.00"), is_giftcard=True)],
        total=D("65.00"),
        cards=[PlanCard(7, D("100.00"))],
    )
    assert kinds(result) == [("giftcard", D("15.00")), ("shop", D("50.00"))]


def test_cards_are_used_in_the_order_they_were_added():
    result = plan(
        lines=[PlanLine(0, D("30.00"))],
        total=D("35.00"),
        cards=[PlanCard(1, D("12.50")), PlanCard(2, D("0.00")), PlanCard(3, D("90.00"))],
    )
    assert [(t.card, t.amount) for t in result.tenders] == [(1, D("12.50")), (3, D("22.50"))]
    assert result.money == 0


def test_lines_dearer_than_the_total_are_a_mistake():
    with pytest.raises(ValueError):
        plan(lines=[PlanLine(0, D("30.00"))], total=D("29.99"))


def test_a_gift_card_is_allotted_over_lines_and_shipping():
    lines = [PlanLine(0, D("10.00")), PlanLine(1, D("10.00")), PlanLine(2, D("20.00"), is_giftcard=True)]
    result = plan(lines=lines, total=D("43.33"), cards=[PlanCard(1, D("10.00"))])
    cards, money = allot(tenders=result.tenders, lines=lines, rest=333, minor=100)
    assert cards == {0: 429, 1: 428, None: 143}
    assert money == {0: 571, 1: 572, 2: 2000, None: 190}


@given(st.integers(0, 10_000), st.lists(st.integers(0, 5_000), max_size=8))
def test_shares_sum_to_the_whole_and_none_passes_its_exact_part_by_one(units, weights):
    shares = largest_remainder(units, weights)
    if sum(weights):
        assert sum(shares) == units
        for share, weight in zip(shares, weights, strict=True):
            assert abs(share - units * weight / sum(weights)) < 1


amounts = st.integers(0, 20_000).map(lambda cents: D(cents) / 100)
lines_ = st.lists(st.tuples(amounts, st.booleans(), st.booleans(), st.integers(1, 5000)), min_size=1, max_size=6).map(
    lambda rows: [
        PlanLine(index, amount, is_giftcard=card, points=points if card and pay else None)
        for index, (amount, card, pay, points) in enumerate(rows)
    ]
)


@given(lines_, amounts, st.lists(amounts, max_size=4))
def test_tenders_sum_to_the_total_and_allotments_to_lines_and_tenders(lines, shipping, balances):
    total = sum((line.amount for line in lines), D(0)) + shipping
    result = plan(lines=lines, total=total, cards=[PlanCard(n, balance) for n, balance in enumerate(balances)])
    assert sum((tender.amount for tender in result.tenders), D(0)) == total
    parts = allot(tenders=result.tenders, lines=lines, rest=int(shipping * 100), minor=100)
    for tender, part in zip(result.tenders, parts, strict=True):
        assert sum(part.values()) == tender.amount * 100
        if tender.kind == "giftcard":
            assert not any(lines[place].is_giftcard for place in part if place is not None)
            assert tender.amount <= balances[tender.card]
    for line in lines:
        assert sum(part.get(line.index, 0) for part in parts) == line.amount * 100
    assert sum(part.get(None, 0) for part in parts) == shipping * 100
