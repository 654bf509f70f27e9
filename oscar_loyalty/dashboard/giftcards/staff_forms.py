"""Forms of what the shop does to cards by hand, one or many at a time."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from oscar_loyalty import clock, times
from oscar_loyalty.dashboard.base import TokenForm
from oscar_loyalty.dashboard.giftcards.forms import ReasonForm
from oscar_loyalty.dashboard.widgets import DayField
from oscar_loyalty.giftcards import bulk, expiry, imports, staff
from oscar_loyalty.giftcards.exceptions import NotAllowed
from oscar_loyalty.giftcards.laws import LAWS
from oscar_loyalty.giftcards.taxes import TAX_KINDS
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import exponent

Batch = get_model("loyalty_giftcards", "GiftCardBatch")
#: The largest file that is read while the owner waits.
LARGEST = 5 * 1024 * 1024


def money_field(label: Any, help_text: Any = "", *, required: bool = True) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=required,
        min_value=Decimal("0.01"),
        max_value=staff.DEAREST,
        max_digits=12,
        decimal_places=2,
        help_text=help_text,
    )


def fine(amount: Decimal | None, currency: str) -> Decimal | None:
    """Return ``amount``, unless the currency has no such small coins."""
    if amount is not None and amount != round(amount, exponent(currency)):
        raise ValidationError(_("This is finer than the currency."))
    return amount


def end_of(day: dt.date | None) -> dt.datetime | None:
    """Return the end of ``day``: a card can be spent on its last day."""
    if day is None:
        return None
    return times.end_of_life(timezone.make_aware(dt.datetime.combine(day, dt.time(12))), 0)


class TopUpForm(TokenForm, ReasonForm):
    """Money to be put on a card."""

    field_order = ["amount", "reason", "token"]
    amount = money_field(_("Amount"))

    def __init__(self, *args: Any, card: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.card, self.user = card, user
        self.fields["amount"].label = f"{self.fields['amount'].label} ({card.currency})"

    def clean_amount(self):
        amount = fine(self.cleaned_data["amount"], self.card.currency)
        try:
            staff.check_limit(user=self.user, amount=amount, currency=self.card.currency)
        except NotAllowed as error:
            raise ValidationError(str(error)) from error
        return amount


class ExtendForm(TokenForm, ReasonForm):
    """A later end of a card."""

    field_order = ["until", "reason", "token"]
    until = DayField(label=_("Last day"), required=False, help_text=_("Empty: the card never ends."))

    def __init__(self, *args: Any, card: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.card = card

    def clean_until(self):
        end = end_of(self.cleaned_data["until"])
        if end is not None and (end <= clock.now() or self.card.expires_at is None or end <= self.card.expires_at):
            raise ValidationError(_("The new end must be later than the one the card has."))
        return end


class FindForm(forms.Form):
    """The card that lies on the counter."""

    typed = forms.CharField(
        label=_("Code, or the eight letters of the card"),
        max_length=60,
        widget=forms.TextInput({"autocomplete": "off", "autofocus": True, "spellcheck": "false"}),
        help_text=_("Scan it, or type it."),
    )


class ActivateForm(TokenForm):
    """A card that was paid at the till."""

    field_order = ["value", "note", "token"]
    note = forms.CharField(
        label=_("Receipt"),
        required=False,
        max_length=255,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=_("Its number, for your own records."),
    )

    def __init__(self, *args: Any, card: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.card, self.user = card, user
        if card.value == 0:
            self.fields["value"] = money_field(_("Value"), _("What the customer pays for it."))
            self.fields["value"].label = f"{self.fields['value'].label} ({card.currency})"
            self.order_fields(self.field_order)

    def clean_value(self):
        value = fine(self.cleaned_data["value"], self.card.currency)
        try:
            staff.check_limit(user=self.user, amount=value, currency=self.card.currency)
        except NotAllowed as error:
            raise ValidationError(str(error)) from error
        return value


class PolicyForm(forms.Form):
    """How long new cards live."""

    country = forms.ChoiceField(
        label=_("Whose law counts"),
        required=False,
        help_text=_("How short a card's life may be there. Ask your lawyer: there are exceptions."),
    )
    months = forms.IntegerField(
        label=_("Months that a card lives"),
        required=False,
        min_value=1,
        max_value=1200,
        help_text=_("From when it is loaded. Empty: for ever. Cards that are loaded keep the end they have."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        laws = sorted(LAWS.values(), key=lambda law: str(law.name))
        self.fields["country"].choices = [("", _("Another country")), *((law.code, law.name) for law in laws)]

    def clean(self):
        cleaned = super().clean()
        try:
            expiry.check_months(cleaned.get("months"), country=cleaned.get("country") or "")
        except ValidationError as error:
            self.add_error("months", error)
        return cleaned


class BatchForm(TokenForm):
    """Many cards at a time."""

    name = forms.CharField(label=_("Name"), max_length=150, help_text=_("By which you find them again."))
    number = forms.IntegerField(label=_("Number of cards"), min_value=1, max_value=bulk.MOST)
    at_till = forms.BooleanField(
        label=_("Activated at the till"),
        required=False,
        help_text=_("For printed cards: each works once somebody has paid for it. The others work at once."),
    )
    value = money_field(
        _("Value of each"),
        _("Cards that are activated at the till may be blank: each then gets its own."),
        required=False,
    )
    expiry = forms.ChoiceField(label=_("They end"), choices=Batch.EXPIRIES, initial=Batch.POLICY)
    months = forms.IntegerField(
        label=_("Months"), required=False, min_value=1, max_value=1200, help_text=_("From when each is loaded.")
    )
    last_day = DayField(label=_("Last day"), required=False)
    tax_kind = forms.ChoiceField(label=_("Tax"), choices=TAX_KINDS)
    reason = forms.CharField(
        label=_("Reason"), max_length=255, help_text=_("For your own records: what the cards are for.")
    )

    field_order = ["name", "number", "at_till", "value", "expiry", "months", "last_day", "tax_kind", "reason", "token"]

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.currency = user, settings.OSCAR_DEFAULT_CURRENCY
        self.fields["value"].label = f"{self.fields['value'].label} ({self.currency})"

    def clean_value(self):
        return fine(self.cleaned_data["value"], self.currency)

    def clean(self):
        cleaned = super().clean()
        till, value = cleaned.get("at_till"), cleaned.get("value")
        if value is None and not till and "value" not in self.errors:
            self.add_error("value", _("Say what is on each card, or let them be activated at the till."))
        elif value is not None and not till and cleaned.get("number"):
            try:
                staff.check_limit(user=self.user, amount=value * cleaned["number"], currency=self.currency)
            except NotAllowed as error:
                self.add_error("number", str(error))
        self._clean_end(cleaned)
        return cleaned

    def _clean_end(self, cleaned: dict[str, Any]) -> None:
        kind = cleaned.get("expiry")
        try:
            if kind == Batch.MONTHS and "months" not in self.errors:
                if not cleaned.get("months"):
                    raise ValidationError(_("Say after how many months."))
                expiry.check_months(cleaned["months"], country=expiry.policy().country)
        except ValidationError as error:
            self.add_error("months", error)
        try:
            if kind == Batch.DAY and "last_day" not in self.errors:
                if not cleaned.get("last_day"):
                    raise ValidationError(_("Say on which day."))
                expiry.check_end(end_of(cleaned["last_day"]))
        except ValidationError as error:
            self.add_error("last_day", error)


class ImportForm(TokenForm):
    """A file with the cards of another system."""

    name = forms.CharField(label=_("Name"), max_length=150, help_text=_("By which you find these cards again."))
    file = forms.FileField(
        label=_("File"), widget=forms.FileInput({"accept": ".csv,.txt,.xlsx"}), help_text=_("CSV or Excel (.xlsx).")
    )
    tax_kind = forms.ChoiceField(label=_("Tax"), choices=TAX_KINDS)
    dates = forms.ChoiceField(
        label=_("Days are written"),
        required=False,
        choices=[
            ("", "2026-03-31"),
            ("%d/%m/%Y", "31/03/2026"),
            ("%d.%m.%Y", "31.03.2026"),
            ("%m/%d/%Y", "03/31/2026"),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {
            "code": _("Column of the code"),
            "value": _("Column of the value that is left"),
            "currency": _("Column of the currency"),
            "expires": _("Column of the last day"),
            "recipient": _("Column of the recipient"),
            "email": _("Column of the recipient’s e-mail"),
            "note": _("Column of a note"),
        }
        for name in imports.FIELDS:
            self.fields[f"column_{name}"] = forms.CharField(
                label=labels[name], required=False, max_length=200, widget=forms.TextInput({"placeholder": name})
            )

    @property
    def mapping(self) -> dict[str, str]:
        """The table's columns by field, as far as they were named."""
        named = {name: self.cleaned_data[f"column_{name}"].strip() for name in imports.FIELDS}
        return {name: column for name, column in named.items() if column}

    @property
    def main_fields(self):
        return [self[name] for name in ("name", "file", "dates", "tax_kind", "token")]

    @property
    def column_fields(self):
        return [self[f"column_{name}"] for name in imports.FIELDS]

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise ValidationError(_("The file is too large to be read here: use the command loyalty_giftcards."))
        return file
