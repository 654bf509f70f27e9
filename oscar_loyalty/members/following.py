"""What of this room follows a member into another."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from oscar_loyalty.loading import get_model
from oscar_loyalty.members import households, sharing
from oscar_loyalty.members.merging import mover, obstacle, stays
from oscar_loyalty.members.terms import term_of

stays("loyalty_members.Member.merged_into", why="whoever became the old membership finds the new one through it")
stays("loyalty_members.Member.account", why="the old account keeps its entries, and leads to the new one")
stays("loyalty_members.StatusChange.member", why="the history of the old membership, its end with it")
for _name in ("Entry", "Lot", "Hold"):
    stays(f"loyalty_ledger.{_name}.account", why="the books say what moved; open lots are moved by their own merge")
stays("loyalty_ledger.Account.merged_into", why="accounts follow each other")


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


@mover(
    "members.tiers",
    title=gettext_lazy("Changes of tier"),
    count=lambda member: member.tier_changes.count(),
    columns=["loyalty_members.TierChange.member"],
)
def move_tier_changes(source: Any, target: Any) -> int:
    return int(source.tier_changes.update(member=target))


@mover("members.tier_terms", title="", columns=["loyalty_members.TierTerm.member"])
def move_tier_term(source: Any, target: Any) -> int:
    """The term goes with what was earned more; of the same, the longer one. What was given by hand is kept."""
    theirs, mine = term_of(source), term_of(target)
    ranks = [term.earned.rank if term.earned is not None else -1 for term in (theirs, mine)]
    longer = theirs.ends_at is None or (mine.ends_at is not None and theirs.ends_at > mine.ends_at)
    # Terms that are not stored say nothing of their end yet.
    same = ranks[0] == ranks[1] and theirs.is_stored and mine.is_stored
    changed = ranks[0] > ranks[1] or (same and longer)
    if changed:
        mine.earned, mine.ends_at, mine.warned_for = theirs.earned, theirs.ends_at, theirs.warned_for
    if theirs.floor is not None and (mine.floor is None or theirs.floor.rank > mine.floor.rank):
        mine.floor, mine.floor_until, mine.floor_reason = theirs.floor, theirs.floor_until, theirs.floor_reason
        changed = True
    if changed and (theirs.is_stored or mine.is_stored):
        mine.save()
    if theirs.is_stored:
        theirs.delete()
    return int(changed)


@obstacle("members.gifts")
def gift_between(source: Any, target: Any) -> str:
    """What one of both has offered the other must be answered first; so must whatever the old one has offered."""
    open_ = sharing.open_gifts().filter(Q(source=source) | Q(source=target, target=source))
    if open_.exists():
        return _("A gift of points waits for its answer. Call it off, or wait for it, and try again.")
    return ""


@mover(
    "members.gifts",
    title=gettext_lazy("Gifts of points"),
    count=lambda member: sharing.gifts_of(member).count() + sharing.waiting_for(member).count(),
    columns=["loyalty_members.Transfer.source", "loyalty_members.Transfer.target"],
)
def move_gifts(source: Any, target: Any) -> int:
    """All but what they once gave each other."""
    rows = _model("Transfer").objects
    given = rows.filter(source=source).exclude(target=target)
    got = rows.filter(target=source).exclude(source=target)
    return int(given.update(source=target)) + int(got.update(target=target))


@mover(
    "members.households",
    title=gettext_lazy("Household"),
    count=lambda member: int(sharing.household_of(member) is not None),
    columns=[
        "loyalty_members.HouseholdMember.member",
        "loyalty_members.HouseholdInvitation.member",
        "loyalty_members.HouseholdInvitation.invited_by",
    ],
)
def move_household(source: Any, target: Any) -> int:
    """Who is in a household stays in it; in two, in that of the membership that goes on."""
    people = _model("HouseholdMember").objects
    if people.filter(member=target).exists():
        if people.filter(member=source).exists():
            households.leave(member=source)
        moved = 0
    else:
        moved = int(people.filter(member=source).update(member=target))
    invitations = _model("HouseholdInvitation").objects
    invitations.filter(member=source).update(member=target)
    invitations.filter(invited_by=source).update(invited_by=target)
    return moved
