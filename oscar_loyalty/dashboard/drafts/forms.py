from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from oscar_loyalty import clock
from oscar_loyalty.dashboard.base import TokenForm
from oscar_loyalty.dashboard.rules.conditions import TimeInput
from oscar_loyalty.dashboard.widgets import DayField
from oscar_loyalty.loading import get_model


class DraftForm(forms.ModelForm):
    """The name and the note of a draft."""

    class Meta:
        model = get_model("loyalty_earning", "Draft")
        fields = ["name", "note"]
        widgets = {"note": forms.Textarea(attrs={"rows": 4, "class": "no-widget-init"})}


class NewDraftForm(DraftForm, TokenForm):
    """A draft to begin."""

    start = forms.ChoiceField(
        label=_("Begin with"),
        choices=[
            ("empty", _("Nothing: I add what changes")),
            ("rules", _("The rules as they are: I change them one by one")),
        ],
        widget=forms.RadioSelect,
        initial="empty",
    )


class PublishForm(forms.Form):
    """From when on a draft is in force."""

    start = forms.ChoiceField(
        label=_("In force"),
        choices=[("now", _("From now on")), ("at", _("From a moment on"))],
        widget=forms.RadioSelect,
        initial="now",
    )
    day = DayField(label=_("Day"), required=False)
    time = forms.TimeField(
        label=_("Time"),
        required=False,
        widget=TimeInput,
        help_text=_("On your shop’s clock. Empty: as the day begins."),
    )

    def clean(self):
        cleaned = super().clean()
        self.moment: datetime | None = None
        if cleaned.get("start") != "at":
            for name in ("day", "time"):
                self.errors.pop(name, None)
            return cleaned
        day = cleaned.get("day")
        if day is None:
            if "day" not in self.errors:
                self.add_error("day", _("Which day?"))
            return cleaned
        begins = datetime.combine(day, cleaned.get("time") or datetime.min.time())
        self.moment = timezone.make_aware(begins, timezone.get_default_timezone())
        if self.moment <= clock.now():
            self.add_error("day", _("That moment is past."))
        return cleaned


def moment_of(form: Any) -> datetime | None:
    """Return when the draft is to begin; ``None``: now."""
    moment: datetime | None = getattr(form, "moment", None)
    return moment
