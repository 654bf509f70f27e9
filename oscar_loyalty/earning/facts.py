"""From the shop's rows to the engine's facts: orders, baskets, products and bookings, many at once in a few queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db.models import Sum

from oscar_loyalty.earning.conditions import When
from oscar_loyalty.earning.engine import Caps, Line, Policy, Purchase, RuleFacts
from oscar_loyalty.fields import data_of
from oscar_loyalty.giftcards.selectors import is_giftcard
from oscar_loyalty.ledger import rows
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.selectors import tiers
from oscar_loyalty.money import as_stored
from oscar_loyalty.payments.planning import NOT_MONEY, paid_for

ZERO = Decimal(0)
#: What costs nothing, with and without tax.
FREE = (ZERO, ZERO)
#: What is no product.
NOTHING = Line(key="")


def limits_of(programme: Any) -> Any:
    """Return the programme's :class:`~oscar_loyalty.earning.abstract_policy.AbstractEarningPolicy`; one query, once."""
    try:
        return programme.earning_policy
    except get_model("loyalty_earning", "EarningPolicy").DoesNotExist:
        # Remembered, not saved: what is asked for each product of a page is looked up once.
        return get_model("loyalty_earning", "EarningPolicy")(programme=programme)


def know_limits(programme: Any, limits: Any) -> None:
    """Let :func:`limits_of` know what was read already; ``None``: there is no row."""
    if limits is None:
        limits = get_model("loyalty_earning", "EarningPolicy")(programme=programme)
    programme.earning_policy = limits


def policy_of(programme: Any) -> Policy:
    limits = limits_of(programme)
    return Policy(
        rounding=programme.rounding,
        earn_tax=programme.earn_tax,
        earn_shipping=programme.earn_shipping,
        currency=programme.currency,
        stacking=limits.stacking,
        cap=limits.cap_order,
    )


#: What a rule of one product is about.
OF_PRODUCTS = ("product", "variant")


@dataclass(frozen=True)
class Dated:
    """The facts of a version of a rule with its time, and its category's path."""

    facts: RuleFacts
    valid_from: datetime
    valid_to: datetime | None
    path: str = ""


class RuleBook:
    """The rules of a programme from ``since`` to ``until``.

    Those of single products are fetched for the products in question only.
    """

    def __init__(self, programme: Any, *, since: datetime, until: datetime | None = None) -> None:
        self.programme, self.since, self.until = programme, since, until or since
        self._general: list[Dated] | None = None
        self._own: dict[int, list[Dated]] = {}

    @property
    def general(self) -> list[Dated]:
        """The rules that are not about one product."""
        if self._general is None:
            self._general = self._load(general=True)
        return self._general

    def learn(self, products: Iterable[int]) -> None:
        """Fetch the rules of these products that are not known yet, and with the first of them all that are not about
        one product."""
        new = set(products) - self._own.keys()
        if not new:
            return
        rules = self._load(sorted(new), general=self._general is None)
        found = defaultdict(list)
        for dated in rules:
            if dated.facts.target in OF_PRODUCTS:
                found[dated.facts.target_id].append(dated)
        self._own |= {pk: found[pk] for pk in new}
        if self._general is None:
            self._general = [dated for dated in rules if dated.facts.target not in OF_PRODUCTS]

    def at(self, moment: datetime, lines: Iterable[Line]) -> list[RuleFacts]:
        """Return the rules in force at ``moment`` that may be about these lines;

        their products must have been learned.
        """
        wanted = {pk for line in lines for pk in (line.product, line.parent) if pk is not None}
        own = [dated for pk in wanted for dated in self._own.get(pk, [])]
        return [
            dated.facts
            for dated in [*self.general, *own]
            if dated.valid_from <= moment and (dated.valid_to is None or moment < dated.valid_to)
        ]

    def known(self) -> list[Dated]:
        """Return all rules that were fetched so far."""
        return [*self.general, *(dated for own in self._own.values() for dated in own)]

    def asks(self, what: str) -> bool:
        """Whether some rule asks about ``what``, a field of :class:`~oscar_loyalty.earning.conditions.When`."""
        return any(dated.facts.when is not None and getattr(dated.facts.when, what) for dated in self.known())

    def _load(self, products: Sequence[int] | None = (), *, general: bool = False) -> list[Dated]:
        """Fetch the rules of these products (``None``: of all), and the ``general`` ones, that are not about one."""
        models = [get_model("loyalty_earning", name) for name in ("RuleVersion", "Rule")]
        models.append(get_model("catalogue", "Category"))
        connection = rows.reading(models[0])
        moments = [connection.ops.adapt_datetimefield_value(moment) for moment in (self.until, self.since)]
        found: list[Dated] = []
        for part in [*rows.slices(products or ())] or [()]:
            text = _rules(None if products is None else len(part), general, connection.vendor)
            with connection.cursor() as cursor:
                loaded = rows.load(cursor, models, text, [self.programme.pk, *moments, *part])
            for version, rule, category in loaded:
                version.rule, rule.category = rule, category
                found.append(_dated(version))
            general = False
        return found


@lru_cache(maxsize=100)
def _rules(products: int | None, general: bool, vendor: str) -> str:
    version, rule, category = (
        rows.names(get_model(room, name), vendor)
        for room, name in (("loyalty_earning", "RuleVersion"), ("loyalty_earning", "Rule"), ("catalogue", "Category"))
    )
    single = f"{rule['target']} IN ({', '.join(map(repr, OF_PRODUCTS))})"
    which = [single] if products is None else [f"{rule['product']} IN ({rows.marks(products)})"] if products else []
    which += [f"NOT {single}"] if general else []
    return (
        f"FROM {version['ruleversion_']} JOIN {rule['rule_']} ON {rule['id']} = {version['rule']}"
        f" LEFT JOIN {category['category_']} ON {category['id']} = {rule['category']}"
        f" WHERE {rule['programme']} = %s AND {version['valid_from']} <= %s"
        f" AND ({version['valid_to']} IS NULL OR {version['valid_to']} > %s) AND ({' OR '.join(which) or '1 = 0'})"
        f" ORDER BY {version['id']}"
    )


def _dated(version: Any) -> Dated:
    rule, spec = version.rule, version.spec
    facts = RuleFacts(
        version=version.pk,
        number=version.number,
        kind=rule.kind,
        target=rule.target,
        target_id=rule.target_id,
        points=Decimal(spec.get("points", spec.get("plus", 0))),
        per=Decimal(spec.get("per", 1)),
        threshold=Decimal(spec.get("threshold", 0)),
        name=data_of(version.name) or data_of(rule.name) or "",
        times=Decimal(spec["times"]) if "times" in spec else None,
        when=When.of(spec.get("when", {})),
        caps=Caps(**spec["caps"]) if spec.get("caps") else None,
        rule=rule.pk,
        announce=int(spec.get("announce", 0)),
    )
    return Dated(facts, version.valid_from, version.valid_to, rule.category.path if rule.category else "")


def describe(
    products: Iterable[Any], book: RuleBook, *, paths: Mapping[int, Sequence[str]] | None = None
) -> dict[int, Line]:
    """Return for each product a line with all that the rules of ``book`` may ask about it; see :func:`lines_of`."""
    known = [product for product in products if product is not None]
    book.learn({pk for product in known for pk in _family(product)})
    asked = [dated.facts for dated in book.general]
    return lines_of(
        known,
        categories={
            dated.path: dated.facts.target_id for dated in book.general if dated.path and dated.facts.target_id
        },
        ranges={facts.target_id for facts in asked if facts.target == "range" and facts.target_id},
        paths=paths,
    )


def lines_of(
    products: Iterable[Any],
    *,
    categories: Mapping[str, int],
    ranges: Iterable[int],
    paths: Mapping[int, Sequence[str]] | None = None,
) -> dict[int, Line]:
    """Return for each product (by its primary key) a line that says which of these ``categories`` (primary keys by
    path) and ``ranges`` it is in; two queries, and one for each range.

    One less where the ``paths`` of each product's categories, and its parent's, are known.

    Products should come with ``product_class`` and ``parent__product_class`` (see :data:`PRODUCT_RELATED`).
    """
    by_id = {product.pk: product for product in products if product is not None}
    family = {pk: _family(product) for pk, product in by_id.items()}
    everybody = {pk for pks in family.values() for pk in pks}
    if not everybody:
        return {}
    in_categories = _categories(everybody, categories) if paths is None else _within(paths, categories)
    in_ranges = _ranges(everybody, ranges)
    lines = {}
    for pk, product in by_id.items():
        found = {pair for member in family[pk] for pair in in_categories.get(member, ())}
        product_class = product.get_product_class()
        lines[pk] = Line(
            key="",
            product=pk,
            parent=product.parent_id,
            product_class=product_class.pk if product_class else None,
            categories=tuple(sorted(found)),
            ranges=frozenset(r for member in family[pk] for r in in_ranges.get(member, ())),
            is_giftcard=is_giftcard(product),
            title=product.get_title() or "",
        )
    return lines


#: What products are to be fetched with.
PRODUCT_RELATED = ("product_class", "parent__product_class")


def _family(product: Any) -> list[int]:
    """A variant is also what its product is."""
    return [product.pk, product.parent_id] if product.parent_id else [product.pk]


def _categories(products: set[int], asked: Mapping[str, int]) -> dict[int, set[tuple[int, int]]]:
    """Return which of the categories that are asked for, by path, each product is in, ancestors included."""
    if not asked:
        return {}
    paths: dict[int, list[str]] = defaultdict(list)
    links = get_model("catalogue", "ProductCategory").objects.filter(product__in=products)
    for product, path in links.values_list("product_id", "category__path"):
        paths[product].append(path)
    return _within(paths, asked)


def _within(paths: Mapping[int, Sequence[str]], asked: Mapping[str, int]) -> dict[int, set[tuple[int, int]]]:
    return {
        product: {(pk, len(start)) for path in own for start, pk in asked.items() if path.startswith(start)}
        for product, own in paths.items()
        if asked
    }


def _ranges(products: set[int], asked: Iterable[int]) -> dict[int, set[int]]:
    """Return which of the ranges that are asked for each product is in; what a range holds, Oscar decides."""
    found: dict[int, set[int]] = defaultdict(set)
    asked = list(asked)
    if not asked:
        return found
    for product_range in get_model("offer", "Range").objects.filter(pk__in=asked):
        for pk in product_range.all_products().filter(pk__in=products).values_list("pk", flat=True):
            found[pk].add(product_range.pk)
    return found


def of_tier(purchase: Purchase, tier: Any) -> Purchase:
    """Return ``purchase`` as made by somebody of ``tier``."""
    if tier is None:
        return purchase
    return purchase.made(multiplier=tier.multiplier, tier={"code": tier.code, "name": data_of(tier.name)})


def lowest_tier(programme: Any) -> Any:
    """Return the tier that somebody who joins begins in."""
    return tiers(programme).first()


def part_of(amount: Decimal, quantity: int, of: int) -> Decimal:
    """Return what ``quantity`` pieces of a line of so many cost. Multiplied first: a third of 30.00 is 10, not 9.99…"""
    return amount if quantity == of else amount * quantity / of


#: What something costs, with and without tax.
Amounts = tuple[Decimal, Decimal]


def paid_of(
    prices: Sequence[Amounts], shipping: Amounts, total: Decimal, currency: str
) -> tuple[list[Amounts], Amounts]:
    """Return what of ``total``, with tax, is paid for each line and for shipping: their prices, but where a rebate
    makes it less than all of them (:func:`~oscar_loyalty.payments.planning.paid_for`)."""
    lines = sum([incl for incl, _excl in prices], ZERO)
    if lines + shipping[0] <= total:
        return list(prices), shipping
    total = as_stored(total)
    parts = paid_for([incl for incl, _excl in prices], total, currency)
    paid = [_less(amounts, part) for amounts, part in zip(prices, parts, strict=True)]
    return paid, _less(shipping, max(ZERO, total - lines))


def _less(amounts: Amounts, incl: Decimal) -> Amounts:
    """Return ``amounts`` at ``incl`` with tax, where that is less."""
    return amounts if incl >= amounts[0] else (incl, amounts[1] * incl / amounts[0])


@dataclass(frozen=True)
class Bought:
    """What was read of orders: their lines with products, by order; the ``paths`` of the categories of each product and
    its parent (``None``: not read); whether anything but money paid."""

    lines: Mapping[int, Sequence[Any]]
    paths: Mapping[int, Sequence[str]] | None = None
    paid_otherwise: bool = True


def _bought(orders: Sequence[Any]) -> Bought:
    lines = get_model("order", "Line").objects.filter(order__in=[order.pk for order in orders]).order_by("pk")
    by_order: dict[int, list[Any]] = defaultdict(list)
    for row in lines.select_related("product", *(f"product__{name}" for name in PRODUCT_RELATED)):
        by_order[row.order_id].append(row)
    return Bought(by_order)


def order_purchases(
    orders: Sequence[Any], book: RuleBook, *, without: Mapping[int, int] | None = None, bought: Bought | None = None
) -> dict[int, Purchase]:
    """Return the purchase of each order by its primary key, in a few queries for all of them.

    ``without``: how many pieces of which order line to leave out: cancelled before, or earned by a booking. ``bought``:
    what was read already.
    """
    without = without or {}
    bought = bought or _bought(orders)
    products = (row.product for order in orders for row in bought.lines.get(order.pk, ()))
    known = describe(products, book, paths=bought.paths)
    paid_lines, paid_rest = _paid_otherwise(orders) if bought.paid_otherwise else ({}, {})
    result = {}
    for order in orders:
        counts = order.currency == book.programme.currency
        rows, lines = bought.lines.get(order.pk, ()), []
        prices = [(row.line_price_incl_tax, row.line_price_excl_tax) for row in rows]
        shipping = (order.shipping_incl_tax, order.shipping_excl_tax)
        paid, shipping = paid_of(prices, shipping, order.total_incl_tax, order.currency)
        for row, (incl, excl) in zip(rows, paid, strict=True):
            quantity = row.quantity - without.get(row.pk, 0)
            if quantity <= 0:
                continue
            line = known.get(row.product_id, NOTHING).sold(key=str(row.pk), quantity=quantity, title=row.title)
            if counts:
                line = line.sold(
                    amount_incl=part_of(incl, quantity, row.quantity),
                    amount_excl=part_of(excl, quantity, row.quantity),
                    paid_otherwise=part_of(paid_lines.get(row.pk, ZERO), quantity, row.quantity),
                )
            lines.append(line)
        result[order.pk] = Purchase(
            lines=tuple(lines),
            shipping_incl=shipping[0] if counts else ZERO,
            shipping_excl=shipping[1] if counts else ZERO,
            shipping_paid_otherwise=paid_rest.get(order.pk, ZERO),
        )
    return result


def _paid_otherwise(orders: Sequence[Any]) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
    """Return what points and gift cards paid, by order line, and by order for what belongs to no line."""
    Allotment = get_model("loyalty_payments", "Allotment")
    rows = Allotment.objects.filter(
        tender__attempt__order__in=[order.pk for order in orders], tender__kind__in=NOT_MONEY
    )
    lines: dict[int, Decimal] = {}
    rest: dict[int, Decimal] = {}
    totals = rows.order_by().values_list("tender__attempt__order", "order_line").annotate(total=Sum("amount"))
    for order, line, total in totals:
        if line is None:
            rest[order] = total
        else:
            lines[line] = total
    return lines, rest


def basket_purchase(
    basket: Any,
    book: RuleBook,
    *,
    shipping: Any = None,
    total: Decimal | None = None,
    paid: Mapping[int, Decimal] | None = None,
) -> Purchase:
    """Return what ``basket`` would be as an order;

    ``shipping`` is its charge, ``total`` what all of it costs, with tax (default: nothing is known of a rebate),
    ``paid`` what points and cards pay, by line.
    """
    rows = list(basket.all_lines())
    Product = get_model("catalogue", "Product")
    products = Product.objects.filter(pk__in={row.product_id for row in rows}).select_related(*PRODUCT_RELATED)
    known = describe(products, book)
    counts = basket.currency in (None, book.programme.currency)
    prices = [_in_basket(row) if counts else FREE for row in rows]
    charge = _charged(shipping) if shipping and counts else FREE
    if total is not None and counts:
        prices, charge = paid_of(prices, charge, total, book.programme.currency)
    lines = []
    for row, (incl, excl) in zip(rows, prices, strict=True):
        line = known.get(row.product_id, NOTHING).sold(key=str(row.pk), quantity=row.quantity)
        other = (paid or {}).get(row.pk, ZERO)
        lines.append(line.sold(amount_incl=incl, amount_excl=excl, paid_otherwise=other) if incl else line)
    return Purchase(lines=tuple(lines), shipping_incl=charge[0], shipping_excl=charge[1])


def _in_basket(line: Any) -> Amounts:
    if not line.purchase_info.price.exists:
        return FREE
    excl = line.line_price_excl_tax_incl_discounts
    return (line.line_price_incl_tax_incl_discounts if line.is_tax_known else excl), excl


def _charged(price: Any) -> Amounts:
    return (price.incl_tax if price.is_tax_known else price.excl_tax), price.excl_tax


def product_purchase(product: Any, known: Line, price: Any, programme: Any) -> Purchase:
    """Return what one piece of ``product`` would be as an order, at ``price`` (Oscar's, may be unavailable)."""
    line = known.sold(key=str(product.pk))
    if price is not None and price.exists and price.currency == programme.currency:
        excl = price.excl_tax
        incl = price.incl_tax if price.is_tax_known else excl
        line = line.sold(amount_incl=incl, amount_excl=excl)
    return Purchase(lines=(line,))


def booking_purchase(booking: Any, book: RuleBook) -> Purchase:
    """Return a booking as a purchase of one piece at its price."""
    known = describe([booking.product], book) if booking.product else {}
    line = known.get(booking.product_id, NOTHING).sold(key="booking", title=booking.title)
    if booking.price is not None and booking.currency in ("", book.programme.currency):
        line = line.sold(amount_incl=booking.price, amount_excl=booking.price)
    return Purchase(lines=(line,), channel="booking")
