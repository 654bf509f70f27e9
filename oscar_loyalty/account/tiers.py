"""The member's page of the tiers: what each brings, how it is reached and kept."""

from django.utils.translation import gettext_lazy
from django.views import generic

from oscar_loyalty.account import tier_selectors
from oscar_loyalty.account.views import AccountMixin


class TierView(AccountMixin, generic.TemplateView):
    template_name = "oscar_loyalty/account/tier.html"
    page_title = gettext_lazy("My tier")
    section = "tier"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        if self.programme is not None:
            context["ladder"], context["how"] = tier_selectors.ladder(self.programme)
        return context
