"""Early access in plain words, for owners, members and everybody else."""

from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from oscar_loyalty import clock, times
from oscar_loyalty.earning.tiering import selectors as tiering
from oscar_loyalty.earning.tiering import words as tier_words
from oscar_loyalty.privileges.early_passes import name_of


def moment(when: Any) -> str:
    """Return a moment on the shop's clock: "12 December, 09:00"; with the year where it is another one."""
    local, now = times.on_clock(when), times.on_clock(clock.now())
    day = date_format(local, "MONTH_DAY_FORMAT") if local.year == now.year else date_format(local, "DATE_FORMAT")
    return f"{day}, {date_format(local, 'TIME_FORMAT')}"


def sentence(window: Any) -> str:
    """Say all of a window in one line: "Silk shampoo: Gold members until 12 December, 09:00; others see no price"."""
    values = {
        "what": name_of(window),
        "tier": window.tier.name,
        "from": moment(window.opens_at),
        "until": moment(window.over_at),
        "others": others(window),
    }
    if window.is_over():
        return _("%(what)s: %(tier)s members first, until %(until)s; for everybody since") % values
    if window.is_open():
        return _("%(what)s: %(tier)s members only until %(until)s; %(others)s") % values
    if window.closed_before:
        return _("%(what)s: nobody until %(from)s, then %(tier)s members only until %(until)s; %(others)s") % values
    return _("%(what)s: %(tier)s members only from %(from)s until %(until)s; %(others)s") % values


def others(window: Any) -> str:
    """Say what everybody else finds, as the end of a sentence."""
    if window.offer_id is not None:
        return _("others do not get it")
    return {
        "hidden": _("others do not find it"),
        "teased": _("others read a few words about it"),
        "priceless": _("others see it without a price"),
        "shown": _("others see it and cannot buy it"),
    }[window.others]


def badge(gate: Any) -> str:
    """Say it to somebody who may have it: "Early access for Gold until 12 December, 09:00"."""
    values = {"tier": gate.window.tier.name, "until": moment(gate.window.ends_at)}
    return _("Early access for %(tier)s until %(until)s") % values


def refusal(gate: Any) -> str:
    """Say why somebody may not have it yet, and from when on everybody may."""
    values = {
        "tier": gate.window.tier.name,
        "from": moment(gate.window.opens_at),
        "until": moment(gate.free_at),
    }
    if not gate.is_open:
        return _("From %(from)s on for members from %(tier)s on; for everybody from %(until)s on") % values
    return _("Now for members from %(tier)s on; for everybody from %(until)s on") % values


def distance(member: Any, tier: Any) -> str:
    """Say how far ``member`` is from ``tier``: "240 petals to Gold"; "" where nothing can be said."""
    if member is None or member.status != "active" or member.programme_id != tier.programme_id:
        return ""
    standing = tiering.standing(member)
    if standing is None or not standing.is_automatic or tier.threshold is None or tier.rank <= standing.tier.rank:
        return ""
    missing = max(tier.threshold - standing.total, Decimal(0))
    if not missing:
        return ""
    amount = tier_words.amount(standing.metric, missing, member.programme)
    return _("%(amount)s to %(tier)s") % {"amount": amount, "tier": tier.name}
