"""From an order to its points, and back when it is cancelled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any


def review_order(*, order: Any) -> Any:
    """Bring the points of ``order`` in line with its state, and return its award (``None``: none).

    A function of the stored state, safe to run again and side by side: it awards once the order has reached the programme's
    status, and takes back, once, for what was cancelled.
    """
    raise NotImplementedError


def award_orders(
    *, programme: Any, orders: Sequence[Any], rules_at: datetime | None = None, joined: bool = True
) -> list[Any]:
    """Award many orders that have none yet, in one transaction with bulk writes; return the new awards.

    For imports and backfills: ``rules_at`` takes the rules of that moment for all of them (default: of each order's own),
    ``joined`` leaves out orders from before their customer joined. Orders without a member, or cancelled, bring nothing.
    """
    raise NotImplementedError
