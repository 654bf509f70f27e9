"""What a second click on "place order" finds of the first."""

import time
from typing import Any

from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments import exceptions

#: How long a second click waits for the first to end, in seconds.
PATIENCE = 20.0
LOOK: Any = object()


def _model(name: str) -> Any:
    return get_model("loyalty_payments", name)


def refuse_second(*, basket: Any, known: Any = LOOK) -> None:
    """Refuse to pay for ``basket`` when another request has placed its order, or is doing so.

    ``known``: its open attempt, or ``None``, for whoever has looked already.

    :raises UnderWay: while another request is placing it.
    :raises AlreadyPlaced: when another request has placed it.
    """
    placed = get_model("order", "Order").objects.filter(basket=basket.pk).first()
    if placed is not None:
        raise exceptions.AlreadyPlaced(_("This order has been placed already."), placed)
    other = known
    if known is LOOK:
        other = _model("PaymentAttempt").objects.filter(basket=basket.pk, state="open").first()
    if other is not None and other.leased_until > clock.now() and other.snapshot.get("redirected") is None:
        raise exceptions.UnderWay(_("This order is being placed at this moment."), other)


def first_try(*, basket_id: int) -> tuple[Any, Any]:
    """Return the order of a basket, and the open attempt to pay for it, as far as there are any."""
    # The attempt first: one that ends in between has become an order.
    attempt = _model("PaymentAttempt").objects.filter(basket=basket_id, state="open").first()
    return get_model("order", "Order").objects.filter(basket=basket_id).first(), attempt


def wait_for(*, attempt: Any, patience: float = PATIENCE) -> Any:
    """Wait until another request has closed ``attempt``, at most ``patience`` seconds; return it as it is then.

    One whose customer pays elsewhere is not waited for: that may take an hour.
    """
    deadline = time.monotonic() + patience
    while True:
        attempt.refresh_from_db()
        if attempt.state != "open" or attempt.snapshot.get("redirected") or time.monotonic() > deadline:
            return attempt
        time.sleep(0.1)
