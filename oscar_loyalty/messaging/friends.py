"""Thanks to both, once a friend's order has brought something."""

from typing import Any

from oscar_loyalty.due.registry import handler
from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.loading import get_model
from oscar_loyalty.messaging import services
from oscar_loyalty.messaging.builders import _to_member
from oscar_loyalty.messaging.registry import builder


@handler(referrals.GIVEN)
def thank_both(row: Any) -> None:
    """Leave a mail for each of both who got points."""
    rewards = get_model("loyalty_earning", "ReferralReward").objects
    reward = rewards.select_related("referral__referrer", "referral__friend").filter(pk=row.payload["reward"]).first()
    for side in referrals.SIDES if reward is not None else ():
        if getattr(reward, f"{side}_award_id") is None:
            continue
        member = getattr(reward.referral, side)
        services.queue(
            kind="referral",
            key=f"referral:{reward.pk}:{side}",
            to=member.email,
            language=member.language,
            context={"reward": reward.pk, "side": side},
            member=member,
        )


@builder("referral", consent="updates", to_member=True)
def referral(message: Any) -> dict[str, Any] | None:
    """What came for a friend, or by one; nothing once it was taken back."""
    rewards = get_model("loyalty_earning", "ReferralReward").objects.filter(state="given")
    side = message.context["side"]
    rewards = rewards.select_related(f"{side}_award__member__programme")
    reward = rewards.filter(pk=message.context["reward"]).first()
    award = getattr(reward, f"{side}_award") if reward is not None else None
    if award is None or award.void:
        return None
    member = award.member
    return {
        **_to_member(member),
        "points": member.programme.points_label(award.points),
        "units": award.points,
        "invited": side == "referrer",
    }
