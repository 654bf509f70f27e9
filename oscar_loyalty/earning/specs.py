"""What a version of a rule says, checked and as it is stored: numbers, conditions, caps."""

from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from oscar_loyalty.cells import YEARS
from oscar_loyalty.earning.conditions import CHANNELS, FIELDS
from oscar_loyalty.earning.exceptions import WrongRule
from oscar_loyalty.earning.segments import segments

KINDS = ("unit", "amount", "order", "visit", "exclude", "booster")
CAPS = ("order", "day", "member")
#: More points than this are a slip of the finger, and so is a booster that multiplies by more than MOST_TIMES.
MOST = Decimal(10_000_000)
MOST_TIMES = Decimal(100)
#: How many days ahead a booster can be announced.
MOST_AHEAD = 60


def clean_spec(kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``spec`` as it is stored: numbers as text, nothing that its kind does not know, nothing that asks nothing.

    :raises WrongRule: for what makes no sense; ``field`` names the part of the spec.
    """
    clean: dict[str, Any] = {}
    if kind == "booster":
        clean |= _booster(spec)
        if ahead := _number(spec, "announce", 0):
            if ahead > MOST_AHEAD or ahead != ahead.to_integral_value():
                raise WrongRule(_("Between 1 and %(most)s days.") % {"most": MOST_AHEAD}, "announce")
            clean["announce"] = int(ahead)
    elif kind != "exclude":
        clean |= _points(kind, spec)
    if when := clean_when(spec.get("when") or {}):
        clean["when"] = when
    if kind != "exclude" and (caps := _caps(spec.get("caps") or {})):
        clean["caps"] = caps
    return clean


def _number(spec: Mapping[str, Any], field: str, default: Any) -> Decimal:
    try:
        value = Decimal(str(spec.get(field, default)))
    except InvalidOperation as error:
        raise WrongRule(_("This is no number."), field) from error
    if not value.is_finite() or value < 0 or value > MOST:
        raise WrongRule(_("Between 0 and %(most)s.") % {"most": MOST}, field)
    return value


def _text(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _points(kind: str, spec: Mapping[str, Any]) -> dict[str, str]:
    points = _number(spec, "points", "")
    if kind == "unit" and points != points.to_integral_value():
        raise WrongRule(_("Whole points only."), "points")
    clean = {"points": points}
    if kind == "amount":
        clean["per"] = _number(spec, "per", 1)
        if not clean["per"]:
            raise WrongRule(_("An amount above zero."), "per")
    if kind in ("amount", "order", "visit"):
        clean["threshold"] = _number(spec, "threshold", 0)
    return {field: _text(value) for field, value in clean.items() if value or field != "threshold"}


def _booster(spec: Mapping[str, Any]) -> dict[str, str]:
    given = [field for field in ("times", "plus") if spec.get(field) not in (None, "")]
    if len(given) != 1:
        raise WrongRule(_("Either a multiplier or a number of points."), "times")
    value = _number(spec, given[0], "")
    if given == ["times"] and not 1 < value <= MOST_TIMES:
        raise WrongRule(_("More than 1, and no more than %(most)s.") % {"most": MOST_TIMES}, "times")
    if given == ["plus"] and (value < 1 or value != value.to_integral_value()):
        raise WrongRule(_("Whole points, one at least."), "plus")
    clean = {given[0]: _text(value)}
    if given == ["plus"] and (threshold := _number(spec, "threshold", 0)):
        clean["threshold"] = _text(threshold)
    return clean


def _caps(caps: Mapping[str, Any]) -> dict[str, int]:
    clean = {}
    for field in CAPS:
        if caps.get(field) in (None, ""):
            continue
        value = _number(caps, field, "")
        if value < 1 or value != value.to_integral_value():
            raise WrongRule(_("Whole points, one at least."), f"caps.{field}")
        clean[field] = int(value)
    if len(set(caps) - set(CAPS)):
        raise WrongRule(_("There is no such limit."), "caps")
    return clean


def clean_when(when: Mapping[str, Any]) -> dict[str, Any]:
    """Return conditions as they are stored; see :class:`oscar_loyalty.earning.conditions.When`.

    :raises WrongRule: for a time or day that does not exist, an end before its beginning, something unknown.
    """
    if unknown := set(when) - set(FIELDS):
        raise WrongRule(_("There is no such condition."), f"when.{min(unknown)}")
    clean: dict[str, Any] = {}
    if weekdays := when.get("weekdays"):
        try:
            days = sorted({int(day) for day in weekdays})
        except (TypeError, ValueError):
            days = []
        if not days or days[0] < 0 or days[-1] > 6:
            raise WrongRule(_("There is no such day of the week."), "when.weekdays")
        if len(days) < 7:
            clean["weekdays"] = days
    for field in ("from", "until"):
        if when.get(field):
            clean[field] = _parsed(time, when[field], f"when.{field}", _("There is no such time.")).strftime("%H:%M")
    if clean.get("from") and clean.get("from") == clean.get("until"):
        raise WrongRule(_("The end is the beginning."), "when.until")
    for field in ("since", "to"):
        if when.get(field):
            day = _parsed(date, when[field], f"when.{field}", _("There is no such day."))
            if day.year not in YEARS:
                raise WrongRule(_("There is no such day."), f"when.{field}")
            clean[field] = day.isoformat()
    if clean.get("since") and clean.get("to") and clean["to"] < clean["since"]:
        raise WrongRule(_("The end lies before the beginning."), "when.to")
    for field in ("tiers", "channels", "segments"):
        if when.get(field):
            clean[field] = sorted(set(when[field]))
    if set(clean.get("channels", ())) - set(CHANNELS):
        raise WrongRule(_("There is no such channel."), "when.channels")
    if set(clean.get("channels", ())) == set(CHANNELS):
        del clean["channels"]
    if set(clean.get("segments", ())) - set(segments):
        raise WrongRule(_("There is no such group."), "when.segments")
    return clean | {field: True for field in ("first", "birthday_month") if when.get(field)}


def _parsed(kind: Any, value: Any, field: str, message: str) -> Any:
    if isinstance(value, kind):
        return value
    read: Callable[[str], Any] = kind.fromisoformat
    try:
        return read(str(value))
    except ValueError as error:
        raise WrongRule(message, field) from error
