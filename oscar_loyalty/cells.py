"""From the text of a cell to a value: what an import believes, and what it refuses.

Reasons name the field and what is wrong, not the cell's text: they are counted, and the refused row shows its cells.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from oscar_loyalty import clock

#: The dearest purchase that is believed.
DEAREST = Decimal("1000000")
#: The years that are believed.
YEARS = range(1970, 2200)

_NUMBER = re.compile(
    r"(?P<sign>[+-]?)"
    r"(?:(?P<grouped>[1-9]\d{0,2}(?P<mark>[ .,'’\xa0\u202f])\d{3}(?:(?P=mark)\d{3})*)(?!\d)|(?P<plain>\d+))?"
    r"(?:(?P<point>[.,])(?P<part>\d*))?"
    r"(?P<power>[eE][+-]?\d{1,3})?"
)


class RowError(Exception):
    """A row cannot be brought in; ``str()`` says why."""


def text(cell: str, *, most: int = 150) -> str:
    found = " ".join(cell.split())
    if len(found) > most:
        raise RowError(_("it is too long"))
    return found


def email(cell: str) -> str:
    if cell:
        try:
            validate_email(cell)
        except ValidationError:
            raise RowError(_("it is no e-mail address")) from None
        if len(cell) > 254:
            raise RowError(_("it is too long"))
    return cell.lower()


def number(cell: str, *, whole: bool) -> Decimal:
    """Return the number that ``cell`` is, written in any of the usual ways.

    1,234 is a thousand and more where numbers are ``whole``; else nobody knows, and it is refused.
    """
    match = _NUMBER.fullmatch(cell.strip(" \xa0\u202f€$£"))
    if match is None or not (match["grouped"] or match["plain"] or match["part"]):
        raise RowError(_("it is no number") if cell else _("it is missing"))
    grouped, mark = match["grouped"] or "", match["mark"] or ""
    if grouped and mark == match["point"]:
        raise RowError(_("it is no number"))
    if grouped and mark in ".," and match["point"] is None and grouped.count(mark) == 1 and not whole:
        raise RowError(_("it may be a thousand or three decimals: write it without marks for thousands"))
    digits = "".join(character for character in grouped if character.isdigit()) or match["plain"] or "0"
    return Decimal(f"{match['sign']}{digits}.{match['part'] or '0'}{match['power'] or ''}")


def amount(cell: str) -> Decimal:
    found = number(cell, whole=False)
    if found < 0:
        raise RowError(_("it is below zero"))
    if found > DEAREST:
        raise RowError(_("it is too large to be believed"))
    if found != round(found, 2):
        raise RowError(_("it has more than two decimals"))
    return abs(found.quantize(Decimal("0.01")))


def whole(cell: str, *, least: int, most: int) -> int:
    found = number(cell, whole=True)
    if least <= found <= most and found != found.to_integral_value():
        raise RowError(_("it is no whole number"))
    if not least <= found <= most:
        raise RowError(_("it is not between %(least)s and %(most)s") % {"least": least, "most": most})
    return int(found)


def moment(cell: str, pattern: str = "") -> datetime | None:
    """Return the moment of ``cell``: ISO's way of writing, eight digits, or ``pattern``; a day is taken at noon."""
    if not cell:
        return None
    found: datetime | None = None
    try:
        if re.fullmatch(r"\d{8}", cell):
            found = datetime.combine(date(int(cell[:4]), int(cell[4:6]), int(cell[6:])), time(12))
        else:
            found = parse_datetime(cell) if len(cell) > 10 else None
            if found is None and (day := parse_date(cell)):
                found = datetime.combine(day, time(12))
    except (ValueError, OverflowError):
        found = None
    if found is None and pattern:
        found = _by_pattern(cell, pattern)
    if found is None:
        raise RowError(_("it is no date: write 2026-03-31, or say how the file writes it"))
    if found.year not in YEARS:
        raise RowError(_("it is a date that cannot be"))
    if timezone.is_naive(found):
        found = timezone.make_aware(found)
    return found.astimezone(UTC)


def _by_pattern(cell: str, pattern: str) -> datetime | None:
    try:
        found = datetime.strptime(cell, pattern)
    except (ValueError, OverflowError, re.error):
        return None
    return found if found.time() != time() or "%H" in pattern else datetime.combine(found.date(), time(12))


def past(cell: str, pattern: str = "") -> datetime | None:
    found = moment(cell, pattern)
    if found is not None and found > clock.now():
        raise RowError(_("it is in the future"))
    return found


def day(cell: str, pattern: str = "") -> datetime:
    found = past(cell, pattern)
    if found is None:
        raise RowError(_("it is missing"))
    return found


def language(cell: str) -> str:
    """Return the shop's language that is meant, or nothing: a member without one gets the shop's own."""
    codes = {code.lower(): code for code, _name in settings.LANGUAGES}
    wanted = cell.lower().replace("_", "-")
    return codes.get(wanted) or codes.get(wanted.partition("-")[0], "")


def read(parsers: Mapping[str, Callable[..., Any]], dates: Collection[str], field: str, cell: str, pattern: str) -> Any:
    """Return the value of a cell by its field's parser; those of ``dates`` get ``pattern`` as well.

    :raises RowError: with the field's name and the reason.
    """
    try:
        return parsers[field](cell, pattern) if field in dates else parsers[field](cell)
    except RowError as error:
        raise RowError(f"{field}: {error}") from None
