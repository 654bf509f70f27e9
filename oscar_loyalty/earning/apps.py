from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EarningConfig(AppConfig):
    name = "oscar_loyalty.earning"
    label = "loyalty_earning"
    verbose_name = _("Earning")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from oscar_loyalty.earning import receivers

        receivers.connect()
