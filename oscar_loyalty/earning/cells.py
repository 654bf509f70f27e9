"""How each field of an import of members, balances or purchases is read, by :mod:`oscar_loyalty.cells`."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from oscar_loyalty import cells
from oscar_loyalty.cells import DEAREST, RowError, amount, day, email, language, moment, past, text, whole


def card(cell: str) -> str:
    """Return the digits of a card number."""
    found = "".join(character for character in cell if character in "0123456789")
    if cell and len(found) != 12:
        raise RowError(_("it is no card number: those have 12 digits"))
    return found


#: How each field is read; those of dates take a pattern as well.
PARSERS: dict[str, Callable[..., Any]] = {
    "customer": lambda cell: text(cell, most=100),
    "email": email,
    "card": card,
    "first_name": text,
    "last_name": text,
    "language": language,
    "joined": past,
    "points": lambda cell: whole(cell, least=1, most=100_000_000),
    "expires": moment,
    "reason": lambda cell: text(cell, most=255),
    "date": day,
    "amount": amount,
    "quantity": lambda cell: whole(cell, least=1, most=10_000) if cell else 1,
    "reference": lambda cell: text(cell, most=100),
    "title": lambda cell: text(cell, most=255),
}
DATES = {"joined", "expires", "date"}


def value(field: str, cell: str, pattern: str = "") -> Any:
    """Return the value of a cell.

    :raises RowError: with the field's name and the reason.
    """
    return cells.read(PARSERS, DATES, field, cell, pattern)


__all__ = ["DATES", "DEAREST", "PARSERS", "RowError", "amount", "card", "value"]
