"""Who does what is due: a handler for each kind of row, and sweepers that look for work nobody left a row for."""

from collections.abc import Callable
from typing import Any

Handler = Callable[[Any], None]
Sweeper = Callable[[], int]

handlers: dict[str, Handler] = {}
sweepers: dict[str, Sweeper] = {}


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Register a function for the due rows of ``kind``. It gets the row, runs in a transaction, and may run twice."""

    def register(function: Handler) -> Handler:
        handlers[kind] = function
        return function

    return register


def sweeper(name: str) -> Callable[[Sweeper], Sweeper]:
    """Register a function that every sweep calls; it returns how many rows it mended."""

    def register(function: Sweeper) -> Sweeper:
        sweepers[name] = function
        return function

    return register
