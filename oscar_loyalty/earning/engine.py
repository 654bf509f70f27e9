"""From the facts of a purchase to its points, with the reasons. Pure: no query, no model, no clock.

Award, preview and backfill all call :func:`evaluate`, so they cannot disagree.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from operator import attrgetter
from typing import Any

from oscar_loyalty.earning.conditions import When
from oscar_loyalty.earning.rounding import QUANTUM, add_up, common, round_points, share_rounding, whole_parts
from oscar_loyalty.earning.targets import SPECIFICITY, fit


@dataclass(frozen=True)
class Policy:
    """How the programme counts.

    ``stacking`` says what becomes of several multipliers, the tier's being one of them: the "best" counts alone, what
    each brings beside the points themselves is "add"-ed (x 2 and x 3 make x 4), or they "multiply" (x 6). Fixed bonuses
    are multiplied by nothing; of several, the "best" counts alone, otherwise all do. ``cap``: the most points that one
    purchase brings.
    """

    rounding: str = "down"
    earn_tax: str = "incl"
    earn_shipping: bool = False
    currency: str = "EUR"
    stacking: str = "multiply"
    cap: int | None = None


@dataclass(frozen=True)
class Caps:
    """The most points that one rule gives to a member: with one purchase, in a day, in all."""

    order: int | None = None
    day: int | None = None
    member: int | None = None


@dataclass(frozen=True)
class Room:
    """How many points may still be given, whatever the rules say; ``None``: no limit.

    ``day`` and ``member``: before the programme's caps are reached; ``budget``: before its budget is used up;
    ``rules``: before what one rule (by its primary key) gives to this member is, with what sets that limit ("day" or
    "member").
    """

    day: int | None = None
    member: int | None = None
    budget: int | None = None
    rules: Mapping[int, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class RuleFacts:
    """A version of a rule. ``points`` are for each piece, order or visit, or per ``per`` of the amount.

    ``name`` is data, in the owner's languages. ``threshold``: the amount from which it counts; per amount only what is
    above it brings points. A booster has ``times``, by which it multiplies what its target brings, or ``points``, the
    bonus that it adds once to a purchase with its target. ``when``: ``None`` is always. ``announce``: how many days
    before it begins customers are told of it.
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
    times: Decimal | None = None
    when: When | None = None
    caps: Caps | None = None
    rule: int = 0
    announce: int = 0


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

    def sold(self, **fields: Any) -> "Line":
        """Return this line with other ``fields``; what :func:`dataclasses.replace` does, in a fifth of its time."""
        line = object.__new__(Line)
        line.__dict__.update(self.__dict__, **fields)
        return line


@dataclass(frozen=True)
class Purchase:
    """What was bought (``channel`` "order") or booked ("booking"), by a member of which tier, and when.

    ``at`` is the moment on the shop's own clock; ``first``: the member's first; ``birthday_month``: in the month of the
    member's birthday; ``segments``: those the member is in.
    """

    lines: tuple[Line, ...]
    channel: str = "order"
    multiplier: Decimal = Decimal(1)
    tier: Any = None
    shipping_incl: Decimal = Decimal(0)
    shipping_excl: Decimal = Decimal(0)
    shipping_paid_otherwise: Decimal = Decimal(0)
    at: datetime | None = None
    first: bool = False
    birthday_month: bool = False
    segments: frozenset[str] = frozenset()

    def made(self, **fields: Any) -> "Purchase":
        """Return this purchase with other ``fields``, as :meth:`Line.sold` does."""
        purchase = object.__new__(Purchase)
        purchase.__dict__.update(self.__dict__, **fields)
        return purchase


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
    rule: int = 0


@dataclass(frozen=True)
class Outcome:
    """The points of a purchase. The shares of the lines sum to them, and so do their whole points.

    ``spent`` is what was paid in money for what counts: gift cards, what is left out by a rule, and what points or gift
    cards paid is not in it. ``counted`` is the same by the keys of the lines that count, each amount as text; of a
    purchase of one line, which all of it is about, it tells nothing.
    """

    points: int
    lines: tuple[OutcomeLine, ...] = ()
    explanation: dict[str, Any] = field(default_factory=dict)
    spent: Decimal = Decimal(0)
    counted: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Part:
    """What one rule gives for one line, exactly: first before the tier's multiplier, then with it."""

    line: Line
    rule: RuleFacts
    exact: Fraction
    amount: Fraction
    paid: Fraction = Fraction(0)
    said: dict[str, Any] = field(default_factory=dict)
    #: What boosters look at, where that is not the line itself.
    about: Line | None = None


SHIPPING = "shipping"
CENT, FINE = Decimal("0.01"), Decimal("0.0001")
NONE = Fraction(0)
UNSAID = Decimal(0)
#: What is for the whole purchase.
WHOLE = Line(key="")


NO_ROOM = Room()
VERSION = attrgetter("version")


def evaluate(
    policy: Policy, rules: Iterable[RuleFacts], purchase: Purchase, room: Room = NO_ROOM, *, explain: bool = True
) -> Outcome:
    """Return the points of ``purchase`` under ``rules``, rounded once, and never more than there is ``room`` for.

    Without ``explain`` it counts as always, but leaves out the reasons, shares and amounts: the outcome has its points,
    what was spent in all, and the whole points of each line and rule.
    """
    rules = sorted([rule for rule in rules if rule.when is None or rule.when.holds(purchase)], key=VERSION)
    parts: list[_Part] = []
    by_amount: dict[int, list[_Part]] = {}
    counted: list[tuple[Line, Fraction]] = []
    for line in purchase.lines:
        amount, paid = _amount(policy, line)
        if line.is_giftcard or (paid and paid >= 1):
            continue
        rule = best(rules, line, ("unit", "exclude"))
        if rule is not None and rule.kind == "exclude":
            continue
        counted.append((line, amount))
        if rule is not None:
            exact = _exactly(rule.points) * line.quantity
            if paid:
                exact *= 1 - paid
            parts.append(_Part(line, rule, exact, amount, paid))
        elif (rule := best(rules, line, ("amount",))) is not None:
            by_amount.setdefault(rule.version, []).append(_Part(line, rule, NONE, amount, paid))
        if purchase.channel == "booking" and (rule := best(rules, line, ("visit",))) is not None:
            # The threshold of a visit is what it has to cost.
            given = Fraction(rule.points) if amount >= rule.threshold else Fraction(0)
            parts.append(_Part(Line(key="", title=line.title), rule, given, Fraction(0), about=line))
    _add_shipping(policy, rules, purchase, by_amount)
    for group in by_amount.values():
        _share_amount(group)
        parts.extend(group)
    if purchase.channel == "order":
        parts.extend(_per_order(rules, counted))
    parts = [part for part in parts if part.exact.numerator > 0]
    base = add_up([part.exact for part in parts])
    boosters = [rule for rule in rules if rule.kind == "booster"]
    parts = _boost(policy, _exactly(purchase.multiplier), boosters, parts)
    parts += _bonuses(policy, boosters, counted)
    _cap_rules(parts, room)
    spent = _cents(add_up([amount for _line, amount in counted]))
    parts = [part for part in parts if part.exact.numerator > 0]
    return _outcome(policy, purchase, base, parts, room, spent, counted, explain)


@lru_cache(maxsize=16384)
def _exactly(value: Decimal) -> Fraction:
    """Return a number of a rule or a price, which come again and again, as a fraction."""
    return Fraction(value)


def _boost(policy: Policy, tier: Fraction, boosters: Sequence[RuleFacts], parts: list[_Part]) -> list[_Part]:
    """Multiply the parts by the tier's multiplier, and add a part for what each booster brings beside that."""
    if not boosters and tier == 1:
        return parts
    result = []
    for part in parts:
        # What is for the whole order is boosted only by what is about everything; a visit, by what fits its service.
        about = part.about or part.line
        own = [rule for rule in boosters if rule.times is not None and fit(rule, about) is not None]
        base, part.exact = part.exact, part.exact * tier if tier != 1 else part.exact
        result.append(part)
        for rule, extra, said in _extras(policy, tier, own) if own else ():
            product = _Part(part.line, rule, base * extra, Fraction(0), said=said)
            product.said["of"] = part.rule.kind
            result.append(product)
    return result


def _extras(
    policy: Policy, tier: Fraction, boosters: Sequence[RuleFacts]
) -> list[tuple[RuleFacts, Fraction, dict[str, Any]]]:
    """Return what each booster adds to one point, beside what the tier makes of it."""
    found = []
    if policy.stacking == "best":
        if boosters:
            rule = max(boosters, key=lambda rule: (rule.times or 0, rule.version))
            extra = Fraction(rule.times or 0) - tier
            said = {"instead": _text(_decimal(tier))} if tier != 1 else {}
            found.append((rule, max(Fraction(0), extra), said))
    elif policy.stacking == "add":
        found = [(rule, max(Fraction(0), Fraction(rule.times or 0) - 1), {}) for rule in boosters]
    else:
        so_far = tier
        for rule in boosters:
            times = max(Fraction(1), Fraction(rule.times or 0))
            found.append((rule, so_far * (times - 1), {}))
            so_far *= times
    return found


def _bonuses(policy: Policy, boosters: Sequence[RuleFacts], counted: list[tuple[Line, Fraction]]) -> list[_Part]:
    """Return the fixed bonuses: each once, where the purchase has something of its target."""
    fixed = []
    for rule in boosters:
        amounts = [amount for line, amount in counted if fit(rule, line) is not None]
        if rule.times is None and _enough(rule, amounts):
            fixed.append(_Part(WHOLE, rule, _exactly(rule.points), NONE))
    if policy.stacking == "best" and fixed:
        fixed = [max(fixed, key=lambda part: (part.exact, part.rule.version))]
    return fixed


def _cap_rules(parts: list[_Part], room: Room) -> None:
    """Let no rule give more than its own caps allow: what is above is taken off its parts in proportion."""
    groups: dict[int, list[_Part]] = {}
    for part in parts:
        if part.rule.caps is not None or part.rule.rule in room.rules:
            groups.setdefault(part.rule.version, []).append(part)
    for group in groups.values():
        rule = group[0].rule
        caps = rule.caps or Caps()
        limits = [("order", caps.order), ("day", caps.day), ("member", caps.member)]
        known = [(by, limit) for by, limit in [*limits, room.rules.get(rule.rule, ("", None))] if limit is not None]
        if not known:
            continue
        by, limit = min(known, key=lambda pair: pair[1])
        parts_of, over = common([part.exact for part in group])
        total = sum(parts_of)
        if total > limit * over:
            ties = [(part.line.key, part.rule.version) for part in group]
            # Whole points, so that rounding the purchase cannot lift the rule above its cap.
            wholes = whole_parts([value * limit for value in parts_of], total, ties)
            for part, whole in zip(group, wholes, strict=True):
                part.said["capped"] = {"by": by, "most": limit, "before": _text(_decimal(part.exact))}
                part.exact = Fraction(whole)


def best(rules: Sequence[RuleFacts], line: Line, kinds: tuple[str, ...]) -> RuleFacts | None:
    """Return the rule of these kinds that fits ``line`` most closely; among equals "exclude", then the newest."""
    found = None
    found_rank: tuple[int, int, bool, int] | None = None
    for rule in rules:
        if rule.kind not in kinds:
            continue
        depth = fit(rule, line)
        if depth is None:
            continue
        rank = (SPECIFICITY[rule.target], depth, rule.kind == "exclude", rule.version)
        if found_rank is None or rank > found_rank:
            found, found_rank = rule, rank
    return found


def _amount(policy: Policy, line: Line) -> tuple[Fraction, Fraction]:
    """Return the amount that counts, and the part (0 to 1) of the line that was paid with points or gift cards."""
    return _rest(policy, line.amount_incl, line.amount_excl, line.paid_otherwise)


def _rest(policy: Policy, incl: Decimal, excl: Decimal, paid_otherwise: Decimal) -> tuple[Fraction, Fraction]:
    whole = _exactly(incl) if incl > 0 else NONE
    base = whole if policy.earn_tax == "incl" else _exactly(excl) if excl > 0 else NONE
    if paid_otherwise <= 0 or not whole:
        return base, NONE
    paid = min(Fraction(1), Fraction(paid_otherwise) / whole)
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
        by_amount.setdefault(rule.version, []).append(_Part(line, rule, NONE, amount, paid))


def _share_amount(group: list[_Part]) -> None:
    """Give the parts of one rule per amount what they bring: the threshold is taken off their sum, once."""
    total = add_up([part.amount for part in group])
    rule = group[0].rule
    above = total - _exactly(rule.threshold) if rule.threshold else total
    if above.numerator <= 0 or total.numerator <= 0 or rule.per <= 0:
        return
    rate = _exactly(rule.points) / _exactly(rule.per) if rule.per != 1 else _exactly(rule.points)
    if len(group) == 1:
        group[0].exact = rate * above
        return
    each = rate * above / total if rule.threshold else rate
    for part in group:
        part.exact = each * part.amount


def _per_order(rules: Sequence[RuleFacts], counted: list[tuple[Line, Fraction]]) -> list[_Part]:
    parts = []
    for rule in rules:
        if rule.kind == "order":
            amounts = [amount for line, amount in counted if fit(rule, line) is not None]
            if _enough(rule, amounts):
                parts.append(_Part(WHOLE, rule, _exactly(rule.points), NONE))
    return parts


def _enough(rule: RuleFacts, amounts: Sequence[Fraction]) -> bool:
    """Whether there is something that a rule for the whole purchase is about, and it costs enough."""
    return bool(amounts) and (not rule.threshold or add_up(amounts) >= _exactly(rule.threshold))


def _outcome(
    policy: Policy,
    purchase: Purchase,
    base: Fraction,
    parts: list[_Part],
    room: Room,
    spent: Decimal,
    counted: list[tuple[Line, Fraction]],
    explain: bool,
) -> Outcome:
    wanted, over = common([part.exact for part in parts])
    exact = parts[0].exact if len(parts) == 1 else Fraction(sum(wanted), over)
    points = round_points(exact, policy.rounding)
    by, limit = _limit(policy, room)
    capped = {"by": by, "most": limit, "before": points} if limit is not None and points > limit else None
    if limit is not None and capped:
        points = limit
    if len(parts) == 1 and not explain:
        return Outcome(points, (_bare(parts[0], points),), {}, spent)
    ties = [(part.line.key, part.rule.version) for part in parts]
    if capped:
        wanted, over = [value * points for value in wanted], sum(wanted)
    split, over = share_rounding(wanted, over, points)
    wholes = whole_parts(split, over, ties)
    if not explain:
        return Outcome(points, tuple(_bare(part, whole) for part, whole in zip(parts, wholes, strict=True)), {}, spent)
    shares = whole_parts([share * 10**6 for share in split], over, ties)
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
            explanation=_why(policy, part, share * QUANTUM),
            rule=part.rule.rule,
        )
        for part, share, whole in zip(parts, shares, wholes, strict=True)
    )
    explanation = {
        "base": _text(_decimal(base)),
        "multiplier": _text(purchase.multiplier),
        "tier": purchase.tier,
        "exact": _text(_decimal(exact)),
        "rounding": policy.rounding,
        "rounded": not capped and exact != points,
        "points": points,
    }
    if capped:
        explanation["capped"] = capped
    told = {line.key: _text(_decimal(amount)) for line, amount in counted} if len(purchase.lines) > 1 else {}
    return Outcome(points, lines, explanation, spent, told)


def _limit(policy: Policy, room: Room) -> tuple[str, int | None]:
    """Return the narrowest limit of the purchase, and what sets it; of equals the first."""
    if policy.cap is None and room is NO_ROOM:
        return "", None
    limits = [("order", policy.cap), ("day", room.day), ("member", room.member), ("budget", room.budget)]
    known = [(by, max(0, limit)) for by, limit in limits if limit is not None]
    return min(known, key=lambda pair: pair[1]) if known else ("", None)


def _bare(part: _Part, points: int) -> OutcomeLine:
    """Return what counts of a line, without its reasons."""
    line, rule = part.line, part.rule
    return OutcomeLine(
        line.key, line.title, line.product, line.quantity, UNSAID, UNSAID, points, rule.version, {}, rule.rule
    )


def _why(policy: Policy, part: _Part, share: Decimal) -> dict[str, Any]:
    rule = part.rule
    why: dict[str, Any] = {
        "rule": rule.kind,
        "name": rule.name,
        "version": rule.version,
        "number": rule.number,
        "target": rule.target,
        "points": _text(rule.points),
        **part.said,
    }
    if rule.kind == "booster":
        why["brought"] = _text(share.quantize(CENT))
        if rule.times is not None:
            why["times"] = _text(rule.times)
    if rule.kind == "unit":
        why["quantity"] = part.line.quantity
    if rule.kind == "amount":
        why |= {"per": _text(rule.per), "amount": _text(_decimal(part.amount)), "currency": policy.currency}
    if part.line.key == SHIPPING:
        # Whatever brought it, it goes back with the shipping.
        why["shipping"] = True
    if rule.threshold:
        why |= {"threshold": _text(rule.threshold), "currency": policy.currency}
    if part.paid:
        left_out = part.line.amount_incl * Decimal(part.paid.numerator) / Decimal(part.paid.denominator)
        why |= {"left_out": _text(left_out.quantize(CENT)), "currency": policy.currency}
    return why


def _cents(value: Fraction) -> Decimal:
    return _decimal(value).quantize(CENT)


def _decimal(value: Fraction) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(FINE)


def _text(value: Decimal) -> str:
    """Write a number without trailing zeros and exponents."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
