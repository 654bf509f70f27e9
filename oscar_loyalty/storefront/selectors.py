"""What the shop's own pages show of the programme: gift cards on sale, and how a basket is going to be paid."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.formats import number_format

from oscar_loyalty.giftcards import amounts, delivery, designs
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards.strategy import GiftCardStrategyMixin
from oscar_loyalty.members import selectors as members
from oscar_loyalty.money import Money, from_hundredths, hundredths, to_hundredths
from oscar_loyalty.payments import planning, snapshots


@dataclass(frozen=True)
class CardLine:
    """A gift card in the basket: ``points`` is the line's price in points, ``None`` where it has none.

    ``missing`` is how many points lack to pay it with points besides the other lines that are.
    """

    line: Any
    options: Any
    points: int | None
    price: Money
    missing: int = 0

    @property
    def design(self) -> Any:
        return designs.get(self.options.design)

    @property
    def value(self) -> Money | None:
        """What is on a card whose amount was the buyer's to choose."""
        return Money(self.options.amount, self.price.currency) if self.options.amount is not None else None

    @property
    def deliver_on(self) -> Any:
        """The day on which it is sent, where that is not at once."""
        return self.options.deliver_on if delivery.moment(self.options.deliver_on) is not None else None

    @property
    def problem(self) -> str:
        """Why it cannot be bought as it is."""
        allowed, reason = self.line.purchase_info.availability.is_purchase_permitted(self.line.quantity)
        return "" if allowed else str(reason)


@dataclass(frozen=True)
class BasketPoints:
    """The gift cards of a basket, the points they take and what these points pay."""

    programme: Any = None
    member: Any = None
    lines: list[CardLine] = field(default_factory=list)
    usable: int = 0
    used: int = 0
    covered: Money | None = None

    @property
    def missing(self) -> int:
        return max(0, self.used - self.usable)

    @property
    def may_pay(self) -> bool:
        """Whether whoever asks is in the programme and not on hold."""
        return self.member is not None and self.member.status == "active"

    @property
    def problem(self) -> str:
        """Why the points chosen cannot be taken: "member", "missing", or nothing."""
        if not self.used:
            return ""
        if not self.may_pay:
            return "member"
        return "missing" if self.missing else ""


def points_of_basket(request: Any) -> BasketPoints:
    """Return how the gift cards in the basket of ``request`` are paid."""
    basket = request.basket
    member = members.member_of_request(request)
    programme = members.programme_for(request=request)
    found = [line for line in basket.all_lines() if giftcards.is_giftcard(line.product)] if basket.pk else []
    # On hold, nothing can be spent.
    usable = members.usable_of_request(request) if member is not None and member.status == "active" else 0
    rows = []
    used, covered = 0, Decimal(0)
    for line in found:
        options = giftcards.line_options(line)
        each = giftcards.line_points_price(line)
        points = each * line.quantity if each is not None else None
        rows.append((line, options, points))
        if options.pay_with_points and points is not None:
            used += points
            covered += line.line_price_incl_tax_incl_discounts or 0
    lines = []
    for line, options, points in rows:
        more = 0 if points is None or options.pay_with_points else points
        price = Money(line.line_price_incl_tax_incl_discounts or Decimal(0), line.price_currency)
        lines.append(CardLine(line, options, points, price, max(0, used + more - usable)))
    return BasketPoints(programme, member, lines, usable, used, Money(covered, basket.currency))


def paid_by_line(basket: Any, plan: Any, points: BasketPoints) -> dict[int, Decimal]:
    """Return what points and gift cards are going to pay of each basket line, as it will be allotted to the order.

    Without a ``plan``, before the checkout, only what points pay is known.
    """
    if plan is None:
        return {row.line.pk: row.price.amount for row in points.lines if row.options.pay_with_points and row.points}
    lines = snapshots.plan_lines(basket)
    rest = plan.total - sum((line.amount for line in lines), Decimal(0))
    step = hundredths(basket.currency)
    parts = planning.allot(tenders=plan.tenders, lines=lines, rest=to_hundredths(rest), minor=100, step=step)
    paid: dict[int, Decimal] = {}
    rows = list(basket.all_lines())
    for tender, part in zip(plan.tenders, parts, strict=True):
        for index, units in part.items():
            if index is not None and not tender.money:
                pk = rows[index].pk
                paid[pk] = paid.get(pk, Decimal(0)) + from_hundredths(units)
    return paid


@dataclass(frozen=True)
class CardOffer:
    """A gift card on sale: ``missing`` is ``None`` where it has no price in points or nobody who could pay them."""

    denomination: Any
    value: Money
    price: Money
    points_price: int | None
    missing: int | None

    @property
    def affordable(self) -> bool:
        return self.missing == 0


@dataclass(frozen=True)
class ChoiceOffer:
    """A gift card of the buyer's own amount: its bounds, and what one unit of money costs in points, if it does."""

    row: Any
    minimum: Money
    maximum: Money
    step: Money
    points_per_unit: Decimal | None

    @property
    def one(self) -> Money:
        """One unit of money."""
        return Money(Decimal(1), self.row.currency)

    @property
    def rate(self) -> str:
        """What that costs in points, as one writes it."""
        return str(number_format(self.points_per_unit.normalize())) if self.points_per_unit is not None else ""


def choice_offer(request: Any) -> ChoiceOffer | None:
    """Return the offer to choose an amount, in the currency of the basket, or ``None`` where the owner makes none."""
    row = choice_of(request)
    if row is None:
        return None
    bounds = [Money(amount, row.currency) for amount in (row.minimum, row.maximum, row.step)]
    return ChoiceOffer(row, *bounds, points_per_unit=row.points_per_unit)


def choice_of(request: Any) -> Any:
    """Return the bounds on sale for what goes into the basket of ``request``, or ``None``.

    ``None`` too where the shop's strategy lacks our mixin: it would ask the same price for every amount.
    """
    if not isinstance(getattr(request, "strategy", None), GiftCardStrategyMixin):
        return None
    basket = request.basket
    currency = (basket.currency if basket.pk else None) or settings.OSCAR_DEFAULT_CURRENCY
    return amounts.custom_amounts(currency).first()


def offers(request: Any, points: BasketPoints) -> list[CardOffer]:
    """Return the gift cards on sale; what is in the basket to be paid with points counts as spent."""
    found = []
    for denomination in giftcards.denominations():
        info = request.strategy.fetch_for_product(denomination.product)
        if not info.availability.is_available_to_buy or not info.price.exists:
            continue
        amount = info.price.incl_tax if info.price.is_tax_known else info.price.excl_tax
        price = denomination.points_price
        missing = None
        if price is not None and points.may_pay:
            missing = max(0, price + points.used - points.usable)
        found.append(
            CardOffer(
                denomination,
                Money(denomination.value, denomination.currency),
                Money(amount, info.price.currency),
                price,
                missing,
            )
        )
    return found
