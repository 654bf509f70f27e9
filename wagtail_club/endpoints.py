"""Wagtail's own API endpoints of pictures and documents know no pages: here they learn what is open.

Their answers may be cached, so they list what everybody may see, to everybody alike. Wagtail has no setting for this:
the one function of each endpoint that names its rows is replaced.
"""

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps

from wagtail_club import files


def close() -> None:
    """Close the endpoints of both APIs, as far as they are installed; called once the shop's addresses are read."""
    if apps.is_installed("wagtail.api.v2"):
        for module, name in (
            ("wagtail.images.api.v2.views", "ImagesAPIViewSet"),
            ("wagtail.documents.api.v2.views", "DocumentsAPIViewSet"),
        ):
            viewset = getattr(import_module(module), name)
            viewset.get_queryset = _closed_view(viewset.get_queryset)
    for module, name in (
        ("wagtail.images.api.v3", "get_images_queryset"),
        ("wagtail.documents.api.v3", "get_documents_queryset"),
    ):
        if apps.is_installed("wagtail.api.v3") and find_spec(module):
            router = import_module(f"{module}.router")
            setattr(router, name, _closed_function(getattr(router, name)))


def _closed_view(original: Callable[..., Any]) -> Callable[..., Any]:
    if getattr(original, "closed_by_club", False):
        return original

    @wraps(original)
    def get_queryset(self: Any) -> Any:
        rows = original(self)
        # The admin's own endpoint is one of Wagtail's under another name: editors pick from it.
        if ".admin." in type(self).__module__:
            return files.choosable(rows, self.request.user)
        return files.open_to_all(rows)

    get_queryset.closed_by_club = True  # type: ignore[attr-defined]
    return get_queryset


def _closed_function(original: Callable[..., Any]) -> Callable[..., Any]:
    if getattr(original, "closed_by_club", False):
        return original

    @wraps(original)
    def get_queryset(request: Any) -> Any:
        return files.open_to_all(original(request))

    get_queryset.closed_by_club = True  # type: ignore[attr-defined]
    return get_queryset
