"""The member's page of stamp cards and challenges."""

from django.utils.translation import gettext_lazy
from django.views import generic

from oscar_loyalty.account.views import AccountMixin
from oscar_loyalty.earning import goal_selectors

#: Earlier cards on the page; what is older is in the history of points.
PAST = 20


class CardsView(AccountMixin, generic.TemplateView):
    template_name = "oscar_loyalty/account/cards.html"
    page_title = gettext_lazy("My stamp cards")
    section = "cards"

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        if self.member is not None:
            context["open"], context["past"] = goal_selectors.cards_of(self.member, past=PAST)
        return context
