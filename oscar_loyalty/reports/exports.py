"""Tables for Excel and CSV, written row by row so that their size does not matter.

What people typed is never a formula: a text that a spreadsheet would run is written so that it stays a text.
"""

import csv
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from oscar_loyalty import times
from oscar_loyalty.formulas import as_text

#: Characters that XML cannot hold.
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]")
#: The longest text that a cell of Excel holds.
LONGEST = 32_767
#: Signs of CSV that are sent at once.
BLOCK = 32_768
#: Rows of one sheet in Excel, without the heading.
SHEET = 1_000_000
CHUNK = 500
#: Rows that one query reads where a list is read piece by piece.
SLICE = 500


@dataclass(frozen=True)
class Column:
    """A column: its heading, what it shows of a row, and how wide it is in Excel."""

    title: Any
    value: Callable[[Any], Any]
    width: int = 14


class _Echo:
    """Gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_cell(value: Any) -> str:
    """Write one value for CSV: numbers bare, moments in the shop's own time, formulas as text."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return _local(value).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, int | float | Decimal | date) and not isinstance(value, bool):
        return str(value)
    return as_text(CONTROLS.sub("", str(value)))


def csv_lines(columns: Sequence[Column], rows: Iterable[Any]) -> Iterator[str]:
    """Yield the lines of a CSV file that Excel reads as UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow([csv_cell(column.title) for column in columns])
    for row in rows:
        yield writer.writerow([csv_cell(column.value(row)) for column in columns])


def csv_blocks(columns: Sequence[Column], rows: Iterable[Any]) -> Iterator[str]:
    """Yield the same file in larger parts, the heading at once: each goes through the web server on its own."""
    lines = csv_lines(columns, rows)
    yield next(lines)
    part, size = [], 0
    for line in lines:
        part.append(line)
        size += len(line)
        if size >= BLOCK:
            yield "".join(part)
            part, size = [], 0
    if part:
        yield "".join(part)


def newest_first(rows: QuerySet[Any], field: str, size: int = SLICE) -> Iterator[list[Any]]:
    """Yield all of ``rows`` in lists, by ``field`` and primary key, each list by a short query of its own.

    So no cursor is held open for minutes, which a pooler may forbid, and whatever their number, few are in memory.
    """
    rows = rows.order_by(f"-{field}", "-pk")
    part = list(rows[:size])
    while part:
        yield part
        if len(part) < size:
            return
        last = getattr(part[-1], field)
        after = Q(**{f"{field}__lt": last}) | Q(**{field: last}, pk__lt=part[-1].pk)
        # The first condition is the one that an index answers.
        part = list(rows.filter(after, **{f"{field}__lte": last})[:size])


def xlsx_file(columns: Sequence[Column], rows: Iterable[Any], *, title: str) -> IO[bytes]:
    """Write an Excel file, row by row, and return it open for reading; closing it deletes it."""
    book = Workbook(write_only=True)
    try:
        return _written(book, columns, rows, title)
    except BaseException:
        for sheet in book.worksheets:
            # What was written so far lies in files of openpyxl's.
            sheet.close()
            sheet._writer.cleanup()
        raise


def _written(book: Any, columns: Sequence[Column], rows: Iterable[Any], title: str) -> IO[bytes]:
    name = re.sub(r"[\\/*?:\[\]]", " ", title)[:28] or "1"
    sheet, number = None, 0
    for row in _with_end(rows):
        if sheet is None or number == SHEET:
            sheets = len(book.worksheets)
            sheet, number = book.create_sheet(f"{name} {sheets + 1}" if sheets else name), 0
            _heading(sheet, columns)
        if row is not _END:
            sheet.append([_xlsx_cell(sheet, column.value(row)) for column in columns])
            number += 1
    file = tempfile.TemporaryFile()  # noqa: SIM115  (the response closes it)
    book.save(file)
    file.seek(0)
    return file


_END = object()


def _with_end(rows: Iterable[Any]) -> Iterator[Any]:
    """Yield the rows, and one marker if there are none, so that an empty file has its heading."""
    empty = True
    for row in rows:
        empty = False
        yield row
    if empty:
        yield _END


def _heading(sheet: Any, columns: Sequence[Column]) -> None:
    # All of this must be said before the first row of a sheet that is written at once.
    sheet.freeze_panes = "A2"
    for position, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(position)].width = column.width
    cells = []
    for column in columns:
        cell = _xlsx_cell(sheet, str(column.title))
        cell.font = Font(bold=True)
        cells.append(cell)
    sheet.append(cells)


def _xlsx_cell(sheet: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, datetime):
        # Excel knows no time zones.
        return _local(value).replace(tzinfo=None)
    if isinstance(value, int | float | Decimal | date) and not isinstance(value, bool):
        return value
    cell = WriteOnlyCell(sheet, value=CONTROLS.sub("", str(value))[:LONGEST])
    # Whatever it begins with: a text.
    cell.data_type = "s"
    return cell


def _local(moment: datetime) -> datetime:
    return times.on_clock(moment) if timezone.is_aware(moment) else moment
