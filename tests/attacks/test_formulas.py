"""What somebody typed is no formula in any table that the shop gives away, in either language."""

import csv
import io
import itertools
import re
import zipfile

from openpyxl import load_workbook

from oscar_loyalty.dashboard.apps import PAGES
from oscar_loyalty.dashboard.base import ExportMixin
from oscar_loyalty.loading import get_class, get_model
from oscar_loyalty.reports import copies
from tests.attacks import planted

#: Each is tried in one of the languages.
STARTS = ["=", "+", "-", "@", "\t=", "\r=", " =", "x;=", "=", "-"]
#: What our own numbers look like, in either language.
NUMBER = re.compile(r"-?\d+([.,]\d+)?")
SIGNS = "=+-@＝＋－＠"


def cells(response):
    """Yield the cells of a table; of CSV also those that a program finds which cuts the lines at semicolons."""
    kind = response.headers["Content-Type"]
    content = b"".join(response.streaming_content) if response.streaming else response.content
    if "csv" in kind:
        yield from csv_cells(content)
    elif "spreadsheet" in kind:
        for sheet in load_workbook(io.BytesIO(content)):
            for row in sheet.iter_rows():
                for cell in row:
                    assert cell.data_type != "f", cell.value
                    # What is stored as a text stays one, whatever it begins with.
                    yield f"'{cell.value}" if cell.data_type in ("s", "inlineStr") else cell.value


def csv_cells(content):
    text = content.decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text, newline="")):
        yield from row
    for line in re.split(r"[\r\n]+", text):
        yield from (cell.lstrip('"') for cell in re.split("[;\t]", line))


def runs(cell):
    text = str(cell or "")
    plain = text.lstrip()
    return (plain[:1] in tuple(SIGNS) or text[:1] in ("\t", "\r")) and not NUMBER.fullmatch(plain)


def tables(doors):
    """The addresses of all tables: the pages that are made to give one, and with each format that they know."""
    for address, module, view, name in PAGES:
        page = get_class(f"dashboard.{module}", view)
        if not (issubclass(page, ExportMixin) or "<str:format>" in address or name.endswith("-refused")):
            continue
        for url in doors.dashboard[name][:1]:
            yield name, url
            if "/csv/" in url:
                yield name, url.replace("/csv/", "/xlsx/")


def ask(client, name, url):
    response = client.post(url) if name.endswith("-codes") else client.get(url)
    assert response.status_code == 200, (name, url, response.status_code)
    return response


def copied(member, language):
    """Yield the names and the cells of the tables in a member's copy of all that is held."""
    copy = copies.make(copy=copies._copies().create(member=member, language=language, asked_at=member.joined_at))
    archive = zipfile.ZipFile(io.BytesIO(copy.file))
    for name in archive.namelist():
        if name.endswith(".csv"):
            yield name, list(csv_cells(archive.read(name)))
    copy.delete()


def test_no_table_holds_a_formula(doors, full, boss):
    client = full[0].client(boss)
    batch = get_model("loyalty_giftcards", "GiftCardBatch").objects.filter(site=full[0].site)
    member = get_model("loyalty_members", "Member").objects.get(email="alpha0@example.com")
    told, seen = [], set()
    for start, language in zip(STARTS, itertools.cycle(["en", "fr", "fr", "en"])):
        text = f"{start}cmd(1;2)"
        assert planted.plant(text) > 20
        batch.update(refused=[{"row": 1, "why": text, "cells": [text, text]}])
        client.cookies["django_language"] = language
        found = [(name, list(cells(ask(client, name, url)))) for name, url in tables(doors)]
        for name, table in [*found, *copied(member, language)]:
            told += [f"{language} {name}: {cell!r}" for cell in table if runs(cell)]
            seen |= {name} if any("cmd" in str(cell) for cell in table) else set()
    assert not told, "\n".join(told[:20])
    assert {"loyalty-members-export", "loyalty-movements-export", "loyalty-giftcards-export"} <= seen
    assert "loyalty-giftcard-batch-refused" in seen
    assert len(seen) > 8, seen
