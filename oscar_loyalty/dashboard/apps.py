from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarDashboardConfig


class LoyaltyDashboardConfig(OscarDashboardConfig):
    name = "oscar_loyalty.dashboard"
    label = "loyalty_dashboard"
    verbose_name = _("Loyalty dashboard")
    namespace = "loyalty-dashboard"
