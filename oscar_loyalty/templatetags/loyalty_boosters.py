"""The tag that announces boosters."""

from django import template

from oscar_loyalty.earning.announcing import boosters_coming, boosters_now
from oscar_loyalty.members import selectors as members
from oscar_loyalty.templatetags.loyalty_tags import careful, render

register = template.Library()


@register.simple_tag(takes_context=True)
@careful()
def loyalty_boosters(context, product=None):
    """Announce the boosters that run now, with their end, and those to come; nothing where there are none."""
    request = context["request"]
    running = boosters_now(request, product=product)
    coming = boosters_coming(request, product=product)
    if not running and not coming:
        return ""
    programme = members.programme_for(request=request)
    return render(context, "boosters", boosters=running, coming=coming, programme=programme)
