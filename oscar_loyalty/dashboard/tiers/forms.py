from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.earning.tiering import proposals
from oscar_loyalty.loading import get_model


class LadderForm(forms.ModelForm):
    """By what tiers are reached and how they are kept, and from what on each begins. Nothing is saved by it: it makes a
    proposal, which is looked at first."""

    class Meta:
        model = get_model("loyalty_members", "TierScheme")
        fields = proposals.FIELDS
        widgets = {"metric": forms.RadioSelect, "window": forms.RadioSelect}

    def __init__(self, *args, programme, tiers, **kwargs):
        self.programme, self.tiers = programme, list(tiers)
        super().__init__(*args, **kwargs)
        for tier in self.tiers[1:]:
            self.fields[f"threshold_{tier.pk}"] = forms.DecimalField(
                label=tier.name,
                required=False,
                min_value=Decimal("0.01"),
                max_digits=12,
                decimal_places=2,
                initial=f"{tier.threshold.normalize():f}" if tier.threshold is not None else None,
                widget=forms.NumberInput({"step": "any", "inputmode": "decimal"}),
            )

    def rules(self) -> list[Any]:
        return [self[name] for name in proposals.FIELDS]

    def steps(self) -> list[tuple[Any, Any]]:
        """Every tier with its field, the lowest first, which has none."""
        return [(tier, self[f"threshold_{tier.pk}"] if number else None) for number, tier in enumerate(self.tiers)]

    def clean(self):
        cleaned = super().clean()
        if not self.errors:
            self.proposed = {
                "fields": {name: cleaned[name] for name in proposals.FIELDS},
                "thresholds": {tier.pk: cleaned.get(f"threshold_{tier.pk}") for tier in self.tiers},
            }
            try:
                proposals.check_all(programme=self.programme, **self.proposed)
            except ValidationError as error:
                self.add_error(None, error)
        return cleaned


class ConfirmForm(forms.Form):
    """Saves what was looked at."""

    p = forms.CharField(widget=forms.HiddenInput)
    tell = forms.BooleanField(
        label=_("Write to those who move"),
        required=False,
        initial=True,
        help_text=_("Congratulations to those who rise. Whoever is about to fall later is warned in any case."),
    )
