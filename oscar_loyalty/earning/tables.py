"""Reading tables as people have them: CSV in several dialects, columns apart by blanks, and XLSX.

Every cell comes out as text, as somebody would have typed it. What cannot be trusted, such as a formula, comes out as a
:class:`BadCell`, so that its row can be refused with a reason and the rest goes on.
"""

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

#: The longest text in a cell; more is not data.
LONGEST = 2000


class TableError(Exception):
    """The file cannot be read as a table; ``str()`` says why."""


@dataclass(frozen=True)
class BadCell:
    """A cell that cannot be used, and why."""

    text: str
    reason: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Row:
    """A row of the file: its number as people count (the header is 1), and its cells by column name."""

    number: int
    cells: dict[str, str | BadCell]


@dataclass(frozen=True)
class Table:
    """The column names, how many rows there are at most, and the rows."""

    columns: list[str]
    length: int
    rows: Iterator[Row]


def read(path: Path, *, delimiter: str = "", columns: list[str] | None = None, sheet: str = "") -> Table:
    """Open ``path`` as a table.

    ``delimiter`` is one character, ``"blank"`` for any white space, or empty to find out; ``columns`` names them
    where the
    file has no header; ``sheet`` picks one of an XLSX file.

    :raises TableError: when it is not a table, or has no rows.
    """
    if not path.is_file():
        raise TableError(_("There is no file %(path)s.") % {"path": path})
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return _read_xlsx(path, columns, sheet)
    return _read_text(path, delimiter, columns)


def digest(*parts: Any) -> str:
    """Return a short fingerprint of a row's content, the same whatever file it comes in."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:24]


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        with path.open(encoding="utf-8-sig") as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        # What Excel saves on Windows in Western Europe.
        return "cp1252"
    return "utf-8-sig"


def _read_text(path: Path, delimiter: str, columns: list[str] | None) -> Table:
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        sample = file.read(20_000)
    if not sample.strip():
        raise TableError(_("The file is empty."))
    if not delimiter:
        delimiter = _guess(sample)

    def cells() -> Iterator[list[str]]:
        with path.open(encoding=encoding, newline="") as file:
            if delimiter == "blank":
                for line in file:
                    yield line.split()
            else:
                yield from csv.reader(file, delimiter=delimiter)

    with path.open("rb") as file:
        length = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) + 1
    return _table(cells(), length, columns)


def _guess(sample: str) -> str:
    head = sample.splitlines()[0]
    counts = {mark: head.count(mark) for mark in (";", ",", "\t", "|")}
    best = max(counts, key=lambda mark: counts[mark])
    if counts[best]:
        return best
    return "blank" if len(head.split()) > 1 else ","


def _read_xlsx(path: Path, columns: list[str] | None, sheet: str) -> Table:
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=False)
    except (BadZipFile, InvalidFileException, KeyError, OSError) as error:
        raise TableError(_("This is not an Excel file.")) from error
    if sheet and sheet not in book.sheetnames:
        raise TableError(_("The file has no sheet called “%(name)s”.") % {"name": sheet})
    page = book[sheet] if sheet else book.worksheets[0]
    return _table(([_cell(cell) for cell in row] for row in page.iter_rows()), page.max_row or 0, columns)


def _cell(cell: Any) -> str | BadCell:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return BadCell(str(value), _("it is a formula, not a value"))
    if cell.data_type == "e":
        return BadCell(str(value), _("it is an error of Excel"))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat() if value.time() != datetime.min.time() else value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        # As Excel shows it: neither 12.300000000000001 nor 12.0.
        return f"{value:.12g}"
    return str(value)


def _table(cells: Iterator[list[Any]], length: int, columns: list[str] | None) -> Table:
    number = 0
    if columns is None:
        for found in cells:
            number += 1
            if any(str(cell).strip() for cell in found):
                columns = [str(cell).strip() for cell in found]
                break
        else:
            raise TableError(_("The file is empty."))
    if len(set(columns)) != len(columns):
        raise TableError(_("Two columns have the same name."))
    return Table(columns, max(0, length - number), _rows(cells, columns, number))


def _rows(cells: Iterator[list[Any]], columns: list[str], number: int) -> Iterator[Row]:
    while True:
        number += 1
        try:
            found = next(cells)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(number, {columns[0]: BadCell("", _("the line is broken: %(error)s") % {"error": error})})
            continue
        if not any(str(cell).strip() for cell in found):
            continue
        values = [_clean(cell) for cell in found]
        if len(values) > len(columns) and any(str(extra) for extra in values[len(columns) :]):
            extra = BadCell(str(values[len(columns)]), _("there are more cells than columns"))
            values[0] = extra
        values += [""] * (len(columns) - len(values))
        yield Row(number, dict(zip(columns, values, strict=False)))


def _clean(cell: Any) -> str | BadCell:
    if isinstance(cell, BadCell):
        return cell
    text = str(cell).replace("\x00", "").strip()
    if text.startswith("=") and len(text) > 1:
        return BadCell(text, _("it is a formula, not a value"))
    if len(text) > LONGEST:
        return BadCell(text[:60] + "…", _("it is too long"))
    return text
