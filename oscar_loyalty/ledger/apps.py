from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _
from oscar.core import application


class LedgerConfig(application.OscarConfig):
    name = "oscar_loyalty.ledger"
    label = "loyalty_ledger"
    verbose_name = _("Ledger")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from oscar_loyalty.ledger import sweeps, triggers  # noqa: F401  (registers the sweep)

        post_migrate.connect(triggers.after_migrate, sender=self)
