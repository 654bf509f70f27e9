from django.conf import settings
from django.core.checks import Warning, register

MIDDLEWARE = "oscar_loyalty.contrib.appointment.middleware.SlotTakenMiddleware"


@register()
def middleware(app_configs, **kwargs):
    """Without the middleware a second booking of one time, and what is for members first, are refused all the same, but
    with an error page."""
    if MIDDLEWARE in settings.MIDDLEWARE:
        return []
    return [
        Warning(
            "A customer whose time has just been taken gets a server error instead of a page that says so.",
            hint=f"Add {MIDDLEWARE!r} to MIDDLEWARE.",
            id="loyalty_appointment.W001",
        )
    ]
