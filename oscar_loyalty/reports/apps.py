from django.utils.translation import gettext_lazy as _
from oscar.core import application


class ReportsConfig(application.OscarConfig):
    name = "oscar_loyalty.reports"
    label = "loyalty_reports"
    verbose_name = _("Reports")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from oscar_loyalty.reports.simulation import drafted, services, tiers  # noqa: F401  (they register themselves)
