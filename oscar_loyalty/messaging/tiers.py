"""What members hear about their tier: that it is about to be lost, and that it was."""

from typing import Any

from oscar_loyalty.due.registry import handler
from oscar_loyalty.earning.tiering import selectors, words
from oscar_loyalty.loading import get_model
from oscar_loyalty.messaging import services
from oscar_loyalty.messaging.builders import _member, _to_member
from oscar_loyalty.messaging.registry import builder


@handler("members.tier_ends")
def warn_member(row: Any) -> None:
    """Tell a member what is missing to keep their tier, and until when."""
    member = get_model("loyalty_members", "Member").objects.filter(pk=row.payload["member"], status="active").first()
    if member is not None:
        services.queue(
            kind="tier_ends",
            key=f"tier_ends:{row.key}",
            to=member.email,
            language=member.language,
            context={"member": member.pk, "tier": member.tier_id},
            member=member,
        )


@builder("tier_ends", consent="reminders", to_member=True)
def tier_ends(message: Any) -> dict[str, Any] | None:
    """What is missing and until when, as it stands when it is sent; nothing if it has come in meanwhile."""
    member = _member(message.context["member"])
    if member is None or member.tier_id != message.context["tier"]:
        return None
    standing = selectors.standing(member)
    if standing is None or not standing.at_risk or standing.tier.pk != member.tier_id:
        return None
    return {**_to_member(member), "standing": standing, **_missing(standing.to_keep, standing)}


@builder("tier_down", consent="updates", to_member=True)
def tier_down(message: Any) -> dict[str, Any] | None:
    """The tier is a lower one now, and what leads back; nothing if the member has risen again meanwhile."""
    changes = get_model("loyalty_members", "TierChange").objects.select_related("before", "after")
    change = changes.filter(pk=message.context["change"]).first()
    member = _member(change.member_id) if change is not None else None
    if change is None or member is None or member.tier_id != change.after_id:
        return None
    standing = selectors.standing(member)
    missing = standing.missing if standing is not None else None
    return {**_to_member(member), "change": change, "standing": standing, **_missing(missing, standing)}


def _missing(number: Any, standing: Any) -> dict[str, str]:
    return {"missing": words.amount(standing.metric, number, standing.member.programme) if number else ""}
