"""Who changes the tree of pages takes turns: a page made below a section that is being closed must not miss it.

The lock of the tree comes first, before that of any page: whoever closes a section holds it and goes on to the pages
below, and would wait for ever for somebody who has one of these and waits for the tree. Members come after it
(:mod:`oscar_loyalty.members.locking`).
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from treebeard.mp_tree import MP_MoveHandler
from wagtail.models import Page

from wagtail_club.wrapping import narrow


def install() -> None:
    """Have treebeard take the lock too, which locks or moves pages before Django says that one is saved."""
    for name in ("add_child", "add_sibling"):
        narrow(Page, name, _add)
    narrow(MP_MoveHandler, "process", _move)


def take() -> None:
    """Wait for the tree of pages, and keep it until the transaction ends."""
    Page.objects.select_for_update().filter(depth=1).order_by("path").first()


@transaction.atomic
def _add(original: Callable[..., Any], page: Any, *args: Any, **kwargs: Any) -> Any:
    take()
    return original(page, *args, **kwargs)


@transaction.atomic
def _move(original: Callable[..., Any], handler: Any) -> Any:
    # Treebeard keeps other trees as well.
    if isinstance(handler.node, Page):
        take()
    return original(handler)
