"""Wagtail's search index holds open pages only: it cannot tell who asks."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from wagtail.models import Page, get_page_models
from wagtail.search import index
from wagtail.search.backends import get_search_backends

from oscar_loyalty.loading import get_model
from wagtail_club.wrapping import narrow


def install() -> None:
    """Keep closed pages of every type out of the index, also of one built anew; called once all models are there."""
    narrow(Page, "get_indexed_objects", _open_only)


def _open_only(original: Callable[..., Any], *args: Any) -> Any:
    return original(*args).exclude(club_access__closed=True)


def renew(*, closed: Iterable[int], opened: Iterable[int]) -> None:
    """Take pages that were closed out of the index, and put those that were opened into it, once this is committed."""
    if closed or opened:
        transaction.on_commit(lambda: _renew(set(closed), set(opened)))


def _renew(closed: set[int], opened: set[int]) -> None:
    for page in Page.objects.filter(pk__in=closed).specific().iterator(chunk_size=100):
        for backend in get_search_backends(with_auto_update=True):
            backend.delete(page)
    for page in Page.objects.filter(pk__in=opened).specific().iterator(chunk_size=100):
        index.insert_or_update_object(page)


def wrongly_indexed() -> set[int]:
    """Return the closed pages that are in the index all the same, where it is a table of the shop's own database."""
    from wagtail.search.models import IndexEntry

    closed = set(get_model("wagtail_club", "PageAccess").objects.filter(closed=True).values_list("page", flat=True))
    kinds = ContentType.objects.get_for_models(*get_page_models()).values()
    rows = IndexEntry.objects.filter(content_type__in=kinds).values_list("object_id", flat=True)
    return {int(key) for key in rows.iterator()} & closed if closed else set()
