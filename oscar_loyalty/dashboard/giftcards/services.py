"""Writes of the owner's pages about gift cards that are finer than those of the room."""

from typing import Any

from django.db import transaction

from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.giftcards.exceptions import GiftCardError
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model


@transaction.atomic
def set_points_price(*, denomination: Any, points_price: int | None) -> Any:
    """Change what a card costs in points (``None``: money only), leaving its product as it is; return it.

    :raises ValueError: when the price is not above zero.
    """
    if points_price is not None and points_price <= 0:
        raise ValueError("A price in points is above zero.")
    rows = get_model("loyalty_giftcards", "Denomination").objects
    row = rows.select_for_update(no_key=True).get(pk=denomination.pk)
    row.points_price = points_price
    row.save(update_fields=["points_price"])
    denomination.points_price = points_price
    return row


@transaction.atomic
def reissue_once(*, card: Any, generation: int, reason: str = "", actor: Ref = NOBODY) -> bool:
    """Give ``card`` another code unless that was done since ``generation`` was seen; return whether it was done now.

    :raises GiftCardError: when the card is not active.
    """
    row = get_model("loyalty_giftcards", "GiftCard").objects.select_for_update(no_key=True).get(pk=card.pk)
    if row.generation != generation:
        return False
    giftcards.reissue(card=row, reason=reason, actor=actor)
    return True


__all__ = ["GiftCardError", "reissue_once", "set_points_price"]
