"""What a programme gives away at worst: discount, points, tier and boosters together, as a part of the price.

The engine itself reckons it, for purchases that are made up: of every tier, by every way, at every moment at which
another set of rules holds, of every kind of product that rules tell apart. Such a purchase is the member's first, in
the month of the birthday, by somebody in every group. What is for a whole order or visit is set against the amount from
which it counts, or against :data:`PRICE`. Stamp cards, gifts and invitations are not in it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.db.models import Min, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from oscar_loyalty import clock, times
from oscar_loyalty.cells import YEARS
from oscar_loyalty.earning import engine, explain, facts, specs
from oscar_loyalty.earning.exceptions import WrongRule
from oscar_loyalty.earning.laid import ABOVE, DraftBook
from oscar_loyalty.earning.segments import segments
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members.services import point_value

#: What is bought, in the programme's currency, where no product sets the price.
PRICE = Decimal(100)
ALL_TIME = datetime(9999, 1, 1, tzinfo=UTC)
OWN = ("product", "variant")


@dataclass(frozen=True)
class Case:
    """The purchase that costs the most: ``percent`` of its ``price`` (in the programme's currency) is given away.

    ``discount`` is the tier's standing one, in percent; ``points`` what the rest brings, worth ``worth``. ``limit`` is
    what the owner allows, ``None`` for anything.
    """

    programme: Any
    percent: Decimal
    limit: int | None
    price: Decimal
    title: str
    tier: Any
    discount: Decimal
    points: Decimal
    worth: Decimal
    at: datetime
    channel: str
    outcome: engine.Outcome

    @property
    def is_too_much(self) -> bool:
        return self.limit is not None and self.percent > self.limit

    @property
    def label(self) -> str:
        """Write the percentage as the reader's language does."""
        return explain.number(self.percent)

    @property
    def sentences(self) -> list[str]:
        """Say how the sum comes about, in the reader's language."""
        currency = self.programme.currency
        values = {
            "what": self.title or (_("a visit") if self.channel == "booking" else _("an order")),
            "price": explain.money(self.price, currency),
            "day": f"{date_format(self.at, 'l')}, {date_format(self.at, 'SHORT_DATETIME_FORMAT')}",
        }
        said = [_("At worst: %(what)s of %(price)s, on %(day)s") % values]
        if self.tier is not None:
            said[0] = _("At worst: %(what)s of %(price)s, on %(day)s, for %(tier)s") % (
                values | {"tier": self.tier.name}
            )
        off = self.price * self.discount / 100
        if off:
            discount = {"percent": explain.number(self.discount), "amount": explain.money(_cents(off), currency)}
            said.append(_("Standing discount of %(percent)s%%: %(amount)s") % discount)
        lines = [(line.title, line.explanation) for line in self.outcome.lines]
        said += explain.award_sentences(self.outcome.explanation, lines, self.programme)
        said.append(
            _("Together %(points)s, worth %(worth)s")
            % {
                "points": explain.points(self.points.quantize(Decimal("0.01")), self.programme),
                "worth": explain.money(_cents(self.worth), currency),
            }
        )
        given = {"given": explain.money(_cents(off + self.worth), currency), "percent": explain.number(self.percent)}
        said.append(_("That is %(given)s of %(price)s: %(percent)s%% of the price") % (values | given))
        return said


def worst(programme: Any, changes: Iterable[Any] = (), *, tier: Any = None) -> Case | None:
    """Return the worst case of the rules of ``programme`` with ``changes`` (a draft's items, saved or not) published.

    With changes, only what they have a part in counts. ``programme`` may be as it would be saved; ``tier``, saved or
    not, stands for itself among the others, and only its members and those above it count. ``None`` where nothing is
    given away, or where the owner has set no limit: it costs no more than one query then.
    """
    limit = facts.limits_of(programme).margin_limit
    if limit is None:
        return None
    world = _World(programme, changes, tier)
    worth = point_value(programme)
    found: Case | None = None
    for purchase, rules, price, tier, discount, title in world.purchases():
        own = purchase.lines[0].product is not None
        policy = world.policy if own else replace(world.policy, cap=None)
        outcome = engine.evaluate(policy, rules, purchase)
        mine = any(line.rule_version >= ABOVE for line in outcome.lines)
        if world.changed and not mine:
            continue
        capped = "capped" in outcome.explanation
        points = Decimal(outcome.points) if capped else Decimal(outcome.explanation["exact"])
        given = price * discount / 100 + points * worth
        percent = (given * 100 / price).quantize(Decimal("0.1"), ROUND_CEILING)
        if given and (found is None or percent > found.percent):
            found = Case(
                programme, percent, limit, price, title, tier, discount, points, points * worth,
                purchase.at or world.now, purchase.channel, outcome,
            )  # fmt: skip
    return found


def times_in_force(programme: Any) -> Decimal:
    """Return by how much points are multiplied at worst by the rules as they are."""
    return most_times(programme, (), least=0)


def worse(programme: Any, *, tier: Any = None) -> Case | None:
    """Return the worst case once ``programme``, or a ``tier`` of it, is saved as it is: ``None`` if it is no worse than
    what is in force."""
    found = worst(programme, tier=tier)
    if found is None:
        return None
    today = get_model("loyalty_members", "Programme").objects.filter(pk=programme.pk).first()
    stored = get_model("loyalty_members", "Tier").objects.filter(pk=tier.pk).first() if tier is not None else None
    if today is None or (tier is not None and stored is None):
        return found
    before = worst(today, tier=stored)
    return found if before is None or found.percent > before.percent else None


def most_times(programme: Any, changes: Iterable[Any], *, least: int = ABOVE) -> Decimal:
    """Return by how much points are multiplied at worst, where ``changes`` have a part in it: the tier's multiplier and
    all boosters that hold at once. ``least``: the version from which on a booster is one of those in question."""
    world = _World(programme, changes)
    one = engine.RuleFacts(version=0, kind="amount", points=Decimal(1))
    most = Decimal(1)
    policy = replace(world.policy, cap=None)
    for purchase, rules, price, _tier, discount, _title in world.purchases():
        boosters = [replace(rule, caps=None) for rule in rules if rule.kind == "booster" and rule.times is not None]
        if not any(rule.version >= least for rule in boosters):
            continue
        outcome = engine.evaluate(policy, [one, *boosters], purchase)
        if any(line.rule_version >= least for line in outcome.lines):
            paid = price * (100 - discount) / 100
            most = max(most, Decimal(outcome.explanation["exact"]) / paid if paid else most)
    return most


def check_times(programme: Any, changes: Iterable[Any]) -> None:
    """Refuse boosters that multiply, with the others that hold at the same time and the tier, beyond all measure.

    :raises WrongRule: for more than :data:`~oscar_loyalty.earning.specs.MOST_TIMES` times the points.
    """
    items = list(changes)
    if not any(item.kind == "booster" and "times" in item.spec and not item.ends for item in items):
        return
    found = most_times(programme, items)
    if found > specs.MOST_TIMES:
        values = {"times": explain.number(found.quantize(Decimal("0.1"))), "most": explain.number(specs.MOST_TIMES)}
        raise WrongRule(
            _(
                "With the other boosters of the same time, and the tier’s multiplier, points would be multiplied by "
                "%(times)s. No more than %(most)s."
            )
            % values,
            "times",
        )


class _World:
    """The rules as they would be, and all that is to be told apart for them."""

    def __init__(self, programme: Any, changes: Iterable[Any], tier: Any = None) -> None:
        self.programme, self.now, self.tier = programme, clock.now(), tier
        items = list(changes)
        self.changed = bool(items)
        self.book = DraftBook.of(programme, items, since=self.now, until=ALL_TIME)
        everything = self.book.everything()
        self.general = [dated for dated in everything if dated.facts.target not in OWN]
        self.own: dict[int, list[facts.Dated]] = defaultdict(list)
        for dated in everything:
            if dated.facts.target in OWN and dated.facts.target_id:
                self.own[dated.facts.target_id].append(dated)
        self.policy = facts.policy_of(programme)
        self.groups = frozenset(segments)

    def purchases(self) -> Iterator[tuple[engine.Purchase, list[engine.RuleFacts], Decimal, Any, Decimal, str]]:
        """Yield purchases with the rules for them, their price, tier and discount (in percent), and a title."""
        lines = self._lines()
        tiers = self._tiers()
        for at in self._moments():
            general = [dated.facts for dated in self.general if _in_force(dated, at)]
            loose = [_without_limits(rule) for rule in general]
            for line, price, own in lines:
                rules = [*general, *(dated.facts for dated in own if _in_force(dated, at))] if own else loose
                prices = [price] if own else [price, *{rule.threshold for rule in loose if rule.threshold}]
                for amount in prices:
                    for tier, discount in tiers:
                        paid = amount * (100 - discount) / 100
                        bought = replace(line, amount_incl=paid, amount_excl=paid)
                        for channel in ("order", "booking"):
                            purchase = engine.Purchase(
                                lines=(bought,), channel=channel, at=at, first=True, birthday_month=True,
                                segments=self.groups,
                            )  # fmt: skip
                            yield facts.of_tier(purchase, tier), rules, amount, tier, discount, line.title

    def _tiers(self) -> list[tuple[Any, Decimal]]:
        """Return the tiers with the discount that their members get; a tier's is for those above it too."""
        tiers = list(members.tiers(self.programme))
        if self.tier is not None:
            others = [each for each in tiers if self.tier.pk is None or each.pk != self.tier.pk]
            tiers = sorted([*others, self.tier], key=lambda each: each.rank)
        found: list[tuple[Any, Decimal]] = []
        best = Decimal(0)
        for tier in tiers:
            best = max(best, tier.discount or Decimal(0))
            if self.tier is None or tier.rank >= self.tier.rank:
                found.append((tier, best))
        return found or [(None, Decimal(0))]

    def _moments(self) -> list[datetime]:
        """Return moments, on the shop's clock, of which each has other rules in force."""
        everything = [*self.general, *(dated for own in self.own.values() for dated in own)]
        whens = [dated.facts.when for dated in everything if dated.facts.when is not None]
        starts = {self.now, *(dated.valid_from for dated in everything if dated.valid_from > self.now)}
        # What was to begin at the end of the calendar, where no week follows, does not begin.
        days = {times.day_of(start) for start in starts}
        days |= {when.since for when in whens if when.since and when.since.year in YEARS}
        hours = {when.begins for when in whens if when.begins}
        week = {day + timedelta(days=more) for day in days for more in range(8)}
        moments = {times.on_clock(start) for start in starts}
        for day in week:
            begins = times.on_clock(times.start_of(day))
            moments |= {begins, *(begins.replace(hour=hour.hour, minute=hour.minute) for hour in hours)}
        found: dict[frozenset[int], datetime] = {}
        for at in sorted(moment for moment in moments if moment >= self.now):
            holding = frozenset(dated.facts.version for dated in everything if _in_force(dated, at))
            found.setdefault(holding, at)
        return list(found.values())

    def _lines(self) -> list[tuple[engine.Line, Decimal, Sequence[facts.Dated]]]:
        """Return something of every kind that rules tell apart, with its price and the rules of its own."""
        kinds = _Kinds(self.general)
        found: list[tuple[engine.Line, Decimal, Sequence[facts.Dated]]] = [(engine.Line(key="1"), PRICE, ())]
        found += [(line, PRICE, ()) for line in kinds.lines()]
        best: dict[Any, tuple[Decimal, engine.Line, Decimal, Sequence[facts.Dated]]] = {}
        for product, price, family in self._priced():
            own = [dated for pk in family for dated in self.own.get(pk, ())]
            line = kinds.line(product, family)
            each = max((dated.facts.points for dated in own if dated.facts.kind == "unit"), default=Decimal(0))
            # Of many with nothing but points of their own, the most generous stands for all of its kind.
            plain = all(d.facts.kind == "unit" and d.facts.when is None and d.facts.version < ABOVE for d in own)
            key = (line.product_class, line.categories, line.ranges) if plain else product.pk
            rank = each / price
            if key not in best or rank > best[key][0]:
                best[key] = (rank, line, price, own)
        return [*found, *((line, price, own) for _rank, line, price, own in best.values())]

    def _priced(self) -> Iterator[tuple[Any, Decimal, list[int]]]:
        """Yield the products that have rules of their own, with their lowest price and their family."""
        if not self.own:
            return
        products = get_model("catalogue", "Product").objects.filter(Q(pk__in=self.own) | Q(parent__in=self.own))
        currency = Q(stockrecords__price_currency=self.programme.currency, stockrecords__price__gt=0)
        for product in products.annotate(lowest=Min("stockrecords__price", filter=currency)).order_by("pk"):
            if product.lowest:
                yield product, product.lowest, [pk for pk in (product.pk, product.parent_id) if pk]


class _Kinds:
    """Which products are the same to the rules: of the same product type, in the same categories and ranges."""

    def __init__(self, general: Sequence[facts.Dated]) -> None:
        asked = [dated for dated in general if dated.facts.target != "everything" and dated.facts.target_id]
        self._classes = {dated.facts.target_id for dated in asked if dated.facts.target == "class"}
        self._class: dict[int, int] = {}
        self._categories: dict[int, set[tuple[int, int]]] = defaultdict(set)
        self._ranges: dict[int, set[int]] = defaultdict(set)
        Product = get_model("catalogue", "Product")
        if self._classes:
            mine = Q(product_class__in=self._classes) | Q(parent__product_class__in=self._classes)
            rows = Product.objects.filter(mine).values_list("pk", "product_class", "parent__product_class")
            self._class = {pk: own or parents for pk, own, parents in rows}
        paths = {dated.path: dated.facts.target_id for dated in asked if dated.path}
        if paths:
            where = Q()
            for path in paths:
                where |= Q(category__path__startswith=path)
            links = get_model("catalogue", "ProductCategory").objects.filter(where)
            for product, path in links.values_list("product_id", "category__path"):
                self._categories[product] |= {(pk, len(start)) for start, pk in paths.items() if path.startswith(start)}
        ranges = {dated.facts.target_id for dated in asked if dated.facts.target == "range"}
        for row in get_model("offer", "Range").objects.filter(pk__in=ranges):
            for pk in row.all_products().values_list("pk", flat=True):
                self._ranges[pk].add(row.pk)
        # A target without products yet is a kind of its own.
        self._empty = [
            engine.Line(
                key="1",
                product_class=dated.facts.target_id if dated.facts.target == "class" else None,
                categories=((dated.facts.target_id, len(dated.path)),) if dated.path else (),
                ranges=frozenset({dated.facts.target_id} if dated.facts.target == "range" else ()),
            )
            for dated in asked
        ]

    def line(self, product: Any, family: Sequence[int]) -> engine.Line:
        kind = self._kind(family)
        title = product.get_title() or ""
        return replace(kind, product=product.pk, parent=product.parent_id, title=title)

    def lines(self) -> list[engine.Line]:
        known = {*self._class, *self._categories, *self._ranges}
        lines = {self._kind([pk]) for pk in known}
        return [*lines, *(line for line in self._empty if line not in lines)]

    def _kind(self, family: Sequence[int]) -> engine.Line:
        return engine.Line(
            key="1",
            product_class=next((self._class[pk] for pk in family if pk in self._class), None),
            categories=tuple(sorted({pair for pk in family for pair in self._categories.get(pk, ())})),
            ranges=frozenset(found for pk in family for found in self._ranges.get(pk, ())),
        )


def _in_force(dated: facts.Dated, at: datetime) -> bool:
    if dated.valid_from > at or (dated.valid_to is not None and dated.valid_to <= at):
        return False
    when = dated.facts.when
    return when is None or not when.has_time or when.slot_day(at) is not None


def _without_limits(rule: engine.RuleFacts) -> engine.RuleFacts:
    """Of a purchase of any size, one is small enough to stay below a cap, and one so large that a threshold is
    nothing."""
    return replace(rule, caps=None, threshold=Decimal(0) if rule.kind == "amount" else rule.threshold)


def _cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))
