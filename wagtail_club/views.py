"""What those who may not see a page are answered."""

from typing import Any

from django.template.response import TemplateResponse
from django.utils.cache import patch_cache_control, patch_vary_headers

from wagtail_club import access, selectors


def teaser(page: Any, request: Any, *, tier: Any = None) -> TemplateResponse:
    """Answer with the words for others, and with nothing else of ``page``: 403, and no cache keeps it.

    The template gets no ``page``: what it does not have, it cannot show.
    """
    visitor = selectors.visitor(request)
    response = TemplateResponse(
        request,
        "wagtail_club/teaser.html",
        {
            "club": visitor,
            "teaser": {
                "title": selectors.title_for_others(page, tier),
                "text": getattr(page, "teaser_text", ""),
                "image": getattr(page, "teaser_image", None),
                "path": request.path,
            },
            "tier": tier,
        },
        status=403,
    )
    patch_cache_control(response, private=True, no_store=True)
    patch_vary_headers(response, ["Cookie"])
    response["X-Robots-Tag"] = "noindex"
    return response


def refuse(page: Any, request: Any) -> TemplateResponse | None:
    """Return the answer for a visitor who may not see ``page``; ``None`` for one who may."""
    if access.may_see(request.user, page):
        return None
    if access.is_guest(request, page):
        # What mirrors the decision for the others does not know of passes; what somebody else has closed still counts.
        page.club_guest = True
        return None
    return teaser(page, request, tier=access.tier_of(page))
