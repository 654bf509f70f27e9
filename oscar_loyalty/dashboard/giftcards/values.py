"""The values that gift cards are sold in, with their prices in money and points."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty.dashboard.base import ProgrammeMixin
from oscar_loyalty.dashboard.giftcards.amounts import summary
from oscar_loyalty.dashboard.giftcards.forms import DenominationForm, denominations, price_of, sold_as
from oscar_loyalty.giftcards.catalogue import set_denomination
from oscar_loyalty.money import Money


class DenominationListView(ProgrammeMixin, generic.TemplateView):
    template_name = "oscar_loyalty/dashboard/giftcards/values.html"
    needs_programme = False

    def get_context_data(self, **kwargs):
        rows = list(denominations())
        for row in rows:
            row.worth, row.price = Money(row.value, row.currency), price_of(row)
        return super().get_context_data(rows=rows, custom=summary(), **kwargs)


class DenominationView(ProgrammeMixin, generic.FormView):
    """Sells cards of a value, or changes how they are sold."""

    template_name = "oscar_loyalty/dashboard/giftcards/value.html"
    form_class = DenominationForm
    needs_programme = False

    def get_denomination(self):
        return get_object_or_404(denominations(), pk=self.kwargs["pk"]) if "pk" in self.kwargs else None

    def get_form_kwargs(self):
        self.denomination = self.get_denomination()
        return {**super().get_form_kwargs(), "denomination": self.denomination, "programme": self.programme}

    def get_initial(self):
        row = self.get_denomination()
        if row is None:
            return {}
        terms = sold_as(row)
        return terms | {"price": None} if terms["price"] == row.value else terms

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        row = self.denomination
        return {**context, "denomination": row, "worth": Money(row.value, row.currency) if row else None}

    def form_valid(self, form):
        cleaned = form.cleaned_data
        row = self.denomination
        set_denomination(
            value=row.value if row else cleaned["value"],
            currency=form.currency,
            price=cleaned["price"],
            points_price=cleaned["points_price"],
            is_active=cleaned["is_active"],
            tax_kind=cleaned["tax_kind"],
        )
        messages.success(self.request, _("The gift card has been saved."))
        return redirect("loyalty-dashboard:loyalty-denominations")
