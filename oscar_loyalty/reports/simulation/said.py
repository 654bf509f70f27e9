"""What a try says: rules as sentences, tiers before and after, and its rows as tables."""

from collections.abc import Iterator
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from i18nfield.strings import LazyI18nString

from oscar_loyalty.earning import explain, words
from oscar_loyalty.earning.drafts import ABOVE, TARGETS
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports.exports import CHUNK, Column


def rules_of(simulation: Any) -> list[dict[str, Any]]:
    """Return the rules that gave points: what each brings, what it is about, how often, how many; two queries."""
    rows = simulation.result.get("rules", [])
    about = _about([row["version"] for row in rows])
    most = max((row["given"] for row in rows), default=0)
    return [
        {
            "name": str(LazyI18nString(row["name"])) if row.get("name") else "",
            "brings": _brings(row, simulation.programme),
            "about": about.get(row["version"], ""),
            "purchases": row["purchases"],
            "given": row["given"],
            "width": row["given"] * 100 // most if most else 0,
        }
        for row in rows
    ]


def _brings(row: dict[str, Any], programme: Any) -> str:
    if "rule" not in row:
        return ""
    spec = {"points": "0"} | {name: row[name] for name in ("points", "per", "threshold", "times") if name in row}
    if row["rule"] == "booster":
        spec["plus"] = spec["points"]
    return words.brings(SimpleNamespace(kind=row["rule"]), spec, programme)


def _about(versions: list[int]) -> dict[int, str]:
    """Say what the rules of these versions are about; those of a draft are its changes."""
    Version, Item = get_model("loyalty_earning", "RuleVersion"), get_model("loyalty_earning", "DraftItem")
    published = [pk for pk in versions if pk < ABOVE]
    drafted = [pk - ABOVE for pk in versions if pk >= ABOVE]
    said: dict[int, str] = {}
    if published:
        related = [f"rule__{field}" for field in TARGETS]
        for version in Version.objects.filter(pk__in=published).select_related("rule", *related):
            said[version.pk] = words.applies_to(version.rule)
    if drafted:
        for item in Item.objects.filter(pk__in=drafted).select_related(*TARGETS):
            said[ABOVE + item.pk] = words.applies_to(item)
    return said


def tiers_note(simulation: Any) -> str:
    """Say what counts for the tiers after a try; "" for one of before this was counted."""
    at, since = simulation.result.get("tiers_at"), simulation.result.get("tiers_since")
    if not at:
        return ""
    values = {"at": explain.day(datetime.fromisoformat(at))}
    if since:
        values["since"] = explain.day(datetime.fromisoformat(since))
        said = _(
            "After: what each member reaches on %(at)s with all that counts since %(since)s: these purchases by the "
            "rules tried, and what they had before. Tiers still held from an earlier period or given by hand are not "
            "in it."
        )
    else:
        said = _(
            "After: what each member reaches on %(at)s with all that ever counted: these purchases by the rules tried, "
            "and what they had before. Tiers still held from an earlier period or given by hand are not in it."
        )
    return said % values


def tiers_of(simulation: Any) -> list[dict[str, Any]]:
    """Return for each tier how many members had it and would have it; empty where tiers are given by hand."""
    after, now = simulation.result.get("tiers"), simulation.result.get("tiers_now") or {}
    if after is None:
        return []
    most = max([1, *after.values(), *now.values()])
    tiers = get_model("loyalty_members", "Tier").everything.filter(programme=simulation.programme_id).order_by("rank")
    rows = [(str(tier.pk), tier) for tier in tiers] + [("", None)]
    return [
        {
            "tier": tier,
            "now": now.get(pk, 0),
            "after": after.get(pk, 0),
            "now_width": now.get(pk, 0) * 100 // most,
            "after_width": after.get(pk, 0) * 100 // most,
        }
        for pk, tier in rows
        if now.get(pk) or after.get(pk)
    ]


def months_of(simulation: Any) -> list[dict[str, Any]]:
    """Return the points of each month by the rules that are tried and by today's, with the parts of the highest."""
    rows = simulation.result.get("months", [])
    most = max([1, *(number for _month, *sums in rows for number in sums[:2])])
    return [
        {
            "day": date.fromisoformat(f"{month}-01"),
            "points": points,
            "today": today,
            "points_width": points * 100 // most,
            "today_width": today * 100 // most,
        }
        for month, points, today, _awarded in rows
    ]


def failure_of(simulation: Any) -> str:
    """Say why a try failed."""
    if simulation.error == "gone":
        return _("These rules are not there any more: the draft was deleted.")
    return _("Something went wrong on our side: %(error)s. It is tried again by itself; you can also do so.") % {
        "error": simulation.error
    }


def columns(simulation: Any) -> list[Column]:
    """Return what the table of a try says of each member."""
    tiers = simulation.result.get("tiers") is not None
    return [
        Column(gettext_lazy("Card number"), lambda row: row.member.number, 16),
        Column(gettext_lazy("First name"), lambda row: row.member.first_name, 18),
        Column(gettext_lazy("Last name"), lambda row: row.member.last_name, 18),
        Column(gettext_lazy("E-mail"), lambda row: row.member.email, 30),
        Column(gettext_lazy("Purchases"), lambda row: row.purchases),
        Column(gettext_lazy("Spent"), lambda row: row.spent),
        Column(gettext_lazy("Points by these rules"), lambda row: row.points, 20),
        Column(gettext_lazy("Points by today’s rules"), lambda row: row.today, 20),
        Column(gettext_lazy("Difference"), lambda row: row.difference),
        Column(gettext_lazy("Points as they were given"), lambda row: row.awarded, 22),
        *([Column(gettext_lazy("Tier after"), lambda row: str(row.tier or ""), 14)] if tiers else []),
    ]


def table(rows: Any) -> Iterator[Any]:
    """Yield the members of a try, a chunk at a time."""
    yield from rows.iterator(chunk_size=CHUNK)
