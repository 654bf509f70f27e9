"""The VIP club that a shop's editors publish with Wagtail; builds on ``oscar_loyalty``."""

from oscar_loyalty import insert

#: What :func:`installed` adds to a shop's ``INSTALLED_APPS``.
INSTALLED_APPS = ["wagtail_club.apps.WagtailClubConfig"]


def installed(installed_apps):
    """Return ``installed_apps`` with the club right before Wagtail's apps.

    So its templates are found before Wagtail's, and after those of the shop's own apps. Raises :exc:`ValueError` if
    Wagtail is not in the list.
    """
    return insert(INSTALLED_APPS, installed_apps, "wagtail")
