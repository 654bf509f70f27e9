"""The club's feed: what is new, as anybody may read it, for programs that have no account.

Whoever fetches it, it is what a stranger sees: open pages with their introduction, announced ones by their words for
others. No pictures, no bodies.
"""

from copy import copy
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.utils.cache import patch_cache_control
from django.utils.feedgenerator import Rss201rev2Feed
from django.utils.http import http_date
from django.utils.translation import get_language, override

from wagtail_club import selectors

#: The last part of its address, below that of a club home.
SLUG = "feed"
#: How many pages it holds, and for how many seconds it may be kept.
MOST, KEPT = 20, 600


def by_a_stranger(request: Any) -> Any:
    """Return ``request`` as a stranger would make it: what a member sees is not for a proxy to keep."""
    found = copy(request)
    found.user = AnonymousUser()
    for name in ("club_visitor", "_loyalty_member"):
        found.__dict__.pop(name, None)
    return found


def feed(home: Any, request: Any) -> Rss201rev2Feed:
    """Return the newest pages below ``home``, with addresses at the host that was asked, whichever Site it is of."""
    # Django's own view asks for the Site of a domain, which may have none.
    link = request.build_absolute_uri(home.get_url(request))
    found = Rss201rev2Feed(
        title=home.title,
        link=link,
        description=home.search_description or home.tagline,
        language=get_language(),
        feed_url=f"{link}{SLUG}/",
    )
    for card, published_at in selectors.news(home, request, MOST):
        address = request.build_absolute_uri(card.url)
        found.add_item(title=card.title, link=address, description=card.text, unique_id=address, pubdate=published_at)
    return found


def serve(home: Any, request: Any) -> HttpResponse:
    """Answer with the feed of ``home``, in its language."""
    with override(home.locale.language_code):
        found = feed(home, by_a_stranger(request))
        response = HttpResponse(found.writeString("utf-8"), content_type=found.content_type)
    response["Last-Modified"] = http_date(found.latest_post_date().timestamp())
    patch_cache_control(response, max_age=KEPT)
    return response
