from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _
from oscar.core import application


class MembersConfig(application.OscarConfig):
    name = "oscar_loyalty.members"
    label = "loyalty_members"
    verbose_name = _("Members")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        # Most register themselves.
        from oscar_loyalty.members import (  # noqa: F401
            following,
            giving,
            held,
            households,
            leaving,
            receivers,
            searching,
            tiers,
            typed,
        )

        receivers.connect()
        post_migrate.connect(searching.after_migrate, sender=self)
