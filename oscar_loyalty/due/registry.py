"""Who does what is due: a handler for each kind of row, and sweepers that look for work nobody left a row for."""

from collections.abc import Callable
from typing import Any

Handler = Callable[[Any], None]
Sweeper = Callable[[], int]

handlers: dict[str, Handler] = {}
#: Kinds whose handler opens its own transactions.
not_atomic: set[str] = set()
sweepers: dict[str, Sweeper] = {}


def handler(kind: str, *, atomic: bool = True) -> Callable[[Handler], Handler]:
    """Register a function for the due rows of ``kind``. It gets the row, runs in a transaction, and may run twice.

    ``atomic=False`` is for a function that asks somebody over the network: it runs outside of any transaction, so no
    lock is held while it waits, opens its own for what it writes, and finds in the stored state how far it had come.
    Nor for work of many minutes, which says between its transactions that it goes on
    (:func:`oscar_loyalty.due.services.renew`).
    """

    def register(function: Handler) -> Handler:
        handlers[kind] = function
        (not_atomic.discard if atomic else not_atomic.add)(kind)
        return function

    return register


def sweeper(name: str) -> Callable[[Sweeper], Sweeper]:
    """Register a function that every sweep calls; it returns how many rows it mended."""

    def register(function: Sweeper) -> Sweeper:
        sweepers[name] = function
        return function

    return register
