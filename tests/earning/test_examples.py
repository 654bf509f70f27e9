"""The sixty examples of the documentation, read from its very table."""

import re
from datetime import datetime, timedelta
from decimal import Decimal as D
from pathlib import Path

import pytest

from oscar_loyalty.earning.conditions import When
from oscar_loyalty.earning.engine import Line, Policy, Purchase, Room, RuleFacts, evaluate

TABLE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "worked-examples.md"
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
PRODUCTS = ["haircut", "shampoo", "soap", "comb", "candle", "giftcard"]
RULE = re.compile(
    r"(?:(?P<points>\d+) (?P<kind>per|each) (?P<of>\S+)(?: above (?P<above>\S+))?"
    r"|nothing on (?P<exclude>\S+)"
    r"|x(?P<times>[\d.]+)|\+(?P<plus>\d+))(?: on (?P<on>\S+))?(?: \[(?P<when>[^]]+)\])?$"
)


def rows():
    cells = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in TABLE.read_text().splitlines()]
    return [tuple(row[:4]) for row in cells if len(row) >= 4 and row[0].isdigit()]


def when(text):
    data = {}
    for word in (text or "").split():
        if word in DAYS:
            data.setdefault("weekdays", []).append(DAYS.index(word))
        elif "-" in word:
            data["from"], data["until"] = word.split("-")
        elif word in ("first", "birthday"):
            data[{"first": "first", "birthday": "birthday_month"}[word]] = True
        else:
            data["tiers"] = [word]
    return When.of(data)


def rule(number, text):
    found = RULE.match(text)
    assert found, text
    part = found.groupdict()
    about = part["exclude"] or (part["of"] if part["kind"] == "each" else None) or part["on"]
    target = {"target": "product", "target_id": PRODUCTS.index(about)} if about else {}
    fields = {
        "version": number,
        "rule": number,
        "when": when(part["when"]),
        "threshold": D(part["above"] or 0),
        **target,
    }
    if part["exclude"]:
        return RuleFacts(kind="exclude", **fields)
    if part["times"]:
        return RuleFacts(kind="booster", times=D(part["times"]), **fields)
    if part["plus"]:
        return RuleFacts(kind="booster", points=D(part["plus"]), **fields)
    if part["kind"] == "each":
        return RuleFacts(kind="unit", points=D(part["points"]), **fields)
    if part["of"] in ("order", "visit"):
        return RuleFacts(kind=part["of"], points=D(part["points"]), **fields)
    return RuleFacts(kind="amount", points=D(part["points"]), per=D(part["of"]), **fields)


def programme(text):
    policy, room, rules = {}, {}, []
    for number, part in enumerate(text.split("; "), start=1):
        words = part.split()
        if words[0] in ("round", "stacking", "cap", "budget", "left"):
            name = {"round": "rounding", "left": "day"}.get(words[0], words[0])
            value = words[1] if words[0] in ("round", "stacking") else int(words[1])
            (room if name in ("budget", "day") else policy)[name] = value
        else:
            rules.append(rule(number, part))
    return Policy(**policy), Room(**room), rules


def purchase(text):
    fields = {}
    text, found = re.subn(r" first$", "", text)
    fields["first"] = bool(found)
    if found := re.search(r" as (\S+) ([\d.]+)", text):
        fields |= {"tier": {"code": found[1], "name": found[1]}, "multiplier": D(found[2])}
        text = text.replace(found[0], "")
    if found := re.search(r" on (\w{3}) (\d\d):(\d\d)", text):
        monday = datetime(2026, 11, 23, int(found[2]), int(found[3]))
        fields["at"] = monday + timedelta(days=DAYS.index(found[1]))
        text = text.replace(found[0], "")
    if text.startswith("visit "):
        fields["channel"] = "booking"
        text = "1 " + text.removeprefix("visit ")
    lines = []
    for number, part in enumerate(text.split("; ")):
        quantity, name, price, *paid = part.split()
        amount = int(quantity) * D(price)
        lines.append(
            Line(
                key=str(number),
                product=PRODUCTS.index(name),
                quantity=int(quantity),
                amount_incl=amount,
                amount_excl=amount,
                paid_otherwise=D(paid[1]) if paid else D(0),
                is_giftcard=name == "giftcard",
            )
        )
    return Purchase(lines=tuple(lines), **fields)


def test_there_are_sixty():
    assert [int(row[0]) for row in rows()] == list(range(1, 61))


@pytest.mark.parametrize(("number", "rules", "bought", "points"), rows())
def test_an_example_is_as_the_page_says(number, rules, bought, points):
    policy, room, facts = programme(rules)
    outcome = evaluate(policy, facts, purchase(bought), room)
    assert outcome.points == int(points)
    assert sum(line.points for line in outcome.lines) == outcome.points
