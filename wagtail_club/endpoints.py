"""Wagtail's own API endpoints of pictures and documents know no pages: here they learn what is open.

Their answers may be cached, so they list what everybody may see, to everybody alike. Wagtail has no setting for this:
the one function of each endpoint that names its rows is narrowed.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps

from wagtail_club import files
from wagtail_club.wrapping import narrow


def close() -> None:
    """Close the endpoints of both APIs, as far as they are installed; called once the shop's addresses are read."""
    if apps.is_installed("wagtail.api.v2"):
        for module, name in (
            ("wagtail.images.api.v2.views", "ImagesAPIViewSet"),
            ("wagtail.documents.api.v2.views", "DocumentsAPIViewSet"),
        ):
            narrow(getattr(import_module(module), name), "get_queryset", _of_viewset)
    for module, name in (
        ("wagtail.images.api.v3", "get_images_queryset"),
        ("wagtail.documents.api.v3", "get_documents_queryset"),
    ):
        if apps.is_installed("wagtail.api.v3") and find_spec(module):
            narrow(import_module(f"{module}.router"), name, _of_router)


def _of_viewset(original: Callable[..., Any], viewset: Any) -> Any:
    # The admin's own endpoint is one of Wagtail's under another name: editors pick from it.
    if ".admin." in type(viewset).__module__:
        return files.choosable(original(viewset), viewset.request.user)
    return files.open_to_all(original(viewset))


def _of_router(original: Callable[..., Any], request: Any) -> Any:
    return files.open_to_all(original(request))
