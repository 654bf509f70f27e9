"""Leaving work to be done, and doing it."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.due import rows
from oscar_loyalty.due.registry import handlers, not_atomic, sweepers
from oscar_loyalty.loading import get_model
from oscar_loyalty.sql import Database, Value

log = logging.getLogger("oscar_loyalty")

#: How long a worker may be busy with one row before another takes it over, unless it says that it goes on.
LEASE = timedelta(minutes=5)
#: Waiting times between tries; after the last the row is given up and the light turns red.
RETRIES = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440)]
BATCH = 100
#: How long what is done is kept.
KEPT = timedelta(days=90)


def leave(*, kind: str, key: str, payload: dict[str, Any] | None = None, at: datetime | None = None) -> Any:
    """Leave a row of ``kind`` to be handled at ``at`` (default: now), once for each ``key``; return it.

    It is written in the caller's transaction, so it is there exactly if what it follows is there.
    """
    row = _row(kind, key, payload, at)
    if not _write([row], wake=False):
        return type(row).objects.get(kind=kind, key=key)
    return row


def _row(kind: str, key: str, payload: dict[str, Any] | None, at: datetime | None) -> Any:
    return get_model("loyalty_due", "Due")(kind=kind, key=key, payload=payload or {}, due_at=at or clock.now())


def _write(fresh: Sequence[Any], *, wake: bool) -> list[Any]:
    """Write rows, have those done that are due, and return those written."""
    pks = rows.write(fresh, wake=wake)
    written = [row for row in fresh if (row.kind, row.key) in pks]
    for row in written:
        row.pk, row._state.adding = pks[row.kind, row.key], False
    if conf.WORKER in ("inline", "celery"):
        now = clock.now()
        for pk in [row.pk for row in written if row.due_at <= now]:
            transaction.on_commit(partial(_hand_over, pk), robust=True)
    return written


def note(*, kind: str, key: str, payload: dict[str, Any]) -> Any:
    """Note what was just done, as a row of ``kind`` that waits for nobody, once for each ``key``; return it.

    It is written in the caller's transaction, and kept as long as all that is done.
    """
    now = clock.now()
    Due = get_model("loyalty_due", "Due")
    fields = {"payload": payload, "due_at": now, "state": Due.DONE, "done_at": now}
    return Due.objects.get_or_create(kind=kind, key=key, defaults=fields)[0]


def leave_many(*, kind: str, rows: Mapping[str, dict[str, Any]]) -> None:
    """Leave many rows of ``kind`` at once, by their keys, as :func:`leave` does one, with a few queries for all."""
    Due = get_model("loyalty_due", "Due")
    now = clock.now()
    fresh = [Due(kind=kind, key=key, payload=payload, due_at=now) for key, payload in rows.items()]
    Due.objects.bulk_create(fresh, batch_size=500, ignore_conflicts=True)
    if conf.WORKER in ("inline", "celery"):

        def hand_over() -> None:
            keys = list(rows)
            for start in range(0, len(keys), 500):
                waiting = Due.objects.filter(kind=kind, key__in=keys[start : start + 500], state="waiting")
                for pk in list(waiting.values_list("pk", flat=True)):
                    _hand_over(pk)

        transaction.on_commit(hand_over, robust=True)


def leave_selected(
    *,
    kind: str,
    key: str,
    payload: Mapping[str, str],
    source: str,
    names: Mapping[str, Any],
    at: datetime,
    params: Sequence[Any] = (),
) -> int:
    """Leave a row of ``kind``, due ``at``, for each row of a ``source`` (SQL: see :class:`oscar_loyalty.sql.Database`).

    ``key`` and the values of ``payload`` are SQL. As with :func:`leave`, a key that is there stays as it is.
    """
    Due = get_model("loyalty_due", "Due")
    db = Database(Due)
    cells = ", ".join(f"'{name}', {value}" for name, value in payload.items())
    columns: dict[str, str | Value] = {
        "kind": Value(kind),
        "key": f"CAST({key} AS varchar(200))",
        "payload": f"$json({cells})",
        "due_at": Value(db.moment(at)),
    }
    made = db.insert(Due, columns, f"{source} ON CONFLICT DO NOTHING", params, **names)
    if made and conf.WORKER in ("inline", "celery"):

        def hand_over() -> None:
            waiting = Due.objects.filter(kind=kind, due_at=at, state="waiting").order_by("pk")
            for pk in list(waiting.values_list("pk", flat=True)):
                _hand_over(pk)

        transaction.on_commit(hand_over, robust=True)
    return made


def again(*, kind: str, key: str, payload: dict[str, Any] | None = None, at: datetime | None = None) -> Any:
    """Leave a row as :func:`leave` does, and wake it up if it was there before.

    A worker that is busy with it at this moment may have looked too early: it will not mark the row done.
    """
    row = _row(kind, key, payload, at)
    _write([row], wake=True)
    return row


_waiting: ContextVar[dict[tuple[str, str], Any] | None] = ContextVar("loyalty_due_rows", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Within the block, which is one transaction or a part of one, :func:`gather` keeps its rows; at the end they are
    written by one statement."""
    token = _waiting.set({})
    try:
        yield
        gathered = _waiting.get() or {}
    finally:
        _waiting.reset(token)
    _write(list(gathered.values()), wake=True)


def gather(*, kind: str, key: str, payload: dict[str, Any] | None = None) -> None:
    """Leave a row as :func:`again` does, at the end of the block of :func:`together` that is open, or else at once.

    Without such a block it is written in a savepoint, so that what goes wrong spoils no transaction of the shop's.
    """
    gathered = _waiting.get()
    if gathered is not None:
        gathered[kind, key] = _row(kind, key, payload, None)
        return
    with transaction.atomic():
        again(kind=kind, key=key, payload=payload)


def drop(*, kind: str, key: str) -> None:
    """Do not write a row that was gathered: what it was for is done."""
    gathered = _waiting.get()
    if gathered is not None:
        gathered.pop((kind, key), None)


def _hand_over(pk: int) -> None:
    if conf.WORKER == "inline":
        run(pk)
        return
    from oscar_loyalty.due.tasks import handle

    try:
        handle.delay(pk)
    except Exception:
        # The broker is away: the sweep will find the row.
        log.exception("Could not hand due row %s to Celery", pk)


@dataclass
class _Lease:
    """Until when a row is this worker's, unless it is renewed or somebody wakes the row up."""

    pk: int
    until: datetime

    @property
    def held(self) -> Any:
        return get_model("loyalty_due", "Due").objects.filter(pk=self.pk, leased_until=self.until)


_at_hand: ContextVar[_Lease | None] = ContextVar("loyalty_due_at_hand", default=None)


def renew(*, lasting: timedelta = LEASE, payload: dict[str, Any] | None = None) -> None:
    """Say that the work on the row at hand goes on, so that nobody takes it over; without one, nothing is done.

    For handlers that open their own transactions (``atomic=False``) and take longer than the lease; to be called
    between these. ``lasting``: how long what comes next may take. ``payload`` replaces that of the row: how far the
    work has come, for whoever goes on with it.
    """
    lease, now = _at_hand.get(), clock.now()
    if lease is None or (payload is None and lease.until > now + lasting * 0.8):
        return
    until = max(lease.until, now + lasting)
    changes: dict[str, Any] = {"leased_until": until, **({"payload": payload} if payload is not None else {})}
    # One that was taken over, or woken up, is ours no more.
    if lease.held.update(**changes):
        lease.until = until


def run(pk: int) -> bool:
    """Do one row, unless another worker is at it or it is not due; return whether it was done."""
    Due = get_model("loyalty_due", "Due")
    now = clock.now()
    lease = _Lease(pk, now + LEASE)
    mine = Due.objects.filter(pk=pk, state="waiting", due_at__lte=now)
    # A lease that ran out is a worker that died over this row: that counts as a try, or the row could kill for ever.
    if not (
        mine.filter(leased_until__isnull=True).update(leased_until=lease.until)
        or mine.filter(leased_until__lte=now).update(leased_until=lease.until, tries=F("tries") + 1)
    ):
        return False
    row = Due.objects.get(pk=pk)
    handle = handlers.get(row.kind)
    # What happens in a transaction is not seen before its end, and a lease neither.
    token = _at_hand.set(lease if row.kind in not_atomic else None)
    try:
        if row.tries > len(RETRIES):
            raise RuntimeError("The workers that did this did not come back.")
        if handle is None:
            raise LookupError(f"Nobody handles due rows of the kind {row.kind!r}.")
        if row.kind in not_atomic:
            handle(row)
        with transaction.atomic():
            if row.kind not in not_atomic:
                handle(row)
            # Whoever wakes the row up just now may hold its lock and wait for one of ours: leave it to them.
            if lease.held.select_for_update(skip_locked=True).first() is not None:
                lease.held.update(state="done", done_at=clock.now(), leased_until=None, last_error="")
        return True
    except Exception as error:
        log.exception("Due row %s (%s %s) failed", pk, row.kind, row.key)
        dead = row.tries >= len(RETRIES)
        lease.held.update(
            state="dead" if dead else "waiting",
            tries=row.tries + 1,
            due_at=row.due_at if dead else clock.now() + RETRIES[row.tries],
            leased_until=None,
            last_error=f"{type(error).__name__}: {error}"[:2000],
        )
        return False
    finally:
        _at_hand.reset(token)


def sweep(progress: Callable[[str, int], None] | None = None) -> dict[str, int]:
    """Do all that is due and let every sweeper look around; return how much each did. Several may run at once.

    ``progress`` is told the name and the number of each part once it is over.
    """
    Due, Heartbeat = get_model("loyalty_due", "Due"), get_model("loyalty_due", "Heartbeat")
    done: dict[str, int] = {}
    for name, function in [("due", _run_due), *sorted(sweepers.items())]:
        started, error = time.monotonic(), ""
        try:
            done[name] = function()
        except Exception as problem:
            log.exception("The sweep %s failed", name)
            error, done[name] = f"{type(problem).__name__}: {problem}"[:2000], 0
        # One statement, its text made once: with each sweeper, Django's own took a fifth of an idle sweep.
        rows.beat(Heartbeat(name=name, at=clock.now(), seconds=time.monotonic() - started, error=error))
        if progress is not None:
            progress(name, done[name])
    before = clock.now() - KEPT
    Due.objects.filter(state="done", done_at__lt=before).delete()
    get_model("loyalty_due", "BulkRun").objects.filter(finished_at__lt=before).delete()
    return done


def _run_due() -> int:
    Due = get_model("loyalty_due", "Due")
    done = 0
    last = (clock.now() - timedelta(days=36500), 0)
    while True:
        now = clock.now()
        after = Q(due_at__gt=last[0]) | Q(due_at=last[0], pk__gt=last[1])
        rows = Due.objects.filter(after, state="waiting", due_at__lte=now).order_by("due_at", "pk")
        batch = list(rows.values_list("pk", "due_at")[:BATCH])
        if not batch:
            return done
        for pk, due_at in batch:
            done += run(pk)
            last = (due_at, pk)


def retry(*, pk: int) -> None:
    """Put a row that was given up back into the queue."""
    Due = get_model("loyalty_due", "Due")
    Due.objects.filter(pk=pk, state="dead").update(state="waiting", tries=0, due_at=clock.now())
