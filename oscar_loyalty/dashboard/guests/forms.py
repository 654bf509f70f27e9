from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class GuestOrderFilterForm(forms.Form):
    q = forms.CharField(
        label=_("Order or e-mail"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"type": "search"}),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", pgettext_lazy("filter", "All")),
            ("open", _("not added yet")),
            ("claimed", _("added to an account")),
        ],
    )
