"""What of early access follows a member into another."""

from typing import Any

from django.utils.translation import gettext_lazy

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.merging import mover


@mover(
    "privileges.passes",
    title=gettext_lazy("Guest passes"),
    count=lambda member: member.guest_passes.count(),
    columns=["loyalty_privileges.GuestPass.member"],
)
def move_passes(source: Any, target: Any) -> int:
    """All of them: those that were given count towards the limits of the membership that goes on."""
    return int(get_model("loyalty_privileges", "GuestPass").objects.filter(member=source).update(member=target))
