"""Wagtail's preview of a club page, as somebody else would see it."""

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from wagtail.models import Page

from oscar_loyalty.members import selectors as members
from wagtail_club import access, selectors, views


def modes(page: Any) -> list[tuple[str, str]]:
    """Return the ways to preview ``page``: whole, as a visitor, and as a member of each tier."""
    programme = selectors.programme_of(page)
    tiers = members.tiers(programme) if programme else []
    return [
        ("", _("Everything")),
        ("visitor", _("A visitor")),
        *((f"tier-{tier.pk}", str(tier.name)) for tier in tiers),
    ]


def serve(page: Any, request: Any, mode: str) -> Any:
    """Answer as ``page`` would answer such a visitor once it is published as it is."""
    real = selectors._visitor(request)
    if not mode:
        request.club_visitor = replace(real, sees_all=True, reader=access.Onlooker(real.reader))
        return Page.serve_preview(page, request, mode)
    tier = next((tier for tier in real.tiers if mode == f"tier-{tier.pk}"), None)
    reader = None
    if tier is not None:
        groups = frozenset(lower.group_id for lower in real.tiers if lower.rank <= tier.rank)
        reader = access.Onlooker(real.reader, groups)
    request.club_visitor = selectors.Visitor(programme=real.programme, tiers=real.tiers, tier=tier, reader=reader)
    audience = access.audience_of(page)
    if audience.closed and not request.club_visitor.reaches(audience.tier):
        return views.teaser(page, request, tier=audience.tier)
    return Page.serve_preview(page, request, mode)
