"""Members who live together, each because they agreed to."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from oscar_loyalty import clock, times
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import sharing
from oscar_loyalty.members.exceptions import SharingRefused
from oscar_loyalty.members.locking import lock_members

#: Kind of the rows left for whoever tells who was invited.
INVITED = "members.household_invited"
#: Invitations of one household, and of one member, within a day: each writes to somebody.
MOST_DAILY = 10


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


@transaction.atomic
def invite(*, member: Any, to: str, key: str) -> Any:
    """Invite whom ``to`` names (an e-mail or a card number) into the household of ``member``; return the invitation.

    A household begins with its first invitation. Nobody is told whether ``to`` names a member. The same ``key`` again
    returns the same invitation.

    :raises SharingRefused: with why, for the member who invites.
    """
    to = to.strip()
    invited = sharing.whom(to, member.programme)
    if invited is not None and invited.pk == member.pk:
        raise SharingRefused(_("That is you."), field="to")
    # Only the own row: who is invited decides later, under locks of their own.
    member = lock_members([member.pk])[member.pk]
    Invitation = _model("HouseholdInvitation")
    before = Invitation.objects.filter(key=key).first()
    if before is not None:
        return before
    policy = sharing.policy_of(member.programme)
    _may(member, policy)
    household, now = _own(member), clock.now()
    if household is None:
        household = _model("Household").objects.create(programme=member.programme, created_at=now)
        _model("HouseholdMember").objects.create(household=household, member=member, joined_at=now)
    # Asked about nobody as well, so that it takes as long.
    if household.people.filter(member=invited.pk if invited is not None else 0).exists():
        raise SharingRefused(_("This member is in your household already."), field="to")
    asked = sharing.invited_by(household)
    if household.people.count() + asked.count() >= policy.household_size:
        text = _("A household has %(number)s members at most, those who are invited among them.")
        raise SharingRefused(text % {"number": policy.household_size})
    if asked.filter(to__iexact=to).exists():
        raise SharingRefused(_("You have invited them already; they have not answered yet."), field="to")
    if max(_recent(household=household).count(), _recent(invited_by=member).count()) >= MOST_DAILY:
        raise SharingRefused(_("That is enough for one day. Please go on tomorrow."))
    row = Invitation.objects.create(
        key=key,
        household=household,
        invited_by=member,
        member=invited,
        to=to[:254],
        created_at=now,
        until=times.end_of_term(now, policy.answer_days),
    )
    due.leave(kind=INVITED, key=str(row.pk), payload={"invitation": row.pk})
    return row


def _may(member: Any, policy: Any) -> None:
    if not policy.is_active or not policy.households:
        raise SharingRefused(_("Households cannot be formed at the moment."))
    if member.status != "active" or not member.programme.is_active:
        raise SharingRefused(_("Your membership is on hold. Please ask us."))


@transaction.atomic
def accept(*, invitation: Any, member: Any) -> Any:
    """Let ``member`` into the household that has invited them; return it. Pressed twice, it is done once.

    :raises SharingRefused: when the invitation is not there any more, or the household is full.
    """
    member = lock_members([member.pk])[member.pk]
    household, row = _lock_both(invitation)
    if row is not None and row.member_id != member.pk:
        raise SharingRefused(_("This invitation is for somebody else."))
    if row is not None and row.state == "accepted":
        return household
    if row is None or not row.is_open:
        raise SharingRefused(_("This invitation is not there any more."))
    policy = sharing.policy_of(member.programme)
    _may(member, policy)
    if sharing.household_of(member) is not None:
        raise SharingRefused(_("You are in a household already. Leave it first."))
    if household.people.count() >= policy.household_size:
        raise SharingRefused(_("This household is full."))
    _model("HouseholdMember").objects.create(household=household, member=member, joined_at=clock.now())
    _close(row, "accepted")
    return household


@transaction.atomic
def decline(*, invitation: Any, member: Any) -> None:
    """Say no to an invitation; an answered one stays as it is."""
    _household, row = _lock_both(invitation)
    if row is not None and row.member_id != member.pk:
        raise SharingRefused(_("This invitation is for somebody else."))
    if row is not None and row.state == "open":
        _close(row, "declined")


@transaction.atomic
def call_off(*, invitation: Any, member: Any) -> None:
    """Take an unanswered invitation of the own household back."""
    household, row = _lock_both(invitation)
    if row is None:
        return
    if not household.people.filter(member=member).exists():
        raise SharingRefused(_("This invitation is somebody else's."))
    if row.state == "open":
        _close(row, "cancelled")


@transaction.atomic
def leave(*, member: Any) -> None:
    """Take ``member`` out of the household, whichever it is; what was given stays. Again: nothing more."""
    lock_members([member.pk])
    household = _own(member)
    if household is not None:
        household.people.filter(member=member).delete()
        _tidy(household)


@transaction.atomic
def remove(*, member: Any, other: Any) -> None:
    """Take ``other`` out of the household of ``member``, who has been in it longest. Pressed twice, it is done once.

    :raises SharingRefused: when it is not for ``member`` to do so.
    """
    lock_members([member.pk, other.pk])
    household = _own(member)
    people = sharing.people_of(household) if household is not None else []
    if other.pk not in {row.member_id for row in people}:
        return
    if people[0].member_id != member.pk:
        raise SharingRefused(_("Only who has been in the household longest can take others out."))
    for row in people:
        if row.member_id == other.pk and row.member_id != member.pk:
            row.delete()
    _tidy(household)


def _tidy(household: Any) -> None:
    """A household of nobody, or of one whom nobody was asked to join, is none."""
    left = household.people.count()
    if left == 0 or (left == 1 and not sharing.invited_by(household).exists()):
        for row in household.invitations.filter(state="open"):
            _close(row, "cancelled")
        # Its invitations stay for as long as they count towards what somebody may send.
        household.delete()


def _recent(**which: Any) -> Any:
    """Return the invitations of the last day: each has written to somebody, whatever became of the household."""
    return _model("HouseholdInvitation").objects.filter(created_at__gt=clock.now() - sharing.DAY, **which)


def _own(member: Any) -> Any:
    """Return the household of ``member``, locked; ``None`` without one, or when it was given up in this moment."""
    household = _lock(sharing.household_of(member))
    return household if household is not None and household.people.filter(member=member).exists() else None


def _lock(household: Any) -> Any:
    rows = _model("Household").objects.select_for_update()
    return rows.filter(pk=household.pk).first() if household is not None else None


def _lock_both(invitation: Any) -> tuple[Any, Any]:
    """Return an invitation as it stands, and its household before it: both locked, or ``None`` where they are gone."""
    household = _lock(invitation.household)
    rows = _model("HouseholdInvitation").objects.select_for_update(of=("self",))
    row = rows.select_related("household").filter(pk=invitation.pk).first()
    return household, row if household is not None else None


def _close(row: Any, state: str) -> None:
    row.state, row.closed_at = state, clock.now()
    row.save(update_fields=["state", "closed_at"])
