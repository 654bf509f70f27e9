"""Movements of points: who earned and spent what, with which service, in which time."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Case, CharField, Count, F, Max, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from oscar_loyalty import times
from oscar_loyalty.earning import selectors as earning
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.reports import day_totals
from oscar_loyalty.reports.paging import DayPaginator, ShortPaginator

#: What entries of the ledger are called, by their kind.
KINDS = {
    "earn": _("Earned"),
    "spend": _("Spent"),
    "return": _("Given back"),
    "clawback": _("Taken back"),
    "adjust": _("Adjusted by hand"),
    "expire": _("Expired"),
    "import": _("Opening balance"),
    "transfer": _("Transferred"),
    "merge": _("Memberships joined"),
    "matured": _("Became usable"),
    "extended": _("Live longer"),
}
#: What only the money of gift cards does.
CARD_KINDS = {
    "loaded": _("Loaded"),
    "topped_up": _("Topped up"),
    "revived": _("Brought back with a later end"),
    "disabled": _("Taken off: disabled"),
}


def kind_label(kind: str) -> str:
    """Return what a kind of entry is called; a shop's own kind by its own name."""
    return str(KINDS.get(kind) or CARD_KINDS.get(kind, kind))


@dataclass(frozen=True)
class Filters:
    """Which movements are wanted. Both days are included; ``product`` stands for its variants too."""

    since: date | None = None
    until: date | None = None
    kind: str = ""
    product: Any = None
    member: Any = None
    words: str = ""

    @property
    def starts(self) -> datetime | None:
        return times.start_of(self.since) if self.since else None

    @property
    def ends(self) -> datetime | None:
        return times.end_of(self.until) if self.until else None


def entries(programme: Any, filters: Filters) -> QuerySet[Any]:
    """Return the entries of the ledger that match, newest first, with what :func:`earning.selectors.movement` needs.

    Entries that only change the dates of points are no movements, unless their kind is asked for.
    """
    found = earning.movements(
        programme,
        since=filters.starts,
        until=filters.ends,
        member=filters.member,
        product=filters.product,
        kind=filters.kind,
        words=filters.words,
    )
    return found if filters.kind else found.exclude(units=0)


#: The most movements that are summed up by customer or by product while somebody waits.
MANY = 50_000


@dataclass(frozen=True)
class Totals:
    """Sums of the movements that match. ``members`` is ``None`` where they are too many to be told apart; ``more``:
    these are the sums of so many, and there are others."""

    number: int
    gained: int
    taken: int
    members: int | None
    more: bool = False

    @property
    def net(self) -> int:
        return self.gained - self.taken


def numbers(programme: Any, filters: Filters) -> dict[date, day_totals.Sums] | None:
    """Return the sums of the movements that match by day, in one query; ``None`` where that would mean to look at each,
    since they are of some members or products only."""
    if filters.member is not None or filters.product is not None or filters.words:
        return None
    return day_totals.sums(programme.unit, "day", since=filters.since, until=filters.until, kind=filters.kind)


def pages(programme: Any, filters: Filters, per_page: int, known: Any) -> Paginator:
    """Return the pages of the movements that match; ``known`` is what :func:`numbers` has said of them."""
    rows = entries(programme, filters)
    if known is None:
        return ShortPaginator(rows, per_page)
    days = {day: one.number + (one.empty if filters.kind else 0) for day, one in known.items()}
    return DayPaginator(rows, per_page, days)


def totals(programme: Any, filters: Filters, known: Any = None) -> Totals:
    """Return how many movements match, and what they sum to, in at most two queries.

    ``known`` is what :func:`numbers` has said of them, if that was asked before.
    """
    known = numbers(programme, filters) if known is None else known
    if known is not None:
        total = day_totals.total(known.values())
        number = total.number + (total.empty if filters.kind else 0)
        if number > MANY:
            return Totals(number, total.gained, total.taken, None)
    rows = entries(programme, filters).order_by().select_related(None).prefetch_related(None)
    found = _sums(rows if known is not None else rows[: MANY + 1])
    return replace(found, number=MANY, more=True) if found.number > MANY else found


def _sums(rows: QuerySet[Any]) -> Totals:
    sums = rows.aggregate(
        number=Count("pk"),
        gained=Coalesce(Sum("units", filter=Q(units__gt=0)), 0),
        taken=Coalesce(Sum("units", filter=Q(units__lt=0)), 0),
        members=Count("account", distinct=True),
    )
    return Totals(sums["number"], sums["gained"], -sums["taken"], sums["members"])


def by_member(programme: Any, filters: Filters) -> QuerySet[Any]:
    """Return a row for each member who moved points: how many, gained and taken; most gained first."""
    rows = entries(programme, filters).select_related(None).prefetch_related(None).order_by()
    rows = rows.values(
        member_id=F("account__member"),
        number=F("account__member__number"),
        first_name=F("account__member__first_name"),
        last_name=F("account__member__last_name"),
        email=F("account__member__email"),
    ).annotate(
        movements=Count("pk"),
        gained=Coalesce(Sum("units", filter=Q(units__gt=0)), 0),
        taken=Coalesce(-Sum("units", filter=Q(units__lt=0)), 0),
        last=Max("effective_at"),
    )
    return rows.order_by("-gained", "member_id")


def by_service(programme: Any, filters: Filters) -> QuerySet[Any]:
    """Return a row for each service or product that brought points: pieces, members, points; most points first.

    What was earned for a whole order, visit or shipping is a row without a product. Points that were taken back later
    are not subtracted: they were taken from the award, not from one of its lines.
    """
    rows = get_model("loyalty_earning", "AwardLine").objects.filter(award__programme=programme)
    if filters.starts:
        rows = rows.filter(award__happened_at__gte=filters.starts)
    if filters.ends:
        rows = rows.filter(award__happened_at__lt=filters.ends)
    if filters.product is not None:
        rows = rows.filter(Q(product=filters.product) | Q(product__parent=filters.product))
    if filters.member is not None:
        rows = rows.filter(award__member=filters.member)
    if filters.words:
        found = members.search(programme, filters.words).order_by().values("pk")
        rows = rows.filter(award__member__in=found)
    # The same product may have been sold under several titles; what is no product is told apart by its title.
    own_title = Case(When(product__isnull=True, then=F("title")), default=Value(""), output_field=CharField())
    rows = rows.order_by().values("product_id", own=own_title)
    rows = rows.annotate(
        name=Max("title"),
        pieces=Coalesce(Sum("quantity", filter=Q(product__isnull=False)), 0),
        awards=Count("award", distinct=True),
        members=Count("award__member", distinct=True),
        total=Sum("points"),
        last=Max("award__happened_at"),
    )
    return rows.order_by("-total", "product_id", "own")


def service_name(row: dict[str, Any]) -> str:
    """Return what a row of :func:`by_service` is called."""
    return row["name"] or str(_("Whole orders, visits and delivery"))
