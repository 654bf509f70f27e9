"""What the page of the tiers says."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from oscar_loyalty.earning import words as rules
from oscar_loyalty.earning.tiering import selectors, words
from oscar_loyalty.members import selectors as members


@dataclass(frozen=True)
class Step:
    """A tier, how it is reached, and what it brings, in plain words."""

    tier: Any
    said: str
    brings: list[str] = field(default_factory=list)


def ladder(programme: Any) -> tuple[list[Step], list[str]]:
    """Return the tiers, the lowest first, and how they are reached and kept (nothing where they are given by hand)."""
    scheme, tiers = selectors.scheme_of(programme), list(members.tiers(programme))
    steps = []
    for number, tier in enumerate(tiers):
        said = _("Where everybody begins") if not number else _("We give it ourselves")
        if number and scheme.is_automatic and tier.threshold is not None:
            amount = words.amount(scheme.metric, tier.threshold, programme)
            said = _("From %(amount)s %(window)s") % {"amount": amount, "window": words.window(scheme)}
        steps.append(Step(tier, said, brings(tier, programme)))
    return steps, how(scheme) if scheme.is_automatic else []


def brings(tier: Any, programme: Any) -> list[str]:
    """Return what a tier brings: what the shop does by itself, then the perks that the owner has written."""
    found = []
    if tier.multiplier != 1:
        found.append(rules.multiplied(tier.multiplier, programme))
    if tier.discount:
        percent = number_format(tier.discount.normalize(), use_l10n=True)
        found.append(_("%(percent)s%% off everything but gift cards") % {"percent": percent})
    if tier.free_shipping:
        found.append(_("Free delivery"))
    return [*found, *tier.perk_list]


def how(scheme: Any) -> list[str]:
    """Say how a tier is reached and kept."""
    counts = {
        "spend": _("What you spend counts, without what is refunded."),
        "points": _("The points you earn count, without those that are taken back."),
        "orders": _("Your orders count, without those that are cancelled."),
        "visits": _("Your visits count, once you were here."),
    }
    lines = [counts[scheme.metric], _("You have a higher tier as soon as you reach it.")]
    if scheme.window == "rolling":
        kept = ngettext(
            "You keep it for a month; reach as much again in that time, and you keep it for another.",
            "You keep it for %(months)s months; reach as much again in that time, and you keep it for as long again.",
            scheme.months,
        )
        lines.append(kept % {"months": scheme.months})
    elif scheme.window == "year":
        lines.append(
            _("You keep it until the end of the next year; reach as much again in that year, and you keep it on.")
        )
    else:
        lines.append(_("You keep it for as long as what you have reached counts."))
    if scheme.grace_days:
        grace = ngettext(
            "If something is missing at the end, you have one more day to make up for it.",
            "If something is missing at the end, you have %(days)s more days to make up for it.",
            scheme.grace_days,
        )
        lines.append(grace % {"days": scheme.grace_days})
    return lines
