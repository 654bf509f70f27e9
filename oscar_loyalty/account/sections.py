"""The pages of a member, as the row above them and the club's list name them: what has nothing to show is left out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Exists, Q, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty.earning import goal_selectors
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.privileges import passes
from oscar_loyalty.privileges import selectors as privileges
from oscar_loyalty.rewards import selectors as rewards

AREA = "loyalty-account"
#: Where an entry stands: always in the row; in it while nothing else needs the place on a phone; in it where the
#: screen is wide; in the menu.
ALWAYS, ROW, WIDE, MORE = "always", "row", "wide", "more"

#: Code, title, where it stands, and the fact (see :class:`Facts`) without which it is not there.
KNOWN: tuple[tuple[str, Any, str, str], ...] = (
    ("overview", pgettext_lazy("pages", "Overview"), ALWAYS, ""),
    ("rewards", _("Rewards"), ROW, "rewards"),
    ("giftcards", _("Gift cards"), WIDE, ""),
    ("history", _("History"), WIDE, "member"),
    ("card", _("My card"), ROW, "card"),
    ("cards", _("Stamp cards"), MORE, "cards"),
    ("tier", _("Tiers"), MORE, "tiers"),
    ("early", _("Early access"), MORE, "early"),
    ("earn", _("How to earn"), MORE, "programme"),
    ("invite", _("Friends"), MORE, "friends"),
    ("give", _("Give points"), MORE, "giving"),
    ("household", _("Household"), MORE, "household"),
    ("messages", _("Messages"), MORE, "member"),
    ("profile", _("About you"), MORE, "card"),
    ("privacy", pgettext_lazy("pages", "Privacy"), MORE, "member"),
    ("guests", _("Guest orders"), MORE, "guests"),
)
#: Addresses that are not named as their section.
NAMES = {"guests": "guest-orders"}


@dataclass(frozen=True)
class Entry:
    """A page in the row or the menu; ``is_current``: it is the one that is shown."""

    code: str
    title: Any
    place: str
    url: str
    is_current: bool = False


@dataclass(frozen=True)
class Sections:
    """``row``: what stands in it, the page that is shown among it. ``more``: the rest, in a menu.

    ``aside``: the page that is shown needs the place that others have on a phone; ``crowded``: also on a wide screen.
    """

    row: list[Entry]
    more: list[Entry]
    aside: bool
    crowded: bool


@dataclass(frozen=True)
class Facts:
    """What there is for a member: the names of facts of :data:`KNOWN`, and the ``sharing`` policy (or ``None``)."""

    known: frozenset[str]
    sharing: Any = None


def facts(programme: Any, member: Any, *, guests: bool = False) -> Facts:
    """Return what there is for ``member`` (or a visitor, ``None``) in ``programme``; one query.

    ``guests``: orders can be placed without an account.
    """
    if programme is None:
        return Facts(frozenset())
    flags = {f"has_{name}": _any(rows) for name, rows in _asked(programme, member).items()}
    rows = get_model("loyalty_members", "Programme").objects.filter(pk=programme.pk).order_by()
    found = rows.annotate(**flags).select_related("sharing").get()
    known = {name.removeprefix("has_") for name in flags if getattr(found, name)}
    policy = getattr(found, "sharing", None)
    policy = policy if member is not None and policy is not None and policy.is_active else None
    if member is not None:
        known.add("member")
    if member is None or not _has_left(member):
        known.add("programme")
    if member is not None and not _has_left(member):
        known.add("card")
        if policy is not None:
            known |= {"giving", "household"} if policy.households else {"giving"}
    if guests:
        known.add("guests")
    return Facts(frozenset(known), policy)


def _has_left(member: Any) -> bool:
    return bool(member.status == "closed")


def _asked(programme: Any, member: Any) -> dict[str, list[QuerySet[Any]]]:
    """Return the rows of which one is enough, by the names of facts. Who has left keeps what they had."""
    own = [get_model("loyalty_rewards", "Claim").objects.filter(member=member).exclude(state="owed")] if member else []
    if member is not None and _has_left(member):
        return {"rewards": own}
    asked = {"rewards": [rewards.catalogue(programme), *own], "tiers": [members.tiers(programme)]}
    if member is not None:
        scheme = get_model("loyalty_earning", "ReferralScheme").objects.filter(programme=programme, is_active=True)
        asked |= {
            "cards": goal_selectors.seen_by(member),
            "early": [privileges.windows_of(programme), passes.of_member(member), *passes.anything()],
            "friends": [scheme, get_model("loyalty_earning", "Referral").objects.filter(referrer=member)],
            "household": [get_model("loyalty_members", "HouseholdMember").objects.filter(member=member)],
        }
    return asked


def _any(rows: list[QuerySet[Any]]) -> Q:
    found = Q()
    for each in rows:
        found |= Q(Exists(each))
    return found


def at_account(name: str) -> str:
    """Return the address of one of the account's pages."""
    return reverse(f"{AREA}:{name}")


def entries(known: frozenset[str], *, current: str = "", at: Callable[[str], str] = at_account) -> list[Entry]:
    """Return what there is to be named, and the page that is shown in any case. ``at`` gives an address by its name;
    what it does not know is the account's."""
    return [
        Entry(code, title, place, _address(at, NAMES.get(code, code)), code == current)
        for code, title, place, fact in KNOWN
        if not fact or fact in known or code == current
    ]


def _address(at: Callable[[str], str], name: str) -> str:
    try:
        return at(name)
    except NoReverseMatch:
        return at_account(name)


def arrange(found: list[Entry]) -> Sections:
    """Return what stands in the row, and what in the menu."""
    more = [entry for entry in found if entry.place == MORE and not entry.is_current]
    if len(more) == 1:
        # One alone is no menu.
        found, more = [replace(entry, place=WIDE) if entry in more else entry for entry in found], []
    row = [entry for entry in found if entry not in more]
    places = {entry.place for entry in row if entry.is_current}
    return Sections(row, more, aside=bool(places & {WIDE, MORE}), crowded=MORE in places)
