from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty import times
from oscar_loyalty.dashboard.base import TokenForm
from oscar_loyalty.dashboard.pictures import PictureField
from oscar_loyalty.dashboard.targets import ProductSelect
from oscar_loyalty.dashboard.widgets import DayField, MultilingualFormMixin
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.loading import get_model

Reward = get_model("loyalty_rewards", "Reward")
Claim = get_model("loyalty_rewards", "Claim")
RewardPolicy = get_model("loyalty_rewards", "RewardPolicy")

#: What each kind asks for besides what all do.
OWN = {
    "amount": ["value", "range", "minimum"],
    "percent": ["value", "range", "minimum"],
    "product": ["product", "minimum"],
    "shipping": ["minimum"],
    "experience": [],
    "donation": ["value", "beneficiary"],
    "partner": [],
}
#: Kinds and fields that have nothing to say about each other.
WITHOUT = {"donation": ["validity_days"], "partner": ["stock"]}
#: More bytes of codes than this are another file; more codes at once are a mistake.
MOST_BYTES = 1_000_000
MOST_CODES = 20_000
#: What partners write above their codes.
HEADINGS = {"bon", "code", "codes", "coupon", "gutschein", "number", "numéro", "voucher"}


class RewardForm(MultilingualFormMixin, TokenForm, forms.ModelForm):
    """A reward, with the fields of its kind."""

    first_day = DayField(label=_("First day"), required=False)
    last_day = DayField(label=_("Last day"), required=False)

    class Meta:
        model = Reward
        fields = [
            "name", "text", "picture", "value", "product", "range", "beneficiary", "minimum", "points", "validity_days",
            "stock", "limit", "limit_days", "tier", "cost", "is_active",
        ]  # fmt: skip
        widgets = {"product": ProductSelect}
        field_classes = {"picture": PictureField}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        reward = self.instance
        kind = reward.kind
        self.multilingual("name", "text")
        if reward.pk is not None:
            # What is there is changed as often as somebody saves it.
            del self.fields["token"]
        for name in {field for fields in OWN.values() for field in fields} - set(OWN[kind]):
            del self.fields[name]
        for name in WITHOUT.get(kind, ()):
            del self.fields[name]
        if "product" in self.fields:
            self.fields["product"].queryset = get_model("catalogue", "Product").objects.select_related("parent")
            self.fields["product"].required = True
        if "range" in self.fields:
            ranges = get_model("offer", "Range").objects.filter(proxy_class=None)
            self.fields["range"].queryset = ranges.order_by("name")
        if "value" in self.fields:
            currency = reward.programme.currency
            label = _("Percent") if kind == "percent" else _("Amount in %(currency)s") % {"currency": currency}
            self.fields["value"].label, self.fields["value"].help_text = label, ""
            self.fields["value"].required = kind != "donation"
        tiers = get_model("loyalty_members", "Tier").objects.filter(programme=reward.programme)
        self.fields["tier"].queryset = tiers.order_by("rank")
        if reward.starts_at:
            self.initial["first_day"] = times.day_of(reward.starts_at)
        if reward.ends_at:
            self.initial["last_day"] = times.last_day(reward.ends_at)
        self.order_fields([name for name in self.fields if name not in ("tier", "cost", "is_active")])

    def clean_value(self):
        value = self.cleaned_data["value"]
        if value is not None and self.instance.kind == "percent" and value > 100:
            raise forms.ValidationError(_("No more than 100."))
        return value

    def clean_product(self):
        product = self.cleaned_data["product"]
        if giftcards.is_giftcard(product):
            raise forms.ValidationError(_("A gift card cannot be given for nothing: members buy it with their points."))
        if not (product.parent if product.is_child else product).is_discountable:
            raise forms.ValidationError(_("This product cannot be discounted."))
        return product

    def clean(self):
        cleaned = super().clean()
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("It ends before it begins."))
        if cleaned.get("limit_days") and not cleaned.get("limit"):
            self.add_error("limit", _("How many in so many days?"))
        return cleaned

    def filled(self) -> Any:
        """Return the reward with what was typed; the service saves it."""
        reward, cleaned = self.instance, self.cleaned_data
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        reward.starts_at = times.start_of(first) if first else None
        reward.ends_at = times.end_of(last) if last else None
        return reward


class _CodesForm(forms.Form):
    def found(self, lines: list[str]) -> list[str]:
        """Return the codes in ``lines``; says it where there are none, or too many."""
        codes = [line.strip() for line in lines if line.strip()]
        field = "file" if self.cleaned_data.get("file") else "codes"
        if not self.errors and not codes:
            self.add_error("codes", _("There is no code."))
        elif len(codes) > MOST_CODES:
            self.add_error(field, _("No more than %(most)s codes at once, please.") % {"most": MOST_CODES})
        return codes


class CodesForm(_CodesForm):
    """A partner's codes as they come, pasted or in a file: they are looked over before they are stored."""

    codes = forms.CharField(
        label=_("Codes"), required=False, widget=forms.Textarea({"rows": 8}), help_text=_("One on each line.")
    )
    file = forms.FileField(
        label=_("Or a file"),
        required=False,
        help_text=_("A text or CSV file; of a table, the first column counts."),
        widget=forms.ClearableFileInput({"accept": ".csv,.txt,text/csv,text/plain"}),
    )

    def clean_file(self):
        upload = self.cleaned_data["file"]
        if upload is None:
            return ""
        if upload.size > MOST_BYTES:
            raise forms.ValidationError(_("This file is too big."))
        try:
            text = upload.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            text = "\x00"
        if "\x00" in text:
            raise forms.ValidationError(_("This is no text file."))
        return text

    def clean(self):
        cleaned = super().clean()
        # The file first: what may be a heading is its first line.
        lines = [
            line.replace("\t", ";").replace(",", ";").split(";")[0].strip().strip('"')
            for line in (cleaned.get("file") or "").splitlines()
        ]
        cleaned["found"] = self.found([*lines, *(cleaned.get("codes") or "").splitlines()])
        return cleaned


class SeenCodesForm(_CodesForm):
    """The codes that were read, to be stored as they are here; those that are there already stay as they are."""

    codes = forms.CharField(
        label=_("Codes"),
        required=False,
        widget=forms.Textarea({"rows": 16}),
        help_text=_("One on each line. Change or take out what is wrong."),
    )
    heading = forms.BooleanField(
        label=_("The first line is a heading"), required=False, help_text=_("Then it is no code, and not stored.")
    )

    @classmethod
    def of(cls, found: list[str]) -> "SeenCodesForm":
        """Return the form that shows what was read."""
        return cls(initial={"codes": "\n".join(found), "heading": looks_like_heading(found)})

    def clean(self):
        cleaned = super().clean()
        lines = [line for line in (cleaned.get("codes") or "").splitlines() if line.strip()]
        cleaned["found"] = self.found(lines[1:] if cleaned["heading"] else lines)
        return cleaned


def looks_like_heading(codes: list[str]) -> bool:
    """Return whether the first of ``codes`` is rather the heading of a table: a word for a code, or the only one
    without a digit."""
    first, *rest = codes
    with_digits = [any(map(str.isdigit, code)) for code in rest]
    return first.casefold() in HEADINGS or (bool(rest) and all(with_digits) and not any(map(str.isdigit, first)))


class ClaimFilterForm(forms.Form):
    q = forms.CharField(
        label=_("Name, e-mail, card number or code"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"type": "search"}),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", pgettext_lazy("filter", "All")), ("todo", _("to be done by you")), *Claim.STATES],
    )
    reward = forms.ModelChoiceField(
        label=pgettext_lazy("filter", "Reward"),
        required=False,
        queryset=Reward.objects.none(),
        empty_label=pgettext_lazy("filter", "All"),
    )

    def __init__(self, *args, programme, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reward"].queryset = Reward.objects.filter(programme=programme)


class CancelForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=255, help_text=_("The member sees it, so write it for them.")
    )


class GiveForm(TokenForm):
    """A reward as a present."""

    reward = forms.ModelChoiceField(label=pgettext_lazy("filter", "Reward"), queryset=Reward.objects.none())
    reason = forms.CharField(
        label=_("Reason"), max_length=255, help_text=_("The member sees it, so write it for them.")
    )

    def __init__(self, *args, programme, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reward"].queryset = Reward.objects.filter(programme=programme)


class PolicyForm(forms.ModelForm):
    class Meta:
        model = RewardPolicy
        fields = ["expired", "cancelled_order", "again_days", "own_cancel", "remind_days"]
