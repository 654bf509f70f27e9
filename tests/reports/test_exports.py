"""Tables to take away: numbers are numbers, texts are never formulas, and the size does not matter."""

import csv
import io
import re
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from oscar_loyalty.formulas import is_formula
from oscar_loyalty.reports import exports
from oscar_loyalty.reports.exports import Column

COLUMNS = [Column("Text", lambda row: row[0]), Column("Value", lambda row: row[1])]
FORMULAS = ["=1+1", "+33 1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =cmd|' /C calc'!A0", "＝1+1"]
#: In French, Excel cuts the lines of a file at semicolons, also within our quotes.
CUT = ["Rose;=1+1", "a; @SUM(A1)", "a\n=1+1", "a\r\n-1", 'a";+1', "=1;=2", "a\t=1"]
PLAIN = ["Rose", "O'Hara", "a,b", 'say "hi"', "1=1", "عائشة", "two\nlines", ""]


def read_csv(rows):
    text = "".join(exports.csv_lines(COLUMNS, rows))
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def read_xlsx(rows):
    with exports.xlsx_file(COLUMNS, rows, title="A/B: [list]") as file:
        return [list(row) for row in load_workbook(file).active.iter_rows()]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_stays_a_text(text):
    cell = read_csv([(text, 1)])[1][0]
    assert cell.startswith("'") and not is_formula(cell)
    cell = read_xlsx([(text, 1)])[1][0]
    assert cell.data_type in ("s", "inlineStr") and cell.value.strip() == text.strip()


@pytest.mark.parametrize("text", CUT)
def test_no_formula_begins_where_another_country_cuts_the_line(text):
    line = "".join(exports.csv_lines(COLUMNS, [(text, 1)])).partition("\r\n")[2]
    for part in re.split(r"[;\t\r\n]", line):
        assert not is_formula(part.lstrip('"')), part


@pytest.mark.parametrize("text", PLAIN)
def test_other_texts_are_left_alone(text):
    assert read_csv([(text, 1)])[1][0] == text
    assert (read_xlsx([(text, 1)])[1][0].value or "") == text


def test_a_heading_is_no_formula_either():
    columns = [Column("=A1", lambda row: row)]
    assert "".join(exports.csv_lines(columns, [])).strip() == "\ufeff'=A1"


def test_numbers_and_moments_are_what_they_are(settings):
    at = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    rows = [("a", -80), ("b", Decimal("10.50")), ("c", at), ("d", None)]
    assert [row[1] for row in read_csv(rows)[1:]] == ["-80", "10.50", "2026-03-02 13:00", ""]
    values = [row[1].value for row in read_xlsx(rows)[1:]]
    assert values == [-80, 10.5, datetime(2026, 3, 2, 13, 0), None]


def test_moments_are_on_the_shops_clock_whoever_reads():
    rows = [("a", datetime(2026, 3, 2, 23, 30, tzinfo=UTC))]
    with timezone.override("Asia/Tokyo"):
        assert read_csv(rows)[1][1] == "2026-03-03 00:30"
        assert read_xlsx(rows)[1][1].value == datetime(2026, 3, 3, 0, 30)


def test_characters_that_excel_refuses_are_left_out():
    assert read_xlsx([("a\x00b\x0bc\ud800", 1)])[1][0].value == "abc"
    assert len(read_xlsx([("x" * 40_000, 1)])[1][0].value) == exports.LONGEST
    assert read_csv([("a\x00b", 1)])[1][0] == "ab"


def test_an_empty_list_has_its_heading():
    assert read_csv([]) == [["Text", "Value"]]
    assert [[cell.value for cell in row] for row in read_xlsx([])] == [["Text", "Value"]]


def test_more_rows_than_a_sheet_holds(monkeypatch):
    monkeypatch.setattr(exports, "SHEET", 3)
    with exports.xlsx_file(COLUMNS, [("x", number) for number in range(7)], title="Rows") as file:
        book = load_workbook(file)
    assert book.sheetnames == ["Rows", "Rows 2", "Rows 3"]
    assert [sheet.max_row for sheet in book] == [4, 4, 2]
    assert all(sheet["A1"].value == "Text" for sheet in book)


def test_rows_are_written_while_they_are_read():
    read = []

    def rows():
        for number in range(10):
            read.append(number)
            yield "x", number

    lines = exports.csv_lines(COLUMNS, rows())
    next(lines)
    assert read == []
    next(lines)
    assert read == [0]


def test_memory_does_not_grow_with_the_rows():
    tracemalloc.start()
    for _line in exports.csv_lines(COLUMNS, (("x" * 100, number) for number in range(20_000))):
        pass
    exports.xlsx_file(COLUMNS, (("x" * 100, number) for number in range(20_000)), title="Rows").close()
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000
