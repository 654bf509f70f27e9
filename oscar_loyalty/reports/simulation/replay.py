"""Replaying past purchases by the one engine, twice in one pass: by the rules that are tried, and by those of today."""

import heapq
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
from oscar_loyalty.earning.engine import NO_ROOM, Line, Purchase, Room, evaluate
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports.simulation.allowance import Remembered
from oscar_loyalty.reports.simulation.circumstances import Then
from oscar_loyalty.reports.simulation.purchases import NO_SHIPPING, SLICE, ZERO, Past, Purchases
from oscar_loyalty.reports.simulation.sources import Rules

#: How many outcomes are remembered for purchases that are alike.
REMEMBERED = 100_000
ONCE = Decimal(1)


@dataclass(slots=True)
class Standing:
    """What a member has after a replay. ``spent`` is what counts for points, less what was given back.

    What is ``old`` of it lies before the window of the tiers, and counts for none.
    """

    purchases: int = 0
    visits: int = 0
    spent: Decimal = Decimal(0)
    points: int = 0
    today: int = 0
    awarded: int = 0
    old_purchases: int = 0
    old_visits: int = 0
    old_spent: Decimal = Decimal(0)
    old_points: int = 0


@dataclass(frozen=True)
class Period:
    """What a replay looked at; ``until`` is its end, or now, where that comes first."""

    since: datetime
    until: datetime


#: Says which tier (its primary key) each member has with what they have; registered by :func:`scheme`.
Scheme = Callable[[Any, Mapping[int, Standing], Period], Mapping[int, int | None] | None]
_scheme: list[Scheme] = []


def scheme(function: Scheme) -> Scheme:
    """Register how tiers follow from purchases: ``function(programme, standings by member, period) -> tiers``."""
    _scheme[:] = [function]
    return function


def tiers_after(programme: Any, standings: Mapping[int, Standing], period: Period) -> Mapping[int, int | None] | None:
    """Return the tier of each member after a replay, or ``None`` where tiers do not follow from purchases."""
    return _scheme[0](programme, standings, period) if _scheme else None


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
    months: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    members: dict[int, Standing] = field(default_factory=lambda: defaultdict(Standing))


@dataclass(frozen=True, slots=True)
class _Result:
    """What is remembered of an outcome."""

    points: int
    spent: Decimal
    by_rule: tuple[tuple[int, int], ...]
    lines: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The rules that may be about some products at a moment. ``alike`` is the same number for products that no rule
    tells apart, ``pieces`` says whether a rule counts pieces."""

    rules: tuple[Any, ...]
    conditional: tuple[Any, ...]
    alike: int
    pieces: bool


@dataclass(slots=True)
class _Seen:
    """What both players look at of a purchase. ``held`` is the time that conditions look at, on the shop's clock.

    Purchases with the same ``amounts`` and ``terms`` bring the same by rules that count no pieces; a single piece that
    is paid in money, with no other amounts asked, is its price alone: most are.
    """

    products: tuple[int | None, ...]
    amounts: Any
    terms: Any
    tier: Any
    multiplier: Decimal
    held: datetime


@dataclass(slots=True)
class _Moment:
    """What conditions look at, see :class:`oscar_loyalty.earning.conditions.Circumstances`."""

    at: datetime
    channel: str
    tier: Any
    first: bool = False
    birthday_month: bool = False
    segments: frozenset[str] = frozenset()


class _Player:
    """Evaluates purchases by one book of rules; those that are alike in all that its rules ask are evaluated once."""

    def __init__(self, programme: Any, rules: Rules, since: datetime) -> None:
        self._programme, self._rules = programme, rules
        self._policy = facts.policy_of(programme)
        self._known: dict[int, Line] = {}
        self._prepared: dict[tuple[Any, ...], _Prepared] = {}
        self._numbers: dict[Any, int] = {}
        self._results: dict[Any, _Result] = {}
        self.described: dict[int, dict[str, Any]] = {}
        self._circumstances: Then | None = None
        self._people: dict[int, Any] = {}
        self._allowance = Remembered(rules.book, since)
        # What will have been taken back: when, a number for those of the same moment, and what the allowance is told.
        self._taken: list[tuple[datetime, int, int, datetime, int, tuple[Any, ...]]] = []
        self._events = 0

    def learn(self, products: set[int], people: set[int]) -> None:
        """Look up what rules ask about these products and members, as far as it is not known."""
        new = products - self._known.keys()
        if new:
            rows = get_model("catalogue", "Product").objects.filter(pk__in=new)
            self._known |= facts.describe(rows.select_related(*facts.PRODUCT_RELATED), self._rules.book)
        known = self._rules.book.known()
        self._circumstances = None
        whens = [dated.facts.when for dated in known if dated.facts.when is not None]
        if any(when.first or when.birthday_month or when.segments for when in whens):
            self._people = get_model("loyalty_members", "Member").objects.in_bulk(people)
            self._circumstances = Then(self._rules.book, self._people.values())
        self._allowance.learn(known, people)

    def play(self, past: Past, seen: _Seen, moment: datetime) -> _Result:
        """Return what ``past`` brings by the rules of ``moment``; each must come after those before it in time."""
        at = self._rules.at
        prepared = self._prepared.get(seen.products) if at is not None else None
        if prepared is None:
            prepared = self._in_force(seen.products, moment if at is None else at)
        holding = None
        tier, multiplier = seen.tier, seen.multiplier
        if prepared.conditional:
            circumstances = self._moment(past, tier, seen.held)
            # What does not hold is left out of the key, so that purchases at other times can still be alike.
            holding = tuple([rule.when.holds(circumstances) for rule in prepared.conditional])
        if self._allowance.limited:
            return self._play_limited(past, tier, multiplier, _without(prepared, holding))
        bought = seen.amounts
        if prepared.pieces:
            bought = (bought, tuple([piece[2] for piece in past.pieces]))
        key = (prepared.alike, holding, bought, seen.terms)
        found = self._results.get(key)
        if found is None:
            if len(self._results) >= REMEMBERED:
                self._results.clear()
            rules = _without(prepared, holding)
            found = self._results[key] = self._evaluate(past, tier, multiplier, rules, NO_ROOM)
        return found

    def _play_limited(self, past: Past, tier: Any, multiplier: Decimal, rules: tuple[Any, ...]) -> _Result:
        """Evaluate ``past`` with what caps and budget left when it was reckoned."""
        somebody, counted_at, known_at = SimpleNamespace(pk=past.member), past.counted_at or past.at, past.known_at
        while known_at is not None and self._taken and self._taken[0][0] <= known_at:
            self._allowance.take_back(*heapq.heappop(self._taken)[2:])
        result = self._evaluate(past, tier, multiplier, rules, self._allowance.room(somebody, counted_at))
        self._allowance.note(somebody, counted_at, result)
        if past.given is not None:
            before = 0
            for number, (at, taken) in enumerate(past.given.taken, start=1):
                back = _part(result.points, Fraction(min(taken, past.given.clawed_back), past.given.points))
                gone = result.lines if past.given.void and number == len(past.given.taken) else ()
                self._events += 1
                heapq.heappush(self._taken, (at, self._events, past.member, counted_at, back - before, gone))
                before = back
        return result

    def _moment(self, past: Past, tier: Any, local: datetime) -> Any:
        if self._circumstances is None:
            return _Moment(local, past.kind, None if tier is None else {"code": tier.code})
        order, booking = past.pk if past.kind == "order" else None, SimpleNamespace(pk=past.pk, made_at=past.at)
        self._circumstances.as_of = past.known_at or (past.given and past.given.recorded_at) or past.at
        bare, who = Purchase(lines=(), channel=past.kind), self._people[past.member]
        return self._circumstances.of(
            bare, member=who, tier=tier, at=past.held_at or past.at, order=order, booking=booking
        )

    def _in_force(self, products: tuple[int | None, ...], moment: datetime) -> _Prepared:
        found = self._prepare(products, tuple(self._rules.book.at(moment, self._lines(products))))
        if self._rules.at is not None:
            if len(self._prepared) >= REMEMBERED:
                self._prepared.clear()
            self._prepared[products] = found
        return found

    def _prepare(self, products: tuple[int | None, ...], rules: tuple[Any, ...]) -> _Prepared:
        single = {rule.target_id for rule in rules if rule.target in ("product", "variant")}
        told = []
        for pk in products:
            line = self._known.get(pk) if pk is not None else None
            if line is None:
                told.append(None)
                continue
            own = tuple(one if one in single else one is not None for one in (line.product, line.parent))
            told.append((own, line.product_class, line.categories, line.ranges, line.is_giftcard))
        what = (tuple(rule.version for rule in rules), tuple(told))
        return _Prepared(
            rules=rules,
            conditional=tuple(rule for rule in rules if rule.when is not None),
            alike=self._numbers.setdefault(what, len(self._numbers)),
            pieces=any(rule.kind == "unit" for rule in rules),
        )

    def _lines(self, products: tuple[int | None, ...]) -> list[Line]:
        return [self._known[pk] for pk in products if pk in self._known]

    def _evaluate(self, past: Past, tier: Any, multiplier: Decimal, rules: tuple[Any, ...], room: Room) -> _Result:
        lines = []
        for number, (_key, product, quantity, incl, excl, other) in enumerate(past.pieces):
            known = self._known.get(product, NOTHING) if product is not None else NOTHING
            own = {"quantity": quantity, "amount_incl": incl, "amount_excl": excl, "paid_otherwise": other}
            # Ties are settled by the order of the keys: that of the pieces, which are sorted by them.
            lines.append(known.sold(key=f"{number:06}", **own))
        incl, excl, other = past.shipping
        purchase = Purchase(
            lines=tuple(lines),
            channel=past.kind,
            multiplier=multiplier if tier is not None else Decimal(1),
            shipping_incl=incl,
            shipping_excl=excl,
            shipping_paid_otherwise=other,
        )
        outcome = evaluate(self._policy, rules, purchase, room, explain=False)
        by_rule: dict[int, int] = defaultdict(int)
        for line in outcome.lines:
            by_rule[line.rule_version] += line.points
            if line.rule_version not in self.described:
                self.described |= {one.version: _described(one) for one in rules if one.version == line.rule_version}
        return _Result(outcome.points, outcome.spent, tuple(by_rule.items()), outcome.lines)


NOTHING = Line(key="")


def _described(rule: Any) -> dict[str, Any]:
    """Return what a rule says, as it is kept: numbers as text."""
    said = {"rule": rule.kind, "name": rule.name, "target": rule.target, "number": rule.number}
    numbers = {"points": rule.points, "per": rule.per, "threshold": rule.threshold, "times": rule.times}
    return said | {name: str(value) for name, value in numbers.items() if value}


def _without(prepared: _Prepared, holding: tuple[bool, ...] | None) -> tuple[Any, ...]:
    """Return the rules without those whose conditions do not hold, and these without their conditions."""
    if holding is None:
        return prepared.rules
    flags = iter(holding)
    kept = [rule for rule in prepared.rules if rule.when is None or next(flags)]
    return tuple(rule if rule.when is None else replace(rule, when=None) for rule in kept)


def play(
    programme: Any,
    rules: Rules,
    today: Rules,
    purchases: Purchases,
    progress: Callable[[int], Any] | None = None,
    each: Callable[[Past, int], Any] | None = None,
    counts_from: datetime | None = None,
) -> Tally:
    """Evaluate ``purchases`` by ``rules`` and by those of ``today``, and return the sums. It only reads.

    What lies before ``counts_from`` counts for no tier.
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
            _add(tally, batch, trying, present, purchases, each, counts_from)
            batch = []
            if progress is not None:
                progress(seen)
    _add(tally, batch, trying, present, purchases, each, counts_from)
    if progress is not None:
        progress(seen)
    for version, row in tally.rules.items():
        row |= trying.described.get(version, {})
    return tally


def _add(
    tally: Tally,
    batch: list[Past],
    trying: _Player,
    present: _Player,
    purchases: Purchases,
    each: Any,
    counts_from: datetime | None,
) -> None:
    products = {piece[1] for past in batch for piece in past.pieces if piece[1] is not None}
    people = {past.member for past in batch}
    trying.learn(products, people)
    present.learn(products, people)
    zone = timezone.get_default_timezone()
    given_by, months, members, play_now = tally.rules, tally.months, tally.members, present.play
    for past in batch:
        given, pieces, kind = past.given, past.pieces, past.kind
        if given is not None:
            tier, multiplier, moment = given.tier, given.multiplier, given.rules_at(past.at)
        else:
            tier, moment = purchases.tier(past.tier), past.at
            multiplier = tier.multiplier if tier is not None else ONCE
        local = past.at.astimezone(zone)
        held = local if past.held_at is None else past.held_at.astimezone(zone)
        terms: Any = kind
        if tier is not None or past.shipping is not NO_SHIPPING:
            terms = (kind, past.shipping, tier and tier.pk, multiplier)
        if len(pieces) == 1:
            _line, product, _quantity, amount, excl, other = pieces[0]
            amounts: Any = amount if excl is ZERO and other is ZERO else (amount, excl, other)
            bought: tuple[int | None, ...] = (product,)
        else:
            amounts = tuple([piece[3:] for piece in pieces])
            bought = tuple([piece[1] for piece in pieces])
        seen = _Seen(bought, amounts, terms, tier, multiplier, held)
        result, now = trying.play(past, seen, moment), play_now(past, seen, moment)
        if each is not None:
            each(past, result.points)
        points, today, spent, awarded = result.points, now.points, result.spent, 0
        if given is not None:
            awarded = given.stands
            if given.kept is not None:
                points, today, spent = _part(points, given.kept), _part(today, given.kept), _money(spent, given.kept)
        tally.purchases += 1
        tally.turnover += past.turnover
        tally.points += points
        tally.given += result.points
        tally.today += today
        tally.awarded += awarded
        for version, number in result.by_rule:
            row = given_by.get(version)
            if row is None:
                row = given_by[version] = {"given": 0, "purchases": 0}
            row["given"] += number
            row["purchases"] += 1
        month = months[local.year, local.month]
        month[0] += points
        month[1] += today
        month[2] += awarded
        standing = members[past.member]
        standing.purchases += 1
        standing.visits += kind == "booking"
        standing.spent += spent
        standing.points += points
        standing.today += today
        standing.awarded += awarded
        if counts_from is not None and (past.held_at or past.at) < counts_from:
            standing.old_purchases += 1
            standing.old_visits += kind == "booking"
            standing.old_spent += spent
            standing.old_points += points


def _part(points: int, kept: Fraction) -> int:
    """Return the same part of ``points`` as was left to the award."""
    return (points * kept.numerator * 2 + kept.denominator) // (2 * kept.denominator)


def _money(amount: Decimal, kept: Fraction) -> Decimal:
    return (amount * kept.numerator / kept.denominator).quantize(Decimal("0.01"))
