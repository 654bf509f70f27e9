"""Boosters, their conditions, stacking, caps and the budget: the rules of counting, without a database."""

from datetime import date, datetime, time
from decimal import Decimal as D
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oscar_loyalty.earning.conditions import When
from oscar_loyalty.earning.engine import Caps, Line, Policy, Purchase, Room, RuleFacts, evaluate
from oscar_loyalty.earning.exceptions import WrongRule
from oscar_loyalty.earning.specs import clean_spec

PARIS = ZoneInfo("Europe/Paris")
EURO = RuleFacts(version=1, rule=1, kind="amount", points=D(1))
GOLD = {"code": "gold", "name": "Gold"}


def booster(version=10, **fields):
    return RuleFacts(version=version, rule=version, kind="booster", **fields)


def purchase(amount="100", **fields):
    return Purchase(lines=(Line(key="1", product=7, amount_incl=D(amount), amount_excl=D(amount)),), **fields)


def points(*rules, policy=None, room=None, bought=None, **fields):
    outcome = evaluate(policy or Policy(), rules, bought or purchase(**fields), room or Room())
    assert sum(line.points for line in outcome.lines) == outcome.points
    assert sum(line.share for line in outcome.lines) == outcome.points
    return outcome.points


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


# ---- When a rule holds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "moment", "holds"),
    [
        ({"weekdays": [0]}, "2026-11-23T10:00", True),
        ({"weekdays": [0]}, "2026-11-24T10:00", False),
        ({"from": "09:00", "until": "12:00"}, "2026-11-23T09:00", True),
        ({"from": "09:00", "until": "12:00"}, "2026-11-23T12:00", False),
        ({"from": "09:00"}, "2026-11-23T23:59", True),
        ({"from": "09:00"}, "2026-11-23T08:59", False),
        ({"until": "12:00"}, "2026-11-23T00:00", True),
        # Over midnight, the night belongs to the evening it began on.
        ({"weekdays": [4], "from": "22:00", "until": "02:00"}, "2026-11-27T23:00", True),
        ({"weekdays": [4], "from": "22:00", "until": "02:00"}, "2026-11-28T01:59", True),
        ({"weekdays": [4], "from": "22:00", "until": "02:00"}, "2026-11-27T01:00", False),
        ({"weekdays": [4], "from": "22:00", "until": "02:00"}, "2026-11-28T02:00", False),
        ({"since": "2026-12-01", "to": "2026-12-24"}, "2026-12-24T23:59", True),
        ({"since": "2026-12-01", "to": "2026-12-24"}, "2026-12-25T00:00", False),
        ({"to": "2026-12-24", "from": "22:00", "until": "02:00"}, "2026-12-25T01:00", True),
        # The hour that happens twice, and the clock after the hour that is left out.
        ({"from": "02:00", "until": "03:00"}, "2026-10-25T02:30", True),
        ({"from": "02:00", "until": "03:00"}, "2026-03-29T03:00", False),
    ],
)
def test_times_are_those_of_the_shops_clock(when, moment, holds):
    assert When.of(when).holds(purchase(at=at(moment))) is holds


def test_the_hour_that_happens_twice_counts_both_times():
    slot = When.of({"from": "02:00", "until": "03:00"})
    utc = ZoneInfo("UTC")
    for hour in (0, 1):
        moment = datetime(2026, 10, 25, hour, 30, tzinfo=utc).astimezone(PARIS)
        assert moment.hour == 2
        assert slot.holds(purchase(at=moment))


def test_the_hour_that_is_left_out_has_no_moment():
    slot = When.of({"from": "02:00", "until": "03:00"})
    utc = ZoneInfo("UTC")
    minutes = [datetime(2026, 3, 29, hour, minute, tzinfo=utc) for hour in range(4) for minute in range(60)]
    assert not any(slot.holds(purchase(at=minute.astimezone(PARIS))) for minute in minutes)


@pytest.mark.parametrize(
    ("when", "fields", "holds"),
    [
        ({"tiers": ["gold"]}, {"tier": GOLD}, True),
        ({"tiers": ["gold"]}, {"tier": None}, False),
        ({"channels": ["booking"]}, {"channel": "order"}, False),
        ({"first": True}, {"first": True}, True),
        ({"first": True}, {}, False),
        ({"birthday_month": True}, {"birthday_month": True}, True),
        ({"segments": ["new", "dormant"]}, {"segments": frozenset(["new"])}, True),
        ({"segments": ["new"]}, {}, False),
        ({"tiers": ["gold"], "first": True}, {"tier": GOLD}, False),
    ],
)
def test_all_that_is_asked_must_hold(when, fields, holds):
    assert When.of(when).holds(purchase(**fields)) is holds


def test_any_rule_may_have_conditions():
    monday = RuleFacts(version=2, kind="amount", points=D(3), when=When.of({"weekdays": [0]}))
    assert points(EURO, monday, at=at("2026-11-23T10:00")) == 300
    assert points(EURO, monday, at=at("2026-11-24T10:00")) == 100


# ---- How several add up ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stacking", "tier", "times", "expected"),
    [
        ("multiply", "1", ["2"], 200),
        ("multiply", "1", ["2", "3"], 600),
        ("multiply", "1.5", ["2"], 300),
        ("add", "1", ["2", "3"], 400),
        ("add", "1.5", ["2"], 250),
        ("best", "1", ["2", "3"], 300),
        ("best", "1.5", ["2"], 200),
        ("best", "3", ["2"], 300),
    ],
)
def test_stacking(stacking, tier, times, expected):
    boosters = [booster(10 + number, times=D(value)) for number, value in enumerate(times)]
    assert points(EURO, *boosters, policy=Policy(stacking=stacking), multiplier=D(tier)) == expected
    assert points(*reversed([EURO, *boosters]), policy=Policy(stacking=stacking), multiplier=D(tier)) == expected


def test_a_fixed_bonus_comes_once_and_is_multiplied_by_nothing():
    assert points(EURO, booster(points=D(50)), multiplier=D(2)) == 250
    two = [booster(10, points=D(50)), booster(11, points=D(30))]
    assert points(EURO, *two) == 180
    assert points(EURO, *two, policy=Policy(stacking="best")) == 150
    assert points(EURO, booster(points=D(50), target="product", target_id=8)) == 100


def test_a_booster_is_about_its_target_only():
    lines = (Line(key="1", product=7, amount_incl=D(10)), Line(key="2", product=8, amount_incl=D(10)))
    own = booster(times=D(3), target="product", target_id=7)
    outcome = evaluate(Policy(), [EURO, own], Purchase(lines=lines))
    assert outcome.points == 40
    assert [(line.key, line.rule_version, line.points) for line in outcome.lines] == [
        ("1", 1, 10),
        ("1", 10, 20),
        ("2", 1, 10),
    ]


def test_a_visit_is_boosted_by_what_is_about_its_service():
    visit = RuleFacts(version=2, kind="visit", points=D(20))
    own = booster(times=D(2), target="product", target_id=7)
    assert points(visit, own, bought=purchase(channel="booking")) == 40


# ---- Limits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "room", "expected", "by"),
    [
        (Policy(cap=60), Room(), 60, "order"),
        (Policy(cap=60), Room(day=20), 20, "day"),
        (Policy(), Room(member=0), 0, "member"),
        (Policy(), Room(budget=99), 99, "budget"),
        (Policy(), Room(budget=100), 100, None),
    ],
)
def test_no_limit_is_passed_and_each_says_so(policy, room, expected, by):
    assert points(EURO, policy=policy, room=room) == expected
    capped = evaluate(policy, [EURO], purchase(), room).explanation.get("capped")
    assert (capped and capped["by"]) == by


def test_what_one_rule_gives_has_its_own_caps():
    capped = RuleFacts(version=1, rule=1, kind="amount", points=D(1), caps=Caps(order=30))
    bonus = booster(points=D(10))
    assert points(capped, bonus) == 40
    assert points(capped, bonus, room=Room(rules={1: ("day", 5)})) == 15
    outcome = evaluate(Policy(), [capped, bonus], purchase(), Room(rules={1: ("day", 5)}))
    assert outcome.lines[0].explanation["capped"] == {"by": "day", "most": 5, "before": "100"}


numbers = st.integers(1, 500)
rules = st.lists(
    st.one_of(
        st.builds(lambda n: ("amount", n), numbers),
        st.builds(lambda n: ("times", n % 4 + 2), numbers),
        st.builds(lambda n: ("plus", n), numbers),
    ),
    max_size=5,
)


def _facts(kinds, caps):
    found = []
    for version, (kind, number) in enumerate(kinds, start=1):
        fields = {"version": version, "rule": version, "caps": caps}
        if kind == "amount":
            found.append(RuleFacts(kind="amount", points=D(number), per=D(7), **fields))
        elif kind == "times":
            found.append(RuleFacts(kind="booster", times=D(number), **fields))
        else:
            found.append(RuleFacts(kind="booster", points=D(number), **fields))
    return found


@given(
    kinds=rules,
    stacking=st.sampled_from(["best", "add", "multiply"]),
    rounding=st.sampled_from(["down", "up", "nearest"]),
    cap=st.none() | numbers,
    rule_cap=st.none() | numbers,
    budget=st.none() | st.integers(0, 500),
    cents=st.lists(st.integers(1, 99_999), min_size=1, max_size=4),
    tier=st.sampled_from(["0.5", "1", "1.25", "3"]),
)
def test_no_cap_is_ever_passed_and_the_lines_sum_up(kinds, stacking, rounding, cap, rule_cap, budget, cents, tier):
    lines = tuple(Line(key=str(n), amount_incl=D(value) / 100) for n, value in enumerate(cents))
    caps = Caps(order=rule_cap) if rule_cap else None
    policy = Policy(stacking=stacking, rounding=rounding, cap=cap)
    outcome = evaluate(policy, _facts(kinds, caps), Purchase(lines=lines, multiplier=D(tier)), Room(budget=budget))
    assert outcome.points == sum(line.points for line in outcome.lines) == sum(line.share for line in outcome.lines)
    assert all(line.points >= 0 and line.share >= 0 for line in outcome.lines)
    for limit in (cap, budget):
        assert limit is None or outcome.points <= limit
    if rule_cap:
        for version in {line.rule_version for line in outcome.lines}:
            assert sum(line.points for line in outcome.lines if line.rule_version == version) <= rule_cap
    again = evaluate(
        policy, reversed(_facts(kinds, caps)), Purchase(lines=lines, multiplier=D(tier)), Room(budget=budget)
    )
    assert again == outcome


@given(kinds=rules, stacking=st.sampled_from(["best", "add", "multiply"]), cents=st.integers(1, 9999), more=numbers)
def test_spending_more_never_earns_less(kinds, stacking, cents, more):
    def earned(value):
        bought = Purchase(lines=(Line(key="1", amount_incl=D(value) / 100),))
        return evaluate(Policy(stacking=stacking), _facts(kinds, None), bought).points

    assert earned(cents + more) >= earned(cents)


# ---- What a rule may say -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({}, "times"),
        ({"times": "2", "plus": "5"}, "times"),
        ({"times": "1"}, "times"),
        ({"times": "101"}, "times"),
        ({"times": "-2"}, "times"),
        ({"times": "NaN"}, "times"),
        ({"plus": "0"}, "plus"),
        ({"plus": "1.5"}, "plus"),
        ({"times": 2, "when": {"since": "2026-12-24", "to": "2026-12-01"}}, "when.to"),
        ({"times": 2, "when": {"from": "25:00"}}, "when.from"),
        ({"times": 2, "when": {"from": "09:00", "until": "09:00"}}, "when.until"),
        ({"times": 2, "when": {"since": "2026-02-30"}}, "when.since"),
        ({"times": 2, "when": {"weekdays": [7]}}, "when.weekdays"),
        ({"times": 2, "when": {"channels": ["fax"]}}, "when.channels"),
        ({"times": 2, "when": {"segments": ["unknown"]}}, "when.segments"),
        ({"times": 2, "when": {"moon": "full"}}, "when.moon"),
        ({"times": 2, "caps": {"order": 0}}, "caps.order"),
        ({"times": 2, "caps": {"year": 5}}, "caps"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(spec, field):
    with pytest.raises(WrongRule) as refused:
        clean_spec("booster", spec)
    assert refused.value.field == field
    assert str(refused.value)


def test_a_spec_is_stored_without_what_asks_nothing():
    spec = {
        "times": D("2.0"),
        "when": {"weekdays": range(7), "from": time(9), "since": date(2026, 12, 1), "channels": ["order", "booking"]},
        "caps": {"order": None, "day": 50},
    }
    assert clean_spec("booster", spec) == {
        "times": "2",
        "when": {"from": "09:00", "since": "2026-12-01"},
        "caps": {"day": 50},
    }
