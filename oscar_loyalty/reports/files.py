"""Large lists as Excel files: asked for on a page, made by the worker, kept for some days for whoever asked.

A list is registered by name with a function that gets the programme and the filters of its page's address, and returns
a :class:`Table`. Its file lies in the database in pieces, so that every web server finds it and nobody else.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import get_language, override

from oscar_loyalty import clock, replicas, times
from oscar_loyalty.defaults import conf
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import exports

KIND = "reports.file"
#: Up to so many rows a file is made while somebody waits.
SMALL = 5_000
#: Rows after which a run says how far it is; one that was not heard of for so long was interrupted.
STEP, SILENCE = 2_000, timedelta(minutes=5)
#: Bytes of a piece, and how many files one person may have waiting.
PIECE, WAITING = 2**20, 5


class TooManyFiles(Exception):
    """Somebody has asked for as many files as may wait."""


class Overtaken(Exception):
    """The file was begun anew meanwhile: the new run writes, this one stops."""


@dataclass(frozen=True)
class Table:
    """What a file is made of. ``number``: how many rows there are, asked once, where that can be known."""

    columns: Sequence[exports.Column]
    rows: Callable[[], Iterable[Any]]
    number: Callable[[], int | None]


Listed = Callable[[Any, str], Table]
_lists: dict[str, Listed] = {}


def listed(name: str) -> Callable[[Listed], Listed]:
    """Register the function that gives the table of a list."""

    def register(function: Listed) -> Listed:
        _lists[name] = function
        return function

    return register


def _rows() -> Any:
    return get_model("loyalty_reports", "ExportFile").objects


def of(user: Any, programme: Any) -> Any:
    """Return the files that ``user`` has asked for in ``programme``, newest first, as long as they can be fetched."""
    return _rows().filter(user=user, programme=programme).exclude(expires_at__lte=clock.now())


@transaction.atomic
def ask(*, programme: Any, user: Any, name: str, filters: str, title: str, key: str) -> Any:
    """Have the list ``name`` made as an Excel file in the active language; return the file.

    ``filters`` is the query of the list's address. The same ``key`` again returns the first.

    :raises LookupError: for a list that nobody has registered.
    :raises TooManyFiles: when enough of this person's files wait.
    """
    if name not in _lists:
        raise LookupError(name)
    known = _rows().filter(key=key).first()
    if known is not None:
        return known
    if _rows().filter(user=user, state__in=["waiting", "running"]).count() >= WAITING:
        raise TooManyFiles
    row, created = _rows().get_or_create(
        key=key,
        defaults={
            "programme": programme,
            "user": user,
            "list": name,
            "filters": {"query": filters},
            "title": title[:100],
            "format": "xlsx",
            "language": get_language() or settings.LANGUAGE_CODE,
            "asked_at": clock.now(),
        },
    )
    if created:
        due.leave(kind=KIND, key=str(row.uuid), payload={"file": row.pk})
    return row


@handler(KIND, atomic=False)
def make_due(row: Any) -> None:
    file = _rows().filter(pk=row.payload["file"]).first()
    if file is None or file.state == file.READY:
        return
    if file.state == file.RUNNING and file.heard_at > clock.now() - SILENCE:
        # Somebody is at it, for longer than a worker may keep a row: look again later whether it was finished.
        due.again(kind=KIND, key=row.key, payload=row.payload, at=clock.now() + SILENCE)
        return
    make(file=file)


def make(*, file: Any) -> None:
    """Make a file from its beginning. Another run of the same that comes later takes over; this one then stops."""
    with transaction.atomic():
        row = _rows().select_for_update().get(pk=file.pk)
        if row.state == row.READY:
            return
        row.run += 1
        row.state, row.done, row.heard_at = row.RUNNING, 0, clock.now()
        row.save(update_fields=["run", "state", "done", "heard_at"])
        row.pieces.all().delete()
    mine = _rows().filter(pk=row.pk, run=row.run)
    try:
        with override(row.language or settings.LANGUAGE_CODE):
            table = _lists[row.list](row.programme, row.filters.get("query", ""))
            mine.update(total=table.number())
            with (
                replicas.reading(),
                exports.xlsx_file(table.columns, _told(table.rows(), mine), title=row.title) as made,
            ):
                size = _store(row, mine, made)
    except Overtaken:
        return
    except Exception:
        mine.update(state=row.FAILED, heard_at=clock.now())
        raise
    now = clock.now()
    ends = times.end_of_term(now, conf.EXPORT_DAYS)
    mine.update(state=row.READY, size=size, ready_at=now, heard_at=now, expires_at=ends, total=F("done"))


def _told(rows: Iterable[Any], mine: Any) -> Iterator[Any]:
    """Yield the rows, and say now and then how many there were."""
    number = 0
    for number, row in enumerate(rows, start=1):
        yield row
        if number % STEP == 0:
            _say(mine, number)
    _say(mine, number)


def _say(mine: Any, number: int) -> None:
    if not mine.update(done=number, heard_at=clock.now()):
        raise Overtaken


def _store(row: Any, mine: Any, made: IO[bytes]) -> int:
    Piece = get_model("loyalty_reports", "ExportPiece")
    size = number = 0
    while data := made.read(PIECE):
        with transaction.atomic():
            if mine.select_for_update().first() is None:
                raise Overtaken
            Piece.objects.create(file=row, number=number, data=data)
        size, number = size + len(data), number + 1
    return size


def pieces(file: Any) -> Iterator[bytes]:
    """Yield a file that is ready, piece by piece."""
    rows = get_model("loyalty_reports", "ExportPiece").objects.filter(file=file.pk)
    for number in range(rows.count()):
        yield bytes(rows.values_list("data", flat=True).get(number=number))


@transaction.atomic
def restart(*, file: Any) -> None:
    """Make a file again that has failed."""
    row = _rows().select_for_update(of=("self",)).get(pk=file.pk)
    if row.state == row.FAILED:
        row.state = row.WAITING
        row.save(update_fields=["state"])
        due.again(kind=KIND, key=str(row.uuid), payload={"file": row.pk})


@sweeper("reports.files")
def forget() -> int:
    """Delete files whose time is over, and those that nobody has made; return how many."""
    now = clock.now()
    old = _rows().filter(expires_at__lte=now) | _rows().filter(
        expires_at=None, asked_at__lte=now - timedelta(days=conf.EXPORT_DAYS)
    )
    number = 0
    for row in old.order_by("pk")[:50]:
        row.delete()
        number += 1
    return number
