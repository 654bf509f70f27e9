"""System checks of the club."""

from django.conf import settings
from django.core.checks import Error, Warning, register


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


@register()
def guardian_content_type(app_configs, **kwargs):
    """A permission on a page must be found on the page of its own type and on the base page alike."""
    if getattr(settings, "GUARDIAN_GET_CONTENT_TYPE", "") == "wagtail_club.guardian.get_content_type":
        return []
    return [
        Error(
            "guardian does not know that all page types share their permissions.",
            hint='Set GUARDIAN_GET_CONTENT_TYPE = "wagtail_club.guardian.get_content_type".',
            id="wagtail_club.E002",
        )
    ]


@register()
def guardian_backend(app_configs, **kwargs):
    """Without guardian's backend, ``user.has_perm`` says nothing of a page."""
    if "guardian.backends.ObjectPermissionBackend" in settings.AUTHENTICATION_BACKENDS:
        return []
    return [
        Warning(
            "guardian's backend is not among AUTHENTICATION_BACKENDS.",
            hint='Add "guardian.backends.ObjectPermissionBackend".',
            id="wagtail_club.W001",
        )
    ]
