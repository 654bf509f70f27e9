"""What the simulator asks before it begins."""

from datetime import timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from oscar_loyalty.dashboard.base import TokenForm
from oscar_loyalty.dashboard.widgets import DayField
from oscar_loyalty.reports.simulation import sources


def a_year_ago():
    return timezone.localdate() - timedelta(days=364)


class SimulationForm(TokenForm):
    rules = forms.ChoiceField(
        label=_("Try"), help_text=_("A draft, the rules of today, or each purchase by the rules of its own day.")
    )
    beside = forms.ChoiceField(
        label=_("Compare with"), required=False, help_text=_("Optional: a second draft, shown side by side.")
    )
    since = DayField(label=_("Purchases from"), initial=a_year_ago)
    until = DayField(label=_("Until"), initial=timezone.localdate)
    breakage = forms.DecimalField(
        label=_("Points that are never spent, in percent"),
        min_value=0,
        max_value=100,
        decimal_places=2,
        max_digits=5,
        initial=20,
        help_text=_("They cost you nothing. In most shops it is between 10 and 30."),
    )
    earlier = forms.BooleanField(
        label=_("As if all had been members from the beginning"),
        required=False,
        help_text=_("Counts what members bought before they joined, too."),
    )

    def __init__(self, *args, programme, **kwargs):
        super().__init__(*args, **kwargs)
        offered = sources.choices(programme)
        self.titles = {name: str(title) for name, title in offered}
        self.fields["rules"].choices = offered
        self.fields["beside"].choices = [("", _("Nothing")), *offered]

    def clean(self):
        cleaned = super().clean()
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", _("The end lies before the beginning."))
        if cleaned.get("beside") and cleaned["beside"] == cleaned.get("rules"):
            self.add_error("beside", _("That is the same as above. Choose another, or nothing."))
        return cleaned
