"""Rules in plain words."""

from decimal import Decimal
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from oscar_loyalty.earning import explain
from oscar_loyalty.earning.conditions import When
from oscar_loyalty.earning.segments import segments
from oscar_loyalty.members import selectors as members


def sentence(
    rule: Any, spec: dict[str, Any], programme: Any, names: dict[str, str], *, about: bool = False, staff: bool = False
) -> str:
    """Say a version in one sentence: "Double petals on Mondays from 9 a.m. to noon for Gold, orders only".

    ``names`` are those of :func:`tier_names`. With ``about`` it says on what, with ``staff`` when it is announced.
    """
    said = [brings(rule, spec, programme)]
    if about and rule.target != "everything":
        said.append(_about(rule))
    said += _times(spec, names)
    return ", ".join([" ".join(said), *_bounds(spec, programme), *(announced(spec) if staff else [])])


def multiplied(times: Any, programme: Any) -> str:
    """Say what a booster makes of points: "Double petals"."""
    values = {"points": programme.points_name_many, "times": explain.number(times)}
    if Decimal(str(times)) == 2:
        return _("Double %(points)s") % values
    if Decimal(str(times)) == 3:
        return _("Triple %(points)s") % values
    return pgettext("booster", "%(times)s times the %(points)s") % values


def brings(rule: Any, spec: dict[str, Any], programme: Any) -> str:
    """Say what a version of a rule brings: "2 petals per €1, above €5"."""
    if rule.kind == "exclude":
        return _("Nothing: these bring no points")
    if rule.kind == "booster" and spec.get("times"):
        return multiplied(spec["times"], programme)
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


def _about(rule: Any) -> str:
    """Say on what a rule is, within its sentence: "on “Hair care”"."""
    target = rule.target_object
    if target is None:
        return _("on something that has been deleted")
    name = target.get_title() if rule.target in ("product", "variant") else target.name
    return (_("of “%(name)s”") if rule.kind == "unit" else _("on “%(name)s”")) % {"name": name}


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
    """Say when a version holds and how far it goes: "on Mondays", "from 9 a.m. to noon", "for Gold"."""
    return [*_times(spec, names), *_bounds(spec, programme)]


def _times(spec: dict[str, Any], names: dict[str, str]) -> list[str]:
    """What follows in a sentence without a comma: when, and for whom."""
    when = When.of(spec.get("when", {})) or When()
    said = []
    if when.weekdays:
        said.append(_days(sorted(when.weekdays)))
    said += _hours(when)
    said += _dates(when)
    if when.tiers:
        named = [names.get(code, code) for code in names | dict.fromkeys(when.tiers, "") if code in when.tiers]
        said.append(_("for %(names)s") % {"names": _and(named)})
    if when.first:
        said.append(_("on the first purchase"))
    if when.birthday_month:
        said.append(_("in the month of the birthday"))
    return said


def _bounds(spec: dict[str, Any], programme: Any) -> list[str]:
    """What follows after a comma: what it is kept to, and how far it goes."""
    when = When.of(spec.get("when", {})) or When()
    said = [_("orders only") if channel == "order" else _("visits only") for channel in when.channels]
    if named := [str(segments[code][0]) for code in sorted(when.segments) if code in segments]:
        said.append(_("only for: %(who)s") % {"who": _and(named)})
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


def _days(days: list[int]) -> str:
    """Say weekdays: "on Mondays and Fridays"; three in a row or more: "from Monday to Friday"."""
    # Django's own names begin with a capital in French, too.
    one = [
        pgettext("in a sentence", "Monday"), pgettext("in a sentence", "Tuesday"),
        pgettext("in a sentence", "Wednesday"), pgettext("in a sentence", "Thursday"),
        pgettext("in a sentence", "Friday"), pgettext("in a sentence", "Saturday"), pgettext("in a sentence", "Sunday"),
    ]  # fmt: skip
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:
        return pgettext("weekdays", "from %(first)s to %(last)s") % {"first": one[days[0]], "last": one[days[-1]]}
    each = [
        _("Mondays"), _("Tuesdays"), _("Wednesdays"), _("Thursdays"), _("Fridays"), _("Saturdays"), _("Sundays"),
    ]  # fmt: skip
    return pgettext("weekdays", "on %(days)s") % {"days": _and([each[day] for day in days])}


def _hours(when: When) -> list[str]:
    begins, ends = (formats.time_format(hour, "TIME_FORMAT") if hour else "" for hour in (when.begins, when.ends))
    values = {"begins": begins, "ends": ends}
    if begins and ends:
        return [_("from %(begins)s to %(ends)s") % values]
    if begins:
        return [_("from %(begins)s on") % values]
    return [_("until %(ends)s") % values] if ends else []


def _dates(when: When) -> list[str]:
    begins, ends = (formats.date_format(day, "DATE_FORMAT") if day else "" for day in (when.since, when.to))
    values = {"begins": begins, "ends": ends}
    if begins and ends:
        return [pgettext("dates", "from %(begins)s to %(ends)s") % values]
    if begins:
        return [pgettext("dates", "from %(begins)s on") % values]
    return [pgettext("dates", "until %(ends)s") % values] if ends else []


def _and(names: list[str]) -> str:
    """Join names as one says them: "Silver, Gold and Platinum"."""
    if len(names) < 2:
        return "".join(names)
    return _("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}
