"""Movements in the dashboard: filtered, summed up, taken away."""

import csv
import io
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from openpyxl import load_workbook

from oscar_loyalty.reports import movements


@pytest.fixture
def moved(member, visit, give, many, url):
    visit(member, "v1")
    give(200, note="For your loyalty")
    visit(many(1)[0], "v2")


def text_of(response):
    return response.content.decode()


def test_one_by_one(owner, url, moved):
    text = text_of(owner.get(url("movements")))
    assert "Visit: Haircut" in text and "For your loyalty" in text and "80\xa0petals for Haircut" in text
    assert "<strong>4</strong> movements of 2 customers" in text
    assert "+460" in text
    # What only changed the dates of points is shown when it is asked for.
    assert "Became usable</td>" not in text
    assert "Became usable</td>" in text_of(owner.get(url("movements"), {"kind": "matured"}))


def test_filters(owner, url, moved, haircut):
    def number(**query):
        return owner.get(url("movements"), query).context["totals"].number

    assert number() == 4
    assert number(kind="earn") == 2
    assert number(q="Rose") == 2
    assert number(product=haircut.pk) == 2
    assert number(since="2000-01-01", until="2000-12-31") == 0
    assert number(since="2000-01-01") == 4


def test_a_product_is_looked_at_with_the_filters_that_it_was_summed_up_with(owner, url, moved, haircut):
    asked = {"by": "service", "since": "2000-01-01", "until": "2100-12-31", "q": "Rose", "kind": "adjust", "page": "1"}
    response = owner.get(url("movements"), asked | {"product": haircut.pk})
    [link] = re.findall(rf'href="({url("movements")}\?[^"]*)">Haircut', text_of(response))
    query = parse_qs(urlsplit(unescape(link)).query, strict_parsing=True)
    kept = {"since": ["2000-01-01"], "until": ["2100-12-31"], "q": ["Rose"]}
    assert query == {**kept, "by": ["all"], "product": [str(haircut.pk)]}
    # It shows what the row has summed up, and no more.
    [row] = response.context["page_obj"].object_list
    page = owner.get(unescape(link))
    assert (page.context["totals"].number, page.context["totals"].net) == (1, row["total"]) == (1, 80)


def test_a_wrong_filter_is_said_and_the_others_still_count(owner, url, moved):
    response = owner.get(url("movements"), {"since": "yesterday", "kind": "earn", "q": "Rose"})
    assert set(response.context["form"].errors) == {"since"}
    assert response.context["totals"].number == 1
    assert 'value="yesterday"' in text_of(response) and 'value="Rose"' in text_of(response)
    response = owner.get(url("movements"), {"since": "2026-02-02", "until": "2026-02-01"})
    assert "before the first" in text_of(response)
    assert owner.get(url("movements"), {"product": "x", "kind": "x", "page": "-1", "by": "x"}).status_code == 200


def test_an_empty_list_says_what_to_do(owner, url, programme):
    assert "No points have moved yet" in text_of(owner.get(url("movements")))
    assert "No movement matches" in text_of(owner.get(url("movements"), {"q": "nobody"}))


@pytest.mark.parametrize(
    ("look", "heading", "rows"),
    [
        ("all", ["Date", "Card number", "Customer", "E-mail", "Kind", "About", "Points"], 4),
        ("service", ["Service or product", "Pieces", "Purchases and visits", "Customers", "Points", "Last time"], 1),
        ("member", ["Card number", "First name", "Last name", "E-mail", "Movements", "Points gained"], 2),
    ],
)
def test_taking_them_away(look, heading, rows, owner, url, moved):
    response = owner.get(url("movements-export", "csv"), {"by": look})
    assert response.streaming and "attachment" in response["Content-Disposition"]
    table = list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert table[0][: len(heading)] == heading and len(table) == rows + 1
    response = owner.get(url("movements-export", "xlsx"), {"by": look})
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active
    assert [cell.value for cell in sheet[1]][: len(heading)] == heading and sheet.max_row == rows + 1


def test_the_file_has_the_filters(owner, url, moved):
    response = owner.get(url("movements-export", "csv"), {"kind": "adjust", "q": "Rose"})
    table = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert [(row["Points"], row["Note"]) for row in table] == [("200", "For your loyalty")]


def test_many_rows_are_read_in_few_queries(owner, url, many, visit, django_assert_max_num_queries):
    for index, member in enumerate(many(12)):
        visit(member, f"v{index}")
    with django_assert_max_num_queries(16):
        b"".join(owner.get(url("movements-export", "csv")).streaming_content)


def test_by_service_all_kinds_are_summed_up_or_none(owner, url, moved, monkeypatch):
    """A rare kind must not have the whole history of the shop summed up."""
    monkeypatch.setattr(movements, "MANY", 3)
    page = owner.get(url("movements"), {"by": "service", "kind": "expire"})
    assert page.context["too_many"] and not page.context["page_obj"].object_list
