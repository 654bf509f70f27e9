"""Tags that say who has a product before others; none of them ever breaks a page."""

from typing import Any

from django import template

from oscar_loyalty.members import selectors as members
from oscar_loyalty.privileges import access, words
from oscar_loyalty.templatetags.loyalty_tags import careful, render

register = template.Library()


def _said(gate: access.Gate) -> str:
    return words.badge(gate) if gate.allowed else words.refusal(gate)


@register.simple_tag(takes_context=True)
@careful()
def loyalty_early_badge(context: Any, product: Any) -> str:
    """Say in a line that a product is for members first; nothing for the others. For lists: one query for all."""
    gate = access.viewer_of(context["request"]).gate(product)
    if gate.window is None:
        return ""
    return render(context, "early", said=_said(gate), compact=True)


@register.simple_tag(takes_context=True)
@careful()
def loyalty_early_access(context: Any, product: Any) -> str:
    """Say on a product's page who has it now, how far that is, and whether friends may be brought."""
    request = context["request"]
    who = access.viewer_of(request)
    gate = who.gate(product)
    if gate.window is None:
        return ""
    window, belongs = gate.window, who.belongs(gate.window)
    return render(
        context,
        "early",
        said=_said(gate),
        words="" if gate.allowed else str(window.words),
        distance="" if gate.allowed else words.distance(members.member_of_request(request), window.tier),
        invited=gate.allowed and not belongs,
        may_bring=gate.allowed and belongs and bool(window.passes),
        stranger=not gate.allowed and who.user is None,
    )
