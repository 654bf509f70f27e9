"""The one way in which a code is typed: at checkout, and to see what is on a card."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.giftcards import exceptions, services
from oscar_loyalty.giftcards.guard import Guard
from oscar_loyalty.members.sites import site_of


class CodeForm(forms.Form):
    """Asks for a gift-card code and finds its ``card``. Every wrong code gets the same answer."""

    #: Whether a card that is used up is found as well.
    empty_ok = False
    #: In which currency it is to pay; nothing: any.
    currency = ""
    refused = _(
        "This code does not work. Check it letter by letter; cards that are used up, or in another currency, do "
        "not work either."
    )

    code = forms.CharField(
        label=_("Gift-card code"),
        max_length=60,
        widget=forms.TextInput(
            attrs={
                "class": "form-control",
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "placeholder": "XXXX-XXXX-XXXX-XXXX-XXXX",
            }
        ),
    )

    def __init__(self, *args: Any, request: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.card: Any = None

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        try:
            self.card = services.look_up(
                code,
                who=Guard.of_request(self.request),
                currency=self.currency,
                empty_ok=self.empty_ok,
                site=site_of(self.request),
            )
        except exceptions.TooManyTries as error:
            raise forms.ValidationError(_("Too many wrong codes. Please wait an hour and try again.")) from error
        except exceptions.CodeRefused as error:
            raise forms.ValidationError(self.refused) from error
        return code
