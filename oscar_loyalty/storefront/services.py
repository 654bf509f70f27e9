"""What a customer does on the shop's own pages."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from oscar_loyalty.giftcards import amounts, delivery
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards.strategy import GiftCardStrategyMixin
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments import options
from oscar_loyalty.payments.exceptions import NotEnoughPoints, PaymentProblem
from oscar_loyalty.storefront import selectors


@transaction.atomic
def add_giftcard(
    *,
    request: Any,
    denomination: Any = None,
    custom: Any = None,
    amount: Decimal | None = None,
    quantity: int = 1,
    recipient_name: str = "",
    recipient_email: str = "",
    message: str = "",
    design: str = "",
    deliver_on: date | None = None,
    pay_with_points: bool = False,
) -> Any:
    """Put a gift card into the basket of ``request`` and return its line: of a ``denomination``, or of any ``amount``
    within the bounds of ``custom``.

    :raises AmountRefused: when no card of this amount is on sale.
    :raises PaymentProblem: when it is to be paid with points and cannot be, or does not fit the basket.
    """
    product = custom.product if custom is not None else denomination.product
    if custom is not None:
        if not isinstance(request.basket.strategy, GiftCardStrategyMixin):
            raise PaymentProblem(_("Gift cards of an amount of your choice are not on sale at the moment."))
        amount = amounts.check(amount, custom)
        points_price = amounts.points_price(amount, custom)
    else:
        amount, points_price = None, giftcards.points_price(product)
    if pay_with_points:
        _check_points(request, points_price, quantity)
    allowed, reason = request.basket.is_quantity_allowed(quantity)
    if not allowed:
        raise PaymentProblem(str(reason))
    chosen = giftcards.options_for(
        recipient_name=recipient_name,
        recipient_email=recipient_email,
        message=message,
        design=design,
        # A day that is today is no day to wait for.
        deliver_on=deliver_on if delivery.moment(deliver_on) is not None else None,
        amount=amount,
        currency=custom.currency if custom is not None else "",
        pay_with_points=pay_with_points,
    )
    if custom is not None:
        setattr(product, amounts.CHOSEN, amount)
    try:
        line, _made = request.basket.add_product(product, quantity=quantity, options=chosen)
    except ValueError as error:
        raise PaymentProblem(_("This gift card cannot be bought together with what is in your basket.")) from error
    finally:
        product.__dict__.pop(amounts.CHOSEN, None)
    return line


def switch_line(*, request: Any, line_id: int, on: bool) -> Any:
    """Let a gift card in the basket of ``request`` be paid with points, or with money again; return the line.

    :raises DoesNotExist: when the line is not in this basket.
    :raises PaymentProblem: when it cannot be paid with points.
    """
    lines = get_model("basket", "Line").objects.select_related("product")
    line = lines.get(pk=line_id, basket=request.basket.pk)
    was_on = giftcards.line_options(line).pay_with_points
    if on and not was_on:
        _check_points(request, giftcards.line_points_price(line), line.quantity)
    return options.set_pay_with_points(line=line, on=on) if on != was_on else line


def _check_points(request: Any, price: int | None, quantity: int) -> None:
    points = selectors.points_of_basket(request)
    if price is None:
        raise PaymentProblem(_("This gift card has no price in points."))
    if not points.may_pay and points.member is not None:
        raise PaymentProblem(_("Your membership is on hold or closed, so its points cannot be spent. Please ask us."))
    if not points.may_pay:
        raise PaymentProblem(_("Only members can pay with points."))
    missing = points.used + price * quantity - points.usable
    if missing > 0:
        label = points.programme.points_label(missing)
        raise NotEnoughPoints(_("You are missing %(points)s for this gift card.") % {"points": label}, missing)
