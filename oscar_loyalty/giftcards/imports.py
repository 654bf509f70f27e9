"""Bringing in the cards of another system from a table.

Rows become dictionaries that hold no code: only its fingerprint under the newest key. A row is known
by that, or, without a code, by what it says; so the same file twice changes nothing.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.numbers import list_currencies
from django.conf import settings
from django.utils.translation import gettext as _

from oscar_loyalty import cells, clock, importing, times
from oscar_loyalty.cells import RowError
from oscar_loyalty.defaults import conf
from oscar_loyalty.giftcards import codes
from oscar_loyalty.giftcards.selectors import with_keys
from oscar_loyalty.giftcards.staff import DEAREST
from oscar_loyalty.members.sites import default_site
from oscar_loyalty.money import to_minor
from oscar_loyalty.tables import BadCell, Row, Table

#: The fields of a card, and whether they must be there.
FIELDS = {
    "code": False,
    "value": True,
    "currency": False,
    "expires": False,
    "recipient": False,
    "email": False,
    "note": False,
}
#: What makes a row without a code the same as another.
IDENTITY = ("value", "currency", "expires", "recipient", "email")
#: Refused rows that are kept with their cells; all are counted.
KEPT = 1000


class TooManyRows(Exception):
    """The table has more rows than are to be looked at."""


@dataclass
class Seen:
    """What an import would bring: ``rows`` for :func:`oscar_loyalty.giftcards.bulk.keep_import`, how many were known
    before, and which were refused and why."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    known: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    refused_number: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def totals(self) -> dict[str, Decimal]:
        """What the new cards hold together, by currency."""
        sums: dict[str, Decimal] = {}
        for row in self.rows:
            sums[row["currency"]] = sums.get(row["currency"], Decimal(0)) + Decimal(row["value"])
        return sums


def look(
    *,
    table: Table,
    mapping: dict[str, str] | None = None,
    currency: str = "",
    site: Any = None,
    dates: str = "",
    refused: Callable[[Row, str], Any] | None = None,
    progress: Callable[[int], Any] | None = None,
    most: int | None = None,
) -> Seen:
    """Read ``table`` and return what it would bring; nothing is written.

    ``mapping`` names the table's column for a field where they differ, ``currency`` is that of rows which name none,
    ``site`` where they pay (default: the default one), ``dates`` how days are written where not as 2026-03-31.
    ``refused`` is called with each row that is left out. With ``most``, no more rows than that are looked at.

    :raises TooManyRows: when there are more than ``most``.
    :raises MappingError: when a column that must be there is missing.
    """
    columns = importing.choose_columns(FIELDS, table, mapping or {})
    seen, counted = Seen(), importing.Counted()
    # Cards without a code that are alike are others on another Site.
    place = [site.pk] if site is not None and site.pk != default_site().pk else []
    found: dict[str, tuple[Row, dict[str, Any], list[str]]] = {}

    def refuse(row: Row, reason: str) -> None:
        seen.refused_number += 1
        seen.reasons[reason] += 1
        if len(seen.refused) < KEPT:
            hidden = _without_code(row, table.columns, columns.get("code"))
            seen.refused.append({"row": row.number, "why": reason, "cells": hidden})
        if refused is not None:
            refused(row, reason)

    for count, row in enumerate(table.rows, start=1):
        if most is not None and count > most:
            raise TooManyRows
        try:
            plan, keys = _plan(row, columns, currency or settings.OSCAR_DEFAULT_CURRENCY, dates, counted, place)
            if plan["key"] in found:
                raise RowError(_("code: it is twice in this file"))
        except RowError as error:
            refuse(row, str(error))
            continue
        found[plan["key"]] = (row, plan, keys)
        if progress is not None:
            progress(row.number)
    there = with_keys([key for _row, _plan, keys in found.values() for key in keys])
    for _row, plan, keys in found.values():
        if there.intersection(keys):
            seen.known += 1
        else:
            seen.rows.append(plan)
    return seen


def _plan(
    row: Row, columns: dict[str, str], currency: str, dates: str, counted: importing.Counted, place: list[int]
) -> tuple[dict[str, Any], list[str]]:
    """Return what a row is to become, and the keys by which it may be known already."""
    values = understand(row, columns, dates)
    unit = values.get("currency") or currency
    try:
        to_minor(values["value"], unit)
    except ValueError:
        raise RowError(_("value: it is finer than the currency")) from None
    ends = values.get("expires")
    plan = {
        "value": str(values["value"]),
        "currency": unit,
        "expires": ends.isoformat() if ends else None,
        "recipient": values.get("recipient") or "",
        "email": values.get("email") or "",
        "note": values.get("note") or "",
    }
    code = values.get("code")
    if not code:
        content = importing.digest("giftcard", *place, *[plan[name] for name in IDENTITY])
        plan["key"] = f"import:{content}-{counted.next(content)}"
        return plan, [plan["key"]]
    plan["key_id"] = codes.current_key_id()
    plan["lookup"] = codes.foreign_fingerprint(code, key_id=plan["key_id"])
    plan["key"] = f"import:{plan['lookup']}"
    # It may have been brought in under an older key.
    return plan, [f"import:{codes.foreign_fingerprint(code, key_id=key_id)}" for key_id in conf.GIFTCARD_KEYS]


def understand(row: Row, columns: dict[str, str], dates: str = "") -> dict[str, Any]:
    """Return the values of a row by field.

    :raises RowError: when it cannot be believed.
    """
    if row.problem:
        raise RowError(row.problem)
    values = {}
    for name, column in columns.items():
        cell = row.cells.get(column, "")
        if isinstance(cell, BadCell):
            raise RowError(f"{name}: {cell.reason}")
        values[name] = cells.read(PARSERS, {"expires"}, name, cell, dates)
    return values


def _code(cell: str) -> str:
    if not cell:
        return ""
    if not conf.GIFTCARD_FOREIGN_CODES:
        raise RowError(_("the shop does not accept codes of other systems"))
    text = codes.normalise(cell)
    if not codes.FOREIGN_FORM.fullmatch(text):
        raise RowError(_("it is no code: those have 6 to 40 letters and digits"))
    return text


def _value(cell: str) -> Decimal:
    found = cells.amount(cell)
    if found == 0:
        raise RowError(_("there is nothing on it"))
    if found > DEAREST:
        raise RowError(_("it is too large to be believed"))
    return found


def _currency(cell: str) -> str:
    text = cell.upper()
    if text and text not in list_currencies():
        raise RowError(_("it is no currency: write EUR, USD"))
    return text


def _expires(cell: str, pattern: str = "") -> datetime | None:
    found = cells.moment(cell, pattern)
    if found is None:
        return None
    # A card that ends on a day can still be spent on it.
    end = times.end_of_life(found, 0)
    if end is not None and end <= clock.now():
        raise RowError(_("it has passed"))
    return end


PARSERS: dict[str, Callable[..., Any]] = {
    "code": _code,
    "value": _value,
    "currency": _currency,
    "expires": _expires,
    "recipient": cells.text,
    "email": cells.email,
    "note": lambda cell: cells.text(cell, most=255),
}


def _without_code(row: Row, columns: list[str], column: str | None) -> list[str]:
    """Return the cells of a row to be kept; of a code only its end, which tells which one it was."""
    kept = list(row.raw)
    if column is not None:
        place = columns.index(column)
        if place < len(kept) and kept[place]:
            code = kept[place].strip()
            kept[place] = f"…{code[-2:]}" if len(code) > 8 else "…"
    return kept
