from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from oscar_loyalty import clock, times
from oscar_loyalty.dashboard.rules.conditions import FIELD_OF, ConditionsForm
from oscar_loyalty.dashboard.targets import TargetForm
from oscar_loyalty.dashboard.widgets import language_field
from oscar_loyalty.earning import specs
from oscar_loyalty.earning.exceptions import WrongRule
from oscar_loyalty.earning.specs import MOST, MOST_AHEAD, MOST_TIMES
from oscar_loyalty.loading import get_model

Rule = get_model("loyalty_earning", "Rule")
Product = get_model("catalogue", "Product")

#: All the numbers that some kind of rule has.
NUMBERS = {"points", "per", "threshold", "times", "plus", "announce"}


class NumbersForm(ConditionsForm):
    """What a version of a rule says."""

    points = forms.DecimalField(
        label=_("Points"),
        required=False,
        min_value=0,
        max_value=MOST,
        max_digits=12,
        decimal_places=4,
        help_text=_("How many points the rule brings each time."),
    )
    per = forms.DecimalField(
        label=_("For every amount of"),
        required=False,
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        help_text=_("1.00 with 2 points above gives 2 points for every 1.00 spent."),
    )
    threshold = forms.DecimalField(
        label=_("Only from an amount of"),
        required=False,
        min_value=0,
        max_digits=12,
        decimal_places=2,
        help_text=_(
            "For points per amount, only what is above it counts; else, it is the least a purchase must cost. "
            "Empty: any amount."
        ),
    )

    times = forms.DecimalField(
        label=_("Multiply by"),
        required=False,
        min_value=1,
        max_value=MOST_TIMES,
        max_digits=6,
        decimal_places=2,
        help_text=_("2 doubles what these bring."),
    )
    plus = forms.IntegerField(
        label=_("Or add"),
        required=False,
        min_value=1,
        max_value=int(MOST),
        help_text=_("So many points more, once for each purchase."),
    )

    announce = forms.IntegerField(
        label=_("Announce it"),
        required=False,
        min_value=1,
        max_value=MOST_AHEAD,
        help_text=_("So many days before it begins, your shop tells customers of it. Empty: it is a surprise."),
    )

    def __init__(self, *args, programme, kind="", **kwargs):
        self.kind, self.programme = kind, programme
        super().__init__(*args, **kwargs)
        self.prepare(programme)
        field = Rule._meta.get_field("name")
        help_text = _("To tell your rules apart; of a booster, customers see it too. May stay empty.")
        self.fields["name"] = language_field(field, help_text=help_text)
        if kind:
            for name in self.fields.keys() - self.wanted(kind) - {"name"} - ConditionsForm.base_fields.keys():
                del self.fields[name]

    @staticmethod
    def wanted(kind: str) -> set[str]:
        """The numbers that a kind of rule has."""
        return {
            "unit": {"points"},
            "amount": {"points", "per", "threshold"},
            "order": {"points", "threshold"},
            "visit": {"points", "threshold"},
            "booster": {"times", "plus", "threshold", "announce"},
        }.get(kind, set())

    def clean(self):
        cleaned = super().clean()
        kind = self.kind or cleaned.get("kind", "")
        wanted = self.wanted(kind)
        if wanted or kind == "exclude":
            # What another kind would have is not shown: nobody could mend it.
            for name in NUMBERS & self.errors.keys() - wanted:
                del self.errors[name]
        if kind == "booster" and cleaned.get("threshold") and cleaned.get("times") and not cleaned.get("plus"):
            self.add_error("threshold", _("Only with points to add, not with a multiplier."))
        points = cleaned.get("points")
        if "points" in wanted and points is None and "points" not in self.errors:
            self.add_error("points", _("How many points?"))
        if kind == "unit" and points is not None and points != points.to_integral_value():
            self.add_error("points", _("Whole points only."))
        if "per" in wanted and cleaned.get("per") is None and "per" not in self.errors:
            self.add_error("per", _("For each of which amount?"))
        last = cleaned.get("to")
        if last is not None and last < times.day_of(clock.now()):
            self.add_error("to", _("This day is past: the rule would never hold."))
        if kind and not self.errors:
            try:
                specs.clean_spec(kind, self.spec)
            except WrongRule as error:
                field = FIELD_OF.get(error.field, error.field)
                self.add_error(field if field in self.fields else None, str(error))
        return cleaned

    @property
    def plain(self) -> list[Any]:
        """The fields that say what the rule brings, without its conditions."""
        return [self[name] for name in self.fields if name not in ConditionsForm.base_fields]

    @property
    def spec(self) -> dict[str, Any]:
        """What the version says, as the service wants it."""
        kind = self.kind or self.cleaned_data["kind"]
        numbers = {name: self.cleaned_data.get(name) for name in self.wanted(kind)}
        said = {name: str(value) for name, value in numbers.items() if value is not None}
        return said | {name: part for name, part in self.conditions_spec.items() if part}


class RuleForm(TargetForm, NumbersForm):
    """A new rule."""

    kind = forms.ChoiceField(
        label=_("What it does"),
        choices=Rule.KINDS,
        widget=forms.RadioSelect,
        initial="amount",
    )
    field_order = [
        "kind", "points", "per", "threshold", "times", "plus",
        "target", "product", "product_class", "category", "range", "name", "announce"
    ]  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["target"].help_text = _(
            "Where several rules fit, the closest wins: product, then range, category, type, everything."
        )
        self.order_fields(self.field_order)

    def clean(self):
        cleaned = super().clean()
        target, kind = cleaned.get("target"), cleaned.get("kind")
        if kind == "exclude" and target == "everything":
            self.add_error("target", _("That would end all points. Close the programme instead."))
        product = cleaned.get("product")
        if kind == "unit" and target == "product" and product:
            live = Rule.objects.filter(programme=self.programme, kind="unit", state="live", product=product)
            if live.exists():
                self.add_error("product", _("This product has its points already: change that rule."))
        return cleaned

    @property
    def rule_target(self) -> str:
        """The target as rules name it: a variant is not quite a product."""
        target = str(self.cleaned_data["target"])
        return "variant" if target == "product" and self.target_object.is_child else target
