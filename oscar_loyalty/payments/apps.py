from django.utils.translation import gettext_lazy as _
from oscar.core import application


class PaymentsConfig(application.OscarConfig):
    name = "oscar_loyalty.payments"
    label = "loyalty_payments"
    verbose_name = _("Payments")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from oscar_loyalty.payments import held, merging, receivers, tenders  # noqa: F401  (some register themselves)
        from oscar_loyalty.payments.stripe import checks, events  # noqa: F401  (both register themselves)
        from oscar_loyalty.payments.stripe.tender import Stripe

        tenders.register(Stripe())
        receivers.connect()
