from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WagtailClubConfig(AppConfig):
    name = "wagtail_club"
    label = "wagtail_club"
    verbose_name = _("Club")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from wagtail_club import audit, checks, editors, indexing, receivers, restrictions  # noqa: F401  (some register)

        for module in (editors, indexing, restrictions):
            module.install()
