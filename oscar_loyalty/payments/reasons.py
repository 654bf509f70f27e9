"""Why a try to pay came to nothing: stored as a code, since whoever reads it may do so in another language."""

from typing import Any

from django.utils.translation import gettext_lazy as _

CAME_BACK, DIED, NOBODY, AGAIN, UNWRITTEN, OTHER_AMOUNT = "came_back", "died", "nobody", "again", "unwritten", "amount"
#: With the number of the order: see :func:`elsewhere`.
ELSEWHERE = "elsewhere"

SAID: dict[str, Any] = {
    CAME_BACK: _("The customer came back without paying."),
    DIED: _("The request ended half way."),
    NOBODY: _("Nobody paid."),
    AGAIN: _("It was started again."),
    UNWRITTEN: _("The order could not be written."),
    OTHER_AMOUNT: _("Another amount was set aside than the order costs."),
    ELSEWHERE: _("Order %(order)s was placed without it."),
}


def elsewhere(order: Any) -> str:
    """Return the code for ``order`` having been placed past the try."""
    return f"{ELSEWHERE}:{order.number}"


def said(reason: str) -> str:
    """Say a stored reason in the reader's language; what is no code, such as the words of a provider, as it is."""
    code, _colon, order = reason.partition(":")
    known = reason in SAID or (code == ELSEWHERE and order)
    return str(SAID[code]) % {"order": order} if known else reason
