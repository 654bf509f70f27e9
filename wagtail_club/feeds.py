"""The club's feed: what is new, as anybody may read it, for programs that have no account.

Whoever fetches it, it is what a stranger sees: open pages with their introduction, announced ones by their words for
others. No pictures, no bodies.
"""

from copy import copy
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.contrib.syndication.views import Feed
from django.utils.cache import patch_cache_control
from django.utils.feedgenerator import Rss201rev2Feed
from django.utils.translation import override

from wagtail_club import selectors

#: The last part of its address, below that of a club home.
SLUG = "feed"
#: How many pages it holds, and for how many seconds it may be kept.
MOST, KEPT = 20, 600


class ClubFeed(Feed):
    """The newest pages below a club home."""

    feed_type = Rss201rev2Feed

    def __init__(self, home: Any) -> None:
        self.home = home

    def get_object(self, request: Any) -> Any:
        # Not the visitor's request: a member who opens the feed would put closed pages where a proxy finds them.
        self.request = copy(request)
        self.request.user = AnonymousUser()
        for name in ("club_visitor", "_loyalty_member"):
            self.request.__dict__.pop(name, None)
        return self.home

    def title(self, home: Any) -> str:
        return str(home.title)

    def link(self, home: Any) -> str:
        return str(home.get_url(self.request))

    def feed_url(self, home: Any) -> str:
        return self.link(home) + f"{SLUG}/"

    def description(self, home: Any) -> str:
        return str(home.search_description or home.tagline)

    def items(self, home: Any) -> list[Any]:
        return selectors.news(home, self.request, MOST)

    def item_title(self, item: Any) -> str:
        return str(item[0].title)

    def item_description(self, item: Any) -> str:
        return str(item[0].text)

    def item_link(self, item: Any) -> str:
        return str(item[0].url)

    def item_pubdate(self, item: Any) -> Any:
        return item[1]


def serve(home: Any, request: Any) -> Any:
    """Answer with the feed of ``home``, in its language."""
    with override(home.locale.language_code):
        response = ClubFeed(home)(request)
    patch_cache_control(response, max_age=KEPT)
    return response
