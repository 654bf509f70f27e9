from django import template

from wagtail_club import feeds
from wagtail_club.models import ClubHomePage

register = template.Library()


@register.simple_tag
def points(number, programme):
    """Write ``number`` of points in the programme's own words: "250 petals"."""
    return programme.points_label(number)


@register.simple_tag(takes_context=True)
def club_feed(context):
    """Return the address of the feed of the club that the page is in, or "": pages of one's own may lie elsewhere."""
    page, request = context.get("page"), context.get("request")
    if page is None:
        return ""
    home = page if isinstance(page, ClubHomePage) else page.get_ancestors().type(ClubHomePage).last()
    url = home.get_url(request) if home is not None else None
    return f"{url}{feeds.SLUG}/" if url else ""
