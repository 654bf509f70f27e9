from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty import clock, times
from oscar_loyalty.dashboard.base import TokenForm
from oscar_loyalty.dashboard.widgets import DayField
from oscar_loyalty.earning.tiering import selectors as tiering
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.terms import term_of

Member = get_model("loyalty_members", "Member")
Tier = get_model("loyalty_members", "Tier")

#: More points than this by hand are a slip of the finger.
MOST = 10_000_000


class TierChoiceField(forms.ModelChoiceField):
    def __init__(self, **kwargs):
        super().__init__(queryset=Tier.objects.none(), required=False, **kwargs)

    def offer(self, programme) -> None:
        self.queryset = Tier.objects.filter(programme=programme).order_by("rank")


class MemberSearchForm(forms.Form):
    q = forms.CharField(
        label=_("Name, e-mail or card number"),
        required=False,
        max_length=200,
        widget=forms.TextInput({"type": "search"}),
    )
    tier = TierChoiceField(label=_("Tier"), empty_label=pgettext_lazy("filter", "All"))
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", pgettext_lazy("filter", "All")), *Member.STATUSES]
    )

    def __init__(self, *args, programme, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["tier"].offer(programme)


class AdjustForm(TokenForm):
    """Points added or taken by hand."""

    units = forms.IntegerField(
        label=_("Points"),
        min_value=-MOST,
        max_value=MOST,
        help_text=_("Above zero adds, below zero takes: 50 or -50."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=255,
        help_text=_("The member sees it, so write it for them."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    notify = forms.BooleanField(label=_("Tell them by e-mail"), required=False, initial=True)

    def __init__(self, *args, members, **kwargs):
        super().__init__(*args, **kwargs)
        self.about = sorted(member.pk for member in members)

    def clean_units(self):
        units = self.cleaned_data["units"]
        if not units:
            raise forms.ValidationError(_("Zero points change nothing."))
        return units


class TierForm(TokenForm):
    """A tier by hand, for good or for a while."""

    tier = TierChoiceField(label=_("Tier"), empty_label=None)
    last_day = DayField(
        label=_("Last day"),
        required=False,
        help_text=_("Until then they have at least this tier; what they reach beyond it counts. Empty: for good."),
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=255, help_text=_("For your own records."), widget=forms.TextInput
    )

    def __init__(self, *args, member, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["tier"].offer(member.programme)
        self.fields["tier"].required = True
        self.fields["tier"].initial = member.tier_id
        self.member = member

    def clean_tier(self):
        tier = self.cleaned_data["tier"]
        reached = tiering.reached_by(self.member)
        if reached is not None and reached.rank > tier.rank:
            message = _("What counts for them reaches “%(tier)s”: they would have it again at once.")
            raise forms.ValidationError(message % {"tier": reached.name})
        return tier

    def clean_last_day(self):
        day = self.cleaned_data["last_day"]
        if day is not None and day < times.day_of(clock.now()) and not self.is_repeated:
            raise forms.ValidationError(_("This day is over."))
        return day

    def clean(self):
        cleaned = super().clean()
        if not self.errors and not self.is_repeated:
            term = term_of(self.member)
            if (term.floor, term.floor_until) == (cleaned["tier"], self.until):
                self.add_error("tier", _("The member has this tier already."))
        return cleaned

    @property
    def until(self):
        """The moment at which the last day is over, or ``None``."""
        day = self.cleaned_data.get("last_day")
        return times.end_of(day) if day is not None else None

    @property
    def key(self) -> str:
        return f"dashboard:{self.member.pk}:{self['token'].data}"


class EnrolForm(TokenForm):
    """Which customers become members."""

    staff = forms.BooleanField(label=_("Your staff too"), required=False)
    sure = forms.BooleanField(
        label=_("Yes, make them members"),
        error_messages={"required": _("Please tick this box if you are sure.")},
        help_text=_("They are members from the day they registered. Nobody gets an e-mail for it."),
    )
