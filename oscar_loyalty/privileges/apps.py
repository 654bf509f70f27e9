from django.utils.translation import gettext_lazy as _
from oscar.core.application import OscarConfig


class PrivilegesConfig(OscarConfig):
    name = "oscar_loyalty.privileges"
    label = "loyalty_privileges"
    verbose_name = _("Early access and guest passes")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from oscar_loyalty.privileges import checks, early_passes, held, merging  # noqa: F401  (they register themselves)
