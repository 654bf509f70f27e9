"""How long cards live, and what is owed to those who hold them."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.shortcuts import redirect
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import generic

from oscar_loyalty.dashboard.base import ExportMixin, ProgrammeMixin
from oscar_loyalty.dashboard.giftcards.staff_forms import PolicyForm
from oscar_loyalty.defaults import conf
from oscar_loyalty.giftcards import expiry, services
from oscar_loyalty.giftcards.laws import LAWS
from oscar_loyalty.reports import liability

#: Months on one page.
MONTHS = 12


class PolicyView(ProgrammeMixin, generic.FormView):
    template_name = "oscar_loyalty/dashboard/giftcards/policy.html"
    form_class = PolicyForm
    needs_programme = False

    def get_initial(self):
        policy = expiry.policy()
        return {"country": policy.country, "months": policy.months}

    def get_context_data(self, **kwargs):
        laws = sorted(LAWS.values(), key=lambda law: str(law.name))
        return super().get_context_data(laws=laws, remind_days=conf.GIFTCARD_REMIND_DAYS, tab="policy", **kwargs)

    def form_valid(self, form):
        try:
            services.set_policy(country=form.cleaned_data["country"], months=form.cleaned_data["months"])
        except ValidationError as error:
            form.add_error("months", error)
            return self.form_invalid(form)
        messages.success(self.request, _("Saved. It counts for cards that are loaded from now on."))
        return redirect("loyalty-dashboard:loyalty-giftcards-policy")


class LiabilityView(ProgrammeMixin, generic.TemplateView):
    """What is owed, month by month."""

    template_name = "oscar_loyalty/dashboard/giftcards/liability.html"
    needs_programme = False

    @cached_property
    def months(self):
        return liability.by_month(site=self.site)

    def get_context_data(self, **kwargs):
        page = Paginator(self.months, MONTHS).get_page(self.request.GET.get("page"))
        newest = {}
        for month in self.months:
            newest.setdefault(month.currency, month)
        return super().get_context_data(
            page_obj=page,
            paginator=page.paginator,
            names=[*liability.MOVES.values()],
            owed=[month.money("closing") for month in newest.values()],
            tab="liability",
            **kwargs,
        )


class LiabilityExportView(ExportMixin, LiabilityView):
    export_name = gettext_lazy("Gift cards owed")

    def get_columns(self):
        return liability.columns()

    def get_export_rows(self):
        return self.months
