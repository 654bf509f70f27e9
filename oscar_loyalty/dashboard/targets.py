"""What a rule or a goal is about, as fields of the owner's forms."""

from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from oscar.forms.widgets import RemoteSelect

from oscar_loyalty import keys
from oscar_loyalty.loading import get_model

Rule = get_model("loyalty_earning", "Rule")
Product = get_model("catalogue", "Product")

#: Which field names the object of which target that can be chosen; a variant is chosen as a product.
OBJECTS = {target: field for target, field in Rule.TARGET_FIELDS.items() if target != Rule.VARIANT}


class ProductSelect(RemoteSelect):
    """Finds a product while its name is typed."""

    lookup_url = reverse_lazy("dashboard:catalogue-product-lookup")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.attrs["class"] = "select2 product-select"

    def optgroups(self, name, value, attrs=None):
        # What somebody wrote into the address: Oscar's widget would look it up as it is.
        return super().optgroups(name, [one for one in value if keys.number(one) is not None], attrs)


class TargetForm(forms.Form):
    """A target, with a field for the object of each."""

    target = forms.ChoiceField(
        label=_("Applies to"),
        choices=[(value, label) for value, label in Rule.TARGETS if value != Rule.VARIANT],
        widget=forms.RadioSelect,
        initial="everything",
    )
    product = forms.ModelChoiceField(
        label=_("Product"), queryset=Product.objects.none(), required=False, widget=ProductSelect
    )
    product_class = forms.ModelChoiceField(label=_("Product type"), queryset=Product.objects.none(), required=False)
    category = forms.ModelChoiceField(label=_("Category"), queryset=Product.objects.none(), required=False)
    range = forms.ModelChoiceField(label=_("Range"), queryset=Product.objects.none(), required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["product"].queryset = Product.objects.select_related("parent")
        self.fields["product_class"].queryset = get_model("catalogue", "ProductClass").objects.order_by("name")
        self.fields["category"].queryset = get_model("catalogue", "Category").objects.order_by("path")
        self.fields["category"].label_from_instance = _indented
        self.fields["range"].queryset = get_model("offer", "Range").objects.order_by("name")

    def clean(self):
        cleaned = super().clean()
        name = OBJECTS.get(cleaned.get("target") or "")
        if name and not cleaned.get(name) and name not in self.errors:
            self.add_error(name, _("Which one?"))
        return cleaned

    @property
    def target_object(self) -> Any:
        return self.cleaned_data.get(OBJECTS.get(self.cleaned_data["target"], ""))


def _indented(category: Any) -> str:
    return "\u2014 " * (category.depth - 1) + str(category.name)
