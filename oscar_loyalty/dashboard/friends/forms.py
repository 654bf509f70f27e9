from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty.earning import actions, prizes
from oscar_loyalty.earning.referrals.selectors import SIDES
from oscar_loyalty.loading import get_model

ReferralScheme = get_model("loyalty_earning", "ReferralScheme")
ActionRule = get_model("loyalty_earning", "ActionRule")
#: As they read beside "How often at most".
PERIODS = [
    (ActionRule.EVER, _("the whole membership")),
    (ActionRule.DAY, _("a day")),
    (ActionRule.MONTH, _("a month")),
    (ActionRule.YEAR, _("a year")),
]


class ActionForm(forms.Form):
    """What one action brings."""

    points = forms.IntegerField(label=_("Points"), min_value=0, max_value=1_000_000)
    times = forms.IntegerField(
        label=_("How often at most"), min_value=1, max_value=10_000, required=False, help_text=_("Empty: every time.")
    )
    period = forms.ChoiceField(label=_("Counted over"), choices=PERIODS)


def action_forms(programme: Any, data: Any = None) -> list[tuple[Any, Any, Any]]:
    """Return each action with its version in force and its form; one query."""
    rules = actions.rules_of(programme)
    found = []
    for action in actions.registered():
        rule = rules.get(action.code)
        initial = {"points": 0, "times": 1, "period": "ever"}
        if action.code in ("birthday", "anniversary"):
            initial["period"] = "year"
        if rule is not None:
            initial = {"points": rule.points, "times": rule.times, "period": rule.period}
        found.append((action, rule, ActionForm(data, prefix=action.code, initial=initial)))
    return found


class SchemeForm(forms.ModelForm):
    """The terms: for each of both points, or a reward of the programme where it has any."""

    class Meta:
        model = ReferralScheme
        fields = [
            "is_active",
            "referrer_points",
            "referrer_reward",
            "friend_points",
            "friend_reward",
            "orders",
            "minimum",
            "daily_limit",
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rewards = [(str(pk), name) for pk, name in prizes.rewards_of(self.instance.programme).items()]
        for side in SIDES:
            points = self.fields[f"{side}_points"]
            points.required = False
            label = self.fields.pop(f"{side}_reward").label
            if rewards:
                points.help_text = _("Empty, where you choose a reward below.")
                self.fields[f"{side}_reward"] = forms.TypedChoiceField(
                    label=label, required=False, coerce=int, empty_value=None, choices=[("", "–"), *rewards]
                )
        self.order_fields(self.Meta.fields)

    def clean(self) -> Any:
        cleaned = super().clean()
        for side in SIDES:
            if f"{side}_points" not in self.errors:
                cleaned[f"{side}_points"] = cleaned.get(f"{side}_points") or 0
            if cleaned.get(f"{side}_points") and cleaned.get(f"{side}_reward"):
                self.add_error(f"{side}_points", _("Points, or a reward?"))
        return cleaned


class ReferralFilterForm(forms.Form):
    q = forms.CharField(
        label=_("Name, e-mail or card number"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"type": "search"}),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), *get_model("loyalty_earning", "Referral").STATES],
    )


class ScanFilterForm(forms.Form):
    q = forms.CharField(label=_("Product"), required=False, max_length=200, widget=forms.TextInput({"type": "search"}))
