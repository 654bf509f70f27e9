"""Choosing what pays for a basket line: the line's own option, so that it survives a merge of baskets."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards.catalogue import PAY_WITH_POINTS
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments.exceptions import PaymentProblem


@transaction.atomic
def set_pay_with_points(*, line: Any, on: bool) -> Any:
    """Let ``line``, a gift card in an open basket, be paid with points (or not any more); return the line.

    If the basket has another line for the same card with the same options, the two become one.

    :raises PaymentProblem: when the product has no price in points, or the basket is being paid for.
    """
    basket = get_model("basket", "Basket").objects.select_for_update().get(pk=line.basket_id)
    if not basket.can_be_edited:
        raise PaymentProblem(_("This basket is being paid for and can no longer be changed."))
    if on and giftcards.line_points_price(line) is None:
        raise PaymentProblem(_("This product has no price in points."))
    option = get_model("catalogue", "Option").objects.get(code=PAY_WITH_POINTS)
    line.attributes.filter(option=option).delete()
    if on:
        line.attributes.create(option=option, value=True)
    options = [{"option": each.option, "value": each.value} for each in line.attributes.select_related("option")]
    reference = basket._create_line_reference(line.product, line.stockrecord, options)
    twin = basket.lines.filter(line_reference=reference).exclude(pk=line.pk).first()
    if twin is not None:
        twin.quantity += line.quantity
        twin.save(update_fields=["quantity"])
        line.delete()
        return twin
    line.line_reference = reference
    line.save(update_fields=["line_reference"])
    return line
