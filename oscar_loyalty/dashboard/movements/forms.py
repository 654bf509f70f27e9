from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty.dashboard.targets import ProductSelect
from oscar_loyalty.dashboard.widgets import DayField
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports.movements import KINDS


class MovementFilterForm(forms.Form):
    since = DayField(label=pgettext_lazy("first day", "From"), required=False)
    until = DayField(label=_("Until"), required=False)
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", pgettext_lazy("filter", "All")), *KINDS.items()]
    )
    product = forms.ModelChoiceField(
        label=_("Service or product"),
        queryset=get_model("catalogue", "Product").objects.select_related("parent"),
        required=False,
        widget=ProductSelect,
    )
    q = forms.CharField(
        label=_("Member"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"type": "search", "placeholder": _("Name, e-mail, card")}),
    )

    def clean(self):
        cleaned = super().clean()
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("The last day is before the first."))
        return cleaned
