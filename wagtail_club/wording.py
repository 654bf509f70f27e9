"""The words of a page, for the club's own search."""

from typing import Any

from wagtail.fields import StreamField

LONGEST = 100_000


def words(page: Any) -> str:
    """Return title and texts of ``page`` in one line. Parts that are for a tier only are left out."""
    found = [page.title]
    for field in page._meta.get_fields():
        if getattr(field, "name", "") in ("guests", "teaser_title", "teaser_text"):
            continue
        if isinstance(field, StreamField):
            found += field.get_searchable_content(getattr(page, field.name))
        elif getattr(field, "name", "") in ("introduction", "tagline", "search_description"):
            found.append(str(getattr(page, field.name)))
    return " ".join(" ".join(str(piece) for piece in found).split())[:LONGEST]
