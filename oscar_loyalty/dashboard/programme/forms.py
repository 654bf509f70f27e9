from decimal import Decimal
from typing import Any

from babel.numbers import list_currencies
from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.dashboard.programme.statuses import LINES, ORDERS, statuses
from oscar_loyalty.dashboard.widgets import ColourInput, MultilingualFormMixin
from oscar_loyalty.fields import data_of
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import exponent, format_money, hundredths
from oscar_loyalty.payments import offering

Programme = get_model("loyalty_members", "Programme")
Tier = get_model("loyalty_members", "Tier")


class StatusesField(forms.MultipleChoiceField):
    """Some statuses of one of the shop's pipelines."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, statuses: list[str], **kwargs):
        super().__init__(choices=[(status, gettext(status)) for status in statuses], required=False, **kwargs)


class ProgrammeForm(MultilingualFormMixin, forms.ModelForm):
    """Everything about the programme on one page. What it says follows the model's own sentences of help."""

    FIELDSETS = [
        (
            _("The programme"),
            "fas fa-heart",
            ["name", "points_name_one", "points_name_many", "currency", "is_active", "auto_enrol"],
        ),
        (_("What points are counted on"), "fas fa-calculator", ["earn_tax", "earn_shipping", "rounding"]),
        (
            _("When orders bring points"),
            "fas fa-shopping-cart",
            [
                "award_on_status",
                "pending_days",
                "cancelled_order_statuses",
                "cancelled_line_statuses",
                "paid_statuses",
                "payment_failed_status",
            ],
        ),
        (_("When visits bring points"), "fas fa-calendar-check", ["booking_delay_hours"]),
        (_("How long points live"), "fas fa-hourglass-half", ["expiry_months", "grace_days"]),
        (
            _("What points are worth"),
            "fas fa-gift",
            ["redemption_points", "redemption_amount"],
        ),
        (
            _("Paying orders with points"),
            "fas fa-cash-register",
            ["points_at_checkout", "points_share", "minimum_cash"],
        ),
        (_("Putting things right"), "fas fa-balance-scale", ["clawback_policy", "adjust_limit"]),
    ]

    class Meta:
        model = Programme
        # What a shop adds to its own programme is asked for too.
        exclude = ["site", "started_at"]  # noqa: DJ006
        widgets = {"clawback_policy": forms.RadioSelect}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.multilingual("points_name_one", "points_name_many")
        programme = self.instance
        for name, setting in [
            ("cancelled_order_statuses", ORDERS),
            ("cancelled_line_statuses", LINES),
            ("paid_statuses", ORDERS),
        ]:
            before = self.fields[name]
            self.fields[name] = StatusesField(
                statuses(setting, getattr(programme, name) or []), label=before.label, help_text=before.help_text
            )
        orders = statuses(ORDERS, [programme.award_on_status])
        self.fields["award_on_status"] = forms.ChoiceField(
            label=self.fields["award_on_status"].label,
            help_text=self.fields["award_on_status"].help_text,
            choices=[("", _("As soon as they are placed")), *((status, gettext(status)) for status in orders)],
            required=False,
        )
        failed = statuses(ORDERS, [programme.payment_failed_status])
        self.fields["payment_failed_status"] = forms.ChoiceField(
            label=self.fields["payment_failed_status"].label,
            help_text=self.fields["payment_failed_status"].help_text,
            choices=[("", _("Leave the status as it is")), *((status, gettext(status)) for status in failed)],
            required=False,
        )
        self.fields["currency"].widget.attrs |= {"maxlength": 3, "autocapitalize": "characters"}
        if example := self.example():
            self.fields["minimum_cash"].help_text = f"{self.fields['minimum_cash'].help_text} {example}"

    def fieldsets(self) -> list[tuple[Any, str, list[Any]]]:
        """The fields by subject; what a shop's own programme has beside comes last."""
        named = [name for _title, _icon, names in self.FIELDSETS for name in names]
        sets = [(title, icon, [self[name] for name in names]) for title, icon, names in self.FIELDSETS]
        more = [self[name] for name in self.fields if name not in named]
        return [*sets, (pgettext_lazy("fields", "More"), "fas fa-ellipsis-h", more)] if more else sets

    def example(self) -> str:
        """Say in numbers what the programme allows at checkout; nothing as long as points do not pay there."""
        programme = self.instance
        if not programme.pk or not programme.points_at_checkout:
            return ""
        # As many as people spend on a visit: 40 euros, 4,000 yen.
        total = Decimal(40) * hundredths(programme.currency)
        number, amount = offering.most_of(programme, total)
        words = {
            "total": format_money(total, programme.currency),
            "amount": format_money(amount, programme.currency),
            "points": programme.points_label(number),
        }
        if not number:
            return gettext("As it is now, no points can be used on an order of %(total)s.") % words
        return (
            gettext("As it is now: on an order of %(total)s, at most %(amount)s can be paid with %(points)s.") % words
        )

    def clean_currency(self):
        currency = self.cleaned_data["currency"].strip().upper()
        if currency not in list_currencies():
            raise forms.ValidationError(_("There is no such currency. Write its three letters, such as EUR."))
        if exponent(currency) > 2:
            raise forms.ValidationError(_("The shop cannot store this currency: it has more than two decimals."))
        return currency

    def clean(self):
        cleaned = super().clean()
        cancelled = set(cleaned.get("cancelled_order_statuses") or [])
        if cleaned.get("award_on_status") in cancelled:
            self.add_error("award_on_status", _("This status means cancelled, so it cannot bring points."))
        both = sorted(cancelled & set(cleaned.get("paid_statuses") or []))
        if both:
            message = _("A status cannot mean both paid and cancelled: %(statuses)s.")
            self.add_error("paid_statuses", message % {"statuses": ", ".join(both)})
        return cleaned


def _bare(value: Any) -> Any:
    """Return a value to be compared, a text without the languages in which it says nothing."""
    data = data_of(value)
    return {code: text for code, text in data.items() if text} if isinstance(data, dict) else data or {}


class TierForm(MultilingualFormMixin, forms.ModelForm):
    #: Whether this is the new tier that the same form has just made; known once it is valid.
    is_there_already = False

    class Meta:
        model = Tier
        fields = ["name", "rank", "multiplier", "discount", "free_shipping", "colour", "perks", "support"]
        widgets = {"colour": ColourInput}

    def __init__(self, *args, programme, **kwargs):
        self.programme = programme
        super().__init__(*args, **kwargs)
        self.multilingual("name", "perks", "support")
        self.fields["rank"].min_value = 0
        if not self.instance.pk:
            ranks = list(Tier.objects.filter(programme=programme).values_list("rank", flat=True))
            self.fields["rank"].initial = max(ranks, default=0) + 1
        self.fields["colour"].help_text = _("The tier's colour on the customer's pages and here.")

    def clean_rank(self):
        rank = self.cleaned_data["rank"]
        self._check_order(rank)
        return rank

    def clean(self):
        cleaned = super().clean()
        others = Tier.objects.filter(programme=self.programme, rank=cleaned.get("rank")).exclude(pk=self.instance.pk)
        if other := others.first():
            # The new tier that the same form has just made is no other.
            same = not self.instance.pk and not self.errors and self._says(other)
            self.is_there_already = same
            if not same:
                self.add_error("rank", _("“%(tier)s” has this rank already.") % {"tier": other.name})
        return cleaned

    def _says(self, tier: Any) -> bool:
        """Whether each field says what ``tier`` has stored."""
        return all(_bare(getattr(tier, name)) == _bare(value) for name, value in self.cleaned_data.items())

    def _check_order(self, rank: int) -> None:
        """Refuse a rank that does not go with what the tiers are reached from, or that leaves members at the top."""
        if not self.instance.pk or rank == self.instance.rank:
            return
        others = list(Tier.objects.filter(programme=self.programme).exclude(pk=self.instance.pk).order_by("rank"))
        own, lowest = self.instance.threshold, all(other.rank > self.instance.rank for other in others)
        if lowest and any(other.rank < rank for other in others) and self.instance.members.exists():
            raise forms.ValidationError(_("This is the tier that everybody begins with: it stays the lowest."))
        for other in others:
            if own is None or other.threshold is None:
                continue
            if (other.rank < rank) is not (other.threshold < own):
                message = _("“%(tier)s” is reached from more or less than this one: change that first, under “Tiers”.")
                raise forms.ValidationError(message % {"tier": other.name})

    def clean_colour(self):
        colour = self.cleaned_data["colour"].strip().lower()
        if len(colour) != 7 or colour[0] != "#" or any(letter not in "0123456789abcdef" for letter in colour[1:]):
            raise forms.ValidationError(_("Choose a colour, such as #8c5a2b."))
        return colour

    @property
    def code(self) -> str:
        """The tier's code: for a new one, from its name, and free."""
        if self.instance.pk:
            return str(self.instance.code)
        name = self.cleaned_data["name"]
        first = next((text for text in name.data.values() if text), "") if isinstance(name.data, dict) else name.data
        base = slugify(first)[:28] or "tier"
        taken = set(Tier.everything.filter(programme=self.programme).values_list("code", flat=True))
        free = (code for code in [base, *(f"{base}-{number}" for number in range(2, 100))] if code not in taken)
        return next(free)
