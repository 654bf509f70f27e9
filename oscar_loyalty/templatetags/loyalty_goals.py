"""Tags that show members their stamp cards and challenges; none of them ever breaks a page."""

from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html

from oscar_loyalty.earning import goal_selectors
from oscar_loyalty.members import selectors as members
from oscar_loyalty.templatetags.loyalty_tags import careful

register = template.Library()

#: Cards on a page that is about something else.
MOST = 3


@register.simple_tag
@careful(queries=False)
def loyalty_goal_styles() -> str:
    """Link the style sheet of cards."""
    return format_html('<link rel="stylesheet" href="{}">', static("oscar_loyalty/goals.css"))


@register.simple_tag(takes_context=True)
@careful()
def loyalty_stamps(context: Any) -> str:
    """Show the member who asks the cards and challenges that are open; nothing to others, or where there are none."""
    member = members.member_of_request(context["request"])
    if member is None or member.status == "closed":
        return ""
    views, _past = goal_selectors.cards_of(member, explained=False)
    if not views:
        return ""
    # Those that were begun first, the nearest to their end before the others.
    views.sort(key=lambda view: (view.card is None, -view.percent))
    page = context.template.engine.get_template("oscar_loyalty/partials/stamps.html")
    shown = {"cards": views[:MOST], "more": len(views) > MOST, "request": context["request"]}
    return str(page.render(context.new(shown)))
