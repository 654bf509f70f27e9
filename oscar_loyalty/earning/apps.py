from django.utils.translation import gettext_lazy as _
from oscar.core import application


class EarningConfig(application.OscarConfig):
    name = "oscar_loyalty.earning"
    label = "loyalty_earning"
    verbose_name = _("Earning")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        # They register themselves.
        from oscar_loyalty.earning import held, merging, occasions, receivers, stamps  # noqa: F401
        from oscar_loyalty.earning.referrals import handlers  # noqa: F401  (likewise)
        from oscar_loyalty.earning.tiering import preview, review  # noqa: F401  (likewise)
        from oscar_loyalty.members import selectors

        receivers.connect()
        selectors.BESIDE_PROGRAMME.add("referral_scheme")
