"""Changing what was chosen for a gift card that lies in a basket already."""

from typing import Any

from django.db import transaction

from oscar_loyalty.giftcards import selectors
from oscar_loyalty.giftcards.catalogue import PAY_WITH_POINTS, ensure_catalogue


@transaction.atomic
def set_pay_with_points(*, line: Any, on: bool) -> Any:
    """Set whether a gift-card line is to be paid with points, and return the line it is on now.

    A line's reference is made from its options, by which baskets are merged; so it changes with them, and if the basket
    has a line with the same choice already, both become one.

    :raises ValueError: when the line is no gift card, has no price in points, or its basket is no longer open.
    """
    if not selectors.is_giftcard(line.product) or not line.basket.can_be_edited:
        raise ValueError("Only a gift card in an open basket can be paid with points.")
    if on and selectors.points_price(line.product) is None:
        raise ValueError("This gift card has no price in points.")
    option = ensure_catalogue().options[PAY_WITH_POINTS]
    line.attributes.filter(option=option).delete()
    if on:
        line.attributes.create(option=option, value=True)
    chosen = line.attributes.select_related("option").order_by("pk")
    options = [{"option": attribute.option, "value": attribute.value} for attribute in chosen]
    basket = line.basket
    reference = basket._create_line_reference(line.product, line.stockrecord, options)
    twin = basket.lines.filter(line_reference=reference).exclude(pk=line.pk).first()
    if twin is not None:
        twin.quantity += line.quantity
        twin.save()
        line.delete()
        line = twin
    elif line.line_reference != reference:
        line.line_reference = reference
        line.save()
    # The basket keeps its lines in memory.
    basket.reset_offer_applications()
    return line
