"""Whose cards they are, when that becomes known later."""

from typing import Any

from django.db import transaction

from oscar_loyalty.loading import get_model


@transaction.atomic
def take_over(*, order: Any, user: Any) -> int:
    """Let ``user`` be the buyer of the cards that a guest has bought with ``order``; return how many.

    For whoever has proven to be that guest: the cards are then among the user's own.
    """
    cards = get_model("loyalty_giftcards", "GiftCard").objects.filter(order=order, buyer__isnull=True)
    return int(cards.update(buyer=user))
