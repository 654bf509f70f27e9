"""Gift cards of an amount that the buyer chooses: the owner's bounds."""

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import generic

from oscar_loyalty.dashboard.base import ProgrammeMixin
from oscar_loyalty.giftcards.amounts import set_custom_amount
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import Money, exponent

MONEY = {"min_value": Decimal("0.01"), "max_digits": 12, "decimal_places": 2}


def custom_row() -> Any:
    """Return the bounds in the shop's own currency, on sale or not, or ``None``."""
    rows = get_model("loyalty_giftcards", "CustomAmount").objects.select_related("product")
    return rows.filter(currency=settings.OSCAR_DEFAULT_CURRENCY).first()


def summary() -> dict[str, Any] | None:
    """Return what the page of values says about amounts of the buyer's choice, or ``None`` before they were set up."""
    row = custom_row()
    if row is None:
        return None
    bounds = {name: Money(getattr(row, name), row.currency) for name in ("minimum", "maximum", "step")}
    return {"row": row, **bounds}


class CustomAmountForm(forms.Form):
    """Whether buyers choose an amount themselves, and within which bounds."""

    is_active = forms.BooleanField(label=gettext_lazy("Buyers may choose the amount"), required=False)
    minimum = forms.DecimalField(label=gettext_lazy("Smallest amount"), **MONEY)
    maximum = forms.DecimalField(label=gettext_lazy("Largest amount"), **MONEY)
    step = forms.DecimalField(
        label=gettext_lazy("Step"), help_text=gettext_lazy("Amounts go up from the smallest one by this much."), **MONEY
    )
    points_per_unit = forms.DecimalField(
        label=gettext_lazy("Points for each unit of money"),
        required=False,
        help_text=gettext_lazy("With 100, a card of 35 takes 3,500 points. Empty: for money only."),
        **MONEY,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = settings.OSCAR_DEFAULT_CURRENCY
        for name in ("minimum", "maximum", "step"):
            self.fields[name].label = f"{self.fields[name].label} ({self.currency})"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("minimum", "maximum", "step"):
            amount = cleaned.get(name)
            if amount is not None and amount != round(amount, exponent(self.currency)):
                self.add_error(name, _("This is finer than the currency."))
        low, high = cleaned.get("minimum"), cleaned.get("maximum")
        if low is not None and high is not None and high < low:
            self.add_error("maximum", _("The largest amount is not below the smallest."))
        return cleaned


class CustomAmountView(ProgrammeMixin, generic.FormView):
    """Sells cards of any amount within bounds, or stops that."""

    template_name = "oscar_loyalty/dashboard/giftcards/custom.html"
    form_class = CustomAmountForm
    needs_programme = False

    def get_initial(self):
        row = custom_row()
        if row is None:
            return {"is_active": True, "minimum": 15, "maximum": 500, "step": 5}
        return {name: getattr(row, name) for name in CustomAmountForm.base_fields}

    def form_valid(self, form):
        set_custom_amount(currency=form.currency, **form.cleaned_data)
        messages.success(self.request, _("Saved. Cards that are in baskets follow the new bounds."))
        return redirect("loyalty-dashboard:loyalty-denominations")
