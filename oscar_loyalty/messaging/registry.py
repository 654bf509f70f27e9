"""Which kinds of message there are: a builder for each finds what its templates need, or a sender does all of it.

The templates of ``kind`` are ``oscar_loyalty/messages/<kind>/subject.txt``, ``body.txt`` and ``body.html``; a shop
changes them by files of the same name in its own templates.
"""

from collections.abc import Callable
from typing import Any

#: Gets the message, returns the context of its templates, or ``None`` when there is nothing to say any more.
Builder = Callable[[Any], dict[str, Any] | None]
#: Gets the message, writes and sends it, and returns whether there was anything to say.
Sender = Callable[[Any], bool]
After = Callable[[Any], None]

builders: dict[str, Builder] = {}
senders: dict[str, Sender] = {}
afterwards: dict[str, After] = {}
#: The consent that a member must have given for messages of a kind; a kind that is not here needs none.
consents: dict[str, str] = {}
#: The kinds that are written to a member, wherever their e-mail is by then; others go where they were queued to.
to_members: set[str] = set()


def builder(kind: str, *, consent: str = "", to_member: bool = False) -> Callable[[Builder], Builder]:
    """Register the builder of ``kind``. It runs in the message's language, each time the message is written.

    With ``consent``, a kind of :mod:`oscar_loyalty.members.consents`, a member gets such messages only while they agree
    to it, and each has a link to withdraw it. What somebody needs to know whether they like it or not has none.

    With ``to_member`` it goes to the e-mail that the ``member`` of its context has when it is sent, and nowhere when
    they have none; otherwise to the address it was queued with.
    """

    def register(function: Builder) -> Builder:
        builders[kind] = function
        if consent:
            consents[kind] = consent
        if to_member:
            to_members.add(kind)
        return function

    return register


def sender(kind: str) -> Callable[[Sender], Sender]:
    """Register a function that writes and sends messages of ``kind`` itself, such as a mail of the shop's own.

    It runs in the message's language and raises when it cannot send; the outbox keeps the message and tries again.
    """

    def register(function: Sender) -> Sender:
        senders[kind] = function
        return function

    return register


def after_sending(kind: str) -> Callable[[After], After]:
    """Register a function that is called with each message of ``kind`` once it is sent, in the same transaction."""

    def register(function: After) -> After:
        afterwards[kind] = function
        return function

    return register
