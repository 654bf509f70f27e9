"""Work of the owner's pages that takes longer than a page may: left as due rows, done by whoever comes by."""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler
from oscar_loyalty.loading import get_class, get_model
from oscar_loyalty.members import services as members
from oscar_loyalty.reports import audit, files

AUDIT, ENROL = "dashboard.audit", "dashboard.enrol"
#: How long one check of the audit may take, in a shop with millions of rows.
CHECK = timedelta(hours=1)
#: Customers enrolled by one due row.
SLICE = 200


@files.listed("members")
def _members(programme: Any, query: str) -> files.Table:
    return get_class("dashboard.members.views", "MemberExportView").table_of(programme, query)


@files.listed("movements")
def _movements(programme: Any, query: str) -> files.Table:
    return get_class("dashboard.movements.views", "MovementExportView").table_of(programme, query)


def ask_for_audit() -> None:
    """Have the audit run; asked again before it has run, it still runs once."""
    last = get_model("loyalty_reports", "AuditRun").objects.order_by("-started_at").first()
    due.leave(kind=AUDIT, key=f"after:{last.pk if last else 0}")


# Each check is a question of its own: a transaction around all of them would not make them see the same moment.
@handler(AUDIT, atomic=False)
def run_audit(row: Any) -> None:
    """Run the audit that somebody asked for."""
    audit.run(progress=partial(due.renew, lasting=CHECK))


@transaction.atomic
def ask_to_enrol(*, programme: Any, users: Iterable[int], key: str) -> int:
    """Have the users with these primary keys become members, in slices; return how many they are."""
    ids = list(users)
    for start in range(0, len(ids), SLICE):
        part = ids[start : start + SLICE]
        due.leave(kind=ENROL, key=f"{key}:{start}", payload={"programme": programme.pk, "users": part})
    return len(ids)


@handler(ENROL)
def enrol(row: Any) -> None:
    """Make the customers of one slice members."""
    programme = get_model("loyalty_members", "Programme").objects.get(pk=row.payload["programme"])
    users = get_user_model().objects.filter(pk__in=row.payload["users"]).order_by("pk")
    members.enrol_users(programme=programme, users=users)
