"""Wagtail's search index holds open pages only: it cannot tell who asks."""

from collections.abc import Iterable

from django.db import transaction
from wagtail.models import Page
from wagtail.search import index
from wagtail.search.backends import get_search_backends


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
