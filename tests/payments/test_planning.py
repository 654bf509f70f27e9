from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscar_loyalty.payments.planning import (
    PlanCard,
    PlanLine,
    PlanPoints,
    allot,
    in_steps,
    largest_remainder,
    most_at_rate,
    plan,
    within,
)


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


def test_a_total_below_the_lines_is_shared_by_them():
    lines = [PlanLine(0, D("10.00"), is_giftcard=True, points=1000), PlanLine(1, D("20.00"))]
    result = plan(lines=lines, total=D("29.00"), cards=[PlanCard(1, D("99.00"))])
    assert kinds(result) == [("points_line", D("9.67")), ("giftcard", D("19.33"))]
    assert allot(tenders=result.tenders, lines=lines, rest=-100, minor=100) == [{0: 967}, {1: 1933}]
    # Whole yen stay whole.
    assert within([100000, 200000], 290000, 100) == [96700, 193300]
    assert within([100000, 200050], 290050, 100) == [96667, 193383]


@pytest.mark.parametrize(("line", "total"), [("30.00", "-0.01"), ("-1.00", "30.00")])
def test_less_than_nothing_is_a_mistake(line, total):
    with pytest.raises(ValueError):
        plan(lines=[PlanLine(0, D(line))], total=D(total))


def test_a_rest_with_a_part_of_its_providers_unit_is_said():
    lines = [PlanLine(0, D("904.50"))]
    assert not plan(lines=lines, total=D("904.50"), minor=1).too_fine
    assert plan(lines=lines, total=D("904.50"), minor=1, unit=D(1)).too_fine
    assert not plan(lines=[*lines, PlanLine(1, D("94.50"))], total=D("999.00"), minor=1, unit=D(1)).too_fine


@given(st.sampled_from([1, 100]), st.lists(st.integers(0, 50_000), min_size=1, max_size=6), st.integers(0, 400_000))
def test_what_is_left_is_shared_in_steps_and_never_more_of_a_part_than_it_has(step, lefts, units):
    units = sum(lefts) if units >= sum(lefts) else units // step * step
    shares = in_steps(units, lefts, step)
    assert sum(shares) == units
    assert all(0 <= share <= left for share, left in zip(shares, lefts, strict=True))
    if sum(left // step for left in lefts) * step >= units:
        assert all(share % step == 0 for share in shares)


def test_parts_of_a_yen_that_nobody_has_are_not_shared():
    with pytest.raises(ValueError):
        in_steps(150, [100, 200], 100)


@given(st.sampled_from([1, 100]), st.lists(st.integers(0, 50_000), min_size=1, max_size=6), st.integers(0, 400_000))
def test_a_rebate_takes_from_each_line_at_most_what_it_costs(step, prices, total):
    parts = within(prices, total, step)
    assert sum(parts) == min(total, sum(prices))
    assert all(0 <= part <= price for part, price in zip(parts, prices, strict=True))


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


@given(lines_, amounts, st.lists(amounts, max_size=4), amounts)
def test_tenders_sum_to_the_total_and_allotments_to_lines_and_tenders(lines, shipping, balances, rebate):
    price = sum((line.amount for line in lines), D(0))
    total = max(D(0), price + shipping - rebate)
    result = plan(lines=lines, total=total, cards=[PlanCard(n, balance) for n, balance in enumerate(balances)])
    assert sum((tender.amount for tender in result.tenders), D(0)) == total
    parts = allot(tenders=result.tenders, lines=lines, rest=int((total - price) * 100), minor=100)
    for tender, part in zip(result.tenders, parts, strict=True):
        assert sum(part.values()) == tender.amount * 100
        if tender.kind == "giftcard":
            assert not any(lines[place].is_giftcard for place in part if place is not None)
            assert tender.amount <= balances[tender.card]
    paid = within([int(line.amount * 100) for line in lines], int(total * 100))
    for line in lines:
        assert sum(part.get(line.index, 0) for part in parts) == paid[line.index] <= line.amount * 100
    assert sum(part.get(None, 0) for part in parts) == max(0, total - price) * 100


# Points at the programme's rate


def rate(wanted=10**9, usable=10**9, points=100, amount="1.00", share=100, minimum="0.00"):
    return PlanPoints(wanted, usable, points, D(amount), share, D(minimum))


FORTY = [PlanLine(0, D("40.00"))]


def test_points_at_the_rate_come_before_cards_and_money():
    result = plan(
        lines=[PlanLine(0, D("36.10"))],
        total=D("40.00"),
        cards=[PlanCard(1, D("12.50")), PlanCard(2, D("5.00"))],
        points=rate(wanted=1500),
    )
    assert kinds(result) == [
        ("points", D("15.00")),
        ("giftcard", D("12.50")),
        ("giftcard", D("5.00")),
        ("shop", D("7.50")),
    ]
    assert (result.points, result.at_rate.points, result.paid_with_points) == (1500, 1500, D("15.00"))


@pytest.mark.parametrize(
    ("points", "number", "amount"),
    [
        (rate(), 4000, "40.00"),
        (rate(minimum="5.00"), 3500, "35.00"),
        (rate(share=50), 2000, "20.00"),
        (rate(share=33), 1320, "13.20"),
        (rate(share=50, minimum="30.00"), 1000, "10.00"),
        (rate(minimum="50.00"), 0, "0"),
        (rate(usable=1234), 1234, "12.34"),
        (rate(wanted=7), 7, "0.07"),
        # 150 points for a euro: two are worth a cent, three two; the third of a cent is nobody's.
        (rate(wanted=1, points=150), 0, "0"),
        (rate(wanted=5, points=150), 5, "0.03"),
        (rate(wanted=4, points=150), 3, "0.02"),
        # A point for a euro: nobody gives a point for the last half.
        (rate(points=1, amount="1.00", minimum="5.50"), 34, "34.00"),
    ],
)
def test_no_more_points_than_they_are_worth_than_there_are_and_than_the_owner_allows(points, number, amount):
    assert most_at_rate(lines=FORTY, total=D("40.00"), points=points) == (number, D(amount))


def test_points_at_the_rate_buy_no_gift_card_but_shipping_and_leave_those_for_lines():
    lines = [PlanLine(0, D("10.00"), is_giftcard=True, points=900), PlanLine(1, D("25.00"), is_giftcard=True)]
    result = plan(lines=lines, total=D("38.90"), points=rate(usable=1200))
    assert kinds(result) == [("points_line", D("10.00")), ("points", D("3.00")), ("shop", D("25.90"))]
    assert plan(lines=lines, total=D("38.90"), points=rate(usable=900)).at_rate is None
    points, money = allot(tenders=result.tenders[1:], lines=lines[1:], rest=390, minor=100)
    assert (points, money) == ({None: 300}, {1: 2500, None: 90})


@pytest.mark.parametrize(
    ("wanted", "cards", "paid"),
    [
        # 39.80 by points would leave 0.20: they pay 0.30 less.
        (3980, [], [("points", "39.50"), ("shop", "0.50")]),
        (0, ["39.80"], [("giftcard", "39.50"), ("shop", "0.50")]),
        # Points first, then the last card, which is no longer needed at all.
        (10, ["39.60", "0.15"], [("giftcard", "39.50"), ("shop", "0.50")]),
        (30, ["19.60", "19.95"], [("giftcard", "19.60"), ("giftcard", "19.90"), ("shop", "0.50")]),
        (4000, [], [("points", "40.00")]),
        (3950, [], [("points", "39.50"), ("shop", "0.50")]),
    ],
)
def test_the_rest_is_nothing_or_what_its_provider_takes(wanted, cards, paid):
    result = plan(
        lines=FORTY,
        total=D("40.00"),
        points=rate(wanted=wanted),
        cards=[PlanCard(number, D(balance)) for number, balance in enumerate(cards)],
        minimum_charge=D("0.50"),
    )
    assert kinds(result) == [(kind, D(amount)) for kind, amount in paid]
    assert not result.too_small


def test_a_rest_that_nobody_takes_is_said():
    lines = [PlanLine(0, D("10.00"), is_giftcard=True, points=900), PlanLine(1, D("0.30"))]
    result = plan(lines=lines, total=D("10.30"), minimum_charge=D("0.50"))
    assert (result.money, result.too_small, result.taken_back) == (D("0.30"), True, 0)
    # A card that pays all of it helps; one that pays a part of it does not.
    card = plan(lines=lines, total=D("10.30"), minimum_charge=D("0.50"), cards=[PlanCard(1, D("5.00"))])
    assert (card.money, card.too_small) == (0, False)
    part = plan(lines=lines, total=D("10.30"), minimum_charge=D("0.50"), cards=[PlanCard(1, D("0.10"))])
    assert (part.money, part.too_small) == (D("0.20"), True)


def test_in_yen_points_and_cards_pay_whole_ones_and_money_what_a_discount_leaves():
    lines = [PlanLine(0, D("949.50")), PlanLine(1, D("1000.00"))]
    result = plan(
        lines=lines,
        total=D("1949.50"),
        points=rate(wanted=50, points=1, amount="10.00"),
        cards=[PlanCard(1, D("9999"))],
        minor=1,
    )
    assert kinds(result) == [("points", D(500)), ("giftcard", D(1449)), ("shop", D("0.50"))]
    parts = allot(tenders=result.tenders, lines=lines, rest=0, minor=100, step=100)
    assert parts == [{0: 24300, 1: 25700}, {0: 70600, 1: 74300}, {0: 50}]


units = st.sampled_from([100, 1])
big_points = st.builds(
    lambda wanted, usable, points, amount, share, minimum: PlanPoints(
        wanted, usable, points, D(amount) / 100, share, D(minimum)
    ),
    wanted=st.integers(0, 50_000),
    usable=st.integers(0, 50_000),
    points=st.integers(1, 1000),
    amount=st.integers(1, 5000),
    share=st.integers(1, 100),
    minimum=st.integers(0, 100),
)


@given(lines_, amounts, st.lists(amounts, max_size=4), big_points, st.integers(0, 60), units, st.booleans())
def test_every_split_keeps_all_its_promises(lines, shipping, balances, points, least, minor, whole):
    if whole and minor == 1:
        lines = [PlanLine(each.index, D(int(each.amount)), each.is_giftcard, each.points) for each in lines]
        shipping = D(int(shipping))
    total = sum((line.amount for line in lines), D(0)) + shipping
    balances = [D(int(balance * minor)) / minor for balance in balances]
    minimum = D(least) if minor == 1 else D(least) / 100
    result = plan(
        lines=lines,
        total=total,
        cards=[PlanCard(number, balance) for number, balance in enumerate(balances)],
        points=points,
        minimum_charge=minimum,
        minor=minor,
    )
    tenders = result.tenders
    # The parts sum to the total, none is nothing or less, and cards come in their order.
    assert sum((tender.amount for tender in tenders), D(0)) == total
    assert all(tender.amount > 0 for tender in tenders)
    order = [tender.card for tender in tenders if tender.kind == "giftcard"]
    assert order == sorted(order)
    assert [t.kind for t in tenders] == sorted(
        (t.kind for t in tenders), key=["points_line", "points", "giftcard", "shop"].index
    )
    # Nobody pays with more than there is, nor than the owner allows.
    assert all(tender.amount <= balances[tender.card] for tender in tenders if tender.kind == "giftcard")
    for_lines = sum(line.points for line in lines if line.points is not None and line.amount > 0)
    if result.at_rate is not None:
        number, amount = result.at_rate.points, result.at_rate.amount
        assert number <= min(points.wanted, points.usable - for_lines)
        assert points.worth(number, minor) == amount > points.worth(number - 1, minor)
        others = sum((line.amount for line in lines if not line.is_giftcard), shipping)
        assert amount <= others * points.share / 100
        assert total - result.paid_with_points >= points.minimum_cash
    # Points and cards are whole minor units; the rest is nothing, enough, or said to be too small.
    assert all((tender.amount * minor) % 1 == 0 for tender in tenders if tender.kind in ("points", "giftcard"))
    assert result.money == 0 or result.money >= minimum or result.too_small
    if result.too_small:
        others = result.cards + (result.at_rate.amount if result.at_rate else 0)
        assert result.money + others < minimum
    # Allotments sum to their tenders and to the lines, and units to units.
    step = 100 // minor
    parts = allot(tenders=tenders, lines=lines, rest=int(shipping * 100), minor=100, step=step)
    for tender, part in zip(tenders, parts, strict=True):
        assert sum(part.values()) == tender.amount * 100
        assert all(share > 0 for share in part.values())
        if tender.kind in ("points", "giftcard"):
            assert not any(lines[place].is_giftcard for place in part if place is not None)
            assert all(share % step == 0 for share in part.values())
        if tender.points:
            assert sum(largest_remainder(tender.points, list(part.values()))) == tender.points
    for line in lines:
        assert sum(part.get(line.index, 0) for part in parts) == line.amount * 100
    assert sum(part.get(None, 0) for part in parts) == shipping * 100
