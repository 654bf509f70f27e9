from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from oscar_loyalty.dashboard.base import ResendForm
from oscar_loyalty.giftcards.taxes import MULTI, TAX_KINDS
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import Money, exponent

GiftCard = get_model("loyalty_giftcards", "GiftCard")
Denomination = get_model("loyalty_giftcards", "Denomination")


class GiftCardSearchForm(forms.Form):
    q = forms.CharField(
        label=_("Card, order, name or e-mail"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"type": "search"}),
    )
    state = forms.ChoiceField(
        label=_("State"), required=False, choices=[("", pgettext_lazy("filter", "All")), *GiftCard.STATES]
    )


class ReasonForm(forms.Form):
    """Why something is done to a card; for the shop's own records."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=255,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=_("For your own records."),
    )


class ReissueForm(ReasonForm):
    generation = forms.IntegerField(widget=forms.HiddenInput)


class ResendCardForm(ResendForm):
    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=255, widget=forms.TextInput({"autocomplete": "off"})
    )


def denominations() -> Any:
    """Return the values, on sale or not, each with its product and its price."""
    records = get_model("partner", "StockRecord").objects.order_by("pk")
    rows = Denomination.objects.select_related("product")
    return rows.prefetch_related(Prefetch("product__stockrecords", queryset=records))


def price_of(denomination: Any) -> Money | None:
    """Return what a card costs in money; ``None`` where its product has no price."""
    record = next(iter(denomination.product.stockrecords.all()), None)
    return Money(record.price, record.price_currency) if record and record.price is not None else None


def sold_as(denomination: Any) -> dict[str, Any]:
    """Return how a card of this value is sold, by the fields of its form; ``price`` is an amount of money."""
    price = price_of(denomination)
    return {
        "price": None if price is None else price.amount,
        "points_price": denomination.points_price,
        "tax_kind": denomination.tax_kind,
        "is_active": denomination.is_active,
    }


class DenominationForm(forms.Form):
    """A value that gift cards are sold in."""

    value = forms.DecimalField(
        label=_("Value"),
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        help_text=_("What is on the card."),
    )
    price = forms.DecimalField(
        label=_("Price"),
        required=False,
        min_value=Decimal("0.01"),
        max_digits=12,
        decimal_places=2,
        help_text=_("What it costs in money. Empty: its value."),
    )
    points_price = forms.IntegerField(
        label=_("Price in points"),
        required=False,
        min_value=1,
        max_value=100_000_000,
        help_text=_("How many points buy one card. Empty: for money only."),
    )
    tax_kind = forms.ChoiceField(
        label=_("Tax"),
        choices=TAX_KINDS,
        required=False,
        help_text=_("Single-purpose: the place and the tax of what it buys are known when it is sold."),
    )
    is_active = forms.BooleanField(label=_("On sale"), required=False, initial=True)

    def clean_tax_kind(self):
        return self.cleaned_data["tax_kind"] or (self.denomination.tax_kind if self.denomination else MULTI)

    def __init__(self, *args, denomination: Any = None, programme: Any = None, **kwargs):
        super().__init__(*args, **kwargs)
        self.denomination = denomination
        self.currency = denomination.currency if denomination else settings.OSCAR_DEFAULT_CURRENCY
        for name in ("value", "price"):
            self.fields[name].label = f"{self.fields[name].label} ({self.currency})"
        if denomination is not None:
            # Another value is another card: what was sold keeps its own.
            del self.fields["value"]
        if programme is not None:
            worth = ngettext(
                "At your programme's rate, %(points)s is worth %(amount)s.",
                "At your programme's rate, %(points)s are worth %(amount)s.",
                programme.redemption_points,
            ) % {
                "points": programme.points_label(programme.redemption_points),
                "amount": Money(programme.redemption_amount, programme.currency),
            }
            self.fields["points_price"].help_text = f"{self.fields['points_price'].help_text} {worth}"

    def _fine(self, name: str) -> Decimal | None:
        amount: Decimal | None = self.cleaned_data[name]
        if amount is not None and amount != round(amount, exponent(self.currency)):
            raise forms.ValidationError(_("This is finer than the currency."))
        return amount

    def clean_price(self):
        return self._fine("price")

    def clean_value(self):
        return self._fine("value")

    def clean(self):
        cleaned = super().clean()
        if self.denomination is None and cleaned.get("value"):
            there = denominations().filter(value=cleaned["value"], currency=self.currency).first()
            asked = {**cleaned, "price": cleaned.get("price") or cleaned["value"]}
            # A second click on the same button is no mistake: it would change nothing.
            if there and any(asked.get(name) != now for name, now in sold_as(there).items()):
                self.add_error("value", _("There is a card of this value already: change that one."))
        return cleaned
