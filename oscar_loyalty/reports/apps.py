from django.utils.translation import gettext_lazy as _
from oscar.core import application


class ReportsConfig(application.OscarConfig):
    name = "oscar_loyalty.reports"
    label = "loyalty_reports"
    verbose_name = _("Reports")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from oscar_loyalty.members.merging import stays

        # They register what the audit looks at, and what is held on a person.
        from oscar_loyalty.reports import audit_orders, audit_sites, audit_tiers, copies, held, rewards  # noqa: F401
        from oscar_loyalty.reports import day_totals, files, standings  # noqa: F401  (what sweeps find, likewise)
        from oscar_loyalty.reports.simulation import drafted, services, tiers  # noqa: F401  (they register themselves)

        stays("loyalty_reports.SimulatedMember.member", why="a try says what was, for the members of that day")
