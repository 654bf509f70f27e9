from django.utils.translation import gettext_lazy as _
from oscar.core import application


class DueConfig(application.OscarConfig):
    name = "oscar_loyalty.due"
    label = "loyalty_due"
    verbose_name = _("Background work")
    default_auto_field = "django.db.models.BigAutoField"
