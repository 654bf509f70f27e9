"""When a rule holds and how far it goes, as fields of its form."""

from typing import Any

from django import forms
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty.dashboard.widgets import DayField
from oscar_loyalty.earning.segments import segments
from oscar_loyalty.earning.specs import MOST
from oscar_loyalty.members import selectors as members


class TimeInput(forms.TimeInput):
    """The browser's own clock."""

    input_type = "time"

    def __init__(self, attrs=None):
        # Oscar's script would put a clock of its own over it.
        super().__init__({"class": "no-widget-init", **(attrs or {})}, format="%H:%M")


#: Which field of the form shows which part of a spec.
FIELD_OF = {
    "when.weekdays": "weekdays", "when.from": "begins", "when.until": "ends", "when.since": "since", "when.to": "to",
    "when.tiers": "tiers", "when.channels": "channel", "when.segments": "segments", "when.first": "first",
    "when.birthday_month": "birthday_month", "caps.order": "cap_order", "caps.day": "cap_day",
    "caps.member": "cap_member",
}  # fmt: skip


class ConditionsForm(forms.Form):
    """The part of a rule's form that every kind of rule has. ``programme`` must be set before."""

    weekdays = forms.TypedMultipleChoiceField(
        label=_("On these days"), required=False, coerce=int, widget=forms.CheckboxSelectMultiple
    )
    begins = forms.TimeField(label=_("From this time"), required=False, widget=TimeInput)
    ends = forms.TimeField(
        label=_("Until this time"),
        required=False,
        widget=TimeInput,
        help_text=_("On your shop's clock. An end before the beginning runs over midnight."),
    )
    since = DayField(label=_("First day"), required=False)
    to = DayField(label=_("Last day"), required=False)
    tiers = forms.MultipleChoiceField(
        label=_("For these tiers"), required=False, widget=forms.CheckboxSelectMultiple, help_text=_("None: for all.")
    )
    channel = forms.ChoiceField(
        label=_("For"),
        required=False,
        choices=[
            ("", _("Orders and visits")),
            ("order", pgettext_lazy("rule", "Orders only")),
            ("booking", pgettext_lazy("rule", "Visits only")),
        ],
    )
    segments = forms.MultipleChoiceField(
        label=_("For these members"), required=False, widget=forms.CheckboxSelectMultiple
    )
    first = forms.BooleanField(label=_("Only for the first purchase"), required=False)
    birthday_month = forms.BooleanField(label=_("Only in the month of the member's birthday"), required=False)
    cap_order = forms.IntegerField(
        label=_("At most, with one purchase"), required=False, min_value=1, max_value=int(MOST)
    )
    cap_day = forms.IntegerField(label=_("At most, in a day"), required=False, min_value=1, max_value=int(MOST))
    cap_member = forms.IntegerField(
        label=_("At most, for each member"),
        required=False,
        min_value=1,
        max_value=int(MOST),
        help_text=_("The points that this rule alone gives. Empty: no limit."),
    )

    def prepare(self, programme: Any) -> None:
        """Offer what this programme has."""
        self.fields["weekdays"].choices = [(day, capfirst(str(name))) for day, name in WEEKDAYS.items()]
        self.fields["tiers"].choices = [(tier.code, str(tier.name)) for tier in members.tiers(programme)]
        self.fields["segments"].choices = [(code, name) for code, (name, _members) in segments.items()]
        for name in ("tiers", "segments"):
            # A tier or group that is no more stays ticked: without it, the rule would hold for everybody.
            known = dict(self.fields[name].choices)
            gone = [code for code in self.initial.get(name) or [] if code not in known]
            self.fields[name].choices = [*known.items(), *((code, code) for code in gone)]

    @property
    def conditions(self) -> list[Any]:
        """The fields of this part, to be shown apart."""
        return [self[name] for name in ConditionsForm.base_fields]

    @property
    def has_conditions(self) -> bool:
        """Whether something of this part is set, or wrong."""
        return any(self[name].errors or self[name].value() for name in ConditionsForm.base_fields)

    @property
    def conditions_spec(self) -> dict[str, Any]:
        data = self.cleaned_data
        when = {
            "weekdays": data.get("weekdays"), "from": data.get("begins"), "until": data.get("ends"),
            "since": data.get("since"), "to": data.get("to"), "tiers": data.get("tiers"),
            "channels": [data["channel"]] if data.get("channel") else [], "segments": data.get("segments"),
            "first": data.get("first"), "birthday_month": data.get("birthday_month"),
        }  # fmt: skip
        caps = {name: data.get(f"cap_{name}") for name in ("order", "day", "member")}
        return {
            "when": {name: value for name, value in when.items() if value},
            "caps": {name: value for name, value in caps.items() if value},
        }


def initial(spec: dict[str, Any]) -> dict[str, Any]:
    """Return what the form shows of a version's spec."""
    when, caps = spec.get("when", {}), spec.get("caps", {})
    shown = {field: when[part.partition(".")[2]] for part, field in FIELD_OF.items() if part.partition(".")[2] in when}
    shown |= {f"cap_{name}": value for name, value in caps.items()}
    if when.get("channels"):
        shown["channel"] = when["channels"][0]
    return shown
