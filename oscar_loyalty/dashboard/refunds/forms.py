"""What is to be refunded of an order: pieces, shipping, or an amount."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.dashboard.base import TokenForm
from oscar_loyalty.money import Money, exponent, from_hundredths, hundredths
from oscar_loyalty.payments.wishes import Wish


class RefundForm(TokenForm):
    """Asks how many pieces of which line, how much of the shipping, or an amount; ``left`` is what there is."""

    reason = forms.CharField(label=_("Reason"), max_length=255, help_text=_("Only your colleagues see it."))
    shown = forms.DecimalField(required=False, widget=forms.HiddenInput)
    force = forms.BooleanField(label=_("Refund all the same; the balance goes below zero"), required=False)

    def __init__(self, *args: Any, order: Any, left: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order, self.left = order, left
        self.places = {}
        for pk, place in left.items():
            if pk is None:
                continue
            place.free_money = self._money(place.free)
            place.paid_money = self._money(place.paid)
            if place.pieces:
                self.fields[f"quantity_{pk}"] = forms.IntegerField(
                    label=_("How many of %(title)s") % {"title": place.line.title},
                    required=False,
                    # How many are left, the service says in its own words.
                    widget=forms.NumberInput(attrs={"min": 0, "max": place.pieces}),
                )
            self.places[pk] = place
        step = Decimal(1).scaleb(-exponent(order.currency))
        if left[None].free:
            self.fields["shipping"] = forms.DecimalField(
                label=_("Shipping and surcharges"),
                required=False,
                min_value=0,
                max_digits=12,
                decimal_places=self._digits(left[None].free),
                localize=True,
                help_text=_("At most %(amount)s") % {"amount": self._money(left[None].free)},
            )
        self.fields["amount"] = forms.DecimalField(
            label=_("Or an amount (%(currency)s)") % {"currency": order.currency},
            help_text=_("Shared over all that is left of the order, without pieces coming back."),
            required=False,
            min_value=step,
            max_digits=12,
            decimal_places=self._digits(sum(place.free for place in left.values() if not place.is_cards)),
            localize=True,
        )

    def _digits(self, units: int) -> int:
        """Return how many digits after the point it takes to ask for all of ``units``."""
        digits = exponent(self.order.currency)
        # A discount may have left a part of a yen.
        return max(digits, 2) if units % hundredths(self.order.currency) else digits

    def _money(self, units: int) -> Money:
        return Money(from_hundredths(units), self.order.currency)

    @property
    def lines(self) -> list[tuple[Any, Any]]:
        """The order's lines, each with its field, where something is left of it."""
        return [
            (place, self[f"quantity_{pk}"] if f"quantity_{pk}" in self.fields else None)
            for pk, place in self.places.items()
        ]

    @property
    def others(self) -> list[Any]:
        """The fields below the lines."""
        return [self[name] for name in ("shipping", "amount", "reason") if name in self.fields]

    def clean(self) -> Any:
        cleaned = super().clean()
        wish = self.wish
        if wish.amount is not None and (wish.lines or wish.shipping):
            self.add_error("amount", _("Choose pieces and shipping, or an amount, not both."))
        return cleaned

    @property
    def wish(self) -> Wish:
        """What was asked for."""
        cleaned = self.cleaned_data
        return Wish(
            lines={pk: cleaned[f"quantity_{pk}"] for pk in self.places if cleaned.get(f"quantity_{pk}")},
            shipping=cleaned.get("shipping") or None,
            amount=cleaned.get("amount"),
        )

    def refuse(self, error: Any) -> None:
        """Say at the right field what the service refused."""
        self.add_error(error.field if error.field in self.fields else None, str(error))


class PartForm(forms.Form):
    """What becomes of money that a provider refused: asked again, or given by the shop in its own way."""

    tender = forms.ModelChoiceField(queryset=None)
    action = forms.ChoiceField(choices=[("again", ""), ("otherwise", "")])

    def __init__(self, *args: Any, tenders: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tender"].queryset = tenders
