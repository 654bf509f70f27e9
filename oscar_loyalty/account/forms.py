from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.giftcards import delivery


class ChangeDeliveryForm(forms.Form):
    """Whom a gift card goes to, and when."""

    recipient_name = forms.CharField(
        label=_("Recipient's name"),
        max_length=150,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    recipient_email = forms.EmailField(
        label=_("Recipient's e-mail"),
        widget=forms.EmailInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    deliver_on = forms.DateField(
        label=_("When do we send it?"),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"class": "form-control", "type": "date"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first, last = delivery.today(), delivery.last_day()
        self.fields["deliver_on"].widget.attrs |= {"min": first.isoformat(), "max": last.isoformat()}
        self.fields["deliver_on"].help_text = _("Today, at once, or in the morning of a later day, up to %(day)s.") % {
            "day": date_format(last)
        }

    def clean_deliver_on(self) -> Any:
        return delivery.clean_day(self.cleaned_data["deliver_on"])
