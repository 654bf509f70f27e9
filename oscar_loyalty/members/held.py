"""What this room and the ledger hold on a person, and what is left of it when they leave."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.loading import get_model
from oscar_loyalty.members import consents, households, typed
from oscar_loyalty.members.holdings import Person, hold, left_out
from oscar_loyalty.members.merging import mover, stays

#: Erased last, since the rooms' own erasers may need to know whose rows they are.
LAST = 90


def _rows(name: str) -> Any:
    return get_model("loyalty_members", name).objects.all()


def _ledger(name: str) -> Any:
    return get_model("loyalty_ledger", name).objects.all()


def _consent_title(told: dict[str, Any]) -> str:
    return next((str(kind.title) for kind in consents.kinds() if kind.code == told["kind"]), "")


def _erase_member(person: Person) -> int:
    nobody = {"first_name": "", "last_name": "", "email": "", "greeting_name": "", "language": ""}
    born = {"birth_day": None, "birth_month": None, "birth_year": None}
    # One by one, so that whoever follows a member (the club's guest lists) hears of it.
    for member in _rows("Member").filter(pk__in=person.members):
        for name, value in {**nobody, **born, "user": None}.items():
            setattr(member, name, value)
        member.save(update_fields=[*nobody, *born, "user"])
    return len(person.members)


hold(
    "membership",
    _("Your membership"),
    lambda person: _rows("Member").filter(pk__in=person.members),
    names=["tier__name", "programme__name"],
    columns=["loyalty_members.Member.user", "loyalty_members.Member.account", "loyalty_members.Member.merged_into"],
    erase=_erase_member,
    order=LAST,
)
hold(
    "membership.status",
    _("Holds, and the end of your membership"),
    lambda person: _rows("StatusChange").filter(member__in=person.members),
    without=["shown"],
    columns=["loyalty_members.StatusChange.member"],
    erase=lambda person: _rows("StatusChange").filter(member__in=person.members).update(reason=""),
)
hold(
    "membership.tiers",
    _("Changes of tier"),
    lambda person: _rows("TierChange").filter(member__in=person.members),
    names=["before__name", "after__name"],
    columns=["loyalty_members.TierChange.member"],
    erase=lambda person: _rows("TierChange").filter(member__in=person.members).update(reason=""),
)
hold(
    "membership.term",
    _("How long your tier lasts"),
    lambda person: _rows("TierTerm").filter(member__in=person.members),
    names=["earned__name", "floor__name"],
    columns=["loyalty_members.TierTerm.member"],
    erase=lambda person: _rows("TierTerm").filter(member__in=person.members).update(floor_reason=""),
)
hold(
    "consents",
    _("What you agreed to"),
    lambda person: _rows("Consent").filter(member__in=person.members),
    columns=["loyalty_members.Consent.member"],
    said={"what": (_("What"), _consent_title)},
    keeps="that a consent was given and withdrawn, and when, has to be provable; nothing in it names the person",
)
hold(
    "exports",
    _("Copies of your data"),
    lambda person: _rows("DataExport").filter(member__in=person.members),
    without=["uuid", "file"],
    columns=["loyalty_members.DataExport.member"],
    erase=lambda person: _rows("DataExport").filter(member__in=person.members).delete(),
)
hold(
    "departures",
    _("When you left"),
    lambda person: _rows("Departure").filter(member__in=person.members),
    columns=["loyalty_members.Departure.member"],
    keeps="when somebody left; nothing in it names the person",
)


def _erase_gifts(person: Person) -> int:
    return typed.forget(members=person.members)


hold(
    "gifts.given",
    _("Points you gave"),
    lambda person: _rows("Transfer").filter(source__in=person.members),
    without=["uuid"],
    columns=["loyalty_members.Transfer.source"],
    erase=_erase_gifts,
)
hold(
    "gifts.got",
    _("Points you were given"),
    lambda person: _rows("Transfer").filter(target__in=person.members),
    # Who gave them is that person's own.
    without=["uuid", "reason"],
    columns=["loyalty_members.Transfer.target"],
    keeps="erased with what was given",
)


def _erase_household(person: Person) -> None:
    for member in _rows("Member").filter(pk__in=person.members):
        households.leave(member=member)
    invitations = _rows("HouseholdInvitation")
    invitations.filter(Q(member__in=person.members) | Q(invited_by__in=person.members)).delete()


hold(
    "household",
    _("Your household"),
    lambda person: _rows("HouseholdMember").filter(member__in=person.members),
    columns=["loyalty_members.HouseholdMember.member"],
    erase=_erase_household,
    order=20,
)
hold(
    "household.invitations",
    _("Invitations to a household"),
    lambda person: _rows("HouseholdInvitation").filter(Q(invited_by__in=person.members) | Q(member__in=person.members)),
    without=["uuid"],
    columns=["loyalty_members.HouseholdInvitation.member", "loyalty_members.HouseholdInvitation.invited_by"],
    keeps="deleted with the household",
)

# The ledger


def _erase_notes(person: Person) -> None:
    get_model("loyalty_ledger", "EntryNote").objects.filter(entry__account__in=person.accounts).delete()


hold(
    "ledger.lots",
    _("Points and how long they live"),
    lambda person: _ledger("Lot").filter(account__in=person.accounts),
    columns=["loyalty_ledger.Lot.account"],
    keeps="figures of the books, under a number that names nobody any more",
)
hold(
    "ledger.holds",
    _("Points set aside"),
    lambda person: _ledger("Hold").filter(account__in=person.accounts),
    columns=["loyalty_ledger.Hold.account"],
    keeps="figures of the books, under a number that names nobody any more",
)
hold(
    "ledger.notes",
    _("Notes about your points"),
    lambda person: get_model("loyalty_ledger", "EntryNote").objects.filter(entry__account__in=person.accounts),
    names=["entry__sequence"],
    columns=[],
    erase=_erase_notes,
)
left_out("loyalty_ledger.Account.merged_into", why="technical: accounts follow each other; both are in the copy")


@mover("members.consents", title="", columns=["loyalty_members.Consent.member"])
def move_consents(source: Any, target: Any) -> int:
    """Of all answers the newest counts: whoever has said no once does not have to say so again."""
    return int(_rows("Consent").filter(member=source).update(member=target))


stays("loyalty_members.DataExport.member", why="a copy made before ends by itself, and is fetched by nobody else")
stays("loyalty_members.Departure.member", why="the history of the old membership; who has left cannot be joined")
