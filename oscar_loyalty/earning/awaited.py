"""The award of an order that has just been placed: made when its customer looks, not while they wait for the answer.

In the order's transaction one due row is left, no more. Whoever comes first makes the award: a Celery worker, the
customer's next page (the thank-you page, or any of their account), or the sweep. All do the same, once.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from oscar_loyalty.due import services as due
from oscar_loyalty.earning import orders
from oscar_loyalty.loading import get_model

log = logging.getLogger("oscar_loyalty")

#: The kind of due rows that have an order looked at.
REVIEW = "earning.review_order"
#: Where the session keeps the order whose award its customer has not seen yet.
KEY = "loyalty_awaited"

_left: ContextVar[bool] = ContextVar("loyalty_award_left", default=False)


@contextmanager
def left_to_the_customer() -> Iterator[None]:
    """Within the block, an order that is placed is not awarded at once: its due row is enough."""
    token = _left.set(True)
    try:
        yield
    finally:
        _left.reset(token)


def is_left() -> bool:
    return _left.get()


def expect(request: Any, order: Any) -> None:
    """Let the award of ``order`` be made, at the latest, when this visitor looks at a page that shows it."""
    request.session[KEY] = order.pk


def make_awaited(request: Any) -> None:
    """Make the award that this visitor waits for, if there is one; asks the database for nothing otherwise.

    It never raises: what goes wrong is left to the sweep.
    """
    pk = request.session.get(KEY)
    if pk is None:
        return
    try:
        _make(pk)
    except Exception:
        log.exception("The award of order %s could not be made; the sweep will try again", pk)
    del request.session[KEY]


def _make(pk: int) -> None:
    row = get_model("loyalty_due", "Due").objects.filter(kind=REVIEW, key=str(pk)).exclude(state="done").first()
    if row is None or due.run(row.pk):
        return
    # A worker is at it at this moment, or it has failed before: this waits for the one, and is told why of the other.
    order = get_model("order", "Order").objects.filter(pk=pk).first()
    if order is not None:
        orders.review_order(order=order)
