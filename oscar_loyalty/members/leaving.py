"""Leaving for good: closed at once, with some days to come back, then erased.

What the law needs (orders, the entries of the books) stays, without a person. Gift cards are money and are left alone.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from oscar_loyalty import clock, times
from oscar_loyalty.defaults import conf
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import consents, giving, households, sharing
from oscar_loyalty.members.exceptions import CannotLeave, Merged
from oscar_loyalty.members.holdings import erase_all, person_of
from oscar_loyalty.members.locking import lock_members
from oscar_loyalty.members.statuses import set_status

log = logging.getLogger("oscar_loyalty")

#: Kinds of the due rows: the mail of goodbye, and erasing.
TELL, ERASE = "members.left", "members.erase"
#: So many departures in one sweep, and how long one waits whose points are still set aside for a checkout.
SLICE, WAIT = 200, timedelta(hours=1)


def _departures() -> Any:
    return get_model("loyalty_members", "Departure").objects


def departure_of(member: Any) -> Any:
    """Return the departure of ``member`` whose time is not over, or ``None``."""
    return _departures().filter(member=member, state="open", erase_at__gt=clock.now()).first()


@transaction.atomic
def leave(*, member: Any, key: str, actor: Ref = NOBODY, happened_at: datetime | None = None) -> Any:
    """End the membership of ``member`` at their own wish, and return the departure; again: the same one.

    At once: nothing is earned or spent, groups and guest lists end, gifts that wait go back, the household is left, and
    no message that needs a consent is sent. With the last of ``OSCAR_LOYALTY_LEAVING_DAYS`` the person is erased; until
    then :func:`undo` brings the membership back, unless the shop had closed it before.

    :raises Merged: when the membership was joined with another.
    """
    gifts = sharing.open_gifts().filter(Q(source=member.pk) | Q(target=member.pk)).values_list("source", "target")
    # Whoever gives or gets one of the gifts that end now is locked along, in the one order.
    row = lock_members({member.pk, *(pk for pair in gifts for pk in pair if pk is not None)})[member.pk]
    if row.merged_into_id is not None:
        raise Merged(row.number)
    open_ = _departures().filter(member=row, state="open").first()
    if open_ is not None:
        return open_
    at = happened_at or clock.now()
    for gift in sharing.open_gifts().filter(source=row):
        giving.call_off(transfer=gift, member=row, actor=actor)
    for gift in sharing.open_gifts().filter(target=row):
        giving.decline(transfer=gift, member=row, actor=actor)
    households.leave(member=row)
    for invitation in sharing.invitations_for(row):
        households.decline(invitation=invitation, member=row)
    set_status(member=row, status=row.CLOSED, key=f"{key}:closed", actor=actor, happened_at=at)
    departure = _departures().create(member=row, key=key, left_at=at, erase_at=times.end_of_term(at, conf.LEAVING_DAYS))
    due.leave(kind=TELL, key=str(departure.pk), payload={"departure": departure.pk})
    due.leave(kind=ERASE, key=str(departure.pk), payload={"departure": departure.pk}, at=departure.erase_at)
    member.status = row.status
    return departure


def come_back(*, member: Any, actor: Ref = NOBODY) -> Any:
    """Let ``member`` come back as :func:`undo` does, who may have done so a moment ago; return the member.

    :raises CannotLeave: when it is too late, or it was not they who left.
    """
    departure = _departures().filter(member=member).order_by("-left_at", "-pk").first()
    if departure is None:
        raise CannotLeave
    row = undo(departure=departure, actor=actor)
    if row.status == row.CLOSED:
        # The shop has closed it since.
        raise CannotLeave
    return row


@transaction.atomic
def undo(*, departure: Any, actor: Ref = NOBODY) -> Any:
    """Let whoever has left come back, with what they had, and return the member; again: nothing more.

    :raises CannotLeave: when it is too late, or the shop had closed the membership before.
    """
    row = _locked(departure)
    if row.state == "undone":
        return row.member
    if row.state == "done" or row.erase_at <= clock.now():
        raise CannotLeave
    closing = row.closing
    if closing is None:
        # There is nothing to come back to, and the wish to be erased stands.
        raise CannotLeave
    _close(row, "undone")
    # A membership that the shop had put on hold before is so again.
    return set_status(member=row.member, status=closing.before, key=f"{row.key}:undone", actor=actor)


def _locked(departure: Any) -> Any:
    """Return a departure as it stands, after its member: both locked."""
    member = lock_members([departure.member_id])[departure.member_id]
    row = _departures().select_for_update().get(pk=departure.pk)
    row.member = member
    return row


def _close(row: Any, state: str) -> None:
    row.state, row.closed_at = state, clock.now()
    row.save(update_fields=["state", "closed_at"])


@handler(ERASE)
def erase_due(row: Any) -> None:
    departure = _departures().filter(pk=row.payload["departure"]).first()
    if departure is not None:
        erase(departure=departure)


@sweeper("members.leaving")
def sweep() -> int:
    """Erase whoever had to wait: a checkout was under way, or the row of the queue got lost."""
    rows = _departures().filter(state="open", erase_at__lte=clock.now()).order_by("erase_at")
    done = 0
    for row in rows[:SLICE]:
        try:
            done += erase(departure=row).state == "done"
        except Exception:
            # One that cannot be now keeps nobody else waiting; its row of the queue tells the owner.
            log.exception("The member of departure %s could not be erased", row.pk)
    return done


@transaction.atomic
def erase(*, departure: Any) -> Any:
    """Erase whoever has left and did not come back in time; return the departure. Earlier, or again: nothing.

    A membership that the shop has opened again meanwhile stays. While points are set aside for a checkout under way, it
    is tried again later.
    """
    row = _locked(departure)
    if row.state != "open" or row.erase_at > clock.now():
        return row
    member = row.member
    if member.status != member.CLOSED or member.merged_into_id is not None:
        _close(row, "undone")
        return row
    if ledger.balance(member.account).held:
        row.erase_at = clock.now() + WAIT
        row.save(update_fields=["erase_at"])
        due.again(kind=ERASE, key=str(row.pk), payload={"departure": row.pk}, at=row.erase_at)
        return row
    on = [standing.kind.code for standing in consents.standings(member) if standing.given]
    consents.answer(member=member, given=dict.fromkeys(on, False), source="left")
    erase_all(person_of(member))
    _write_off(member, key=row.key)
    _close(row, "done")
    return row


def _write_off(member: Any, *, key: str) -> None:
    """Let nothing of what is gone count among the points that the shop owes."""
    why = {"why": "left"}
    usable = ledger.usable(member.account)
    if usable:
        books.spend(account=member.account, units=usable, key=f"{key}:rest", kind="adjust", explanation=why)
    for lot in ledger.lots_open(member.account):
        books.extend(entry=lot.entry, key=f"{key}:lot:{lot.pk}", expires_at=clock.now(), explanation=why)
