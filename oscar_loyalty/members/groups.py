"""The groups that give members what their tiers bring in the shop."""

from typing import Any

from oscar_loyalty.members import selectors


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
