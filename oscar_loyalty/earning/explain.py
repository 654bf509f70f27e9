"""Why these points: the data that the engine and the ledger keep, in short sentences in the reader's language."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel import Locale
from babel.core import UnknownLocaleError
from babel.numbers import format_currency
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, gettext_lazy, ngettext, to_locale
from django.utils.translation import gettext as _
from i18nfield.strings import LazyI18nString

#: What was given is said by whoever gives it: a title for the movement, and the sentence that says why.
Saying = Callable[[Mapping[str, Any], Any], str]
_sayings: dict[str, tuple[Any, Saying, bool]] = {}


def saying(why: str, *, title: Any, named: bool = False) -> Callable[[Saying], Saying]:
    """Register how the reason of a gift, or of a spend, is said: ``title`` (lazy text) names it, the function gets
    data and programme. With ``named``, the title tells the name that is in the data, too."""

    def register(function: Saying) -> Saying:
        _sayings[why] = (title, function, named)
        return function

    return register


def number(value: Any) -> str:
    """Write a number as the reader's language does, without trailing zeros."""
    value = Decimal(str(value)).normalize()
    return number_format(f"{value:f}" if value != value.to_integral_value() else int(value), force_grouping=True)


def money(value: Any, currency: str) -> str:
    """Write an amount as the reader's language does; whole amounts without decimals: "€1", "23,90 €"."""
    value = Decimal(str(value))
    try:
        locale = Locale.parse(to_locale(get_language() or settings.LANGUAGE_CODE))
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    if value == value.to_integral_value():
        pattern = locale.currency_formats["standard"].pattern.replace("0.00", "0")
        return format_currency(value, currency, format=pattern, locale=locale, currency_digits=False)
    return format_currency(value, currency, locale=locale)


def points(value: Any, programme: Any) -> str:
    """Write points, parts of one too: "1 petal", "0.5 petals"."""
    value = Decimal(str(value))
    if value == value.to_integral_value():
        return programme.points_label(int(value))
    return f"{number(value)}\xa0{programme.points_name_many}"


def line_sentences(why: Mapping[str, Any], programme: Any, *, title: str = "", staff: bool = False) -> list[str]:
    """Say why one line brought its points; ``title`` is the product's in the reader's language."""
    kind = why.get("rule")
    label = points(why.get("points", 0), programme)
    title = title or why.get("title", "")
    if kind == "unit":
        quantity = int(why.get("quantity", 1))
        values = {"quantity": number(quantity), "points": label, "title": title}
        if quantity == 1:
            said = _("%(points)s for %(title)s") % values if title else label
        else:
            said = (
                _("%(quantity)s × %(points)s for %(title)s") % values
                if title
                else _("%(quantity)s × %(points)s") % values
            )
    elif kind == "amount":
        said = _amount_sentence(why, label)
    elif kind == "visit":
        said = _("%(points)s for the visit") % {"points": label}
    elif kind == "order":
        said = _("%(points)s for the order") % {"points": label}
    elif kind == "booster":
        said = _booster_sentence(why, label, programme)
    elif kind in _sayings:
        said = _sayings[kind][1](why, programme)
    else:
        return []
    result = [said]
    if why.get("left_out"):
        amount = money(why["left_out"], why["currency"])
        result.append(_("%(amount)s paid with points or a gift card brings nothing") % {"amount": amount})
    if why.get("capped"):
        most = points(why["capped"]["most"], programme)
        result.append(_rule_cap(why["capped"]["by"]) % {"points": most})
    if staff and why.get("version"):
        result.append(_rule_sentence(why))
    return result


def _amount_sentence(why: Mapping[str, Any], label: str) -> str:
    currency = why["currency"]
    values = {
        "points": label,
        "per": money(why.get("per", 1), currency),
        "amount": money(Decimal(why.get("amount", 0)).quantize(Decimal("0.01")), currency),
        "threshold": money(why.get("threshold", 0), currency),
    }
    if why.get("shipping"):
        return _("%(points)s per %(per)s on %(amount)s of delivery") % values
    if why.get("threshold"):
        return _("%(points)s per %(per)s above %(threshold)s, on %(amount)s") % values
    return _("%(points)s per %(per)s on %(amount)s") % values


def _booster_sentence(why: Mapping[str, Any], label: str, programme: Any) -> str:
    name = str(LazyI18nString(why["name"])) if why.get("name") else ""
    if not why.get("times"):
        values = {"points": label, "name": name}
        return _("%(points)s more: %(name)s") % values if name else _("%(points)s more") % values
    values = {
        "name": name or _("Booster"),
        "times": number(why["times"]),
        "points": points(why.get("brought", 0), programme),
        "instead": number(why.get("instead", 1)),
    }
    if why.get("instead"):
        return _("%(name)s: × %(times)s instead of × %(instead)s, %(points)s more") % values
    return _("%(name)s: × %(times)s, %(points)s more") % values


def _rule_cap(by: str) -> str:
    return {
        "order": _("This brings no more than %(points)s with one purchase"),
        "day": _("This brings no more than %(points)s in a day: so many were left"),
        "member": _("This brings each member no more than so much: %(points)s remained"),
    }[by]


def _rule_sentence(why: Mapping[str, Any]) -> str:
    name = str(LazyI18nString(why["name"])) if why.get("name") else ""
    values = {"name": name, "version": why.get("version"), "number": why.get("number")}
    if name:
        return _("Rule “%(name)s”, version %(number)s (no. %(version)s)") % values
    return _("Rule no. %(version)s, version %(number)s") % values


def sum_sentences(why: Mapping[str, Any], programme: Any, *, staff: bool = False) -> list[str]:
    """Say what made the lines' points the award's: the tier's multiplier, and rounding."""
    result = []
    multiplier = Decimal(why.get("multiplier", 1))
    if multiplier != 1:
        tier = why.get("tier") or {}
        name = str(LazyI18nString(tier["name"])) if tier.get("name") else ""
        values = {"multiplier": number(multiplier), "tier": name}
        result.append(_("× %(multiplier)s as %(tier)s") % values if name else _("× %(multiplier)s") % values)
    if why.get("rounded"):
        exact = Decimal(why["exact"]).quantize(Decimal("0.01"))
        said = {
            "down": _("rounded down from %(exact)s"),
            "up": _("rounded up from %(exact)s"),
            "nearest": _("rounded from %(exact)s"),
        }[why.get("rounding", "down")]
        result.append(said % {"exact": number(exact)})
    if capped := why.get("capped"):
        values = {"points": points(capped["most"], programme), "before": points(capped["before"], programme)}
        result.append(
            {
                "order": _("instead of %(before)s: one purchase brings no more than %(points)s"),
                "day": _("instead of %(before)s: for this day, %(points)s remained"),
                "member": _("instead of %(before)s: of what a member can earn, %(points)s remained"),
                "budget": _("instead of %(before)s: of all that can be given now, %(points)s remained"),
            }[capped["by"]]
            % values
        )
    return result


def award_sentences(
    why: Mapping[str, Any],
    lines: Sequence[tuple[str, Mapping[str, Any]]],
    programme: Any,
    *,
    staff: bool = False,
) -> list[str]:
    """Say why an award is what it is;

    ``lines`` are titles and explanations. Lines of one rule per amount are said as one.
    """
    result: list[str] = []
    amounts: dict[Any, dict[str, Any]] = {}
    order: list[tuple[str, Any]] = []
    for title, line in lines:
        if line.get("rule") != "amount" or line.get("shipping"):
            order.append((title, line))
            continue
        merged = amounts.get(line["version"])
        if merged is None:
            merged = amounts[line["version"]] = dict(line)
            order.append(("", merged))
        else:
            merged["amount"] = str(Decimal(merged["amount"]) + Decimal(line["amount"]))
            if line.get("left_out"):
                merged["left_out"] = str(Decimal(merged.get("left_out", 0)) + Decimal(line["left_out"]))
    for title, line in order:
        result += line_sentences(line, programme, title=title, staff=staff)
    return result + sum_sentences(why, programme, staff=staff)


#: What an entry is called by its kind, and why it is there where that needs no more words. Translated when it is said:
#: a file has a million of them.
_TITLES = {
    "adjust": gettext_lazy("Adjustment"),
    "expire": gettext_lazy("Expired points"),
    "transfer": gettext_lazy("Points from another member"),
    "merge": gettext_lazy("Memberships joined together"),
    "matured": gettext_lazy("Now yours to spend"),
    "extended": gettext_lazy("Points live longer"),
    "repaid": gettext_lazy("Owed points paid back"),
    "import": gettext_lazy("Opening balance"),
    "return": gettext_lazy("Points returned"),
    "clawback": gettext_lazy("Points taken back"),
    "spend": gettext_lazy("Points spent"),
}
_SENTENCES = {
    "cancelled": gettext_lazy("The visit was cancelled"),
    "missed": gettext_lazy("The visit was missed"),
    "corrected": gettext_lazy("The visit is still to come"),
    "attended": gettext_lazy("Thank you for your visit"),
    "expired": gettext_lazy("These points had reached their last day"),
    "merged": gettext_lazy("Two memberships became one"),
    "paused": gettext_lazy("The membership went on hold: nothing expires meanwhile"),
    "resumed": gettext_lazy("The hold has ended: what was left lives longer by that time"),
    "given": gettext_lazy("A gift from one member to another: the points keep the dates that they had"),
    "repaid": gettext_lazy("Points that were set aside are free again, and paid back what was owed"),
    "grace": gettext_lazy("Points that came back after their last day live a while longer"),
    "returned": gettext_lazy("Returned, since what they paid for was cancelled or refunded"),
    "paid": gettext_lazy("Paid with points"),
    "imported": gettext_lazy("Brought along from before"),
    "left": gettext_lazy("The member has left: what was not used is gone"),
    "gift_back": gettext_lazy("What these points were for is no more"),
}


def entry_title(entry: Any, *, titles: Mapping[int, str] | None = None) -> str:
    """Name what an entry of the ledger is about; ``titles`` as for :func:`entry_sentences`."""
    why = entry.explanation
    source, name = why.get("source", entry.source_type), why.get("number", why.get("order", ""))
    if source == "booking":
        if titles and len(titles) == 1:
            (name,) = titles.values()
        return _("Visit: %(title)s") % {"title": name} if name else _("Visit")
    if source == "order" and name:
        return _("Order %(number)s") % {"number": name}
    if why.get("why") in _sayings:
        return _saying_title(why["why"], why)
    if source in _sayings and entry.units > 0:
        return _saying_title(source, why)
    if entry.kind == "repaid":
        return _("%(title)s: %(name)s") % {"title": _TITLES["repaid"], "name": number(why["units"])}
    if entry.kind == "transfer" and entry.units < 0:
        return _("Points given away")
    return str(_TITLES.get(entry.kind) or _("Points earned"))


def _saying_title(code: str, why: Mapping[str, Any]) -> str:
    title, _function, named = _sayings[code]
    name = str(LazyI18nString(why.get("name") or "")) if named else ""
    return _("%(title)s: %(name)s") % {"title": title, "name": name} if name else str(title)


def entry_sentences(
    entry: Any, programme: Any, *, staff: bool = False, titles: Mapping[int, str] | None = None
) -> list[str]:
    """Say why an entry of the ledger is there.

    ``titles`` are products' titles in the reader's language, by primary key.
    """
    why = entry.explanation
    reason = why.get("why", "")
    if reason == "award":
        named = [
            ((titles or {}).get(line.get("product")) or line.get("title", ""), line) for line in why.get("lines", [])
        ]
        return award_sentences(why, named, programme, staff=staff) + _claimed(why)
    said = _sayings[reason][1](why, programme) if reason in _sayings else _plain(reason, why)
    result = [said] if said else []
    if why.get("expired"):
        label = points(why["expired"], programme)
        result.append(_("%(points)s of it had expired before") % {"points": label})
    if why.get("written_off"):
        label = points(why["written_off"], programme)
        result.append(_("Spent already, and forgiven: %(points)s") % {"points": label})
    return result


def repaid_sentence(units: int, programme: Any) -> str:
    """Say that ``units`` of points that are somebody's again paid what was owed; nothing where none did."""
    if not units:
        return ""
    said = ngettext(
        "%(points)s of them has paid back what was owed.", "%(points)s of them have paid back what was owed.", units
    )
    return said % {"points": points(units, programme)}


def _claimed(why: Mapping[str, Any]) -> list[str]:
    if not why.get("claimed"):
        return []
    return [_("Ordered as a guest, added on %(date)s") % {"date": day(datetime.fromisoformat(why["claimed"]))}]


def _plain(reason: str, why: Mapping[str, Any]) -> str:
    lines = ", ".join(line for line in why.get("lines", []) if isinstance(line, str))
    if reason == "cancelled" and why.get("source") == "order":
        return (
            _("Cancelled: %(lines)s") % {"lines": lines}
            if lines and not why.get("whole")
            else _("The order was cancelled")
        )
    if reason == "refunded":
        return _("Refunded: %(lines)s") % {"lines": lines} if lines and not why.get("whole") else _("Refunded")
    if reason == "booked":
        return _("%(lines)s: the points come with the visit") % {"lines": lines}
    return str(_SENTENCES.get(reason, ""))


def day(moment: datetime | None) -> str:
    """Write a day as the reader's language does."""
    return date_format(timezone.localtime(moment), "DATE_FORMAT") if moment else ""
