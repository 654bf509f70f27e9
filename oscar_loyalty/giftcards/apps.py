from django.utils.translation import gettext_lazy as _
from oscar.core import application


class GiftcardsConfig(application.OscarConfig):
    name = "oscar_loyalty.giftcards"
    label = "loyalty_giftcards"
    verbose_name = _("Gift cards")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        # Registers the handlers, the sweepers and the system checks.
        from oscar_loyalty.giftcards import bulk, checks, guessing, held, services, staff_checks  # noqa: F401
