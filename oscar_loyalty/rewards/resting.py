"""Claims of a membership on hold: none runs out, and afterwards they live longer by that time, as points do."""

from datetime import datetime, timedelta
from typing import Any

from oscar_loyalty import times
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.statuses import after_hold
from oscar_loyalty.rewards import vouchers
from oscar_loyalty.rewards.services import plan_end


@after_hold
def live_on(member: Any, began: datetime, rested: timedelta) -> None:
    """Lengthen what waited to be used when the hold began, to the end of a day: people are told days."""
    # Whoever writes to a claim locks its member first, so that these need no order among themselves.
    claims = get_model("loyalty_rewards", "Claim").objects.select_for_update()
    for claim in claims.filter(member=member.pk, state="claimed", expires_at__gt=began).order_by("pk"):
        claim.expires_at = times.end_of(times.last_day(claim.expires_at + rested))
        claim.save(update_fields=["expires_at"])
        vouchers.prolong(vouchers.locked(claim), claim.expires_at)
        plan_end(claim)
