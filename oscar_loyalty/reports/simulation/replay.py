"""Replaying past purchases by the one engine, twice in one pass: by the rules that are tried, and by those of today."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from oscar_loyalty.earning import facts
from oscar_loyalty.earning.circumstances import Circumstances
from oscar_loyalty.earning.engine import NO_ROOM, Line, Purchase, Room, evaluate
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports.simulation.allowance import Remembered
from oscar_loyalty.reports.simulation.purchases import ONE, SLICE, Past, Purchases
from oscar_loyalty.reports.simulation.sources import Rules

#: How many outcomes are remembered for purchases that are alike.
REMEMBERED = 50_000


@dataclass
class Standing:
    """What a member has after a replay. ``spent`` is what counts for points, less what was given back."""

    purchases: int = 0
    spent: Decimal = Decimal(0)
    points: int = 0
    today: int = 0
    awarded: int = 0


#: Says which tier (its primary key) each member has with what they earned and spent; registered by :func:`scheme`.
Scheme = Callable[[Any, Mapping[int, Standing]], Mapping[int, int | None]]
_scheme: list[Scheme] = []


def scheme(function: Scheme) -> Scheme:
    """Register how tiers follow from points or spending: ``function(programme, standings by member) -> tiers``."""
    _scheme[:] = [function]
    return function


def tiers_after(programme: Any, standings: Mapping[int, Standing]) -> Mapping[int, int | None] | None:
    """Return the tier of each member after a replay, or ``None`` where tiers do not follow from purchases."""
    return _scheme[0](programme, standings) if _scheme else None


@dataclass
class Tally:
    """The sums of a replay. Points are what stands, so less the part that was taken back of each purchase;

    ``given`` and those of ``rules`` are before that.
    """

    purchases: int = 0
    turnover: Decimal = Decimal(0)
    points: int = 0
    given: int = 0
    today: int = 0
    awarded: int = 0
    rules: dict[int, dict[str, Any]] = field(default_factory=dict)
    months: dict[str, list[int]] = field(default_factory=dict)
    members: dict[int, Standing] = field(default_factory=lambda: defaultdict(Standing))


@dataclass(frozen=True, slots=True)
class _Result:
    """What is remembered of an outcome, with the rules that it came from: their ids are part of its key."""

    points: int
    spent: Decimal
    by_rule: tuple[tuple[int, int], ...]
    lines: tuple[Any, ...]
    rules: tuple[Any, ...]


class _Player:
    """Evaluates purchases by one book of rules."""

    def __init__(self, programme: Any, rules: Rules, since: datetime) -> None:
        self._programme, self._rules = programme, rules
        self._policy = facts.policy_of(programme)
        self._known: dict[int, Line] = {}
        self._fixed: dict[tuple[Any, ...], tuple[tuple[Any, ...], tuple[int, ...]]] = {}
        self._results: dict[Any, _Result] = {}
        self.described: dict[int, dict[str, Any]] = {}
        self._circumstances: Circumstances | None = None
        self._people: dict[int, Any] = {}
        self._allowance = Remembered(rules.book, since)

    def learn(self, products: set[int], people: set[int]) -> None:
        """Look up what rules ask about these products and members, as far as it is not known."""
        new = products - self._known.keys()
        if new:
            rows = get_model("catalogue", "Product").objects.filter(pk__in=new)
            self._known |= facts.describe(rows.select_related(*facts.PRODUCT_RELATED), self._rules.book)
        known = self._rules.book.known()
        self._circumstances = None
        if any(dated.facts.when is not None for dated in known):
            self._people = get_model("loyalty_members", "Member").objects.in_bulk(people)
            self._circumstances = Circumstances(self._rules.book, self._people.values())
        self._allowance.learn(known, people)

    def play(self, past: Past, tier: Any, multiplier: Decimal, moment: datetime) -> _Result:
        """Return what ``past`` brings by the rules of ``moment``; each must come after those before it in time."""
        rules, ids = self._in_force(past, moment)
        bare = Purchase(lines=(), channel=past.kind)
        if self._circumstances is not None:
            order = past.pk if past.kind == "order" else None
            who = self._people[past.member]
            bare = self._circumstances.of(bare, member=who, tier=tier, at=past.held_at or past.at, order=order)
            # What does not hold is left out of the key, so that purchases at other times can still be alike.
            rules = tuple(rule for rule in rules if rule.when is None or rule.when.holds(bare))
            ids = tuple(map(id, rules))
        if self._allowance.limited:
            somebody, counted_at = SimpleNamespace(pk=past.member), past.counted_at or past.at
            room = self._allowance.room(somebody, counted_at)
            result = self._evaluate(past, tier, multiplier, rules, bare, room)
            self._allowance.note(somebody, counted_at, result)
            return result
        shape = tuple(piece[1:2] + piece[3:] for piece in past.pieces)
        code = tier.pk if tier is not None else None
        key = (ids, past.kind, shape, past.shipping, code, multiplier)
        found = self._results.get(key)
        if found is None:
            if len(self._results) >= REMEMBERED:
                self._results.clear()
            found = self._results[key] = self._evaluate(past, tier, multiplier, rules, bare, NO_ROOM)
        return found

    def _in_force(self, past: Past, moment: datetime) -> tuple[tuple[Any, ...], tuple[int, ...]]:
        if self._rules.at is None:
            rules = tuple(self._rules.book.at(moment, self._lines(past)))
            return rules, tuple(map(id, rules))
        products = tuple(piece[1] for piece in past.pieces)
        found = self._fixed.get(products)
        if found is None:
            if len(self._fixed) >= REMEMBERED:
                self._fixed.clear()
            rules = tuple(self._rules.book.at(self._rules.at, self._lines(past)))
            found = self._fixed[products] = (rules, tuple(map(id, rules)))
        return found

    def _lines(self, past: Past) -> list[Line]:
        return [self._known[piece[1]] for piece in past.pieces if piece[1] in self._known]

    def _evaluate(
        self, past: Past, tier: Any, multiplier: Decimal, rules: tuple[Any, ...], bare: Purchase, room: Room
    ) -> _Result:
        lines = []
        for number, (_key, product, title, quantity, incl, excl, other) in enumerate(past.pieces):
            known = self._known.get(product) if product is not None else None
            own = {"quantity": quantity, "amount_incl": incl, "amount_excl": excl, "paid_otherwise": other}
            described = {} if known is None else {name: getattr(known, name) for name in _DESCRIBED}
            # Ties are settled by the order of the keys: that of the pieces, which are sorted by them.
            lines.append(Line(key=f"{number:06}", title=title, **described, **own))
        incl, excl, other = past.shipping
        purchase = replace(
            bare,
            lines=tuple(lines),
            shipping_incl=incl,
            shipping_excl=excl,
            shipping_paid_otherwise=other,
        )
        if tier is not None:
            purchase = facts.of_tier(purchase, _As(tier, multiplier))
        outcome = evaluate(self._policy, rules, purchase, room)
        by_rule: dict[int, int] = defaultdict(int)
        for line in outcome.lines:
            by_rule[line.rule_version] += line.points
            if line.rule_version not in self.described:
                names = ("rule", "name", "target", "points", "per", "threshold", "times", "number")
                self.described[line.rule_version] = {k: line.explanation[k] for k in names if k in line.explanation}
        return _Result(outcome.points, outcome.spent, tuple(by_rule.items()), outcome.lines, rules)


_DESCRIBED = ("product", "parent", "product_class", "categories", "ranges", "is_giftcard")


class _As:
    """A tier with the multiplier that it had at the time."""

    def __init__(self, tier: Any, multiplier: Decimal) -> None:
        self.code, self.name, self.multiplier = tier.code, tier.name, multiplier


def play(
    programme: Any,
    rules: Rules,
    today: Rules,
    purchases: Purchases,
    progress: Callable[[int], Any] | None = None,
    each: Callable[[Past, int], Any] | None = None,
) -> Tally:
    """Evaluate ``purchases`` by ``rules`` and by those of ``today``, and return the sums. It only reads.

    ``progress`` is told now and then how many purchases were looked at, ``each`` the points of every one as they were
    given, before anything was taken back.
    """
    tally = Tally()
    trying, present = _Player(programme, rules, purchases.since), _Player(programme, today, purchases.since)
    batch: list[Past] = []
    seen = 0
    for past in purchases:
        seen += 1
        if past is not None:
            batch.append(past)
        if seen % SLICE == 0:
            _add(tally, batch, trying, present, purchases, each)
            batch = []
            if progress is not None:
                progress(seen)
    _add(tally, batch, trying, present, purchases, each)
    if progress is not None:
        progress(seen)
    for version, row in tally.rules.items():
        row |= trying.described.get(version, {})
    return tally


def _add(tally: Tally, batch: list[Past], trying: _Player, present: _Player, purchases: Purchases, each: Any) -> None:
    products = {piece[1] for past in batch for piece in past.pieces if piece[1] is not None}
    people = {past.member for past in batch}
    trying.learn(products, people)
    present.learn(products, people)
    for past in batch:
        given = past.given
        if given is not None:
            tier, multiplier, moment = given.tier, given.multiplier, given.rules_at(past.at)
        else:
            tier, moment = purchases.tier(past.tier), past.at
            multiplier = tier.multiplier if tier is not None else Decimal(1)
        result, now = trying.play(past, tier, multiplier, moment), present.play(past, tier, multiplier, moment)
        if each is not None:
            each(past, result.points)
        kept = ONE if given is None else given.kept
        points, today, awarded = _part(result.points, kept), _part(now.points, kept), given.stands if given else 0
        tally.purchases += 1
        tally.turnover += past.turnover
        tally.points += points
        tally.given += result.points
        tally.today += today
        tally.awarded += awarded
        for version, number in result.by_rule:
            row = tally.rules.setdefault(version, {"given": 0, "purchases": 0})
            row["given"] += number
            row["purchases"] += 1
        local = timezone.localtime(past.at)
        month = tally.months.setdefault(f"{local.year:04}-{local.month:02}", [0, 0, 0])
        month[0] += points
        month[1] += today
        month[2] += awarded
        standing = tally.members[past.member]
        standing.purchases += 1
        standing.spent += result.spent if kept == 1 else _money(result.spent, kept)
        standing.points += points
        standing.today += today
        standing.awarded += awarded


def _part(points: int, kept: Fraction) -> int:
    """Return the same part of ``points`` as was left to the award."""
    return points if kept == 1 else (points * kept.numerator * 2 + kept.denominator) // (2 * kept.denominator)


def _money(amount: Decimal, kept: Fraction) -> Decimal:
    return (amount * kept.numerator / kept.denominator).quantize(Decimal("0.01"))
