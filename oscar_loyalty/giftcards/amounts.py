"""Gift cards of an amount that the buyer chooses: the owner's bounds, and whether an amount is within them."""

from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from oscar_loyalty.giftcards.catalogue import put_on_sale
from oscar_loyalty.giftcards.exceptions import AmountRefused
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import format_money, to_minor

TITLE = gettext_lazy("Gift card, amount of your choice")
UPC = "giftcard-custom"
#: A product that is about to be put into a basket carries the chosen amount here: Oscar asks the strategy for the
#: price of the product, not yet of the line.
CHOSEN = "_loyalty_amount"


def upc(currency: str) -> str:
    """Return the product code: ``"giftcard-custom"``, ``"giftcard-custom-usd"``."""
    return UPC + ("" if currency == settings.OSCAR_DEFAULT_CURRENCY else f"-{currency.lower()}")


@transaction.atomic
def set_custom_amount(
    *,
    minimum: Decimal,
    maximum: Decimal,
    step: Decimal,
    currency: str = "",
    points_per_unit: Decimal | None = None,
    is_active: bool = True,
    title: str = "",
    partner: Any = None,
) -> Any:
    """Sell gift cards of any amount from ``minimum`` up to ``maximum`` in steps of ``step``, or change that; return
    the row. There is one for each currency; ``points_per_unit`` is how many points pay one unit of it (``None``:
    money only).

    :raises ValueError: when the bounds are not above zero, in the wrong order, or finer than the currency; or when
        ``points_per_unit`` is not above zero.
    """
    currency = currency or settings.OSCAR_DEFAULT_CURRENCY
    if not 0 < to_minor(minimum, currency) <= to_minor(maximum, currency) or to_minor(step, currency) <= 0:
        raise ValueError("The smallest amount is above zero and not above the largest; the step is above zero.")
    if points_per_unit is not None and points_per_unit <= 0:
        raise ValueError("Points for each unit of money are above zero.")
    with override(settings.LANGUAGE_CODE):
        default_title = str(TITLE)
    product = put_on_sale(
        code=upc(currency),
        title=title,
        default_title=default_title,
        price=minimum,
        currency=currency,
        is_active=is_active,
        partner=partner,
    )
    row, _made = get_model("loyalty_giftcards", "CustomAmount").objects.update_or_create(
        currency=currency,
        defaults={
            "product": product,
            "minimum": minimum,
            "maximum": maximum,
            "step": step,
            "points_per_unit": points_per_unit,
            "is_active": is_active,
        },
    )
    return row


def custom_amounts(currency: str = "") -> Any:
    """Return the rows on sale, in ``currency`` if one is given, with their products."""
    rows = get_model("loyalty_giftcards", "CustomAmount").objects.filter(is_active=True, product__is_public=True)
    if currency:
        rows = rows.filter(currency=currency)
    return rows.select_related("product__product_class").prefetch_related("product__stockrecords")


def custom_of(product: Any) -> Any:
    """Return the bounds that ``product`` stands for, on sale or not, or ``None``."""
    return getattr(product, "loyalty_custom_amount", None) if product is not None else None


def parse(text: Any) -> Decimal | None:
    """Return an amount as it was stored with a line, or ``None`` where it is none."""
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def check(amount: Decimal | None, row: Any) -> Decimal:
    """Return ``amount`` if a card of it is on sale.

    :raises AmountRefused: with a sentence for the buyer.
    """
    if not row.is_active:
        raise AmountRefused(_("Gift cards of an amount of your choice are not on sale at the moment."))
    if amount is None or not amount.is_finite():
        raise AmountRefused(_("Please say how much is to be on the card."))
    # Compared before it is counted with: an absurd exponent is merely out of bounds.
    if not row.minimum <= amount <= row.maximum:
        raise AmountRefused(
            _("Please choose an amount between %(minimum)s and %(maximum)s.")
            % {
                "minimum": format_money(row.minimum, row.currency),
                "maximum": format_money(row.maximum, row.currency),
            }
        )
    try:
        to_minor(amount, row.currency)
    except ValueError as error:
        raise AmountRefused(_("This is finer than the currency.")) from error
    if (amount - row.minimum) % row.step:
        values = {"step": format_money(row.step, row.currency), "minimum": format_money(row.minimum, row.currency)}
        raise AmountRefused(_("Please choose an amount in steps of %(step)s, from %(minimum)s up.") % values)
    return amount


def points_price(amount: Decimal, row: Any) -> int | None:
    """Return how many points buy a card of ``amount``, rounded up; ``None`` where points do not."""
    if row.points_per_unit is None or not row.is_active:
        return None
    return int((amount * row.points_per_unit).to_integral_value(ROUND_CEILING))
