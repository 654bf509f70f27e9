from django.utils.translation import gettext_lazy as _
from oscar.core import application


class ReportsConfig(application.OscarConfig):
    name = "oscar_loyalty.reports"
    label = "loyalty_reports"
    verbose_name = _("Reports")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from oscar_loyalty.reports import audit_sites  # noqa: F401  (registers its check)
        from oscar_loyalty.reports.simulation import services  # noqa: F401  (registers the handler)
