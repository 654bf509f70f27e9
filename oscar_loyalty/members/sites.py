"""Which of the shop's Sites something is about.

A request is of the Site it was made to: the one of ``SITE_ID`` where each Site has a process of its own, else the one
whose domain it names. What has no request (commands, workers) knows its Site from its own rows, and what knows none is
the default Site's.
"""

from typing import Any

from django.conf import settings
from django.contrib.sites.models import Site
from django.contrib.sites.shortcuts import get_current_site
from django.db.models import Q

from oscar_loyalty.defaults import conf


def default_site() -> Any:
    """Return the Site of what has none of its own: that of ``SITE_ID``, else of ``OSCAR_LOYALTY_SITE_ID``, else the
    first one.

    :raises Site.DoesNotExist: when there is none.
    """
    if getattr(settings, "SITE_ID", None):
        return Site.objects.get_current()
    if conf.SITE_ID is not None:
        return Site.objects.get(pk=conf.SITE_ID)
    site = Site.objects.order_by("pk").first()
    if site is None:
        raise Site.DoesNotExist("The shop has no Site: make one.")
    return site


def site_of(request: Any = None) -> Any:
    """Return the Site that ``request`` was made to; without one, or by a domain that no Site has, the default one."""
    if request is None:
        return default_site()
    try:
        return get_current_site(request)
    except Site.DoesNotExist:
        return default_site()


def site_of_host(host: str) -> Any:
    """Return the Site that a request to ``host`` would be of."""
    if getattr(settings, "SITE_ID", None):
        return default_site()
    found = {site.domain.lower(): site for site in Site.objects.filter(domain__istartswith=host.partition(":")[0])}
    return found.get(host.lower()) or found.get(host.partition(":")[0].lower()) or default_site()


def site_id_of(order: Any) -> int:
    """Return the primary key of the order's Site: the default one's where it names none, as one that was brought in,
    made by hand or at a till may.

    :raises Site.DoesNotExist: when it names none, and there is none.
    """
    return int(order.site_id or default_site().pk)


def of_site(site_id: int, path: str = "site") -> Q:
    """Return the condition for what is of a Site, as :func:`site_id_of` says of each; ``path`` leads to the order's.

    :raises Site.DoesNotExist: when there is no default Site.
    """
    named = Q(**{path: site_id})
    return named | Q(**{f"{path}__isnull": True}) if site_id == default_site().pk else named


def is_home(programme: Any, basket: Any) -> bool:
    """Whether what ``programme`` brings counts in ``basket``: on another Site it does not.

    A basket is of the Site in its ``loyalty_site``, else of its request's; one that has neither is nobody's, and it
    counts.
    """
    site = getattr(basket, "loyalty_site", None)
    if site is None and basket.has_strategy and basket.strategy.request is not None:
        site = site_of(basket.strategy.request)
    return site is None or site.pk == programme.site_id
