import copy
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from oscar_loyalty import times
from oscar_loyalty.dashboard.base import TokenForm
from oscar_loyalty.dashboard.targets import OBJECTS, TargetForm
from oscar_loyalty.dashboard.widgets import DayField, language_field
from oscar_loyalty.earning import goal_selectors, prizes
from oscar_loyalty.earning.goals import MOST, MOST_BY_HAND, Step
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import to_minor

Goal = get_model("loyalty_earning", "Goal")
Product = get_model("catalogue", "Product")

#: Each kind with what it is for: their names alone say too little to who makes the first.
KINDS = [
    (Goal.STAMPS, _("Stamp card: a full card brings a gift, such as every tenth coffee")),
    (Goal.CHALLENGE, _("Challenge: a task with a prize, such as five orders this season")),
    (Goal.SURPRISE, _("Surprise: customers see nothing of it before they get it")),
    (Goal.THRESHOLD, _("Threshold: a gift each time so much has come together, such as every 500 points")),
]

#: The gifts on the way that the form has room for; each field begins with one of these.
GIFTS = ("gift_", "gift2_", "gift3_")


class GoalForm(TargetForm, TokenForm):
    """A goal, whole: what counts, how many, and what is given.

    ``goal`` is the one that this one succeeds: what the form has no field for stays as it is there.
    """

    kind = forms.ChoiceField(label=_("What it is"), choices=KINDS, widget=forms.RadioSelect, initial="stamps")
    counts = forms.ChoiceField(label=_("What counts"), choices=Goal.COUNTS, initial="pieces")
    size = forms.DecimalField(
        label=_("How many"),
        min_value=Decimal("0.01"),
        max_value=MOST,
        help_text=_("After so many, the card is full. For money spent: the amount."),
    )
    points = forms.IntegerField(label=_("Points when it is full"), required=False, min_value=1, max_value=MOST)
    reward = forms.ChoiceField(label=_("Or a reward when it is full"), required=False)
    gift_after = forms.DecimalField(
        label=_("A gift on the way, after"), required=False, min_value=Decimal("0.01"), max_value=MOST
    )
    gift_points = forms.IntegerField(label=_("Points given on the way"), required=False, min_value=1, max_value=MOST)
    gift_reward = forms.ChoiceField(label=_("Or a reward on the way"), required=False)
    head_start = forms.IntegerField(
        label=_("Stamped at the start"), required=False, min_value=0, max_value=MOST, initial=0
    )
    head_start_each = forms.BooleanField(label=_("On every card, not only the first"), required=False)
    repeats = forms.BooleanField(label=_("Again and again"), required=False, initial=True)
    until = DayField(label=_("Last day"), required=False)
    days = forms.IntegerField(
        label=_("To be filled within so many days of the first stamp"),
        required=False,
        min_value=1,
        max_value=3650,
        help_text=_("Empty: any time."),
    )
    minimum = forms.DecimalField(label=_("Minimum order"), required=False, min_value=0, max_digits=10, decimal_places=2)
    tier = forms.ModelChoiceField(
        label=_("For members from this tier up"), queryset=Product.objects.none(), required=False
    )

    def __init__(self, *args, programme, goal=None, **kwargs):
        self.programme, self.goal = programme, goal
        super().__init__(*args, **kwargs)
        for prefix in GIFTS[1:]:
            for name in ("after", "points", "reward"):
                self.fields[f"{prefix}{name}"] = copy.deepcopy(self.fields[f"gift_{name}"])
            self.fields[f"{prefix}after"].label = _("Another gift, after")
        for name in ("name", "text"):
            self.fields[name] = language_field(Goal._meta.get_field(name))
        tiers = get_model("loyalty_members", "Tier").objects.filter(programme=programme)
        self.fields["tier"].queryset = tiers.order_by("rank")
        rewards = [(str(pk), name) for pk, name in prizes.rewards_of(programme).items()]
        for name in ("reward", *(f"{prefix}reward" for prefix in GIFTS)):
            self.fields[name].choices = [("", "–"), *rewards]
            if not rewards:
                del self.fields[name]
        gifts = [f"{prefix}{name}" for prefix in GIFTS for name in ("after", "points", "reward")]
        before = ["kind", "name", "text", "counts", "target", *OBJECTS.values(), "size", "points", "reward"]
        self.order_fields([*dict.fromkeys(before), *gifts])

    def clean(self):
        cleaned = super().clean()
        for prefix in ("", *GIFTS):
            points, reward = cleaned.get(f"{prefix}points"), cleaned.get(f"{prefix}reward")
            wanted = not prefix or cleaned.get(f"{prefix}after")
            if wanted and bool(points) == bool(reward) and f"{prefix}points" not in self.errors:
                self.add_error(f"{prefix}points", _("Points, or a reward?"))
            if not wanted and (points or reward) and f"{prefix}after" not in self.errors:
                self.add_error(f"{prefix}after", _("After how many?"))
        for name in ("size", *(f"{prefix}after" for prefix in GIFTS)):
            if cleaned.get(name) is not None:
                try:
                    cleaned[name] = self._units(cleaned[name])
                except ValueError:
                    self.add_error(name, _("A whole number, or an amount of money."))
        return cleaned

    def _units(self, number: Decimal) -> int:
        if self.cleaned_data.get("counts") == "money":
            return to_minor(number, self.programme.currency)
        if number != int(number):
            raise ValueError(number)
        return int(number)

    @property
    def terms(self) -> dict[str, Any]:
        """What the service wants."""
        data = self.cleaned_data
        before = [] if self.goal is None else list(self.goal.steps.all())
        names = {step.after: step.name for step in before}
        steps = [_step(data, f"{prefix}after", prefix, names) for prefix in GIFTS if data.get(f"{prefix}after")]
        steps += [Step(old.after, old.points, old.reward, old.name) for old in before[len(GIFTS) : -1]]
        steps.append(_step(data, "size", "", names))
        until = data.get("until")
        return {
            "kind": data["kind"],
            "name": data["name"],
            "text": data.get("text") or "",
            "counts": data["counts"],
            "target": data["target"],
            "target_object": self.target_object,
            "steps": steps,
            "head_start": data.get("head_start") or 0,
            "head_start_each": data["head_start_each"],
            "repeats": data["repeats"],
            "until": times.end_of(until) if until else None,
            "days": data.get("days"),
            "minimum": data.get("minimum") or Decimal(0),
            "tier": data.get("tier"),
            "hidden": self.goal is not None and self.goal.hidden,
        }


def _step(data: dict[str, Any], after: str, prefix: str, names: dict[int, Any]) -> Step:
    reward = data.get(f"{prefix}reward")
    number = data[after]
    points = data.get(f"{prefix}points")
    return Step(number, points=points, reward=int(reward) if reward else None, name=names.get(number, ""))


class StampForm(TokenForm):
    """Stamps by hand."""

    goal = forms.ModelChoiceField(label=_("Card"), queryset=Goal.objects.none(), empty_label=None)
    quantity = forms.IntegerField(label=_("How many"), min_value=1, max_value=MOST_BY_HAND, initial=1)
    reason = forms.CharField(
        label=_("Reason"), max_length=255, help_text=_("The member sees it, so write it for them.")
    )

    def __init__(self, *args, programme, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["goal"].queryset = goal_selectors.stampable(programme)
