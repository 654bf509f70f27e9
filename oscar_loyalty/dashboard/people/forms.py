from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty.dashboard.base import TokenForm
from oscar_loyalty.loading import get_model

SharingPolicy = get_model("loyalty_members", "SharingPolicy")
Transfer = get_model("loyalty_members", "Transfer")


class StatusForm(TokenForm):
    """Why a membership is put on hold, closed or opened again, and who hears of it."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=255,
        help_text=_("Kept in the history of the membership."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    shown = forms.BooleanField(
        label=_("The member may read the reason"),
        required=False,
        help_text=_("On the own page, and in the e-mail. Write it for them, then."),
    )
    notify = forms.BooleanField(label=_("Tell the member by e-mail"), required=False, initial=True)

    def __init__(self, *args: Any, member: Any, status: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member, self.status = member, status
        if not member.email:
            del self.fields["notify"]

    @property
    def key(self) -> str:
        return f"dashboard:{self.member.pk}:{self.status}:{self['token'].data}"


class FindForm(forms.Form):
    q = forms.CharField(
        label=_("Name, e-mail or card number"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"type": "search"}),
    )


class MergeForm(TokenForm):
    """The last question before two memberships become one."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=255,
        help_text=_("For your own records: how you know that it is the same person."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    sure = forms.BooleanField(
        label=_("I know that this cannot be undone"),
        error_messages={"required": _("Please tick this box if you are sure.")},
    )


class PolicyForm(forms.ModelForm):
    class Meta:
        model = SharingPolicy
        fields = [
            "is_active",
            "minimum",
            "maximum",
            "per_day",
            "per_month",
            "answer_days",
            "households",
            "household_size",
            "household_only",
        ]

    def clean(self) -> Any:
        data = super().clean()
        least = data.get("minimum")
        for name in ("maximum", "per_day", "per_month"):
            limit = data.get(name)
            if least is not None and limit is not None and limit < least:
                self.add_error(name, _("This is less than the least gift: nobody could give anything."))
        if data.get("household_only") and not data.get("households"):
            self.add_error("household_only", _("Let members form households too, or nobody can give anything."))
        return data


class GiftFilterForm(forms.Form):
    q = forms.CharField(
        label=_("Name, e-mail or card number"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"type": "search"}),
    )
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", pgettext_lazy("filter", "All")), *Transfer.STATES]
    )


class CallOffForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=255,
        help_text=_("The giver is told by e-mail, with this reason."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )
