from decimal import Decimal
from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from oscar.forms.widgets import RemoteSelect

from oscar_loyalty.dashboard.widgets import language_field
from oscar_loyalty.earning.specs import MOST
from oscar_loyalty.loading import get_model

Rule = get_model("loyalty_earning", "Rule")
Product = get_model("catalogue", "Product")

#: Which field names the object of which target.
OBJECTS = {"product": "product", "class": "product_class", "category": "category", "range": "range"}


class ProductSelect(RemoteSelect):
    """Finds a product while its name is typed."""

    lookup_url = reverse_lazy("dashboard:catalogue-product-lookup")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.attrs["class"] = "select2 product-select"

    def optgroups(self, name, value, attrs=None):
        # What somebody wrote into the address: Oscar's widget would look it up as it is.
        return super().optgroups(name, [one for one in value if str(one).isdecimal()], attrs)


class NumbersForm(forms.Form):
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
        label=_("Per amount"),
        required=False,
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        help_text=_("The points are for each of these amounts spent, such as 1.00."),
    )
    threshold = forms.DecimalField(
        label=_("From amount"),
        required=False,
        min_value=0,
        max_digits=12,
        decimal_places=2,
        help_text=_(
            "Per amount: only what is above it counts. Per order or visit: the least it must cost. Empty: any."
        ),
    )

    def __init__(self, *args, kind="", **kwargs):
        self.kind = kind
        super().__init__(*args, **kwargs)
        field = Rule._meta.get_field("name")
        help_text = _("Only for you, to tell your rules apart. May stay empty.")
        self.fields["name"] = language_field(field, help_text=help_text)
        if kind:
            for name in self.fields.keys() - self.wanted(kind) - {"name"}:
                del self.fields[name]

    @staticmethod
    def wanted(kind: str) -> set[str]:
        """The numbers that a kind of rule has."""
        return {
            "unit": {"points"},
            "amount": {"points", "per", "threshold"},
            "order": {"points", "threshold"},
            "visit": {"points", "threshold"},
        }.get(kind, set())

    def clean(self):
        cleaned = super().clean()
        kind = self.kind or cleaned.get("kind", "")
        wanted = self.wanted(kind)
        points = cleaned.get("points")
        if "points" in wanted and points is None and "points" not in self.errors:
            self.add_error("points", _("How many points?"))
        if kind == "unit" and points is not None and points != points.to_integral_value():
            self.add_error("points", _("Whole points only."))
        if "per" in wanted and cleaned.get("per") is None and "per" not in self.errors:
            self.add_error("per", _("For each of which amount?"))
        return cleaned

    @property
    def spec(self) -> dict[str, Any]:
        """What the version says, as the service wants it."""
        kind = self.kind or self.cleaned_data["kind"]
        numbers = {name: self.cleaned_data.get(name) for name in self.wanted(kind)}
        return {name: str(value) for name, value in numbers.items() if value is not None}


class RuleForm(NumbersForm):
    """A new rule."""

    kind = forms.ChoiceField(
        label=_("What it does"),
        choices=[pair for pair in Rule.KINDS if pair[0] != "booster"],
        widget=forms.RadioSelect,
        initial="amount",
    )
    target = forms.ChoiceField(
        label=_("Applies to"),
        choices=[(value, label) for value, label in Rule.TARGETS if value != "variant"],
        widget=forms.RadioSelect,
        initial="everything",
        help_text=_("Where several rules fit, the closest wins: product, then range, category, type, everything."),
    )
    product = forms.ModelChoiceField(
        label=_("Product"), queryset=Product.objects.none(), required=False, widget=ProductSelect
    )
    product_class = forms.ModelChoiceField(label=_("Product type"), queryset=Product.objects.none(), required=False)
    category = forms.ModelChoiceField(label=_("Category"), queryset=Product.objects.none(), required=False)
    range = forms.ModelChoiceField(label=_("Range"), queryset=Product.objects.none(), required=False)

    field_order = [
        "kind", "points", "per", "threshold", "target", "product", "product_class", "category", "range", "name"
    ]  # fmt: skip

    def __init__(self, *args, programme, **kwargs):
        self.programme = programme
        super().__init__(*args, **kwargs)
        self.fields["product"].queryset = Product.objects.select_related("parent")
        self.fields["product_class"].queryset = get_model("catalogue", "ProductClass").objects.order_by("name")
        categories = get_model("catalogue", "Category").objects.order_by("path")
        self.fields["category"].queryset = categories
        self.fields["category"].label_from_instance = _indented
        self.fields["range"].queryset = get_model("offer", "Range").objects.order_by("name")
        self.order_fields(self.field_order)

    def clean(self):
        cleaned = super().clean()
        target, kind = cleaned.get("target"), cleaned.get("kind")
        name = OBJECTS.get(target or "")
        if name and not cleaned.get(name) and name not in self.errors:
            self.add_error(name, _("Which one?"))
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

    @property
    def target_object(self) -> Any:
        return self.cleaned_data.get(OBJECTS.get(self.cleaned_data["target"], ""))


def _indented(category: Any) -> str:
    return "\u2014 " * (category.depth - 1) + str(category.name)
