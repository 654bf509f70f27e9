"""How the commands are told which Site they are about."""

from typing import Any

from django.contrib.sites.models import Site
from django.core.management.base import CommandError

from oscar_loyalty.members import selectors
from oscar_loyalty.members.sites import default_site


def add_site(parser: Any) -> None:
    """Add ``--site`` to a command."""
    parser.add_argument(
        "--site",
        default="",
        metavar="DOMAIN",
        help="the Site whose programme it is about, by its domain or number (default: the only one, or the default)",
    )


def site_from(options: dict[str, Any]) -> Any:
    """Return the Site that was named, else the default one.

    :raises CommandError: when there is no such Site.
    """
    wanted = options["site"]
    if not wanted:
        return default_site()
    site = Site.objects.filter(domain__iexact=wanted).first()
    if site is None and wanted.isdecimal():
        site = Site.objects.filter(pk=int(wanted)).first()
    if site is None:
        known = ", ".join(Site.objects.order_by("domain").values_list("domain", flat=True))
        raise CommandError(f"There is no Site {wanted}; there are: {known}.")
    return site


def programme_from(options: dict[str, Any]) -> Any:
    """Return the open programme of the Site that was named, else of the default one.

    :raises CommandError: when it has none.
    """
    site = site_from(options)
    programme = selectors.programme_for(site=site)
    if programme is None:
        others = selectors.programmes().filter(is_active=True).values_list("site__domain", flat=True)
        more = f" Open ones are of {', '.join(others)}: choose with --site." if others else ""
        raise CommandError(f"{site.domain} has no open programme yet: make one in the dashboard.{more}")
    return programme
