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
        from oscar_loyalty.members.holdings import left_out

        left_out("loyalty_appointment.AppointmentState.marked_by", why="who marked it on behalf of the shop")
        receivers.connect()
