"""Tags that say who has a product before others; none of them ever breaks a page."""

from typing import Any

from django import template

from oscar_loyalty.dashboard import choosing
from oscar_loyalty.dashboard.navigation import PROGRAMME, VIEW, may
from oscar_loyalty.members import selectors as members
from oscar_loyalty.privileges import access, selectors, words
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


@register.simple_tag(takes_context=True)
@careful()
def loyalty_early_panel(context: Any, product: Any) -> str:
    """Say on a product's page in the dashboard for whom it is first, and lead to the form; nothing to those who may
    not see the programme."""
    request = context["request"]
    programme = choosing.programme_of_request(request) if may(request.user, VIEW) else None
    if programme is None:
        return ""
    windows = list(selectors.of_product(product, programme))
    for window in windows:
        window.said = words.sentence(window)
    page = context.template.engine.get_template("oscar_loyalty/dashboard/early/panel.html")
    shown = {"windows": windows, "product": product, "may": may(request.user, PROGRAMME)}
    return str(page.render(context.new(shown)))
