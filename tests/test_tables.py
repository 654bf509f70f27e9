"""Tables as people have them: what is read, what is refused, and that nothing makes the reader fall over."""

import tracemalloc
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from oscar_loyalty import tables
from oscar_loyalty.tables import BadCell, TableError

TEXT = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture
def file(tmp_path):
    def file(content, name="table.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return file


def rows(path, **options):
    """The rows as dictionaries of text; a problem or a bad cell as its reason in angle brackets."""
    found = []
    for row in tables.read(path, **options).rows:
        cells = {name: f"<{cell.reason}>" if isinstance(cell, BadCell) else cell for name, cell in row.cells.items()}
        found.append(f"<{row.problem}>" if row.problem else cells)
    return found


ANNA = [{"name": "Anna", "points": "12"}]


@pytest.mark.parametrize(
    "content",
    [
        "name,points\nAnna,12\n",
        "name;points\r\nAnna;12\r\n",
        "name\tpoints\rAnna\t12\r",
        " name  points\r\n Anna  12\r\n",
        "name|points\nAnna|12",
        "\n\n  \nname,points\n\n,\nAnna,12\n\n",
        '"name","points"\n"Anna","12"\n',
        "name, points\nAnna, 12\n",
        "\ufeffname,points\nAnna,12\n",
        "name,points,,\nAnna,12,,\n",
    ],
    ids=["commas", "crlf", "tabs and cr", "blanks", "bars", "empty lines", "quotes", "spaces", "bom", "empty columns"],
)
def test_dialects(file, content):
    assert rows(file(content)) == ANNA


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings(file, encoding):
    assert rows(file("name;points\r\nZoé Müller;12\r\n", encoding=encoding)) == [{"name": "Zoé Müller", "points": "12"}]


def test_an_encoding_can_be_told(file):
    path = file("name,points\nЖанна,12\n", encoding="cp1251")
    assert rows(path, encoding="cp1251") == [{"name": "Жанна", "points": "12"}]
    with pytest.raises(TableError, match="no encoding"):
        tables.read(path, encoding="klingon")


def test_bytes_of_no_encoding_cost_their_row_only(file):
    found = rows(file(b"name,points\nZo\xe9\x81,1\nAnna,12\n"))
    assert found == [{"name": "<it has characters that cannot be read>", "points": "1"}, *ANNA]


def test_names_from_right_to_left(file):
    found = rows(file("name,points\n\u202bمحمد علي\u202c,\u200f12\nנועה,12\nعلی\u200cرضا,12\n"))
    assert found == [
        {"name": "محمد علي", "points": "12"},
        {"name": "נועה", "points": "12"},
        # The joiner is spelling, not direction: it stays.
        {"name": "علی\u200cرضا", "points": "12"},
    ]


def test_a_quote_that_stays_open_costs_its_row_only(file):
    found = rows(file('name,points\n"Anna,1\nBo,2\n"Cleo"x,3\n5" nails,4\nAnna,12\n'))
    broken = "<its quotes are broken>"
    assert found == [broken, {"name": "Bo", "points": "2"}, broken, {"name": '5" nails', "points": "4"}, *ANNA]


def test_a_cell_of_several_lines_and_doubled_quotes(file):
    table = tables.read(file('name,points\n"Anna\nMaria ""Mia""",1\nAnna,12\n'))
    first, second = table.rows
    assert first.cells == {"name": 'Anna\nMaria "Mia"', "points": "1"}
    assert (first.number, second.number) == (2, 4)


def test_cells_and_columns_that_do_not_match(file):
    found = rows(file("name,points\nAnna,12,13\nBo\nAnna,12,,\n"))
    assert found == ["<there are more cells than columns>", {"name": "Bo", "points": ""}, *ANNA]


def test_formulas_are_not_values(file):
    found = rows(file('name,points\n"=HYPERLINK(""http://x"")",=1+1\n=,12\n'))
    formula = "<it is a formula, not a value>"
    assert found == [{"name": formula, "points": formula}, {"name": "=", "points": "12"}]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "The file is empty"),
        ("\r\n \r\n", "The file is empty"),
        ("\ufeff", "The file is empty"),
        ("name,name\n1,2\n", "Two columns have the same name: name"),
        ('"name,points\n1,2\n', "first row"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old kind"),
        (b"PK\x03\x04 and nothing of a workbook", "not an Excel file"),
        ("x" * (tables.LONGEST_LINE + 1), "line without an end"),
    ],
    ids=["nothing", "blank lines", "a mark", "twice", "broken header", "xls", "broken zip", "endless"],
)
def test_what_is_no_table(file, content, reason):
    with pytest.raises(TableError, match=reason):
        tables.read(file(content))


def test_no_such_file(tmp_path):
    with pytest.raises(TableError, match="no file"):
        tables.read(tmp_path / "none.csv")


def test_a_csv_that_calls_itself_excel(file):
    with pytest.raises(TableError, match="not an Excel file"):
        tables.read(file("name,points\n", name="table.xlsx"))


@pytest.mark.parametrize(("delimiter", "found"), [("tab", ANNA), ("\\t", ANNA), ("\t", ANNA)])
def test_delimiters_by_name(file, delimiter, found):
    assert rows(file("name\tpoints\nAnna\t12\n"), delimiter=delimiter) == found


def test_a_delimiter_is_one_character(file):
    with pytest.raises(TableError, match="one character"):
        tables.read(file("name,points\n"), delimiter="ab")


def test_without_a_header(file):
    assert rows(file("Anna,12\n"), columns=["name", "points"]) == ANNA


# Excel


@pytest.fixture
def book(tmp_path):
    def book(*sheets):
        workbook = Workbook()
        workbook.remove(workbook.active)
        for title, lines in sheets:
            page = workbook.create_sheet(title)
            for line in lines:
                page.append(line)
        path = tmp_path / "table.xlsx"
        workbook.save(path)
        return path

    return book


def test_excel_cells_come_as_somebody_would_type_them(book):
    values = [date(2026, 3, 31), datetime(2026, 3, 31, 9, 30), 12.3 - 0.3 + 0.1, 12.0, 1.234, 123456789012, True, None]
    path = book(("Points", [[f"c{n}" for n in range(len(values))], values]))
    assert list(rows(path)[0].values()) == [
        "2026-03-31",
        "2026-03-31T09:30:00",
        "12.1",
        "12",
        "1.2340",
        "123456789012",
        "true",
        "",
    ]


def test_excel_formulas_and_errors(book):
    found = rows(book(("Points", [["name", "points"], ["Anna", "=1+1"], ["#N/A", 12], ["Anna", 12]])))
    assert found[0]["points"] == "<it is a formula, not a value>"
    assert found[1]["name"] == "<it is an error of Excel>"
    assert found[2:] == ANNA


def test_excel_rows_keep_their_numbers(book):
    table = tables.read(book(("Points", [[], ["name", "points"], [], ["Anna", 12]])))
    assert [row.number for row in table.rows] == [4]


def test_excel_with_several_sheets(book):
    path = book(("Points", [["name", "points"], ["Anna", 12]]), ("Sums", [["sum"], [12]]))
    assert rows(path) == ANNA
    assert tables.read(path).notes == ("This reads the sheet “Points”; the others are left out: Sums.",)
    assert rows(path, sheet="Sums") == [{"sum": "12"}]
    assert not tables.read(path, sheet="Sums").notes
    with pytest.raises(TableError, match=r"no sheet called “None”; there are: Points, Sums"):
        tables.read(path, sheet="None")


def test_excel_without_a_row(book):
    with pytest.raises(TableError, match="The file is empty"):
        tables.read(book(("Points", [])))


def test_excel_damaged_within(book):
    path = book(("Points", [["name", "points"], *[["Anna", 12]] * 5000]))
    content = bytearray(path.read_bytes())
    start = content.find(b"xl/worksheets/sheet1.xml") + 200
    content[start : start + 300] = bytes(300)
    path.write_bytes(bytes(content))
    with pytest.raises(TableError, match=r"damaged|not an Excel"):
        list(tables.read(path).rows)


# Anything


@TEXT
@given(content=st.text(max_size=400), delimiter=st.sampled_from(["", ",", ";", "blank", "tab"]))
def test_any_text_is_read_or_refused(tmp_path, content, delimiter):
    path = tmp_path / "any.csv"
    path.write_text(content, encoding="utf-8", errors="surrogatepass", newline="")
    _read_or_refused(path, delimiter=delimiter)


@TEXT
@given(content=st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(tmp_path, content):
    path = tmp_path / "any.csv"
    path.write_bytes(content)
    _read_or_refused(path)


@TEXT
@given(lines=st.lists(st.text(alphabet='",;\n\rab =', max_size=12), max_size=30))
def test_no_line_gets_lost(tmp_path, lines):
    """However the quotes are broken, every line that is not blank is in some row."""
    path = tmp_path / "any.csv"
    path.write_text("\n".join(["a,b", *lines]), encoding="utf-8", newline="")
    table = tables.read(path, delimiter=",")
    letters = sum(line.count("a") + line.count("b") for line in lines)
    assert sum(cell.count("a") + cell.count("b") for row in table.rows for cell in row.raw) == letters


def _read_or_refused(path, **options):
    try:
        table = tables.read(path, **options)
        found = list(table.rows)
    except TableError as error:
        assert str(error)
        return
    numbers = [row.number for row in found]
    assert numbers == sorted(set(numbers))
    for row in found:
        assert list(row.cells) == table.columns
        assert all(isinstance(cell, str | BadCell) for cell in row.cells.values())


def test_a_huge_file_takes_little_memory(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("name,points\n")
        for number in range(200_000):
            file.write(f"Customer {number},{number}\n")
    table = tables.read(path)
    tracemalloc.start()
    try:
        assert sum(1 for row in table.rows) == 200_000
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()
