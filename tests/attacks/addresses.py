"""Every address of ours, read from the URL conf itself, with something to put into each of its holes.

Nothing is listed by hand: an address that is added later is walked too.
"""

import re
from dataclasses import dataclass

from django.db import transaction
from django.urls import URLPattern, get_resolver
from django.urls.converters import IntConverter, SlugConverter, StringConverter, UUIDConverter
from django.urls.resolvers import RegexPattern

OURS = ("oscar_loyalty.", "wagtail_club.")


@dataclass(frozen=True)
class Address:
    """An address: the name of its URL with its namespace, its text with holes, and what kind goes into each hole."""

    name: str
    route: str
    holes: tuple

    def fill(self, values):
        """Return the path with ``values``, one for each hole."""
        rest = iter(values)
        return "/" + re.sub(r"<[^>]+>", lambda _hole: str(next(rest)), self.route)


def view_of(pattern):
    found = getattr(pattern.callback, "view_class", pattern.callback)
    return f"{found.__module__}.{getattr(found, '__name__', '')}"


def kind_of(converter):
    for kind, name in (
        (IntConverter, "int"),
        (UUIDConverter, "uuid"),
        (SlugConverter, "slug"),
        (StringConverter, "str"),
    ):
        if isinstance(converter, kind):
            return name
    return "str"


def read(pattern):
    """Return the text of a part of an address, with holes as ``<word>``, and what goes into them."""
    if isinstance(pattern, RegexPattern):
        text = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", str(pattern)).strip("^$")
        return text, tuple((word, "slug") for word in pattern.regex.groupindex)
    return str(pattern), tuple((word, kind_of(one)) for word, one in pattern.converters.items())


def walk(patterns, route="", names=(), holes=()):
    for pattern in patterns:
        part, kinds = read(pattern.pattern)
        here, kinds = route + part, (*holes, *kinds)
        if isinstance(pattern, URLPattern):
            if view_of(pattern).startswith(OURS):
                yield Address(":".join([*names, pattern.name or ""]), here, kinds)
        else:
            yield from walk(pattern.url_patterns, here, (*names, *filter(None, [pattern.namespace])), kinds)


def every():
    """All addresses whose views are ours, in the order of the URL conf."""
    return list(walk(get_resolver().url_patterns))


class Undone:
    """Sends requests of which nothing stays, so that each finds the shop as the first one did."""

    def __init__(self, client):
        client.raise_request_exception = False
        self.client = client

    def __call__(self, method, path, *args, **kwargs):
        """Return the response, its content read to the end while the database is as the view left it."""
        block = transaction.atomic()
        # As the test's own block: the views may open durable ones within.
        block._from_testcase = True
        with block:
            response = getattr(self.client, method)(path, *args, **kwargs)
            if response.streaming:
                response.read = b"".join(response.streaming_content)
            transaction.set_rollback(True)
        return response
