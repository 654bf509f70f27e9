"""Asking for a try of rules, and doing it. Nothing is written but the try itself: no ledger, no awards."""

import logging
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import connections, router, transaction

from oscar_loyalty import clock, times
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports.simulation import tiers
from oscar_loyalty.reports.simulation.purchases import Purchases
from oscar_loyalty.reports.simulation.replay import Period, Tally, play, tiers_after
from oscar_loyalty.reports.simulation.sources import NoRules, rules_of

log = logging.getLogger("oscar_loyalty")

KIND = "reports.simulate"
#: How long it may take to write down what came out, in one transaction.
FINISHING = timedelta(minutes=30)
#: Rows of members that are written at once.
CHUNK = 1000
#: How long a try is kept, and how many old ones go in one sweep.
KEPT = timedelta(days=365)
GONE = 50


class Overtaken(Exception):
    """The try was started anew meanwhile: the new run writes, this one stops."""


def _rows() -> Any:
    return get_model("loyalty_reports", "Simulation").objects


@transaction.atomic
def ask(
    *,
    programme: Any,
    key: str,
    rules: str,
    title: str,
    since: date,
    until: date,
    breakage: Decimal = Decimal(20),
    earlier: bool = False,
    beside: Any = None,
    actor: Ref = NOBODY,
) -> Any:
    """Have ``rules`` tried on the purchases from ``since`` to ``until`` (both included); return the try.

    ``breakage`` is the percentage of points that are expected never to be spent; ``beside`` another try, to compare
    with. The same ``key`` again returns the first.

    :raises ValueError: for a period that ends before it begins, or a breakage that is no percentage.
    """
    if until < since or not 0 <= breakage <= 100:
        raise ValueError("There is no such period, or no such percentage.")
    fields = {
        "programme": programme,
        "rules": rules,
        "title": title[:200],
        "since": since,
        "until": until,
        "breakage": breakage,
        "earlier": earlier,
        "beside": beside,
        "requested_by_type": actor.type,
        "requested_by": actor.id,
        "requested_at": clock.now(),
    }
    row, created = _rows().get_or_create(key=key, defaults=fields)
    if created:
        due.leave(kind=KIND, key=str(row.pk), payload={"simulation": row.pk})
    return row


@transaction.atomic
def restart(*, simulation: Any) -> Any:
    """Do a try again that is over, was called off or interrupted; one that is waiting or busy stays as it is."""
    row = _rows().select_for_update().get(pk=simulation.pk)
    if not row.under_way or row.abandoned:
        row.state, row.error, row.done, row.finished_at = row.WAITING, "", 0, None
        row.save(update_fields=["state", "error", "done", "finished_at"])
        due.again(kind=KIND, key=str(row.pk), payload={"simulation": row.pk})
    return row


@transaction.atomic
def stop(*, simulation: Any) -> Any:
    """Call off a try that is waiting or busy; return it. A run that is under way stops at its next slice."""
    row = _rows().select_for_update().get(pk=simulation.pk)
    if row.under_way:
        row.state, row.run = row.STOPPED, row.run + 1
        row.save(update_fields=["state", "run"])
    return row


@sweeper("reports.simulations")
def forget() -> int:
    """Delete tries that nobody will look at any more; return how many."""
    old = _rows().filter(requested_at__lt=clock.now() - KEPT).order_by("pk").values_list("pk", flat=True)[:GONE]
    _number, rows = _rows().filter(pk__in=list(old)).delete()
    return rows.get(_rows().model._meta.label, 0)


@handler(KIND, atomic=False)
def simulate_due(row: Any) -> None:
    simulation = _rows().filter(pk=row.payload["simulation"]).first()
    if simulation is not None and simulation.state not in (simulation.DONE, simulation.STOPPED):
        run(simulation=simulation)


def run(*, simulation: Any) -> None:
    """Do a try from its beginning. Another run of the same that comes later takes over; this one then stops."""
    with transaction.atomic():
        row = _rows().select_for_update(of=("self",)).select_related("programme").get(pk=simulation.pk)
        if row.state in (row.DONE, row.STOPPED):
            return
        row.run += 1
        row.state, row.error, row.done, row.heard_at = row.RUNNING, "", 0, clock.now()
        row.save(update_fields=["run", "state", "error", "done", "heard_at"])
    mine = _rows().filter(pk=row.pk, run=row.run)
    try:
        starts, ends = times.start_of(row.since), times.end_of(row.until)
        # Tiers are those of the last moment of the period.
        period = Period(starts, max(starts, min(times.last_moment(ends), clock.now())))
        purchases = Purchases(row.programme, starts, ends, earlier=row.earlier)
        mine.update(total=purchases.count())

        def progress(number: int) -> None:
            if not mine.update(done=number, heard_at=clock.now()):
                raise Overtaken
            due.renew()

        tally = play(
            row.programme,
            rules_of(row.programme, row.rules, starts, ends),
            rules_of(row.programme, "today", starts, ends),
            purchases,
            progress=progress,
            counts_from=tiers.counts_from(row.programme, period.until),
        )
        due.renew(lasting=FINISHING)
        _finish(row, tally, period)
    except Overtaken:
        log.info("The try %s was started anew or called off; this run stops.", row.pk)
    except NoRules:
        mine.update(state=row.FAILED, error="gone", heard_at=clock.now())
    except Exception as error:
        mine.update(state=row.FAILED, error=f"{type(error).__name__}: {error}"[:500], heard_at=clock.now())
        raise


@transaction.atomic
def _finish(row: Any, tally: Tally, period: Period) -> None:
    """Write what came out, at once, unless another run has begun."""
    locked = _rows().select_for_update().filter(pk=row.pk, run=row.run).first()
    if locked is None:
        raise Overtaken
    Member = get_model("loyalty_reports", "SimulatedMember")
    Member.objects.filter(simulation=row.pk).delete()
    after = tiers_after(row.programme, tally.members, period)
    before = _tiers_now(tally) if after is not None else None
    _insert(
        Member,
        (
            {
                "simulation_id": row.pk,
                "member_id": pk,
                "purchases": standing.purchases,
                "spent": standing.spent,
                "points": standing.points,
                "today": standing.today,
                "awarded": standing.awarded,
                "difference": standing.points - standing.today,
                "tier_id": after.get(pk) if after is not None else None,
            }
            for pk, standing in tally.members.items()
        ),
    )
    locked.result = as_dict(row, tally, after, before)
    if after is not None:
        counts_from = tiers.counts_from(row.programme, period.until)
        locked.result |= {
            "tiers_at": period.until.isoformat(),
            "tiers_since": counts_from.isoformat() if counts_from else None,
        }
    locked.state, locked.finished_at, locked.heard_at = locked.DONE, clock.now(), clock.now()
    locked.done = locked.total
    locked.save(update_fields=["result", "state", "finished_at", "heard_at", "done"])


def _insert(model: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Insert rows (values by column) as they are; making objects of them took a quarter of a replay."""
    connection = connections[router.db_for_write(model)]
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(field.column) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    sql = f"INSERT INTO {quoted(model._meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608  # nosec B608
    defaults = {field.attname: field.get_default() for field in fields}
    found = iter(rows)
    with connection.cursor() as cursor:
        while part := [list((defaults | row).values()) for row in islice(found, CHUNK)]:
            cursor.executemany(sql, part)


def _tiers_now(tally: Tally) -> Any:
    Member, found = get_model("loyalty_members", "Member"), {}
    pks = list(tally.members)
    for start in range(0, len(pks), CHUNK):
        rows = Member.objects.filter(pk__in=pks[start : start + CHUNK]).order_by()
        found |= dict(rows.values_list("pk", "tier"))
    return found


def _counted(tiers: Any) -> Any:
    return None if tiers is None else {str(pk or ""): number for pk, number in Counter(tiers.values()).items()}


def as_dict(row: Any, tally: Tally, after: Any = None, before: Any = None) -> dict[str, Any]:
    """Return the sums as they are stored; the rate is that of the day, since it may change."""
    programme = row.programme
    standings = tally.members.values()
    return {
        "purchases": tally.purchases,
        "members": len(tally.members),
        "turnover": str(tally.turnover.quantize(Decimal("0.01"))),
        "points": tally.points,
        "given": tally.given,
        "today": tally.today,
        "awarded": tally.awarded,
        "win": sum(one.points > one.today for one in standings),
        "lose": sum(one.points < one.today for one in standings),
        "win_awarded": sum(one.points > one.awarded for one in standings),
        "lose_awarded": sum(one.points < one.awarded for one in standings),
        "rules": sorted(
            ({"version": version, **facts} for version, facts in tally.rules.items()),
            key=lambda rule: (-rule["given"], rule["version"]),
        ),
        "months": [[f"{year:04}-{month:02}", *sums] for (year, month), sums in sorted(tally.months.items())],
        "tiers": _counted(after),
        "tiers_now": _counted(before),
        "moved": 0 if after is None or before is None else sum(before.get(pk) != tier for pk, tier in after.items()),
        "rate": [programme.redemption_points, str(programme.redemption_amount)],
        "currency": programme.currency,
    }
