"""The editor's form of a club page."""

from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminPageForm


class ClubPageForm(WagtailAdminPageForm):
    """Asks for what an editor may have forgotten. The page itself does not: one that is planned for a tier goes live
    after the tier was removed, for nobody, and keeps no other waiting."""

    def clean(self):
        data = super().clean()
        audience, tier = data.get("audience"), data.get("minimum_tier")
        if audience == "tier" and "minimum_tier" in data and tier is None:
            self.add_error("minimum_tier", _("Choose the tier."))
        if audience not in (None, "tier") and tier is not None and "minimum_tier" in self.changed_data:
            self.add_error(
                "audience",
                _(
                    "A tier is chosen below, and would change nothing. "
                    "Choose “Members of a tier, and of all higher ones” here, or no tier."
                ),
            )
        return data
