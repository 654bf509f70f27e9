"""What the pages of drafts share."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.shortcuts import get_object_or_404, redirect
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from oscar_loyalty.dashboard.base import ProgrammeMixin
from oscar_loyalty.dashboard.navigation import PROGRAMME, VIEW, may
from oscar_loyalty.loading import get_model

#: Where past purchases are tried, if the shop has that page.
SIMULATIONS = ("loyalty-dashboard:loyalty-simulation-new", "dashboard:loyalty-simulation-new")


class DraftMixin(ProgrammeMixin):
    """A page about one draft of the programme."""

    @cached_property
    def draft(self) -> Any:
        rows = get_model("loyalty_earning", "Draft").objects.select_related("programme")
        return get_object_or_404(rows, programme=self.programme, pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs):
        return super().get_context_data(
            draft=self.draft,
            may_change=may(self.request.user, PROGRAMME),
            simulation=simulation(self.draft, self.request.user),
            **kwargs,
        )


class OpenDraftMixin(DraftMixin):
    """A page that changes a draft; of one that is closed there is nothing to change."""

    def dispatch(self, request, *args, **kwargs):
        self.request = request
        if self.programme is not None and not self.draft.is_open:
            return closed(request, self.draft)
        return super().dispatch(request, *args, **kwargs)


def closed(request: Any, draft: Any) -> Any:
    """Say that ``draft`` does not change any more, and show it."""
    messages.warning(request, _("This draft is closed. Copy it to go on from it."))
    return redirect("loyalty-dashboard:loyalty-draft", pk=draft.pk)


def simulation(draft: Any, user: Any) -> str:
    """Return the address where ``user`` tries ``draft`` on past purchases, empty where that cannot be."""
    if not (may(user, VIEW) and may(user, PROGRAMME)):
        return ""
    for name in SIMULATIONS:
        try:
            return f"{reverse(name)}?draft={draft.pk}"
        except NoReverseMatch:
            continue
    return ""


def people(rows: Iterable[Any], *fields: str) -> dict[str, str]:
    """Return the names of the users whom ``rows`` name in ``fields``, by their primary key as text; one query."""
    ids = {
        getattr(row, field)
        for row in rows
        for field in fields
        if getattr(row, f"{field}_type") == "user" and getattr(row, field).isdigit()
    }
    found = get_user_model().objects.in_bulk([int(pk) for pk in ids]) if ids else {}
    return {str(pk): person.get_full_name() or person.email or str(person) for pk, person in found.items()}
