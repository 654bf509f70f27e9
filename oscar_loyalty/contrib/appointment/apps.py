from django.utils.translation import gettext_lazy as _
from oscar.core import application


class AppointmentConfig(application.OscarConfig):
    """Connects django-appointment to the booking contract of this package."""

    name = "oscar_loyalty.contrib.appointment"
    label = "loyalty_appointment"
    verbose_name = _("Loyalty for appointments")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from oscar_loyalty.contrib.appointment import checks, receivers  # noqa: F401  (registers the checks)

        receivers.connect()
