"""The words of a page, for the club's own search."""

from collections.abc import Iterator
from typing import Any

from wagtail.fields import StreamField
from wagtail.search.index import SearchField

LONGEST = 100_000
#: Fields that are searched whether or not a page type names them, as its StreamFields are.
ALWAYS = ("title", "introduction", "tagline", "search_description")
#: Who is named on a page, and what it says to others, are no words of it.
NEVER = ("guests", "teaser_title", "teaser_text")


def words(page: Any) -> str:
    """Return the texts of ``page`` in one line, without tags: its title and content, and what the ``search_fields`` of
    its type name. Parts that are for a tier only are left out."""
    pieces = " ".join(piece for field in _fields(page) for piece in _texts(field.get_value(page)))
    return " ".join(pieces.split())[:LONGEST]


def _fields(page: Any) -> list[SearchField]:
    content = [field.name for field in page._meta.get_fields() if isinstance(field, StreamField)]
    known = [name for name in ALWAYS if hasattr(page, name)]
    named = {field.field_name: field for field in page.get_searchable_search_fields()}
    fields = {name: SearchField(name) for name in [*known, *content]} | named
    return [field for name, field in fields.items() if name not in NEVER]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, (list, tuple)):
        for piece in value:
            yield from _texts(piece)
    elif value is not None:
        yield str(value)
