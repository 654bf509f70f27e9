from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LoyaltyConfig(AppConfig):
    """Holds what all rooms share: templates, static files, translations and system checks."""

    name = "oscar_loyalty"
    label = "loyalty"
    verbose_name = _("Loyalty")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from oscar_loyalty import checks  # noqa: F401  (registers the checks)
