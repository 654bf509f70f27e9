"""The menu of the dashboard: ``OSCAR_DASHBOARD_NAVIGATION += NAVIGATION`` in a shop's settings.

Settings import this module, so it imports no models.
"""

from collections.abc import Callable
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

VIEW = "loyalty_members.view_loyalty"
ADJUST = "loyalty_members.adjust_points"
APPROVE = "loyalty_members.approve_points"
CARDS = "loyalty_members.manage_cards"
CODES = "loyalty_members.export_codes"
PROGRAMME = "loyalty_members.manage_programme"
REFUND = "loyalty_members.refund_orders"


def may(user: Any, *permissions: str) -> bool:
    """Whether ``user`` works here and has one of ``permissions``."""
    return bool(user.is_active and user.is_staff and any(user.has_perm(permission) for permission in permissions))


def only_with(*permissions: str) -> Callable[..., bool]:
    """Return an ``access_fn`` that shows a menu entry to staff with one of ``permissions``."""

    def access(user: Any, url_name: str | None, url_args: Any = None, url_kwargs: Any = None) -> bool:
        if not may(user, *permissions):
            return False
        if url_name is None:
            return True
        try:
            reverse(url_name, args=url_args, kwargs=url_kwargs)
        except NoReverseMatch:
            # The shop has not included our addresses: a missing entry, not a broken dashboard.
            return False
        return True

    return access


def several_sites(user: Any, url_name: str | None, url_args: Any = None, url_kwargs: Any = None) -> bool:
    """Show the entry to staff with anything to do here, where the shop has several sites."""
    if not only_with(VIEW, CARDS, PROGRAMME, APPROVE)(user, url_name, url_args, url_kwargs):
        return False
    from django.contrib.sites.models import Site

    return Site.objects.count() > 1


def _entry(label: Any, name: str, *permissions: str) -> dict[str, Any]:
    return {"label": label, "url_name": f"loyalty-dashboard:{name}", "access_fn": only_with(*permissions)}


#: Two entries: what goes on from day to day, and how the programme is made.
NAVIGATION = [
    {
        "label": _("Loyalty"),
        "icon": "fas fa-heart",
        "access_fn": only_with(VIEW, CARDS, PROGRAMME, APPROVE),
        "children": [
            _entry(_("Overview"), "loyalty-overview", VIEW),
            _entry(_("Members"), "loyalty-members", VIEW),
            _entry(_("Movements"), "loyalty-movements", VIEW),
            _entry(_("My files"), "loyalty-files", VIEW),
            _entry(_("Adjustments"), "loyalty-adjustments", VIEW, APPROVE),
            _entry(_("Gift cards"), "loyalty-giftcards", CARDS),
            _entry(_("Payments"), "loyalty-payments", VIEW),
            _entry(_("Guest orders"), "loyalty-guest-orders", VIEW),
            _entry(_("Invited friends"), "loyalty-referrals", VIEW),
            _entry(_("Gifts and households"), "loyalty-gifts", VIEW),
            {**_entry(_("Programmes"), "loyalty-programmes"), "access_fn": several_sites},
            _entry(_("Health"), "loyalty-health", VIEW),
        ],
    },
    {
        "label": _("Programme"),
        "icon": "fas fa-sliders-h",
        "access_fn": only_with(VIEW, PROGRAMME),
        "children": [
            _entry(_("First steps"), "loyalty-start", VIEW, PROGRAMME),
            _entry(pgettext_lazy("programme", "Settings"), "loyalty-programme", PROGRAMME),
            _entry(_("Earning rules"), "loyalty-rules", PROGRAMME),
            _entry(_("Drafts of rules"), "loyalty-drafts", VIEW, PROGRAMME),
            _entry(_("Simulator"), "loyalty-simulations", VIEW),
            _entry(_("Limits"), "loyalty-limits", PROGRAMME),
            _entry(_("Tiers"), "loyalty-tiers", PROGRAMME),
            _entry(_("Rewards"), "loyalty-rewards", VIEW),
            _entry(_("Early access"), "loyalty-early", VIEW),
            _entry(_("Stamp cards and challenges"), "loyalty-goals", VIEW),
            _entry(_("Points for actions"), "loyalty-actions", PROGRAMME),
        ],
    },
]
