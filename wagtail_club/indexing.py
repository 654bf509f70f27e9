"""Wagtail's search index holds open pages only: it cannot tell who asks."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from wagtail.models import Page
from wagtail.search import index
from wagtail.search.backends import get_search_backends

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
