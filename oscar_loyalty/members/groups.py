"""The groups that give members what their tiers bring in the shop."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef

from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors

#: Rows written or deleted by one statement.
BATCH = 500


class Belonging:
    """The table of who is in which group, whatever the shop calls its own model of users.

    ``user`` is the name of its field for the user, which follows that model's name.
    """

    def __init__(self) -> None:
        self.model = get_user_model().groups.through
        self.user = get_user_model().groups.field.m2m_field_name()
        self.objects = self.model.objects

    @property
    def column(self) -> str:
        """The column of the user."""
        return str(self.model._meta.get_field(self.user).column)

    def of(self, users: Any) -> dict[str, Any]:
        """Return the condition that a row is of one of ``users``."""
        return {f"{self.user}__in": users}

    def put(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Put users into groups: pairs of their keys. Who is there already stays there."""
        rows = (self.model(**{f"{self.user}_id": user, "group_id": group}) for user, group in pairs)
        while batch := list(islice(rows, BATCH)):
            self.objects.bulk_create(batch, ignore_conflicts=True)


def set_groups(member: Any) -> None:
    """Put the member's user into the groups of every tier up to the own one; into none while the membership rests."""
    if member.user_id is None:
        return
    rank = member.tier.rank if member.tier and member.status == "active" else -1
    for tier in selectors.tiers(member.programme_id):
        if tier.rank <= rank:
            tier.group.user_set.add(member.user_id)
        else:
            tier.group.user_set.remove(member.user_id)


def set_groups_of(programme: Any, members: Iterable[tuple[int, Any]]) -> None:
    """As :func:`set_groups`, for many active members of a programme at once: pairs of a user's key and their tier."""
    belonging = Belonging()
    people = list(members)
    for tier in selectors.tiers(programme):
        inside = [user for user, own in people if own is not None and own.rank >= tier.rank]
        outside = [user for user, own in people if own is None or own.rank < tier.rank]
        belonging.put((user, tier.group_id) for user in inside)
        for start in range(0, len(outside), BATCH):
            gone = belonging.of(outside[start : start + BATCH])
            belonging.objects.filter(group=tier.group_id, **gone).delete()


def rebuild_groups(programme: Any) -> None:
    """Bring the groups of a programme's tiers in line with its members: the tiers have another order, or are others."""
    belonging = Belonging()
    active = get_model("loyalty_members", "Member").objects.filter(programme=programme, status="active")
    for tier in selectors.tiers(programme):
        entitled = active.filter(user__isnull=False, tier__rank__gte=tier.rank)
        right = entitled.filter(user=OuterRef(belonging.user))
        belonging.objects.filter(group=tier.group_id).exclude(Exists(right)).delete()
        missing = entitled.exclude(user__groups=tier.group_id).values_list("user", flat=True)
        belonging.put((user, tier.group_id) for user in missing.iterator(chunk_size=2000))
