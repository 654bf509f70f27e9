"""What a page that is being saved is a copy of: Wagtail tells nobody before the copy is there for all to see."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from wagtail.actions.copy_page import CopyPageAction

from wagtail_club.wrapping import narrow

_source: ContextVar[int | None] = ContextVar("wagtail_club_copied_from", default=None)


def install() -> None:
    """Have Wagtail say it; called once all models are there."""
    narrow(CopyPageAction, "_copy_page", _copy)


def source() -> int | None:
    """Return the key of the page that is being copied, or ``None``."""
    return _source.get()


def _copy(original: Callable[..., Any], action: Any, page: Any, *args: Any, **kwargs: Any) -> Any:
    token = _source.set(page.pk)
    try:
        return original(action, page, *args, **kwargs)
    finally:
        _source.reset(token)
