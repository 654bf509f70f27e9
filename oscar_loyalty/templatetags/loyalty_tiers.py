"""Tags that show how far a member is on the way to the next tier; none of them ever breaks a page."""

from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html

from oscar_loyalty.earning.tiering import selectors, words
from oscar_loyalty.members import selectors as members
from oscar_loyalty.templatetags.loyalty_tags import careful

register = template.Library()


@register.simple_tag
@careful(queries=False)
def loyalty_tier_styles() -> str:
    """Link the style sheet of tiers."""
    return format_html('<link rel="stylesheet" href="{}">', static("oscar_loyalty/tiers.css"))


@register.simple_tag
@careful(queries=False)
def tier_amount(standing: Any, number: Any) -> str:
    """Write so much of what counts: "€45.00", "120 petals", "3 visits"; nothing for nothing."""
    return words.amount(standing.metric, number, standing.member.programme) if number is not None else ""


@register.simple_tag
@careful(queries=False)
def tier_window(standing: Any, staff: bool = False) -> str:
    """Write within which time it counts: "in the last 12 months"."""
    return words.window(standing, staff=staff)


@register.simple_tag(takes_context=True)
@careful()
def loyalty_tier_progress(context: Any, tier: Any = None) -> str:
    """Show the member who asks how far the next tier is, and whether this one is at risk; nothing to others.

    A shop puts it wherever it likes: ``{% load loyalty_tiers %}{% loyalty_tier_progress %}``. With a ``tier``, it tells
    how far that one is, where it is higher than the member's.
    """
    member = members.member_of_request(context["request"])
    if member is None or member.status != "active" or not member.programme.is_active:
        return ""
    standing = selectors.standing(member)
    if standing is None or not (standing.is_automatic or standing.given_until):
        return ""
    if tier is not None:
        standing = selectors.toward(standing, tier)
    page = context.template.engine.get_template("oscar_loyalty/partials/tier_progress.html")
    return str(page.render(context.new({"standing": standing, "request": context["request"]})))
