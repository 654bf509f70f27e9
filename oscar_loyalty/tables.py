"""Reading tables as people have them: CSV in several dialects, columns apart by blanks, and XLSX.

Every cell comes out as text, as somebody would have typed it. What cannot be trusted, such as a formula, comes out as a
:class:`BadCell`, so that its row can be refused with a reason and the rest goes on. Files are read row by row: their
size does not matter.
"""

import csv
import re
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

#: The longest text in a cell, and the longest line; more is not data.
LONGEST = 2000
LONGEST_LINE = 1 << 20
#: How many lines a cell in quotes may have.
TALLEST = 50
#: More columns than this are no table that somebody made.
WIDEST = 1000
#: As many rows as Excel has.
LONGEST_SHEET = 1 << 20
#: Names for delimiters that are awkward to type.
DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}

#: Marks that only turn the direction of writing, which Excel and copied text leave in cells, and byte-order marks.
_INVISIBLE = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff\x00]")

#: A line of the file: its number, its cells, and what is wrong with all of it.
_Record = tuple[int, list[Any], str]


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
    """A row of the file: its number as people count (the header is 1), and its cells by column name.

    ``problem`` says why none of it can be used; ``raw`` is what stands there, for the file of refused rows.
    """

    number: int
    cells: dict[str, str | BadCell]
    raw: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Table:
    """The column names, about how many rows there are, the rows, and what the reader should know."""

    columns: list[str]
    length: int
    rows: Iterator[Row]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """How far a file may go that somebody has uploaded: how many bytes an Excel file may unpack to, which may be far
    more than its own size says, and how many rows are read, blank ones too."""

    unpacked: int = 50 * 1024 * 1024
    rows: int = 100_000


def read(
    path: Path,
    *,
    delimiter: str = "",
    columns: list[str] | None = None,
    sheet: str = "",
    encoding: str = "",
    limits: Limits | None = None,
) -> Table:
    """Open ``path`` as a table.

    ``delimiter`` is one character, ``"tab"``, ``"blank"`` for any white space, or empty to find out; ``columns`` names
    them where the file has no header; ``sheet`` picks one of an XLSX file; ``encoding`` where guessing goes wrong.
    ``limits`` is for what anybody may have uploaded; without, the file is trusted.

    :raises TableError: when it is not a table, or has no rows.
    """
    if not path.is_file():
        raise TableError(_("There is no file %(path)s.") % {"path": path})
    try:
        with path.open("rb") as file:
            start = file.read(8)
        if start.startswith(b"PK\x03\x04"):
            if limits is not None:
                _check_archive(path, limits)
            return _read_xlsx(path, columns, sheet, limits)
        if start.startswith(b"\xd0\xcf\x11\xe0"):
            raise TableError(_("This is an Excel file of the old kind: save it as .xlsx or .csv."))
        if path.suffix.lower() in (".xlsx", ".xlsm") and start:
            raise TableError(_("This is not an Excel file."))
        return _read_text(path, DELIMITERS.get(delimiter, delimiter), columns, encoding, limits)
    except OSError as error:
        raise TableError(_("The file cannot be read: %(error)s.") % {"error": error.strerror}) from error


# Text


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(400)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\x00" in start:
        # Excel's "Unicode text" without its mark: of plain letters, every second byte is zero.
        return "utf-16-le" if start[1::2].count(0) >= start[::2].count(0) else "utf-16-be"
    try:
        with path.open(encoding="utf-8-sig") as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        # What Excel saves on Windows in Western Europe.
        return "cp1252"
    return "utf-8-sig"


def _read_text(path: Path, delimiter: str, columns: list[str] | None, encoding: str, limits: Limits | None) -> Table:
    encoding = encoding or _encoding(path)
    try:
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            sample = file.read(20_000)
    except (LookupError, UnicodeError) as error:
        raise TableError(_("There is no encoding “%(name)s”.") % {"name": encoding}) from error
    if not sample.strip("\ufeff\x00 \t\r\n"):
        raise TableError(_("The file is empty."))
    delimiter = delimiter or _guess(sample)
    if delimiter != "blank" and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise TableError(_("The delimiter must be one character, “tab” or “blank”."))
    lines = _lines(path, encoding)
    if delimiter == "blank":
        records: Iterator[_Record] = ((number, line.split(), "") for number, line in enumerate(lines, start=1))
    else:
        records = _records(lines, delimiter)
    with path.open("rb") as file:
        length = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) + 1
    return _table(_few(records, limits), length, columns)


def _lines(path: Path, encoding: str) -> Iterator[str]:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        while line := file.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE:
                raise TableError(_("This is not a table: it has a line without an end."))
            yield line


def _guess(sample: str) -> str:
    head = next((line for line in sample.splitlines() if line.strip("\ufeff\x00 \t\r\n")), "")
    counts = {mark: head.count(mark) for mark in (";", ",", "\t", "|")}
    best = max(counts, key=lambda mark: counts[mark])
    if counts[best]:
        return best
    return "blank" if len(head.split()) > 1 else ","


def _records(lines: Iterator[str], delimiter: str) -> Iterator[_Record]:
    """Cut lines into cells. A quote that is never closed costs its own line, not the rest of the file."""
    ahead: deque[str] = deque()
    number = 0
    while True:
        line = ahead.popleft() if ahead else next(lines, None)
        if line is None:
            return
        number += 1
        if line.count('"') % 2:
            more = _rest_of_quotes(line, lines, ahead)
            found = _parse(line + "".join(islice(ahead, more)), delimiter) if more else None
            if found is not None:
                yield number, found, ""
                for _line in range(more):
                    ahead.popleft()
                number += more
                continue
        found = _parse(line, delimiter)
        if found is None:
            yield number, [line.strip()], _("its quotes are broken")
        else:
            yield number, found, ""


def _rest_of_quotes(line: str, lines: Iterator[str], ahead: deque[str]) -> int:
    """Return how many of the lines ahead, which it fetches, close the quotes of ``line``; 0: they stay open."""
    quotes, more = line.count('"'), 0
    while quotes % 2:
        if more == TALLEST:
            return 0
        if more == len(ahead):
            following = next(lines, None)
            if following is None:
                return 0
            ahead.append(following)
        quotes += ahead[more].count('"')
        more += 1
    return more


def _parse(text: str, delimiter: str) -> list[str] | None:
    try:
        found = list(csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=True))
    except csv.Error:
        return None
    return found[0] if found else []


# Excel


def _check_archive(path: Path, limits: Limits) -> None:
    """Refuse an archive that would fill the memory; its parts are never longer than it says of them."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise TableError(_("This is not an Excel file.")) from error
    if size > limits.unpacked:
        raise TableError(_("Unpacked, this Excel file is too large. Save only the sheet that is needed, as CSV."))


def _read_xlsx(path: Path, columns: list[str] | None, sheet: str, limits: Limits | None) -> Table:
    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True, data_only=False)
        names = [page.title for page in book.worksheets]
    except Exception as error:
        # A damaged archive fails in as many ways as there are in the formats it is made of.
        raise TableError(_("This is not an Excel file.")) from error
    if not names or (sheet and sheet not in names):
        raise TableError(
            _("The file has no sheet called “%(name)s”; there are: %(names)s.")
            % {"name": sheet, "names": ", ".join(names)}
        )
    page = book[sheet or names[0]]
    notes = []
    if len(names) > 1 and not sheet:
        notes.append(
            _("This reads the sheet “%(name)s”; the others are left out: %(names)s.")
            % {"name": names[0], "names": ", ".join(names[1:])}
        )
    length = min(page.max_row or 0, LONGEST_SHEET)
    # What a sheet says of its own size may be anything: each row is as long as it is.
    page.reset_dimensions()
    return _table(_few(_pages(book, page), limits), length, columns, tuple(notes))


def _pages(book: Any, page: Any) -> Iterator[_Record]:
    number = 0
    try:
        for row in page.iter_rows():
            number += 1
            if number > LONGEST_SHEET:
                raise TableError(_("This is not a table: it has more rows than Excel."))
            yield number, [_cell(cell) for cell in _narrow(row)], ""
    except TableError:
        raise
    except Exception as error:
        raise TableError(_("The Excel file is damaged after row %(number)s.") % {"number": number}) from error
    finally:
        book.close()


def _narrow(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Leave out the empty cells at the far end of a row that somebody coloured from one end to the other."""
    if len(row) > WIDEST and all(cell.value is None for cell in row[WIDEST:]):
        return row[:WIDEST]
    return row


def _cell(cell: Any) -> str | BadCell:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return BadCell(getattr(value, "text", None) or str(value), _("it is a formula, not a value"))
    if cell.data_type == "e":
        return BadCell(str(value), _("it is an error of Excel"))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat() if value.time() != time() else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        # As Excel shows it: not 12.300000000000001; and never so that a part looks like thousands.
        text = f"{value:.12g}"
        return f"{text}0" if re.fullmatch(r"-?\d+\.\d{3}", text) else text
    return str(value)


# Both


def _few(records: Iterator[_Record], limits: Limits | None) -> Iterator[_Record]:
    for count, record in enumerate(records, start=1):
        if limits is not None and count > limits.rows:
            raise TableError(_("This file has more than %(most)s rows.") % {"most": limits.rows})
        yield record


def _table(records: Iterator[_Record], length: int, columns: list[str] | None, notes: tuple[str, ...] = ()) -> Table:
    before = 0
    if columns is None:
        for number, cells, problem in records:
            if any(str(cell).strip() for cell in cells):
                if problem:
                    raise TableError(_("The first row, with the names of the columns, is broken."))
                if len(cells) > WIDEST:
                    raise TableError(_("This is not a table: it has more than %(most)s columns.") % {"most": WIDEST})
                columns, before = [_name(cell) for cell in cells], number
                break
        else:
            raise TableError(_("The file is empty."))
    while columns and not columns[-1]:
        columns.pop()
    columns = [name or _("column %(number)s") % {"number": number} for number, name in enumerate(columns, start=1)]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise TableError(_("Two columns have the same name: %(names)s.") % {"names": ", ".join(twice)})
    return Table(columns, max(0, length - before), _rows(records, columns), notes)


def _name(cell: Any) -> str:
    return " ".join(_INVISIBLE.sub("", str(cell)).split())


def _rows(records: Iterable[_Record], columns: list[str]) -> Iterator[Row]:
    for number, cells, problem in records:
        if len(cells) > WIDEST:
            cells, problem = cells[:WIDEST], _("there are more cells than columns")
        # No database keeps a zero byte.
        raw = tuple(str(cell).replace("\x00", "") for cell in cells)
        if not any(text.strip() for text in raw):
            continue
        values = [_clean(cell) for cell in cells]
        if not problem and any(str(extra) for extra in values[len(columns) :]):
            problem = _("there are more cells than columns")
        values += [""] * (len(columns) - len(values))
        yield Row(number, dict(zip(columns, values, strict=False)), raw, problem)


def _clean(cell: Any) -> str | BadCell:
    if isinstance(cell, BadCell):
        return cell
    text = _INVISIBLE.sub("", str(cell)).strip()
    if text.startswith("=") and len(text) > 1:
        return BadCell(text, _("it is a formula, not a value"))
    if "\ufffd" in text:
        return BadCell(text, _("it has characters that cannot be read"))
    if len(text) > LONGEST:
        return BadCell(f"{text[:60]}…", _("it is too long"))
    return text
