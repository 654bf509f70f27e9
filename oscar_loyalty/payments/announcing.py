"""Oscar's ``order_placed``, sent after the order and its payment are committed, as its receivers expect.

Oscar sends it at the end of ``OrderCreator.place_order``, after its own transaction. Here that transaction is part
of a longer
one, in which points and cards are captured too: a receiver that fails, or meets a database error and carries on,
would take the paid
order with it (Oscar's own statistics do, when two orders count the same product for the first time). So the signal
waits.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import transaction
from oscar.apps.order.signals import order_placed

from oscar_loyalty.due import services as due

log = logging.getLogger("oscar_loyalty")
_waiting: ContextVar[list[dict[str, Any]] | None] = ContextVar("loyalty_order_placed", default=None)
_send = order_placed.send


def _send_or_wait(sender: Any, **named: Any) -> list[Any]:
    waiting = _waiting.get()
    if waiting is None:
        return _send(sender=sender, **named)
    waiting.append({"sender": sender, **named})
    return []


# The signal is one object, sent by whatever OrderCreator the shop has: this is the only place to hold it back.
order_placed.send = _send_or_wait


@contextmanager
def one_transaction() -> Iterator[None]:
    """Open the transaction of an order and its payment: signals wait for its end, due rows are written together."""
    with signal_afterwards(), transaction.atomic(), due.together():
        yield


@contextmanager
def signal_afterwards() -> Iterator[None]:
    """Hold ``order_placed`` back within the block, for this request alone, and send it when the block has succeeded."""
    token = _waiting.set([])
    try:
        yield
    except BaseException:
        _waiting.reset(token)
        raise
    waiting = _waiting.get() or []
    _waiting.reset(token)
    for named in waiting:
        for receiver, answer in order_placed.send_robust(**named):
            if isinstance(answer, Exception):
                log.error("The receiver %r of order_placed failed", receiver, exc_info=answer)
