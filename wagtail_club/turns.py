"""Who changes the tree of pages takes turns: a page made below a section that is being closed must not miss it, nor
one below a section that is being deleted stay behind without it, and closed by nothing.

The lock of the tree comes first, before that of any page: whoever closes a section holds it and goes on to the pages
below, and would wait for ever for somebody who has one of these and waits for the tree. Members come after it
(:mod:`oscar_loyalty.members.locking`).
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.http import Http404
from treebeard.mp_tree import MP_MoveHandler
from wagtail.models import Page

from wagtail_club.wrapping import narrow


class Gone(Http404):
    """The page was deleted by somebody else: nothing can be put below it or beside it any more."""


def install() -> None:
    """Have treebeard take the lock too, which locks or moves pages before Django says that one is saved."""
    for name in ("add_child", "add_sibling", "delete"):
        narrow(Page, name, _in_turn)
    narrow(MP_MoveHandler, "process", _move)


def take() -> None:
    """Wait for the tree of pages, and keep it until the transaction ends."""
    Page.objects.select_for_update().filter(depth=1).order_by("path").first()


@transaction.atomic
def _in_turn(original: Callable[..., Any], page: Any, *args: Any, **kwargs: Any) -> Any:
    """:raises Gone: when there is no such page by now."""
    take()
    try:
        # Where it is now: others may have moved it, or added to it, since it was read.
        page.refresh_from_db(fields=["path", "depth", "numchild"])
    except ObjectDoesNotExist as error:
        raise Gone(f"The page {page} was deleted.") from error
    return original(page, *args, **kwargs)


@transaction.atomic
def _move(original: Callable[..., Any], handler: Any) -> Any:
    # Treebeard keeps other trees as well.
    if isinstance(handler.node, Page):
        take()
    return original(handler)
