from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PaymentsConfig(AppConfig):
    name = "oscar_loyalty.payments"
    label = "loyalty_payments"
    verbose_name = _("Payments")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from oscar_loyalty.payments import receivers

        receivers.connect()
