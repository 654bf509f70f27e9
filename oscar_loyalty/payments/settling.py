"""Bringing attempts to their end, whoever comes by: request, webhook, sweep."""

from typing import Any

from django.db import transaction

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments import services


def settle(*, attempt: Any) -> str:
    """Bring an attempt to its end from what is stored, whoever calls and however often; return its state.

    An attempt that is still open when its request is dead has no order, since both are written in one transaction;
    so it
    is undone, and its basket opened again.
    """
    with transaction.atomic():
        row = services.locked(attempt)
        if row.state != "open" or row.leased_until > clock.now():
            return str(row.state)
        services.undo(row, reason="the request ended half way")
        Basket = get_model("basket", "Basket")
        Basket.objects.filter(pk=row.basket_id, status=Basket.FROZEN).update(status=Basket.OPEN)
        return str(row.state)
