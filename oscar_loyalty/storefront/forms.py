from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty.giftcards import amounts, delivery, designs, selectors
from oscar_loyalty.giftcards.exceptions import AmountRefused
from oscar_loyalty.giftcards.forms import CodeForm
from oscar_loyalty.money import format_money

MYSELF, PRESENT = "myself", "present"
DETAILS = ("recipient_name", "recipient_email", "message", "deliver_on")


class GiftForm(forms.Form):
    """Whom a gift card is for, how it looks and when it is sent. Which one, and how it is paid, the button says."""

    for_whom = forms.ChoiceField(
        label=_("Whom is it for?"),
        choices=[(MYSELF, pgettext_lazy("gift card", "For me")), (PRESENT, pgettext_lazy("gift card", "A present"))],
        initial=MYSELF,
        widget=forms.RadioSelect,
    )
    recipient_name = forms.CharField(
        label=_("Recipient's name"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    recipient_email = forms.EmailField(
        label=_("Recipient's e-mail"),
        required=False,
        help_text=_("We send the card there once it is paid."),
        widget=forms.EmailInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    message = forms.CharField(
        label=_("Message"),
        max_length=500,
        required=False,
        help_text=_("A few words that go with the card, if you like."),
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3}),
    )
    deliver_on = forms.DateField(
        label=_("When do we send it?"),
        required=False,
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"class": "form-control", "type": "date"}),
    )
    design = forms.ChoiceField(label=_("Design"), required=False, widget=forms.RadioSelect)
    amount = forms.DecimalField(
        label=_("Another amount"),
        max_digits=12,
        required=False,
        widget=forms.NumberInput(attrs={"class": "form-control", "inputmode": "decimal"}),
    )
    buy = forms.ModelChoiceField(queryset=None, required=False, widget=forms.HiddenInput)
    buy_with_points = forms.ModelChoiceField(queryset=None, required=False, widget=forms.HiddenInput)
    buy_amount = forms.ChoiceField(choices=[("money", ""), ("points", "")], required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, custom: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.custom = custom
        self.fields["buy"].queryset = selectors.denominations()
        self.fields["buy_with_points"].queryset = selectors.denominations().filter(points_price__isnull=False)
        every = designs.designs()
        self.designs = every
        self.fields["design"].choices = [(design.code, design.name) for design in every]
        self.fields["design"].initial = every[0].code
        self._limit_day()
        self._limit_amount()
        if self.is_bound:
            # The first field to mend has the focus, for keyboards and screen readers.
            for name in self.fields:
                if name in self.errors and name in (*DETAILS, "amount"):
                    self.fields[name].widget.attrs["autofocus"] = True
                    break

    def _limit_day(self) -> None:
        field, first, last = self.fields["deliver_on"], delivery.today(), delivery.last_day()
        field.initial = first
        field.help_text = _("Today, at once, or in the morning of a later day, up to %(day)s.") % {
            "day": date_format(last)
        }
        field.widget.attrs |= {"min": first.isoformat(), "max": last.isoformat()}

    def _limit_amount(self) -> None:
        if self.custom is None:
            return
        bounds = (self.custom.minimum, self.custom.maximum, self.custom.step)
        low, high, step = (format_money(amount, self.custom.currency) for amount in bounds)
        field = self.fields["amount"]
        field.label = _("Amount (%(currency)s)") % {"currency": self.custom.currency}
        field.help_text = _("From %(low)s to %(high)s, in steps of %(step)s.") % {
            "low": low,
            "high": high,
            "step": step,
        }
        field.widget.attrs |= dict(zip(("min", "max", "step"), map(_plain_number, bounds), strict=True))
        field.widget.attrs["data-loyalty-currency"] = self.custom.currency

    @property
    def details(self) -> list[Any]:
        """The fields of a present."""
        return [self[name] for name in DETAILS]

    # The card as it looks so far

    @property
    def chosen_design(self) -> str:
        return str(self["design"].value() or self.designs[0].code)

    @property
    def shown_amount(self) -> str:
        """The amount typed, as money, for the picture of the card; nothing where it is none."""
        amount = amounts.parse(self["amount"].value())
        try:
            return format_money(amounts.check(amount, self.custom), self.custom.currency) if self.custom else ""
        except AmountRefused:
            return ""

    # What was bought

    @property
    def of_choice(self) -> bool:
        """Whether the button was that of one's own amount."""
        return self.custom is not None and bool(self.cleaned_data.get("buy_amount"))

    @property
    def with_points(self) -> bool:
        return bool(self.cleaned_data.get("buy_with_points") or self.cleaned_data.get("buy_amount") == "points")

    @property
    def denomination(self) -> Any:
        return self.cleaned_data.get("buy_with_points") or self.cleaned_data.get("buy")

    @property
    def product(self) -> Any:
        return self.custom.product if self.of_choice else self.denomination.product

    def clean_design(self) -> str:
        return self.cleaned_data["design"] or self.designs[0].code

    def clean_deliver_on(self) -> Any:
        day = self.cleaned_data["deliver_on"]
        return delivery.clean_day(day) if day is not None and self.data.get("for_whom") == PRESENT else day

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("for_whom") == PRESENT:
            if not data.get("recipient_name") and "recipient_name" not in self.errors:
                self.add_error("recipient_name", _("Please tell us whom the card is for."))
            if not data.get("recipient_email") and "recipient_email" not in self.errors:
                self.add_error("recipient_email", _("Please tell us where to send the card."))
        else:
            for name in DETAILS:
                data[name] = None if name == "deliver_on" else ""
                self.errors.pop(name, None)
        if not self.of_choice:
            # Nobody bought what stands in that field.
            self.errors.pop("amount", None)
        elif "amount" not in self.errors:
            try:
                amounts.check(data.get("amount"), self.custom)
            except AmountRefused as refused:
                self.add_error("amount", str(refused))
        if not self.of_choice and not self.denomination:
            self.add_error(None, _("Please choose a gift card that is on sale."))
        return data


def _plain_number(amount: Any) -> str:
    """As browsers want it in a field's bounds: "5", "0.5"."""
    return f"{amount:f}".rstrip("0").rstrip(".") if "." in f"{amount:f}" else f"{amount:f}"


class BalanceForm(CodeForm):
    """Asks for a code to show what is on the card."""

    empty_ok = True
    refused = _("This code does not work. Check it letter by letter.")
