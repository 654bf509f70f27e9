"""What counts towards a tier, in words."""

from decimal import Decimal
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from oscar_loyalty.money import Money


def amount(metric: str, number: Any, programme: Any) -> str:
    """Return so much of what counts in the active language: "€45.00", "120 petals", "3 orders", "2 visits"."""
    if metric == "spend":
        return str(Money(Decimal(number), programme.currency))
    whole = int(number)
    if metric == "points":
        return str(programme.points_label(whole))
    values = {"number": number_format(whole, force_grouping=True)}
    if metric == "orders":
        return ngettext("%(number)s order", "%(number)s orders", whole) % values
    return ngettext("%(number)s visit", "%(number)s visits", whole) % values


def window(scheme: Any, *, staff: bool = False) -> str:
    """Return within which time it has to come together: "in the last 12 months"; to members, or ``staff``."""
    if scheme.window == "rolling":
        return ngettext("in the last month", "in the last %(months)s months", scheme.months) % {"months": scheme.months}
    if scheme.window == "year":
        return _("in this calendar year")
    return _("since they joined") if staff else _("since you joined")
