from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty.giftcards import selectors
from oscar_loyalty.giftcards.forms import CodeForm

MYSELF, PRESENT = "myself", "present"


class GiftForm(forms.Form):
    """Whom a gift card is for. Which one, and how it is paid, is said by the button."""

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
        help_text=_("We send the card there as soon as it is paid."),
        widget=forms.EmailInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    message = forms.CharField(
        label=_("Message"),
        max_length=500,
        required=False,
        help_text=_("A few words that go with the card, if you like."),
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3}),
    )
    buy = forms.ModelChoiceField(queryset=None, required=False, widget=forms.HiddenInput)
    buy_with_points = forms.ModelChoiceField(queryset=None, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["buy"].queryset = selectors.denominations()
        self.fields["buy_with_points"].queryset = selectors.denominations().filter(points_price__isnull=False)
        if self.is_bound:
            # The first field to mend has the focus, for keyboards and screen readers.
            for name in self.errors:
                if name in ("recipient_name", "recipient_email", "message"):
                    self.fields[name].widget.attrs["autofocus"] = True
                    break

    @property
    def details(self) -> list[Any]:
        """The fields of a present."""
        return [self[name] for name in ("recipient_name", "recipient_email", "message")]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("for_whom") == PRESENT:
            if not data.get("recipient_name") and "recipient_name" not in self.errors:
                self.add_error("recipient_name", _("Please tell us whom the card is for."))
            if not data.get("recipient_email") and "recipient_email" not in self.errors:
                self.add_error("recipient_email", _("Please tell us where to send the card."))
        else:
            for name in ("recipient_name", "recipient_email", "message"):
                data[name] = ""
                self.errors.pop(name, None)
        if not data.get("buy") and not data.get("buy_with_points"):
            self.add_error(None, _("Please choose a gift card that is on sale."))
        return data


class BalanceForm(CodeForm):
    """Asks for a code to show what is on the card."""

    empty_ok = True
    refused = _("This code does not work. Check it letter by letter.")
