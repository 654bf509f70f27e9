"""Mails about rewards: here it is, and it runs out soon."""

from typing import Any

from oscar_loyalty.due.registry import handler
from oscar_loyalty.loading import get_model
from oscar_loyalty.messaging import services
from oscar_loyalty.messaging.builders import _to_member
from oscar_loyalty.messaging.links import absolute
from oscar_loyalty.messaging.registry import builder
from oscar_loyalty.rewards import selectors


def _tell(row: Any, kind: str) -> None:
    claims = get_model("loyalty_rewards", "Claim").objects.select_related("member")
    claim = claims.filter(pk=row.payload["claim"], state="claimed").first()
    if claim is None:
        return
    until = claim.expires_at.isoformat() if claim.expires_at else ""
    services.queue(
        kind=kind,
        key=f"{kind}:{claim.pk}:{until}",
        to=claim.member.email,
        language=claim.member.language,
        context={"claim": claim.pk, "until": until},
        member=claim.member,
    )


@handler("rewards.claimed")
def tell_claimed(row: Any) -> None:
    """Leave the mail with the code."""
    _tell(row, "reward")


@handler("rewards.remind")
def remind(row: Any) -> None:
    """Leave the mail that says until when it can be used."""
    _tell(row, "reward_ends")


def _claim(message: Any) -> dict[str, Any] | None:
    claims = get_model("loyalty_rewards", "Claim").objects.select_related(
        "reward__product", "member__programme__site", "member__tier", "member__account"
    )
    claim = claims.filter(pk=message.context["claim"], state="claimed").first()
    if claim is None or claim.member.status != "active" or selectors.is_broken(claim):
        return None
    member = claim.member
    context = _to_member(member)
    return {
        **context,
        "claim": claim,
        "reward": claim.reward,
        "last_day": claim.last_day,
        "how": selectors.how(claim.reward),
        "points": member.programme.points_label(claim.points) if claim.points else "",
        # Who has no account yet gets one by the link that brings the points.
        "rewards_url": absolute("my_rewards", member.programme.site) if member.user_id else context["account_url"],
    }


@builder("reward", to_member=True)
def reward(message: Any) -> dict[str, Any] | None:
    """The reward with its code, as long as it is there to be used."""
    return _claim(message)


@builder("reward_ends", consent="reminders", to_member=True)
def reward_ends(message: Any) -> dict[str, Any] | None:
    """It runs out soon; nothing once it was used, or lives longer."""
    context = _claim(message)
    if context is None or context["claim"].expires_at.isoformat() != message.context["until"]:
        return None
    return context
