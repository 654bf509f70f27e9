from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

STATES = [
    ("", pgettext_lazy("filter", "All")),
    ("look", _("To be looked at")),
    ("open", _("open")),
    ("placed", _("placed")),
    ("cancelled", _("cancelled")),
]
EVENT_STATES = [
    ("", pgettext_lazy("filter", "All")),
    ("waiting", _("waiting")),
    ("done", _("done")),
    ("ignored", _("ignored")),
    ("failed", _("failed")),
]


class PaymentSearchForm(forms.Form):
    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"type": "search", "placeholder": _("Order, e-mail, reference")}),
    )
    state = forms.ChoiceField(label=_("State"), required=False, choices=STATES)


class EventFilterForm(forms.Form):
    state = forms.ChoiceField(label=_("State"), required=False, choices=EVENT_STATES)
