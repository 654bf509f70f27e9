"""Tags that show members what they can have for their points; none of them ever breaks a page."""

from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html

from oscar_loyalty.members import selectors as members
from oscar_loyalty.rewards import selectors
from oscar_loyalty.templatetags.loyalty_tags import careful, render

register = template.Library()

#: Rewards on a page that is about something else.
MOST = 3


@register.simple_tag
@careful(queries=False)
def loyalty_reward_styles() -> str:
    """Link the style sheet of rewards."""
    return format_html('<link rel="stylesheet" href="{}">', static("oscar_loyalty/rewards.css"))


@register.simple_tag(takes_context=True)
@careful()
def loyalty_rewards_near(context: Any) -> str:
    """Show the member who asks what can be had now, or is nearest; nothing to others, or where there is nothing."""
    member = members.member_of_request(context["request"])
    if member is None or not member.can_earn:
        return ""
    found, waiting = selectors.own_cards(member, usable=members.usable_of_request(context["request"]))
    cards = [card for card in found if card.reachable or card.missing]
    # Of what can be had, the dearest says most.
    reachable = sorted((card for card in cards if card.reachable), key=lambda card: -card.reward.points)
    shown = [*reachable, *(card for card in cards if not card.reachable)][:MOST]
    if not shown and not waiting:
        return ""
    return render(context, "rewards_near", cards=shown, waiting=waiting, programme=member.programme)
