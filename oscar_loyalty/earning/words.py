"""Rules in plain words."""

from decimal import Decimal
from typing import Any

from django.utils import formats
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from oscar_loyalty.earning import explain
from oscar_loyalty.earning.conditions import When
from oscar_loyalty.earning.segments import segments
from oscar_loyalty.members import selectors as members


def brings(rule: Any, spec: dict[str, Any], programme: Any) -> str:
    """Say what a version of a rule brings: "2 petals per €1, above €5"."""
    if rule.kind == "exclude":
        return _("Nothing: these bring no points")
    if rule.kind == "booster" and spec.get("times"):
        return _("× %(times)s on what these bring") % {"times": explain.number(spec["times"])}
    currency = programme.currency
    threshold = Decimal(str(spec.get("threshold", 0) or 0))
    if rule.kind == "booster":
        more = {"points": explain.points(spec["plus"], programme), "threshold": explain.money(threshold, currency)}
        if threshold:
            return _("%(points)s more, once for each purchase of %(threshold)s or more") % more
        return _("%(points)s more, once for each purchase") % more
    values = {
        "points": explain.points(spec.get("points", 0), programme),
        "per": explain.money(spec.get("per", 1), currency),
        "threshold": explain.money(threshold, currency),
    }
    if rule.kind == "unit":
        return _("%(points)s for each piece") % values
    if rule.kind == "amount":
        if threshold:
            return _("%(points)s per %(per)s, on what is above %(threshold)s") % values
        return _("%(points)s per %(per)s") % values
    if rule.kind == "order":
        if threshold:
            return _("%(points)s for each order of %(threshold)s or more") % values
        return _("%(points)s for each order") % values
    if threshold:
        return _("%(points)s for each visit of %(threshold)s or more") % values
    return _("%(points)s for each visit") % values


def applies_to(rule: Any) -> str:
    """Say what a rule is about: "Category: Hair care"."""
    if rule.target == "everything":
        return _("Everything in the shop")
    target = rule.target_object
    if target is None:
        return _("Something that has been deleted")
    if rule.target in ("product", "variant"):
        name = target.get_title()
    elif rule.target == "category":
        name = target.full_name
    else:
        name = target.name
    said = {
        "class": _("Product type: %(name)s"),
        "category": _("Category: %(name)s"),
        "range": _("Range: %(name)s"),
        "product": _("Product: %(name)s"),
        "variant": _("Variant: %(name)s"),
    }
    return said[rule.target] % {"name": name}


def deed(rule: Any, programme: Any) -> str:
    """Say what a version of an action's rule brings, and how often: "20 petals, up to 5 times a year"."""
    values = {"points": explain.points(rule.points, programme), "times": explain.number(rule.times or 0)}
    if rule.times is None:
        return _("%(points)s each time") % values
    once = {
        "ever": _("%(points)s, once"),
        "day": _("%(points)s, once a day"),
        "month": _("%(points)s, once a month"),
        "year": _("%(points)s, once a year"),
    }
    often = {
        "ever": _("%(points)s, up to %(times)s times"),
        "day": _("%(points)s, up to %(times)s times a day"),
        "month": _("%(points)s, up to %(times)s times a month"),
        "year": _("%(points)s, up to %(times)s times a year"),
    }
    return (once if rule.times == 1 else often)[rule.period] % values


def tier_names(programme: Any) -> dict[str, str]:
    """Return the names of the programme's tiers by their codes; one query."""
    return {tier.code: str(tier.name) for tier in members.tiers(programme)}


def conditions(spec: dict[str, Any], programme: Any, names: dict[str, str]) -> list[str]:
    """Say when a version holds and how far it goes: "Monday, Tuesday", "from 9:00 to 12:00", "for Gold"."""
    when = When.of(spec.get("when", {})) or When()
    said = []
    if when.weekdays:
        said.append(", ".join(str(WEEKDAYS[day]) for day in sorted(when.weekdays)))
    said += _span(
        formats.time_format(when.begins, "TIME_FORMAT") if when.begins else "",
        formats.time_format(when.ends, "TIME_FORMAT") if when.ends else "",
    )
    said += _span(
        formats.date_format(when.since, "SHORT_DATE_FORMAT") if when.since else "",
        formats.date_format(when.to, "SHORT_DATE_FORMAT") if when.to else "",
    )
    if when.tiers:
        named = ", ".join(names.get(code, code) for code in names | dict.fromkeys(when.tiers, "") if code in when.tiers)
        said.append(_("for %(names)s") % {"names": named})
    said += [_("orders only") if channel == "order" else _("visits only") for channel in when.channels]
    if when.first:
        said.append(_("the first purchase only"))
    if when.birthday_month:
        said.append(_("in the month of the birthday"))
    said += [str(segments[code][0]) for code in sorted(when.segments) if code in segments]
    caps = {
        "order": _("at most %(points)s with one purchase"),
        "day": _("at most %(points)s in a day"),
        "member": _("at most %(points)s for each member"),
    }
    for name, most in spec.get("caps", {}).items():
        said.append(caps[name] % {"points": explain.points(most, programme)})
    return said


def announced(spec: dict[str, Any]) -> list[str]:
    """Say, to the owner, when customers are told of a booster: "announced 3 days before"."""
    if ahead := spec.get("announce"):
        said = ngettext("announced %(number)s day before", "announced %(number)s days before", ahead)
        return [said % {"number": ahead}]
    return []


def _span(begins: str, ends: str) -> list[str]:
    values = {"begins": begins, "ends": ends}
    if begins and ends:
        return [_("from %(begins)s to %(ends)s") % values]
    if begins:
        return [_("from %(begins)s on") % values]
    return [_("until %(ends)s") % values] if ends else []
