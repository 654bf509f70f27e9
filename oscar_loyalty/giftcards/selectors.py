"""All reads of gift cards."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.defaults import conf
from oscar_loyalty.giftcards import amounts, catalogue
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import Money, exponent, from_minor


def _model(name: str) -> Any:
    return get_model("loyalty_giftcards", name)


# The catalogue


def is_giftcard(product: Any) -> bool:
    """Whether ``product`` (a child's parent decides) is a gift card; ``None`` and nonsense are not."""
    if product is None:
        return False
    product_class = product.get_product_class()
    return product_class is not None and product_class.slug == conf.GIFTCARD_CLASS_SLUG


def denomination_of(product: Any) -> Any:
    """Return the denomination that ``product`` stands for, or ``None``."""
    return getattr(product, "loyalty_denomination", None) if product is not None else None


def denominations(currency: str = "") -> QuerySet[Any]:
    """Return what is on sale, in ``currency`` if one is given, the smallest value first, with products."""
    rows = _model("Denomination").objects.filter(is_active=True, product__is_public=True)
    if currency:
        rows = rows.filter(currency=currency)
    return rows.select_related("product__product_class").prefetch_related("product__stockrecords").order_by("value")


def points_price(product: Any) -> int | None:
    """Return how many points buy one card of ``product``, or ``None`` where points do not."""
    denomination = denomination_of(product)
    return denomination.points_price if denomination is not None and denomination.is_active else None


def line_points_price(line: Any) -> int | None:
    """Return how many points buy one card of a basket line, whose amount the buyer may have chosen, or ``None``."""
    row = amounts.custom_of(line.product)
    if row is None:
        return points_price(line.product)
    amount = line_options(line).amount
    return amounts.points_price(amount, row) if amount is not None else None


def missing_points(price: int | None, member: Any) -> int | None:
    """Return how many points ``member`` lacks for ``price``: 0 is enough; ``None`` without a price or a member."""
    if price is None or member is None:
        return None
    return max(0, price - ledger.usable(member.account))


@dataclass(frozen=True)
class Offer:
    """A card on the gift-card page: what it costs in points, and how many of them the reader lacks.

    ``missing`` is ``None`` where there is no price in points, or no member who asks.
    """

    denomination: Any
    product: Any
    value: Money
    points_price: int | None
    missing: int | None

    @property
    def affordable(self) -> bool:
        return self.missing == 0


def offers(*, member: Any = None, currency: str = "") -> list[Offer]:
    """Return what the gift-card page shows to ``member``, whose balance is read once."""
    usable = ledger.usable(member.account) if member is not None else None
    found = []
    for row in denominations(currency):
        known = row.points_price is not None and usable is not None
        missing = max(0, row.points_price - usable) if known else None
        found.append(Offer(row, row.product, Money(row.value, row.currency), row.points_price, missing))
    return found


# Lines of baskets and orders


@dataclass(frozen=True)
class LineOptions:
    """What the buyer chose for a gift-card line; ``amount`` only where it is the buyer's to choose."""

    recipient_name: str = ""
    recipient_email: str = ""
    message: str = ""
    pay_with_points: bool = False
    amount: Decimal | None = None
    design: str = ""
    deliver_on: date | None = None


def line_options(line: Any) -> LineOptions:
    """Return what was chosen for a line of a basket or of an order."""
    if line is None or line.pk is None:
        return LineOptions()
    chosen = {
        attribute.option.code if attribute.option else getattr(attribute, "type", ""): attribute.value
        for attribute in line.attributes.select_related("option").order_by("pk")
    }
    return LineOptions(
        recipient_name=_text(chosen.get(catalogue.RECIPIENT_NAME)),
        recipient_email=_text(chosen.get(catalogue.RECIPIENT_EMAIL)),
        message=_text(chosen.get(catalogue.MESSAGE)),
        pay_with_points=_truth(chosen.get(catalogue.PAY_WITH_POINTS)),
        amount=amounts.parse(chosen.get(catalogue.AMOUNT)),
        design=_text(chosen.get(catalogue.DESIGN))[:50],
        deliver_on=_date(chosen.get(catalogue.DELIVERY_DATE)),
    )


def options_for(
    *,
    recipient_name: str = "",
    recipient_email: str = "",
    message: str = "",
    pay_with_points: bool = False,
    amount: Decimal | None = None,
    currency: str = "",
    design: str = "",
    deliver_on: date | None = None,
) -> list[dict[str, Any]]:
    """Return the ``options`` with which a gift card is put into a basket by ``basket.add_product``.

    ``currency`` is that of ``amount``: the same amount is then always written alike.
    """
    options = catalogue.ensure_catalogue().options
    chosen = {
        catalogue.RECIPIENT_NAME: recipient_name,
        catalogue.RECIPIENT_EMAIL: recipient_email,
        catalogue.MESSAGE: message,
        catalogue.PAY_WITH_POINTS: pay_with_points,
        catalogue.AMOUNT: f"{amount:.{exponent(currency)}f}" if amount is not None else "",
        catalogue.DESIGN: design,
        catalogue.DELIVERY_DATE: deliver_on.isoformat() if deliver_on is not None else "",
    }
    # As Oscar's own form does, an option that was left empty is left out.
    return [{"option": options[code], "value": value} for code, value in chosen.items() if value]


def _text(value: Any) -> str:
    return str(value).strip() if value not in (None, False) else ""


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        return None


def _truth(value: Any) -> bool:
    return value is True or str(value).strip().lower() in ("true", "on", "1", "yes")


# Cards


def balance(card: Any) -> Money:
    """Return what can be spent from ``card`` now."""
    return balances([card])[card.pk]


def balances(of: Iterable[Any]) -> dict[int, Money]:
    """Return what can be spent from each card now, by its primary key."""
    rows = list(of)
    accounts = get_model("loyalty_ledger", "Account").objects.in_bulk([card.account_id for card in rows])
    found = ledger.balances(accounts.values())
    return {card.pk: Money(from_minor(found[card.account_id].usable, card.currency), card.currency) for card in rows}


def cards(site: Any = None) -> QuerySet[Any]:
    """Return the cards that pay at ``site``; all, without one, and where the Sites share them."""
    rows = _model("GiftCard").objects.all()
    return rows if site is None or conf.GIFTCARDS_SHARED else rows.filter(site=site.pk)


def pays_at(card: Any, site_id: int) -> bool:
    """Whether ``card`` pays at the Site with this primary key."""
    return bool(conf.GIFTCARDS_SHARED or card.site_id == site_id)


def cards_of(user: Any, site: Any = None) -> QuerySet[Any]:
    """Return the cards ``user`` has bought that pay at ``site`` (default: anywhere), newest first."""
    if user is None or not user.pk:
        return _model("GiftCard").objects.none()
    return cards(site).filter(buyer=user).select_related("account").order_by("-created_at", "-pk")


def cards_of_order(order: Any) -> QuerySet[Any]:
    """Return the cards ``order`` bought, line by line."""
    rows = _model("GiftCard").objects.filter(order=order)
    return rows.select_related("account").order_by("order_line_id", "unit")


def search(words: str = "", *, state: str = "", site: Any = None) -> QuerySet[Any]:
    """Return the cards of ``site`` that match: every word in a short id, order number, name or e-mail; newest first."""
    found = cards(site)
    for word in words.split():
        match = Q(order_number__icontains=word) | Q(recipient_name__icontains=word) | Q(sender_name__icontains=word)
        match |= Q(recipient_email__icontains=word) | Q(buyer__email__icontains=word)
        if len(word) == 8 and all(letter in "0123456789abcdefABCDEF" for letter in word):
            match |= Q(uuid__gte=f"{word}{'0' * 24}", uuid__lte=f"{word}{'f' * 24}")
        found = found.filter(match)
    if state:
        found = found.filter(state=state)
    return found.select_related("account", "buyer").order_by("-created_at", "-pk")


def with_keys(keys: list[str]) -> set[str]:
    """Return which of these keys belong to a card."""
    found: set[str] = set()
    for start in range(0, len(keys), 500):
        rows = _model("GiftCard").objects.filter(key__in=keys[start : start + 500])
        found.update(rows.values_list("key", flat=True))
    return found


def all_batches(site: Any = None) -> QuerySet[Any]:
    """Return the batches of cards that pay at ``site``; all, without one, and where the Sites share their cards."""
    rows = _model("GiftCardBatch").objects.all()
    return rows if site is None or conf.GIFTCARDS_SHARED else rows.filter(site=site.pk)


def batches(site: Any = None) -> QuerySet[Any]:
    """Return :func:`all_batches`, newest first, without the rows they were made from."""
    return all_batches(site).defer("rows", "refused").order_by("-created_at", "-pk")


def topped_up(card: Any) -> Money:
    """Return what was put on ``card`` after it was loaded."""
    entries = card.account.entries.filter(kind="topped_up")
    return Money(from_minor(sum(entries.values_list("units", flat=True)), card.currency), card.currency)


def buyer_email(card: Any) -> str:
    """Return the e-mail of whoever bought the card, a guest too, or nothing."""
    if card.buyer is not None:
        return card.buyer.email or ""
    return (card.order.guest_email or "") if card.order is not None else ""


@dataclass(frozen=True)
class HistoryRow:
    """Something that happened to a card: ``amount`` is what came or went, ``balance`` what was on it then."""

    at: datetime
    kind: str
    text: Any
    amount: Money | None = None
    balance: Money | None = None
    detail: dict[str, Any] = field(default_factory=dict)


MOVEMENTS = {
    "loaded": _("Loaded"),
    "spend": _("Paid with the card"),
    "return": _("Given back"),
    "disabled": _("Taken off while disabled"),
    "adjust": _("Corrected by the shop"),
    "topped_up": _("Topped up"),
    "expire": _("Expired"),
    "revived": _("Brought back with a later end"),
    "clawback": _("Taken back"),
}


def card_history(card: Any, *, money_only: bool = False) -> list[HistoryRow]:
    """Return what happened to ``card``, oldest first; for whoever holds the card, ``money_only``."""
    rows = []
    for entry in ledger.entries(card.account).exclude(units=0):
        amount = Money(from_minor(entry.units, card.currency), card.currency)
        left = Money(from_minor(entry.balance_after, card.currency), card.currency)
        text = MOVEMENTS.get(entry.kind, entry.kind)
        rows.append(HistoryRow(entry.effective_at, entry.kind, text, amount, left, entry.explanation))
    rows.reverse()
    if not money_only:
        for event in card.events.all():
            rows.append(HistoryRow(event.at, event.kind, event.get_kind_display(), detail=event.detail))
        rows.sort(key=lambda row: row.at)
    return rows


def value_of(card: Any) -> Money:
    """Return what was on ``card`` before anything was spent."""
    return Money(card.value, card.currency)
