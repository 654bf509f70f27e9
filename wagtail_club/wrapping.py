"""Where Wagtail has no hook: one of its functions is asked, and its answer narrowed."""

from collections.abc import Callable
from functools import wraps
from inspect import getattr_static
from typing import Any

MARK = "narrowed_by_club"


def narrow(owner: Any, name: str, narrower: Callable[..., Any]) -> None:
    """Wrap the function ``name`` of a class or module ``owner``, once: ``narrower(original, *args, **kwargs)`` answers.

    Django may load a project's addresses, and a test the apps, more than once.
    """
    static = getattr_static(owner, name)
    original = static.__func__ if isinstance(static, classmethod) else static
    if getattr(original, MARK, None) is narrower:
        return

    @wraps(original)
    def narrowed(*args: Any, **kwargs: Any) -> Any:
        return narrower(original, *args, **kwargs)

    setattr(narrowed, MARK, narrower)
    setattr(owner, name, classmethod(narrowed) if isinstance(static, classmethod) else narrowed)
