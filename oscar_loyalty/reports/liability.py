"""What the shop owes to those who hold its gift cards, month by month: the sums of the ledger, by kind of movement.

Months are the shop's own. What expired counts in the month of its last day, whether or not a sweep has been by; so the
closing of the present month is what is on all cards now, what checkouts have set aside included. The closing of one
month is the opening of the next.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Case, F, OuterRef, QuerySet, Subquery, Sum, When
from django.db.models.functions import Coalesce, TruncMonth
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty import clock, times
from oscar_loyalty.defaults import conf
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import Money, from_minor
from oscar_loyalty.reports.exports import Column

#: The movements that are told apart, with their names. What fits none of them is a correction.
MOVES = {
    "issued": _("Sold and issued"),
    "topped_up": _("Topped up"),
    "redeemed": _("Redeemed"),
    "returned": _("Returned"),
    "expired": _("Expired"),
    "revived": _("Brought back"),
    "disabled": pgettext_lazy("gift card", "Disabled"),
    "corrected": _("Corrected"),
}
#: The movement of each kind of entry; a return goes by what it returns.
KINDS = {
    "loaded": "issued",
    "clawback": "issued",
    "topped_up": "topped_up",
    "spend": "redeemed",
    "expire": "expired",
    "revived": "revived",
    "disabled": "disabled",
}


@dataclass
class Month:
    """A month of one currency, in minor units: the sum of ``moves`` leads from ``opening`` to ``closing``."""

    first: date
    currency: str
    opening: int = 0
    moves: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MOVES, 0))

    @property
    def closing(self) -> int:
        return self.opening + sum(self.moves.values())

    def money(self, name: str) -> Money:
        """Return "opening", "closing", or one of :data:`MOVES` as money."""
        units = getattr(self, name) if name in ("opening", "closing") else self.moves[name]
        return Money(from_minor(units, self.currency), self.currency)

    @property
    def cells(self) -> list[Money]:
        """All figures, from opening to closing."""
        return [self.money(name) for name in ("opening", *MOVES, "closing")]


def by_month(*, at: datetime | None = None, site: Any = None) -> list[Month]:
    """Return all months from the first movement to the present one, the newest first, by currency; in two queries.

    ``site``: of the cards that pay there (default: of all).
    """
    at = at or clock.now()
    sums: dict[str, dict[date, dict[str, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for unit, month, move, units in [*_booked(at, site), *_late(at, site)]:
        sums[unit][month][move] += units
    this_month = times.day_of(at).replace(day=1)
    found: list[Month] = []
    for unit in sorted(sums):
        opening, first = 0, min(sums[unit])
        while first <= this_month:
            month = Month(first, unit, opening)
            month.moves.update(sums[unit].get(first, {}))
            found.append(month)
            opening = month.closing
            first = (first.replace(day=28) + _WEEK).replace(day=1)
    found.sort(key=lambda month: month.first, reverse=True)
    return found


_WEEK = date(2000, 1, 8) - date(2000, 1, 1)


def _month(moment: Any) -> TruncMonth:
    return TruncMonth(moment, tzinfo=timezone.get_default_timezone())


def _last_moment(end: str) -> Any:
    """As :func:`oscar_loyalty.times.last_moment`, of a column."""
    return F(end) - timedelta(microseconds=1)


def _of(rows: QuerySet[Any], site: Any) -> QuerySet[Any]:
    if site is None or conf.GIFTCARDS_SHARED:
        return rows
    return rows.filter(account__giftcard__site=site.pk)


def _booked(at: datetime, site: Any) -> Iterable[tuple[str, date, str, int]]:
    entries = get_model("loyalty_ledger", "Entry").objects.filter(account__owner_type="giftcard", effective_at__lte=at)
    entries = _of(entries, site)
    # What expires is posted with its end, which is not part of its life.
    moment = Case(When(kind="expire", then=_last_moment("effective_at")), default=F("effective_at"))
    rows = entries.exclude(units=0).order_by().annotate(month=_month(moment))
    groups = rows.values("account__unit", "month", "kind", "reverses__kind").annotate(total=Sum("units"))
    for row in groups:
        returned = "disabled" if row["reverses__kind"] == "disabled" else "returned"
        move = returned if row["kind"] == "return" else KINDS.get(row["kind"], "corrected")
        yield row["account__unit"], times.day_of(row["month"]), move, row["total"]


def _late(at: datetime, site: Any) -> Iterable[tuple[str, date, str, int]]:
    """What has expired though nobody has posted it yet; what a live hold keeps has not."""
    Lot, HoldUse = get_model("loyalty_ledger", "Lot"), get_model("loyalty_ledger", "HoldUse")
    live = HoldUse.objects.filter(lot=OuterRef("pk"), hold__state="open", hold__until__gt=at).order_by()
    kept = Coalesce(Subquery(live.values("lot").annotate(total=Sum("units")).values("total")), 0)
    lots = Lot.objects.filter(account__owner_type="giftcard", remaining__gt=0, expires_at__lte=at).order_by()
    lots = _of(lots, site)
    gone = lots.annotate(gone=F("remaining") - kept, month=_month(_last_moment("expires_at"))).filter(gone__gt=0)
    for row in gone.values("account__unit", "month").annotate(total=Sum("gone")):
        yield row["account__unit"], times.day_of(row["month"]), "expired", -row["total"]


def owed(*, at: datetime | None = None, site: Any = None) -> list[Money]:
    """Return what is owed in each currency now."""
    newest: dict[str, Money] = {}
    for month in by_month(at=at, site=site):
        newest.setdefault(month.currency, month.money("closing"))
    return list(newest.values())


def columns() -> list[Column]:
    """Return the report as a table."""
    names: list[tuple[str, Any]] = [("opening", _("Opening")), *MOVES.items(), ("closing", _("Closing"))]

    def column(name: str, title: Any) -> Column:
        return Column(title, lambda month: month.money(name).amount)

    return [
        Column(_("Month"), lambda month: month.first.strftime("%Y-%m"), 10),
        Column(_("Currency"), lambda month: month.currency, 10),
        *[column(name, title) for name, title in names],
    ]


__all__ = ["KINDS", "MOVES", "Month", "by_month", "columns", "owed"]
