from django.utils.translation import gettext_lazy as _
from oscar.core import application


class RewardsConfig(application.OscarConfig):
    name = "oscar_loyalty.rewards"
    label = "loyalty_rewards"
    verbose_name = _("Rewards")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from oscar_loyalty.rewards import handlers, held, merging, resting  # noqa: F401  (they register themselves)

        handlers.connect()
