"""What of the rewards follows a member into another."""

from typing import Any

from django.utils.translation import gettext_lazy

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.merging import mover


@mover(
    "rewards.claims",
    title=gettext_lazy("Rewards"),
    count=lambda member: member.reward_claims.count(),
    columns=["loyalty_rewards.Claim.member"],
)
def move_claims(source: Any, target: Any) -> int:
    """All of them: those that were used count towards the limits of the membership that goes on."""
    return int(get_model("loyalty_rewards", "Claim").objects.filter(member=source).update(member=target))
