"""Absolute addresses for messages, which are written without a request."""

import ipaddress
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from oscar_loyalty.members.sites import default_site

#: The pages that messages point to, by the name of their URL.
PAGES = {
    "account": "loyalty-account:overview",
    "tier": "loyalty-account:tier",
    "claim": "loyalty-account:claim",
    "give": "loyalty-account:give",
    "household": "loyalty-account:household",
    "guest_claim": "loyalty-account:guest-claim",
    "balance": "loyalty-storefront:balance",
    "basket_back": "loyalty-checkout:back",
    "giftcards": "loyalty-storefront:giftcards",
    "unsubscribe": "loyalty-account:unsubscribe",
    "privacy": "loyalty-account:privacy",
    "health": "loyalty-dashboard:loyalty-health",
    "my_rewards": "loyalty-account:my-rewards",
    "order": "customer:order",
    "guest_order": "customer:anon-order",
}


def absolute(page: str, site: Any = None, **arguments: Any) -> str:
    """Return the address of one of :data:`PAGES` in the active language; of the shop's front page, if it has none."""
    try:
        path = reverse(PAGES[page], kwargs=arguments)
    except NoReverseMatch:
        path = _front()
    return f"{root(site)}{path}"


def root(site: Any = None) -> str:
    """Return scheme and domain of ``site`` (default: the default one)."""
    domain = (site or default_site()).domain
    return f"{'http' if _is_local(domain) else 'https'}://{domain}"


def _front() -> str:
    try:
        return reverse("catalogue:index")
    except NoReverseMatch:
        return settings.FORCE_SCRIPT_NAME or "/"


def _is_local(domain: str) -> bool:
    """A shop on one's own machine has no certificate."""
    host = domain.rsplit(":", 1)[0].strip("[]") if domain.count(":") <= 1 else domain.partition("]")[0].strip("[")
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
