"""What this room holds on a person: the guest passes they gave, and those they opened."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.holdings import Person, hold
from oscar_loyalty.privileges import passes


def _given(person: Person) -> Any:
    return get_model("loyalty_privileges", "GuestPass").objects.filter(member__in=person.members)


def _opened(person: Person) -> Any:
    return get_model("loyalty_privileges", "GuestPass").objects.filter(Q(user=person.user) & ~Q(user=None))


def _end_given(person: Person) -> None:
    """What was given ends with the membership; whom it was for is somebody's name."""
    for each in _given(person).filter(taken_back_at__isnull=True):
        passes.take_back(row=each)
    _given(person).update(friend="")


hold(
    "passes.given",
    _("Guest passes you gave"),
    _given,
    without=["uuid", "key", "browser", "user"],
    columns=["loyalty_privileges.GuestPass.member"],
    erase=_end_given,
)
hold(
    "passes.opened",
    _("Guest passes you opened"),
    _opened,
    # Who gave it, and what they call the person, is the giver's.
    without=["uuid", "key", "browser", "member", "friend"],
    columns=["loyalty_privileges.GuestPass.user"],
    erase=lambda person: _opened(person).update(user=None),
)
