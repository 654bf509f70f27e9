"""The ids of a page, of which each may be there once: else a label, or what describes a field, leads to another."""

from collections import Counter
from html.parser import HTMLParser


class _Ids(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = Counter()

    def handle_starttag(self, tag, attrs):
        self.found.update(value for name, value in attrs if name == "id")


def ids_of(response):
    """Return how often each id is on a page."""
    reader = _Ids()
    reader.feed(response.content.decode())
    return reader.found


def twice(response):
    """Return the ids that are on a page more than once; not Oscar's own, which each menu of its dashboard has."""
    return {each for each, times in ids_of(response).items() if times > 1} - {"navbarDropdown"}
