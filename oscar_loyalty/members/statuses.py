"""Memberships on hold, closed, and back again, with who did it, when and why."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.exceptions import Merged
from oscar_loyalty.members.groups import set_groups
from oscar_loyalty.members.locking import lock_members

#: Kind of the rows left for whoever tells members what became of their membership.
TELL = "members.status"
#: Gets a member, locked, whose hold ends in this transaction, when it began and how long it was; before any account is
#: locked.
AfterHold = Callable[[Any, datetime, timedelta], None]
_after_hold: list[AfterHold] = []


def after_hold(function: AfterHold) -> AfterHold:
    """Register what lives longer by the time of a hold, other than points."""
    _after_hold.append(function)
    return function


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


@transaction.atomic
def set_status(
    *,
    member: Any,
    status: str,
    key: str = "",
    actor: Ref = NOBODY,
    reason: str = "",
    shown: bool = False,
    notify: bool = False,
    happened_at: datetime | None = None,
) -> Any:
    """Put a membership on hold (``frozen``), back to work (``active``), or end it (``closed``); return the member.

    ``reason`` is for the shop, and for the member too if ``shown``; with ``notify`` the member is told by mail.

    On hold nothing is earned or spent, and neither points nor claimed rewards expire; once it ends, they live longer by
    that time. An order that was being paid when it began may be finished. A closed membership keeps its points out of
    reach, and they expire as they would have. The same ``key`` again changes nothing.

    :raises Merged: when the membership was joined with another.
    :raises ValidationError: for a status that there is not.
    """
    row = lock_members([member.pk])[member.pk]
    key = key or f"status:{uuid4().hex}"
    if _model("StatusChange").objects.filter(key=key).exists() or row.status == status:
        set_groups(row)
        member.status = row.status
        return row
    if row.merged_into_id is not None:
        raise Merged(row.number)
    before, at = row.status, happened_at or clock.now()
    row.status = status
    row.full_clean(exclude=["user", "account", "programme", "tier", "merged_into"])
    row.save(update_fields=["status"])
    entry = None
    if status == row.FROZEN:
        entry = books.pause(account=row.account, key=f"{key}:pause", actor=actor, happened_at=at)
    elif before == row.FROZEN:
        began = row.status_changes.filter(after=row.FROZEN, entry__isnull=False).select_related("entry").first()
        if began is not None:
            for live_on in _after_hold:
                live_on(row, began.happened_at, at - began.happened_at)
            entry = books.resume(paused=began.entry, key=f"{key}:resume", actor=actor, happened_at=at)
    change = _model("StatusChange").objects.create(
        member=row,
        key=key,
        before=before,
        after=status,
        reason=reason,
        shown=shown,
        entry=entry,
        actor_type=actor.type,
        actor_id=actor.id,
        happened_at=at,
    )
    if before == row.CLOSED:
        # Whoever had left has a membership again: leaving once more is another wish, which is not to find this one.
        departures = _model("Departure").objects.filter(member=row, state="open")
        departures.update(state="undone", closed_at=clock.now())
    set_groups(row)
    if status == row.ACTIVE:
        due.leave(kind="earning.member_back", key=str(change.pk), payload={"member": row.pk})
    if notify:
        due.leave(kind=TELL, key=str(change.pk), payload={"change": change.pk})
    member.status = status
    return row
