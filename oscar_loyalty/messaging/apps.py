from django.utils.translation import gettext_lazy as _
from oscar.core import application


class MessagingConfig(application.OscarConfig):
    name = "oscar_loyalty.messaging"
    label = "loyalty_messaging"
    verbose_name = _("Messages")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        # Registers builders, senders, handlers and the sweeper.
        from oscar_loyalty.messaging import (  # noqa: F401
            builders,
            friends,
            handlers,
            held,
            merging,
            orders,
            people,
            rewards,
            services,
            tiers,
        )
