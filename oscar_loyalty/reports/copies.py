"""A copy of all that the programme holds on a member: a ZIP with a page to read, a table for each kind, and JSON.

Small ones are made at once; large ones by the worker. A copy can be fetched for some days and is then deleted.
"""

import json
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.translation import get_language, gettext, override

from oscar_loyalty import clock, times
from oscar_loyalty.defaults import conf
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import holdings
from oscar_loyalty.reports.exports import Column, csv_lines

#: Kind of the due rows that make a copy.
MAKE = "reports.copy"
#: Up to so many entries of the ledger it is made while the member waits.
SMALL = 1000
#: Rows of a table on the page to read; the others are in its CSV file.
SHOWN = 200
#: A copy that is asked for again within this time is the same one.
SAME = timedelta(minutes=10)


def _copies() -> Any:
    return get_model("loyalty_members", "DataExport").objects


def copy_of(member: Any) -> Any:
    """Return the newest copy of ``member`` that is being made or can be fetched, without its file, or ``None``."""
    rows = _copies().filter(member=member).exclude(state="ready", expires_at__lte=clock.now())
    return rows.defer("file").first()


def file_of(member: Any, uuid: Any) -> Any:
    """Return the copy ``uuid`` of ``member`` with its file, as long as it can be fetched, or ``None``."""
    return _copies().filter(member=member, uuid=uuid, state="ready", expires_at__gt=clock.now()).first()


@transaction.atomic
def request(*, member: Any, language: str = "") -> Any:
    """Ask for a copy and return it: ``ready`` where there is little to copy, else ``waiting`` for the worker.

    While one is being made, and for some minutes after, it is the same one; else a new one takes the place of the last.
    """
    row = get_model("loyalty_members", "Member").objects.select_for_update(of=("self",)).get(pk=member.pk)
    last, now = copy_of(row), clock.now()
    if last is not None and (last.state == "waiting" or last.ready_at > now - SAME):
        return last
    _copies().filter(member=row).delete()
    copy = _copies().create(member=row, language=language or get_language() or settings.LANGUAGE_CODE, asked_at=now)
    person = holdings.person_of(row)
    if _entries(person) <= SMALL:
        return make(copy=copy)
    due.leave(kind=MAKE, key=str(copy.uuid), payload={"copy": copy.pk})
    return copy


def _entries(person: holdings.Person) -> int:
    """How many entries there are at the most, as cheaply as it can be known."""
    rows = get_model("loyalty_ledger", "Account").objects.filter(pk__in=person.accounts)
    return sum(rows.values_list("sequence", flat=True))


@handler(MAKE)
def make_due(row: Any) -> None:
    copy = _copies().filter(pk=row.payload["copy"], state="waiting").first()
    if copy is not None:
        make(copy=copy)


def make(*, copy: Any) -> Any:
    """Put a copy together, in its language, and return it."""
    member = get_model("loyalty_members", "Member").objects.select_related("programme__site").get(pk=copy.member_id)
    with override(copy.language or settings.LANGUAGE_CODE), tempfile.TemporaryFile() as file:
        write(member, file)
        copy.size = file.tell()
        file.seek(0)
        copy.file = file.read()
    copy.state, copy.ready_at = "ready", clock.now()
    copy.expires_at = times.end_of_term(copy.ready_at, conf.DATA_EXPORT_DAYS)
    copy.save()
    return copy


@sweeper("reports.copies")
def sweep() -> int:
    """Delete the copies whose time is over."""
    return int(_copies().filter(expires_at__lte=clock.now()).delete()[0])


# What is in it


def write(member: Any, file: IO[bytes]) -> None:
    """Write the ZIP about ``member`` into ``file``, in the active language."""
    person = holdings.person_of(member)
    tables = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for holding in holdings.registered():
            model = holding.rows(person).model
            fields = holding.fields(model)
            name = f"tables/{holding.name}.csv"
            with archive.open(name, "w") as out:
                number = 0
                for line in csv_lines(_columns(fields), holding.read(person)):
                    out.write(line.encode())
                    number += 1
            # The heading is a line as well.
            tables.append((holding, fields, name, number - 1))
        with archive.open("data.json", "w") as out:
            for piece in _json(member, person):
                out.write(piece.encode())
        page = render_to_string("oscar_loyalty/copies/page.html", _page(member, person, tables))
        archive.writestr("index.html", page)


def _columns(fields: list[tuple[str, Any, Any]]) -> list[Column]:
    def value(number: int, field: Any) -> Any:
        return lambda row: _plain(row[number], field)

    return [Column(title, value(number, field)) for number, (_name, title, field) in enumerate(fields)]


def _plain(value: Any, field: Any) -> Any:
    """Return a value as a person reads it in a table."""
    choices = getattr(field, "choices", None)
    if choices and value not in (None, ""):
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=_bare) if value else ""
    return value


def _shown(value: Any, field: Any) -> str:
    """Return a value as it stands on the page."""
    plain = _plain(value, field)
    if plain is None:
        return ""
    if isinstance(plain, datetime):
        return str(formats.date_format(timezone.localtime(plain), "SHORT_DATETIME_FORMAT"))
    if isinstance(plain, date):
        return str(formats.date_format(plain, "SHORT_DATE_FORMAT"))
    if isinstance(plain, int | Decimal):
        return str(formats.number_format(plain))
    return str(plain)


def _bare(value: Any) -> Any:
    """Return a value as JSON has it."""
    return value.isoformat() if isinstance(value, date) else str(value)


def _json(member: Any, person: holdings.Person) -> Iterator[str]:
    """Yield one object: for each table its rows, written one by one so that their number does not matter."""
    head = {"made_at": clock.now().isoformat(), "programme": member.programme.name, "member": member.number}
    yield "{" + json.dumps(head, ensure_ascii=False)[1:-1]
    for holding in holdings.registered():
        names = [name for name, _title, _field in holding.fields(holding.rows(person).model)]
        yield f",\n{json.dumps(holding.name)}: ["
        for number, row in enumerate(holding.read(person)):
            told = dict(zip(names, row, strict=True))
            yield ("," if number else "") + "\n" + json.dumps(told, ensure_ascii=False, default=_bare)
        yield "]"
    yield "\n}\n"


def _page(member: Any, person: holdings.Person, tables: list[Any]) -> dict[str, Any]:
    shown = []
    for holding, fields, file, number in tables:
        if not number:
            continue
        kinds = [field for _name, _title, field in fields]
        rows = [
            [_shown(value, field) for value, field in zip(row, kinds, strict=True)]
            for row in holding.read(person, newest=SHOWN)
        ]
        titles = [title for _name, title, _field in fields]
        shown.append(
            {
                "title": holding.title,
                "titles": titles,
                "rows": rows,
                # One row is read from top to bottom.
                "single": list(zip(titles, rows[0], strict=True)) if number == 1 else None,
                "more": max(0, number - SHOWN),
                "file": file,
            }
        )
    return {
        "member": member,
        "programme": member.programme,
        "site": member.programme.site,
        "made_at": clock.now(),
        "tables": shown,
        "nothing": [holding.title for holding, _fields, _file, number in tables if not number],
    }
