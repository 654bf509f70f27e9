from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WagtailClubConfig(AppConfig):
    name = "wagtail_club"
    label = "wagtail_club"
    verbose_name = _("Club")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        # Most register what is in them.
        from wagtail_club import (  # noqa: F401
            audit,
            checks,
            copying,
            editors,
            guests,
            held,
            indexing,
            needs,
            receivers,
            restrictions,
            turns,
        )

        for module in (copying, editors, indexing, restrictions, turns):
            module.install()
