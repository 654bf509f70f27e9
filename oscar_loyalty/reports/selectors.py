from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model

#: An audit older than this says little about today.
STALE = timedelta(days=8)


@dataclass(frozen=True)
class AuditLight:
    """``colour`` is "green", "amber" (never run, or too long ago) or "red"; ``run`` the last audit, or ``None``."""

    colour: str
    run: Any


def audit_light() -> AuditLight:
    """Return the light of the last audit, in one query."""
    last = get_model("loyalty_reports", "AuditRun").objects.order_by("-started_at").first()
    if last is None:
        return AuditLight("amber", None)
    if last.findings:
        return AuditLight("red", last)
    return AuditLight("amber" if last.started_at < clock.now() - STALE else "green", last)
