from django.utils.translation import gettext_lazy as _
from oscar.core import application


class ReportsConfig(application.OscarConfig):
    name = "oscar_loyalty.reports"
    label = "loyalty_reports"
    verbose_name = _("Reports")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from oscar_loyalty.members.merging import stays

        # They register what the audit looks at, what is held on a person, and what sweeps find.
        from oscar_loyalty.reports import (  # noqa: F401
            audit_orders,
            audit_sites,
            audit_tiers,
            copies,
            day_totals,
            files,
            held,
            rewards,
            standings,
        )
        from oscar_loyalty.reports.simulation import drafted, services, tiers  # noqa: F401  (they register themselves)

        stays("loyalty_reports.SimulatedMember.member", why="a try says what was, for the members of that day")
