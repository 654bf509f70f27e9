"""The examples of the documentation, read from its very table."""

import re
from datetime import datetime, timedelta
from decimal import Decimal as D
from pathlib import Path

import pytest

from oscar_loyalty.earning.conditions import When
from oscar_loyalty.earning.engine import Caps, Line, Policy, Purchase, Room, RuleFacts, evaluate
from oscar_loyalty.earning.specs import KINDS

TABLE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "worked-examples.md"
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
PRODUCTS = ["haircut", "shampoo", "soap", "comb", "candle", "giftcard"]
CARE, SERVICE = 100, 200
#: What a rule is about that is no product.
GROUPS = {"care": ("range", CARE), "service": ("class", SERVICE)}
RULE = re.compile(
    r"(?:(?P<points>\d+) (?P<kind>per|each) (?P<of>\S+)(?: above (?P<above>\S+))?"
    r"|nothing on (?P<exclude>\S+)"
    r"|x(?P<times>[\d.]+)|\+(?P<plus>\d+)(?: above (?P<from>\S+))?)(?: on (?P<on>\S+))?(?: \[(?P<when>[^]]+)\])?"
    r"(?: \{(?P<most>\d+)\})?$"
)


def rows():
    cells = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in TABLE.read_text().splitlines()]
    return [tuple(row[:4]) for row in cells if len(row) >= 4 and row[0].isdigit()]


def when(text):
    data = {}
    if found := re.fullmatch(r"(\d+)-(\d+) dec", text or ""):
        return When.of({"since": f"2026-12-{int(found[1]):02}", "to": f"2026-12-{int(found[2]):02}"})
    for word in (text or "").split():
        if word in DAYS:
            data.setdefault("weekdays", []).append(DAYS.index(word))
        elif "-" in word:
            data["from"], data["until"] = word.split("-")
        elif word in ("first", "birthday"):
            data[{"first": "first", "birthday": "birthday_month"}[word]] = True
        elif word in ("visits", "orders"):
            data["channels"] = [{"visits": "booking", "orders": "order"}[word]]
        elif word == "new":
            data["segments"] = [word]
        else:
            data["tiers"] = [word]
    return When.of(data)


def rule(number, text):
    found = RULE.match(text)
    assert found, text
    part = found.groupdict()
    about = part["exclude"] or (part["of"] if part["kind"] == "each" else None) or part["on"]
    target = {}
    if about:
        name, pk = GROUPS[about] if about in GROUPS else ("product", PRODUCTS.index(about))
        target = {"target": name, "target_id": pk}
    fields = {
        "version": number,
        "rule": number,
        "when": when(part["when"]),
        "threshold": D(part["above"] or part["from"] or 0),
        "caps": Caps(order=int(part["most"])) if part["most"] else None,
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
        if part in ("delivery counts", "before tax"):
            policy |= {"earn_shipping": True} if part == "delivery counts" else {"earn_tax": "excl"}
        elif words[0] in ("round", "stacking", "cap", "budget", "left"):
            name = {"round": "rounding", "left": "member" if part.endswith("in all") else "day"}.get(words[0], words[0])
            value = words[1] if words[0] in ("round", "stacking") else int(words[1])
            (room if name in ("budget", "day", "member") else policy)[name] = value
        else:
            rules.append(rule(number, part))
    return Policy(**policy), Room(**room), rules


def purchase(text):
    fields = {}
    text, found = re.subn(r" first$", "", text)
    fields["first"] = bool(found)
    text, found = re.subn(r" in birthday month$", "", text)
    fields["birthday_month"] = bool(found)
    text, found = re.subn(r" new member$", "", text)
    fields["segments"] = frozenset(["new"] if found else [])
    if found := re.search(r" delivery (\S+)", text):
        fields |= {"shipping_incl": D(found[1]), "shipping_excl": D(found[1])}
        text = text.replace(found[0], "")
    if found := re.search(r" on (\d+) dec (\d\d):(\d\d)", text):
        fields["at"] = datetime(2026, 12, int(found[1]), int(found[2]), int(found[3]))
        text = text.replace(found[0], "")
    net = re.search(r" before tax (\S+)", text)
    if net:
        text = text.replace(net[0], "")
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
                amount_excl=D(net[1]) if net else amount,
                ranges=frozenset([CARE] if name in ("shampoo", "soap") else []),
                product_class=SERVICE if name == "haircut" else None,
                paid_otherwise=D(paid[1]) if paid else D(0),
                is_giftcard=name == "giftcard",
            )
        )
    return Purchase(lines=tuple(lines), **fields)


def test_none_is_left_out_and_every_kind_of_rule_is_there():
    assert [int(row[0]) for row in rows()] == list(range(1, 85))
    facts = [one for row in rows() for one in programme(row[1])[2]]
    assert {one.kind for one in facts} == set(KINDS)
    asked = {name for one in facts if one.when for name in vars(one.when) if getattr(one.when, name)}
    assert asked == set(vars(When()))
    assert {one.target for one in facts} == {"everything", "product", "range", "class"}


@pytest.mark.parametrize(("number", "rules", "bought", "points"), rows())
def test_an_example_is_as_the_page_says(number, rules, bought, points):
    policy, room, facts = programme(rules)
    outcome = evaluate(policy, facts, purchase(bought), room)
    assert outcome.points == int(points)
    assert sum(line.points for line in outcome.lines) == outcome.points
