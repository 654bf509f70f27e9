"""Leaving work to be done, and doing it."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.due.registry import handlers, not_atomic, sweepers
from oscar_loyalty.loading import get_model
from oscar_loyalty.sql import Database, Value

log = logging.getLogger("oscar_loyalty")

#: How long a worker may be busy with one row before another takes it over.
LEASE = timedelta(minutes=5)
#: Waiting times between tries; after the last the row is given up and the light turns red.
RETRIES = [timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440)]
BATCH = 100


def leave(*, kind: str, key: str, payload: dict[str, Any] | None = None, at: datetime | None = None) -> Any:
    """Leave a row of ``kind`` to be handled at ``at`` (default: now), once for each ``key``; return it.

    It is written in the caller's transaction, so it is there exactly if what it follows is there.
    """
    Due = get_model("loyalty_due", "Due")
    now = clock.now()
    row, created = Due.objects.get_or_create(
        kind=kind, key=key, defaults={"payload": payload or {}, "due_at": at or now}
    )
    if created and row.due_at <= now and conf.WORKER in ("inline", "celery"):
        transaction.on_commit(lambda: _hand_over(row.pk), robust=True)
    return row


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
    row = leave(kind=kind, key=key, payload=payload, at=at)
    now = clock.now()
    get_model("loyalty_due", "Due").objects.filter(pk=row.pk).update(
        state="waiting",
        due_at=at or now,
        leased_until=None,
        tries=0,
        last_error="",
        done_at=None,
        payload=payload or {},
    )
    row.refresh_from_db()
    if row.due_at <= now and conf.WORKER in ("inline", "celery"):
        transaction.on_commit(lambda: _hand_over(row.pk), robust=True)
    return row


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


def run(pk: int) -> bool:
    """Do one row, unless another worker is at it or it is not due; return whether it was done."""
    Due = get_model("loyalty_due", "Due")
    now = clock.now()
    lease = now + LEASE
    mine = Due.objects.filter(pk=pk, state="waiting", due_at__lte=now)
    # A lease that ran out is a worker that died over this row: that counts as a try, or the row could kill for ever.
    if not (
        mine.filter(leased_until__isnull=True).update(leased_until=lease)
        or mine.filter(leased_until__lte=now).update(leased_until=lease, tries=F("tries") + 1)
    ):
        return False
    row = Due.objects.get(pk=pk)
    handle = handlers.get(row.kind)
    held = Due.objects.filter(pk=pk, leased_until=lease)
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
            if held.select_for_update(skip_locked=True).first() is not None:
                held.update(state="done", done_at=clock.now(), leased_until=None, last_error="")
        return True
    except Exception as error:
        log.exception("Due row %s (%s %s) failed", pk, row.kind, row.key)
        dead = row.tries >= len(RETRIES)
        held.update(
            state="dead" if dead else "waiting",
            tries=row.tries + 1,
            due_at=row.due_at if dead else clock.now() + RETRIES[row.tries],
            leased_until=None,
            last_error=f"{type(error).__name__}: {error}"[:2000],
        )
        return False


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
        beat = Heartbeat(name=name, at=clock.now(), seconds=time.monotonic() - started, error=error)
        # One statement: looking first, under a lock, took more of an idle sweep than all it looks for.
        Heartbeat.objects.bulk_create(
            [beat], update_conflicts=True, unique_fields=["name"], update_fields=["at", "seconds", "error"]
        )
        if progress is not None:
            progress(name, done[name])
    Due.objects.filter(state="done", done_at__lt=clock.now() - timedelta(days=90)).delete()
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
