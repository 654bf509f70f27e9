from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.loading import get_model


def noted(*, kind: str, key: str) -> Any:
    """Return what :func:`~oscar_loyalty.due.services.note` has noted, or ``None``."""
    rows = get_model("loyalty_due", "Due").objects.filter(kind=kind, key=key)
    return rows.values_list("payload", flat=True).first()


@dataclass(frozen=True)
class Light:
    """How the sweep is doing: ``colour`` is "green", "amber" (never ran) or "red"."""

    colour: str
    last: datetime | None
    waiting: int
    oldest: datetime | None
    dead: int
    errors: list[str]


def light() -> Light:
    """Return the light of the sweep, in two queries."""
    Due, Heartbeat = get_model("loyalty_due", "Due"), get_model("loyalty_due", "Heartbeat")
    now = clock.now()
    rows = Due.objects.filter(state__in=["waiting", "dead"]).aggregate(
        waiting=Count("pk", filter=Q(state="waiting", due_at__lte=now)),
        oldest=Min("due_at", filter=Q(state="waiting", due_at__lte=now)),
        dead=Count("pk", filter=Q(state="dead")),
    )
    beats = list(Heartbeat.objects.all())
    last = max((beat.at for beat in beats), default=None)
    errors = [f"{beat.name}: {beat.error}" for beat in beats if beat.error]
    late = now - timedelta(minutes=conf.SWEEP_LATE_MINUTES)
    if conf.WORKER == "inline" and not rows["dead"] and not errors:
        colour = "red" if rows["oldest"] and rows["oldest"] < late else "green"
    elif last is None:
        colour = "amber"
    else:
        colour = "red" if last < late or rows["dead"] or errors else "green"
    return Light(colour, last, rows["waiting"], rows["oldest"], rows["dead"], errors)
