"""Which kinds of message there are: a builder for each finds what its templates need.

The templates of ``kind`` are ``oscar_loyalty/messages/<kind>/subject.txt``, ``body.txt`` and ``body.html``; a shop
changes them by files of the same name in its own templates.
"""

from collections.abc import Callable
from typing import Any

#: Gets the message, returns the context of its templates, or ``None`` when there is nothing to say any more.
Builder = Callable[[Any], dict[str, Any] | None]
After = Callable[[Any], None]

builders: dict[str, Builder] = {}
afterwards: dict[str, After] = {}


def builder(kind: str) -> Callable[[Builder], Builder]:
    """Register the builder of ``kind``. It runs in the message's language, each time the message is written."""

    def register(function: Builder) -> Builder:
        builders[kind] = function
        return function

    return register


def after_sending(kind: str) -> Callable[[After], After]:
    """Register a function that is called with each message of ``kind`` once it is sent, in the same transaction."""

    def register(function: After) -> After:
        afterwards[kind] = function
        return function

    return register
