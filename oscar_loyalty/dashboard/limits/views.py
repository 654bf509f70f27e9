"""What several boosters make together, the most that is given, and the budget."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views import generic

from oscar_loyalty.dashboard.base import ProgrammeMixin
from oscar_loyalty.dashboard.widgets import DayField
from oscar_loyalty.earning import margin
from oscar_loyalty.earning.facts import limits_of
from oscar_loyalty.earning.limits import FIELDS, save_limits
from oscar_loyalty.loading import get_model


class LimitsForm(forms.ModelForm):
    class Meta:
        model = get_model("loyalty_earning", "EarningPolicy")
        fields = FIELDS
        widgets = {"stacking": forms.RadioSelect}
        field_classes = {"budget_since": DayField, "budget_until": DayField}

    def clean(self):
        cleaned = super().clean()
        since, until = cleaned.get("budget_since"), cleaned.get("budget_until")
        if since and until and until < since:
            self.add_error("budget_until", _("The end lies before the beginning."))
        return cleaned


class LimitsView(ProgrammeMixin, generic.FormView):
    template_name = "oscar_loyalty/dashboard/limits/limits.html"
    form_class = LimitsForm

    def get_form_kwargs(self):
        return {"instance": limits_of(self.programme), **super().get_form_kwargs()}

    def get_context_data(self, **kwargs):
        limits = get_model("loyalty_earning", "EarningPolicy").objects.filter(programme=self.programme).first()
        if limits is not None and limits.budget:
            kwargs |= {"limits": limits, "percent": min(100, limits.budget_used * 100 // limits.budget)}
        return super().get_context_data(case=margin.worst(self.programme), **kwargs)

    def form_valid(self, form):
        try:
            save_limits(programme=self.programme, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
            return self.form_invalid(form)
        messages.success(self.request, _("Saved. It counts for what is earned from now on."))
        return redirect("loyalty-dashboard:loyalty-limits")
