"""The groups that give members what their tiers bring in the shop."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model

from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors

#: Rows written or deleted by one statement.
BATCH = 500


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
    through = get_user_model().groups.through
    people = list(members)
    for tier in selectors.tiers(programme):
        inside = [user for user, own in people if own is not None and own.rank >= tier.rank]
        outside = [user for user, own in people if own is None or own.rank < tier.rank]
        rows = [through(user_id=user, group_id=tier.group_id) for user in inside]
        through.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
        for start in range(0, len(outside), BATCH):
            through.objects.filter(group=tier.group_id, user__in=outside[start : start + BATCH]).delete()


def rebuild_groups(programme: Any) -> None:
    """Bring the groups of a programme's tiers in line with its members: the tiers have another order, or are others."""
    through = get_user_model().groups.through
    active = get_model("loyalty_members", "Member").objects.filter(programme=programme, status="active")
    for tier in selectors.tiers(programme):
        entitled = active.filter(user__isnull=False, tier__rank__gte=tier.rank)
        through.objects.filter(group=tier.group_id).exclude(user__in=entitled.values("user")).delete()
        missing = entitled.exclude(user__groups=tier.group_id).values_list("user", flat=True)
        rows = [through(user_id=user, group_id=tier.group_id) for user in missing.iterator(chunk_size=2000)]
        through.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
