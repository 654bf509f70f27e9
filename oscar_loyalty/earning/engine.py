"""From the facts of a purchase to its points, with the reasons. Pure: no query, no model, no clock.

Award, preview and backfill all call :func:`evaluate`, so they cannot disagree.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

#: The finest part of a point that a share is written in.
QUANTUM = Decimal("0.000001")
#: Which rule wins where several fit a line: the highest; among categories the deepest.
SPECIFICITY = {"everything": 0, "class": 1, "category": 2, "range": 3, "product": 4, "variant": 5}


@dataclass(frozen=True)
class Policy:
    """How the programme counts."""

    rounding: str = "down"
    earn_tax: str = "incl"
    earn_shipping: bool = False
    currency: str = "EUR"


@dataclass(frozen=True)
class RuleFacts:
    """A version of a rule. ``points`` are for each piece, order or visit, or per ``per`` of the amount.

    ``name`` is data, in the owner's languages. ``threshold``: the amount from which it counts; per amount only what is
    above it brings points.
    """

    version: int
    kind: str
    points: Decimal = Decimal(0)
    number: int = 1
    target: str = "everything"
    target_id: int | None = None
    per: Decimal = Decimal(1)
    threshold: Decimal = Decimal(0)
    name: Any = ""


@dataclass(frozen=True)
class Line:
    """A line of a purchase. ``categories`` has each category with its depth, ancestors included.

    ``paid_otherwise`` is the part of ``amount_incl`` paid with points or a gift card; it brings nothing.
    """

    key: str
    product: int | None = None
    parent: int | None = None
    product_class: int | None = None
    categories: tuple[tuple[int, int], ...] = ()
    ranges: frozenset[int] = frozenset()
    quantity: int = 1
    amount_incl: Decimal = Decimal(0)
    amount_excl: Decimal = Decimal(0)
    paid_otherwise: Decimal = Decimal(0)
    is_giftcard: bool = False
    title: str = ""


@dataclass(frozen=True)
class Purchase:
    """What was bought (``channel`` "order") or booked ("booking"), by a member of which tier."""

    lines: tuple[Line, ...]
    channel: str = "order"
    multiplier: Decimal = Decimal(1)
    tier: Any = None
    shipping_incl: Decimal = Decimal(0)
    shipping_excl: Decimal = Decimal(0)
    shipping_paid_otherwise: Decimal = Decimal(0)


@dataclass(frozen=True)
class OutcomeLine:
    """What one rule gives for one line; ``key`` is empty for the whole order or visit, and "shipping" for shipping."""

    key: str
    title: str
    product: int | None
    quantity: int
    amount: Decimal
    share: Decimal
    points: int
    rule_version: int
    explanation: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """The points of a purchase. The shares of the lines sum to them, and so do their whole points.

    ``spent`` is what was paid in money for what counts: gift cards, what is left out by a rule, and what points or gift
    cards paid is not in it.
    """

    points: int
    lines: tuple[OutcomeLine, ...] = ()
    explanation: dict[str, Any] = field(default_factory=dict)
    spent: Decimal = Decimal(0)


@dataclass
class _Part:
    """What one rule gives for one line, exactly, before the multiplier."""

    line: Line
    rule: RuleFacts
    exact: Fraction
    amount: Fraction
    paid: Fraction = Fraction(0)


SHIPPING = "shipping"


def evaluate(policy: Policy, rules: Iterable[RuleFacts], purchase: Purchase) -> Outcome:
    """Return the points of ``purchase`` under ``rules``, rounded once."""
    rules = sorted(rules, key=lambda rule: rule.version)
    parts: list[_Part] = []
    by_amount: dict[int, list[_Part]] = {}
    counted: list[tuple[Line, Fraction]] = []
    for line in purchase.lines:
        amount, paid = _amount(policy, line)
        if line.is_giftcard or paid >= 1:
            continue
        rule = best(rules, line, ("unit", "exclude"))
        if rule is not None and rule.kind == "exclude":
            continue
        counted.append((line, amount))
        if rule is not None:
            exact = Fraction(rule.points) * line.quantity * (1 - paid)
            parts.append(_Part(line, rule, exact, amount, paid))
        elif (rule := best(rules, line, ("amount",))) is not None:
            by_amount.setdefault(rule.version, []).append(_Part(line, rule, Fraction(0), amount, paid))
        if purchase.channel == "booking" and (rule := best(rules, line, ("visit",))) is not None:
            # The threshold of a visit is what it has to cost.
            given = Fraction(rule.points) if amount >= rule.threshold else Fraction(0)
            parts.append(_Part(Line(key="", title=line.title), rule, given, Fraction(0)))
    _add_shipping(policy, rules, purchase, by_amount)
    for group in by_amount.values():
        _share_amount(group)
        parts.extend(group)
    if purchase.channel == "order":
        parts.extend(_per_order(rules, counted))
    spent = sum((amount for _line, amount in counted), Fraction(0))
    return replace(_outcome(policy, purchase, [part for part in parts if part.exact > 0]), spent=_cents(spent))


def best(rules: Sequence[RuleFacts], line: Line, kinds: tuple[str, ...]) -> RuleFacts | None:
    """Return the rule of these kinds that fits ``line`` most closely; among equals "exclude", then the newest."""
    found = None
    found_rank: tuple[int, int, bool, int] | None = None
    for rule in rules:
        if rule.kind not in kinds:
            continue
        depth = _fit(rule, line)
        if depth is None:
            continue
        rank = (SPECIFICITY[rule.target], depth, rule.kind == "exclude", rule.version)
        if found_rank is None or rank > found_rank:
            found, found_rank = rule, rank
    return found


def _fit(rule: RuleFacts, line: Line) -> int | None:
    """Return how deep ``rule`` fits ``line`` (0 but for categories), or ``None`` where it does not."""
    if rule.target == "everything":
        return 0
    if rule.target_id is None:
        return None
    if rule.target == "variant" or (rule.target == "product" and line.parent is None):
        return 0 if line.product == rule.target_id else None
    if rule.target == "product":
        return 0 if rule.target_id in (line.parent, line.product) else None
    if rule.target == "range":
        return 0 if rule.target_id in line.ranges else None
    if rule.target == "category":
        return next((depth for pk, depth in line.categories if pk == rule.target_id), None)
    return 0 if line.product_class == rule.target_id else None


def _amount(policy: Policy, line: Line) -> tuple[Fraction, Fraction]:
    """Return the amount that counts, and the part (0 to 1) of the line that was paid with points or gift cards."""
    return _rest(policy, line.amount_incl, line.amount_excl, line.paid_otherwise)


def _rest(policy: Policy, incl: Decimal, excl: Decimal, paid_otherwise: Decimal) -> tuple[Fraction, Fraction]:
    whole = max(Fraction(0), Fraction(incl))
    paid = min(Fraction(1), max(Fraction(0), Fraction(paid_otherwise)) / whole) if whole else Fraction(0)
    base = whole if policy.earn_tax == "incl" else max(Fraction(0), Fraction(excl))
    return base * (1 - paid), paid


def _add_shipping(
    policy: Policy, rules: Sequence[RuleFacts], purchase: Purchase, by_amount: dict[int, list[_Part]]
) -> None:
    if not policy.earn_shipping:
        return
    amount, paid = _rest(policy, purchase.shipping_incl, purchase.shipping_excl, purchase.shipping_paid_otherwise)
    line = Line(key=SHIPPING, title="")
    rule = best(rules, line, ("amount",))
    if rule is not None and amount > 0:
        by_amount.setdefault(rule.version, []).append(_Part(line, rule, Fraction(0), amount, paid))


def _share_amount(group: list[_Part]) -> None:
    """Give the parts of one rule per amount what they bring: the threshold is taken off their sum, once."""
    total = sum((part.amount for part in group), Fraction(0))
    rule = group[0].rule
    above = total - Fraction(rule.threshold)
    if above <= 0 or total <= 0 or rule.per <= 0:
        return
    for part in group:
        part.exact = Fraction(rule.points) * part.amount * above / (total * Fraction(rule.per))


def _per_order(rules: Sequence[RuleFacts], counted: list[tuple[Line, Fraction]]) -> list[_Part]:
    parts = []
    for rule in rules:
        if rule.kind == "order":
            amounts = [amount for line, amount in counted if _fit(rule, line) is not None]
            if amounts and sum(amounts) >= rule.threshold:
                parts.append(_Part(Line(key=""), rule, Fraction(rule.points), Fraction(0)))
    return parts


def _outcome(policy: Policy, purchase: Purchase, parts: list[_Part]) -> Outcome:
    base = sum((part.exact for part in parts), Fraction(0))
    exact = base * Fraction(purchase.multiplier)
    points = round_points(exact, policy.rounding)
    ties = [(part.line.key, part.rule.version) for part in parts]
    split = share_rounding([part.exact * Fraction(purchase.multiplier) for part in parts], points)
    shares = whole_parts([share * 10**6 for share in split], ties)
    wholes = whole_parts(split, ties)
    lines = tuple(
        OutcomeLine(
            key=part.line.key,
            title=part.line.title,
            product=part.line.product,
            quantity=part.line.quantity,
            amount=_decimal(part.amount),
            share=share * QUANTUM,
            points=whole,
            rule_version=part.rule.version,
            explanation=_why(policy, part),
        )
        for part, share, whole in zip(parts, shares, wholes, strict=True)
    )
    explanation = {
        "base": _text(_decimal(base)),
        "multiplier": _text(purchase.multiplier),
        "tier": purchase.tier,
        "exact": _text(_decimal(exact)),
        "rounding": policy.rounding,
        "rounded": exact != points,
        "points": points,
    }
    return Outcome(points, lines, explanation)


def _why(policy: Policy, part: _Part) -> dict[str, Any]:
    rule = part.rule
    why: dict[str, Any] = {
        "rule": rule.kind,
        "name": rule.name,
        "version": rule.version,
        "number": rule.number,
        "target": rule.target,
        "points": _text(rule.points),
    }
    if rule.kind == "unit":
        why["quantity"] = part.line.quantity
    if rule.kind == "amount":
        why |= {"per": _text(rule.per), "amount": _text(_decimal(part.amount)), "currency": policy.currency}
        if part.line.key == SHIPPING:
            why["shipping"] = True
    if rule.threshold:
        why |= {"threshold": _text(rule.threshold), "currency": policy.currency}
    if part.paid:
        left_out = part.line.amount_incl * Decimal(part.paid.numerator) / Decimal(part.paid.denominator)
        why |= {"left_out": _text(left_out.quantize(Decimal("0.01"))), "currency": policy.currency}
    return why


def round_points(exact: Fraction, rounding: str) -> int:
    """Round to whole points: "down", "up" or to the "nearest" (halves up)."""
    if rounding == "up":
        return -(-exact.numerator // exact.denominator)
    if rounding == "nearest":
        exact += Fraction(1, 2)
    return exact.numerator // exact.denominator


def share_rounding(exact: Sequence[Fraction], points: int) -> list[Fraction]:
    """Spread what rounding took or gave over the parts with a broken point, so that they sum to ``points``.

    A part that is whole stays as it is: 80 points of a service's own are 80, whatever the rest of the order does.
    """
    change = points - sum(exact, Fraction(0))
    if not change:
        return list(exact)
    broken = [value - value.numerator // value.denominator for value in exact]
    weights = broken if change < 0 else [1 - part if part else Fraction(0) for part in broken]
    total = sum(weights, Fraction(0))
    return [value + change * weight / total for value, weight in zip(exact, weights, strict=True)]


def whole_parts(exact: Sequence[Fraction], ties: Sequence[Any]) -> list[int]:
    """Make parts whole that sum to a whole number: the largest remainders are rounded up, ``ties`` settle equals."""
    parts = [value.numerator // value.denominator for value in exact]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], ties[i]))
    missing = sum(exact, Fraction(0)) - sum(parts)
    for i in order[: int(missing)]:
        parts[i] += 1
    return parts


def _cents(value: Fraction) -> Decimal:
    return _decimal(value).quantize(Decimal("0.01"))


def _decimal(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.0001"))


def _text(value: Decimal) -> str:
    """Write a number without trailing zeros and exponents."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
