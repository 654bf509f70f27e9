from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty import clock, times
from oscar_loyalty.dashboard.base import TokenForm
from oscar_loyalty.dashboard.rules.conditions import TimeInput
from oscar_loyalty.dashboard.targets import ProductSelect
from oscar_loyalty.dashboard.widgets import DayField, language_field
from oscar_loyalty.loading import get_model
from oscar_loyalty.privileges.checks import offers_are_kept

EarlyAccess = get_model("loyalty_privileges", "EarlyAccess")
GuestPass = get_model("loyalty_privileges", "GuestPass")
Product = get_model("catalogue", "Product")
TARGETS = ("product", "range", "offer")
#: What goes to the service as it is.
PLAIN = ("closed_before", "others", "words", "passes", "pass_days")
#: As the model has them.
BOUNDS = {"passes": {"max_value": 50}, "pass_days": {"min_value": 1, "max_value": 365}}


class WindowForm(TokenForm):
    """For whom a product, a range or an offer is first, from when and until when, and what others find."""

    target = forms.ChoiceField(
        label=_("What is it about?"), choices=EarlyAccess.TARGETS, widget=forms.RadioSelect, initial="product"
    )
    product = forms.ModelChoiceField(
        label=_("Product"), queryset=Product.objects.none(), required=False, widget=ProductSelect
    )
    range = forms.ModelChoiceField(label=_("Range"), queryset=Product.objects.none(), required=False)
    offer = forms.ModelChoiceField(label=_("Offer"), queryset=Product.objects.none(), required=False)
    tier = forms.ModelChoiceField(
        label=_("From tier"),
        queryset=Product.objects.none(),
        empty_label=None,
        help_text=EarlyAccess._meta.get_field("tier").help_text,
    )
    opens_day = DayField(label=_("First day"), required=False, help_text=_("Empty: now."))
    opens_time = forms.TimeField(
        label=_("Begins at"),
        required=False,
        widget=TimeInput,
        help_text=_("On your shop’s clock. Empty: as the day begins."),
    )
    ends_day = DayField(label=_("For everybody from this day on"))
    ends_time = forms.TimeField(
        label=_("For everybody at"),
        required=False,
        widget=TimeInput,
        help_text=_("On your shop’s clock. Empty: as the day begins."),
    )

    def __init__(self, *args: Any, programme: Any, window: Any = None, **kwargs: Any) -> None:
        self.programme, self.window = programme, window
        super().__init__(*args, **kwargs)
        if window is not None:
            # What is there is changed as often as somebody saves it.
            del self.fields["token"]
        self.fields["product"].queryset = Product.objects.select_related("parent")
        self.fields["range"].queryset = get_model("offer", "Range").objects.order_by("name")
        # What a tier brings is for that tier already.
        offers = get_model("offer", "ConditionalOffer").objects.filter(offer_type="Site", loyalty_tier__isnull=True)
        self.fields["offer"].queryset = offers.order_by("name")
        if not offers_are_kept():
            del self.fields["offer"]
            self.fields["target"].choices = [(value, label) for value, label in EarlyAccess.TARGETS if value != "offer"]
        tiers = get_model("loyalty_members", "Tier").objects.filter(programme=programme)
        self.fields["tier"].queryset = tiers.order_by("rank")
        for name in PLAIN:
            field = EarlyAccess._meta.get_field(name)
            self.fields[name] = language_field(field) if name == "words" else field.formfield(**BOUNDS.get(name, {}))
        self.fields["others"] = forms.ChoiceField(
            label=_("What others find"), choices=EarlyAccess.OTHERS, widget=forms.RadioSelect, initial="priceless"
        )
        self.order_fields([*self.base_fields, "closed_before", "others", "words", "passes", "pass_days"])

    def clean(self) -> Any:
        cleaned = super().clean()
        name = cleaned.get("target")
        if name and not cleaned.get(name) and name not in self.errors:
            self.add_error(name, _("Which one?"))
        self.opens_at = self._moment("opens") or (self.window.opens_at if self.window else clock.now())
        self.ends_at = self._moment("ends")
        return cleaned

    def _moment(self, name: str) -> datetime | None:
        day, time = self.cleaned_data.get(f"{name}_day"), self.cleaned_data.get(f"{name}_time")
        if day is None:
            if time is not None and f"{name}_day" not in self.errors:
                self.add_error(f"{name}_day", _("Which day?"))
            return None
        moment = timezone.make_aware(
            datetime.combine(day, time or datetime.min.time()), timezone.get_default_timezone()
        )
        before = getattr(self.window, f"{name}_at", None)
        # Fields show no seconds: what was not touched stays as it is.
        same = before is not None and times.on_clock(before).replace(second=0, microsecond=0) == moment
        return before if same else moment

    @property
    def terms(self) -> dict[str, Any]:
        """What the service wants."""
        data = self.cleaned_data
        return {
            "tier": data["tier"],
            "target": data[data["target"]],
            "opens_at": self.opens_at,
            "ends_at": self.ends_at,
            **{name: data[name] for name in PLAIN},
        }


def shown(window: Any) -> dict[str, Any]:
    """Return what the form shows of a window."""
    opens, ends = times.on_clock(window.opens_at), times.on_clock(window.ends_at)
    return {
        "target": window.kind,
        window.kind: window.target,
        "tier": window.tier,
        "opens_day": opens.date(),
        "opens_time": opens.time().replace(second=0, microsecond=0),
        "ends_day": ends.date(),
        "ends_time": ends.time().replace(second=0, microsecond=0),
        **{name: getattr(window, name) for name in PLAIN},
    }


class PassFilterForm(forms.Form):
    q = forms.CharField(
        label=_("Name, e-mail or card number"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"type": "search"}),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", pgettext_lazy("filter", "All")),
            ("waiting", _("not opened yet")),
            ("open", _("in use")),
            ("over", _("over")),
            ("back", _("taken back")),
        ],
    )
