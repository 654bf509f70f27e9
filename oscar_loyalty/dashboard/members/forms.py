from django import forms
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.dashboard.base import TokenForm
from oscar_loyalty.loading import get_model

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
    tier = TierChoiceField(label=_("Tier"), empty_label=_("All"))
    status = forms.ChoiceField(label=_("Status"), required=False, choices=[("", _("All")), *Member.STATUSES])

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

    def clean_units(self):
        units = self.cleaned_data["units"]
        if not units:
            raise forms.ValidationError(_("Zero points change nothing."))
        return units


class TierForm(TokenForm):
    """Another tier, by hand."""

    tier = TierChoiceField(label=_("Tier"), empty_label=_("No tier"))
    reason = forms.CharField(
        label=_("Reason"), max_length=255, help_text=_("For your own records."), widget=forms.TextInput
    )

    def __init__(self, *args, member, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["tier"].offer(member.programme)
        self.fields["tier"].initial = member.tier_id
        self.member = member

    def clean_tier(self):
        tier = self.cleaned_data["tier"]
        if (tier.pk if tier else None) == self.member.tier_id and not self._was_done():
            raise forms.ValidationError(_("The member has this tier already."))
        return tier

    def _was_done(self) -> bool:
        """Whether this very form was sent before: then it is no mistake that the tier is there."""
        return self.member.tier_changes.filter(key=self.key).exists()

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
