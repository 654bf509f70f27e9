"""Bulk work that any number of workers share, on one machine or many.

What is to be done is cut into slices of primary keys, once. A worker takes the next slice that is free, does it in one
transaction and notes in that transaction that it is done. So a worker that is killed loses and doubles nothing,
whoever comes by goes on, and two who begin the same work at once share one.

The function of a kind of work is registered by :func:`worker`. It gets the run, and the first and last key (``None``:
all that follow) of a slice; it is called in the slice's transaction and returns what is to be added to the run's
``counts``.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler
from oscar_loyalty.loading import get_model
from oscar_loyalty.sql import Database

#: Seconds that one due row may take: less than its lease.
MOST = 120.0
#: Workers that are asked to share a run; more of them find nothing to do.
WORKERS = 8
#: When to look again whether another worker has done the slice that it was at.
PATIENCE = timedelta(minutes=1)

Work = Callable[[Any, int, int | None], Mapping[str, int] | None]
Finish = Callable[[Any], None]

_works: dict[str, tuple[Work, Finish | None]] = {}


@dataclass(frozen=True)
class Part:
    """Keys from ``first`` to ``last`` (``None``: all that follow), with ``number`` of what the work is measured in."""

    first: int
    last: int | None
    number: int


@dataclass(frozen=True)
class Done:
    """A run as it is now, and what the worker that asks has counted of it."""

    run: Any
    counts: Mapping[str, int]


def _runs() -> Any:
    return get_model("loyalty_due", "BulkRun").objects


def worker(kind: str, *, finish: Finish | None = None) -> Callable[[Work], Work]:
    """Register the function that does a slice of a ``kind`` of work, and one that is called, in the transaction of the
    last slice, when all are done. Due rows of that kind ask a worker to share a run.
    """

    def register(work: Work) -> Work:
        _works[kind] = work, finish
        handler(kind, atomic=False)(_share_due)
        return work

    return register


def cut(db: Database, source: str, params: Sequence[Any] = (), *, size: int, **names: Any) -> list[Part]:
    """Cut what is to be done into parts of about ``size``, in one query.

    ``source`` is SQL that gives a key, once each, and how much there is to do for it. What belongs to one key stays
    together.
    """
    text = """
        WITH work(id, number) AS ($source),
        summed(id, number, before) AS (
            SELECT id, number, CAST(SUM(number) OVER (ORDER BY id) - number AS bigint) FROM work
        )
        SELECT MIN(id), SUM(number) FROM summed GROUP BY before / $size ORDER BY 1
    """
    rows = db.rows(text, params, source=source, size=int(size), **names)
    # What comes meanwhile, before the first or after the last, belongs to these.
    firsts = [0, *(first for first, _number in rows[1:])]
    lasts = [*(first - 1 for first in firsts[1:]), None]
    return [Part(first, last, int(row[1])) for first, last, row in zip(firsts, lasts, rows, strict=False)]


def begin(
    *, kind: str, key: str = "", payload: Mapping[str, Any] | None = None, parts: Callable[[], Sequence[Part]]
) -> Any:
    """Begin work and return its run, or the one that is under way; ``None`` when there is nothing to do."""
    Slice = get_model("loyalty_due", "BulkSlice")
    if (before := under_way(kind, key)) is not None:
        return before
    try:
        with transaction.atomic():
            # First, so that whoever else begins now waits, and shares ours.
            run = _runs().create(kind=kind, key=key, payload=dict(payload or {}), began_at=clock.now())
            found = list(parts())
            Slice.objects.bulk_create(
                [Slice(run=run, first=part.first, last=part.last, number=part.number) for part in found],
                batch_size=500,
            )
            if not found:
                run.delete()
                return None
            run.total = sum(part.number for part in found)
            run.save(update_fields=["total"])
            return run
    except IntegrityError:
        return under_way(kind, key)


def under_way(kind: str, key: str = "") -> Any:
    """Return the run of a kind that is under way, or ``None``."""
    return _runs().filter(kind=kind, key=key, finished_at__isnull=True).first()


def begin_again(run: Any) -> None:
    """Let all slices of a run be done once more; whoever is at one ends it before."""
    run.slices.update(done_at=None)
    _runs().filter(pk=run.pk).update(done=0, counts={}, finished_at=None)


def share_with_workers(run: Any) -> None:
    """Let Celery's workers, if there are any, help whoever begins with a run of several slices."""
    if conf.WORKER == "celery" and run.slices.filter(done_at__isnull=True)[1:2].exists():
        share(run)


def share(run: Any) -> None:
    """Leave word for as many workers as can share a run."""
    with transaction.atomic():
        for number in range(min(WORKERS, run.slices.filter(done_at__isnull=True).count())):
            due.again(kind=run.kind, key=f"{run.pk}:{number}" if number else str(run.pk), payload={"run": run.pk})


@transaction.atomic
def step(run: Any) -> Mapping[str, int] | None:
    """Do the next slice and return what that counts; ``None`` when none was left that nobody is at."""
    slices = get_model("loyalty_due", "BulkSlice").objects.filter(run=run.pk)
    free = slices.select_for_update(skip_locked=True, of=("self",)).select_related("run")
    mine = free.filter(done_at__isnull=True).order_by("first").first()
    if mine is None:
        return None
    function, finish = _works[mine.run.kind]
    counts = function(mine.run, mine.first, mine.last) or {}
    slices.filter(pk=mine.pk).update(done_at=clock.now())
    # Until the commit, no other worker ends a slice of this run: the last one sees that all are done.
    _runs().filter(pk=run.pk).update(done=F("done") + mine.number)
    row = _runs().get(pk=run.pk)
    row.counts = added(row.counts, counts)
    is_last = not slices.filter(done_at__isnull=True).exists()
    row.finished_at = clock.now() if is_last else None
    row.save(update_fields=["counts", "finished_at"])
    if is_last and finish is not None:
        finish(row)
    return counts


def added(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {name: counts.get(name, 0) + more.get(name, 0) for name in {**counts, **more}}


def work(run: Any, *, most: float | None = None, progress: Callable[[Any], None] | None = None) -> Done:
    """Do slices until all are taken or ``most`` seconds are over; ``progress`` is told the run after each."""
    began = time.monotonic()
    counts: dict[str, int] = {}
    while (found := step(run)) is not None:
        counts = added(counts, found)
        if progress is not None:
            progress(_runs().get(pk=run.pk))
        if most is not None and time.monotonic() - began > most:
            break
    return Done(_runs().get(pk=run.pk), counts)


def _share_due(row: Any) -> None:
    run = _runs().filter(pk=row.payload["run"], finished_at__isnull=True).first()
    if run is None or work(run, most=MOST).run.finished_at is not None:
        return
    # What is left is for now, or is with another worker, who may have died.
    at = clock.now()
    with transaction.atomic():
        waiting = run.slices.filter(done_at__isnull=True).select_for_update(skip_locked=True)
        if not waiting.values("pk")[:1]:
            at += PATIENCE
    with transaction.atomic():
        due.again(kind=row.kind, key=row.key, payload=row.payload, at=at)
