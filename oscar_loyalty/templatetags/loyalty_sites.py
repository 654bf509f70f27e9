"""The choice of a programme on the owner's pages, where there are several."""

from django import template

from oscar_loyalty.dashboard import choosing
from oscar_loyalty.templatetags.loyalty_tags import careful, render

register = template.Library()


@register.simple_tag(takes_context=True)
@careful(queries=False)
def programme_switcher(context):
    """Say which programme the page is about, and offer the others; nothing where there is no choice."""
    request = context["request"]
    choices = choosing.allowed(request)
    current = context.get("programme")
    if not choices or (len(choices) == 1 and current == choices[0]):
        return ""
    # What a page about one thing was opened with means nothing elsewhere.
    match = request.resolver_match
    stays = request.method == "GET" and match is not None and not match.kwargs
    return render(context, "programme_switcher", choices=choices, current=current, next=request.path if stays else "")
