"""System checks of the club."""

from django.conf import settings
from django.core.checks import Error, register


@register()
def guardian_anonymous_user(app_configs, **kwargs):
    """guardian's migration creates an active user for anonymous visitors, who must never become a member."""
    if "guardian" in settings.INSTALLED_APPS and getattr(settings, "ANONYMOUS_USER_NAME", "") is not None:
        return [
            Error(
                "guardian creates an active user account for anonymous visitors.",
                hint="Set ANONYMOUS_USER_NAME = None: the club asks for no anonymous user.",
                id="wagtail_club.E001",
            )
        ]
    return []
