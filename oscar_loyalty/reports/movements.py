"""Movements of points: who earned and spent what, with which service, in which time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Case, CharField, Count, F, Max, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from oscar_loyalty import times
from oscar_loyalty.earning import movement_selectors as earning
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.reports import day_totals, paging
from oscar_loyalty.reports.paging import DayPaginator, KeyPaginator, ShortPaginator

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
    "repaid": _("Owed points paid back"),
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

    @property
    def asked(self) -> dict[str, Any]:
        """What the selectors of movements are asked for."""
        words = {"product": self.product, "kind": self.kind, "words": self.words}
        return {"since": self.starts, "until": self.ends, "member": self.member, **words}


def entries(programme: Any, filters: Filters) -> QuerySet[Any]:
    """Return the entries of the ledger that match, newest first, with what :func:`earning.selectors.movement` needs.

    Entries that only change the dates of points are no movements, unless their kind is asked for.
    """
    found = earning.movements(programme, **filters.asked)
    return found if filters.kind else found.exclude(units=0)


#: The most movements that are summed up by customer or by product while somebody waits. Those of some customers or of
#: one product, each of which must be looked for, are no more than can be leafed through.
MANY = 50_000
#: The most of a thousand members and more whom a search finds: from the newest on, most movements are others'.
OF_MANY = 1_000


@dataclass(frozen=True)
class Totals:
    """Sums of the movements that match. ``members`` is ``None`` where they are too many to be told apart; ``more``:
    these are the sums of so many, and there are others. ``entries`` are their primary keys, the newest first, where
    they were found one by one."""

    number: int
    gained: int
    taken: int
    members: int | None
    more: bool = False
    entries: Sequence[int] | None = None

    @property
    def net(self) -> int:
        return self.gained - self.taken


@dataclass(frozen=True)
class Days:
    """Sums of the movements that match, by day. ``others``: how many entries of other units these days have."""

    sums: dict[date, day_totals.Sums]
    others: int = 0

    @property
    def alone(self) -> bool:
        """Whether the entries of these days are best looked at whoever's they are: few others are among them."""
        return self.others <= MANY


def numbers(programme: Any, filters: Filters) -> Days | None:
    """Return the sums of the movements that match by day, in two queries; ``None`` where that would mean to look at
    each, since they are of some members or products only."""
    if filters.member is not None or filters.product is not None or filters.words:
        return None
    found = day_totals.days_of(programme.unit, since=filters.since, until=filters.until, kind=filters.kind)
    return Days(*found)


def pages(programme: Any, filters: Filters, per_page: int, known: Days | None, found: Totals) -> Paginator:
    """Return the pages of the movements that match; ``known`` is what :func:`numbers` has said of them, ``found`` are
    their :func:`totals`."""
    rows = entries(programme, filters)
    if found.entries is not None:
        return KeyPaginator(found.entries, per_page, rows, more=found.more)
    if known is None:
        return ShortPaginator(rows, per_page, found.number + found.more)
    days = {day: one.number + (one.empty if filters.kind else 0) for day, one in known.sums.items()}
    return DayPaginator(rows, per_page, days, keys=_plain(programme, filters, known))


def totals(programme: Any, filters: Filters, known: Days | None = None) -> Totals:
    """Return how many movements match, and what they sum to, in at most three queries.

    ``known`` is what :func:`numbers` has said of them, if that was asked before.
    """
    known = numbers(programme, filters) if known is None else known
    if known is not None:
        total = day_totals.total(known.sums.values())
        number = total.number + (total.empty if filters.kind else 0)
        if number > MANY:
            return Totals(number, total.gained, total.taken, None)
        return _sums(_plain(programme, filters, known))
    most = paging.MOST
    if filters.member is None and not filters.kind:
        asked = {"product": filters.product, "words": filters.words, "since": filters.starts, "until": filters.ends}
        newest = earning.newest(programme, **asked, most=most, most_of_many=OF_MANY)
        if newest is not None:
            return _added_up(*newest)
    found = _sums(_plain(programme, filters, known)[: most + 1])
    return replace(found, number=most, more=True) if found.number > most else found


def _added_up(rows: Sequence[earning.Moved], more: bool) -> Totals:
    gained, taken = (sum(max(sign * row.units, 0) for row in rows) for sign in (1, -1))
    return Totals(len(rows), gained, taken, len({row.whose for row in rows}), more, [row.entry for row in rows])


def _plain(programme: Any, filters: Filters, known: Days | None) -> QuerySet[Any]:
    """Return the entries that match, with nothing beside them, in no order.

    Where they are all or nearly all that there is of their days, they are found by these: looking up the account and
    the member of each takes twenty times as long as the entries themselves.
    """
    if known is not None and not known.alone:
        return entries(programme, filters).order_by().select_related(None).prefetch_related(None)
    rows = earning.plain_movements(programme, **filters.asked)
    rows = rows if filters.kind else rows.exclude(units=0)
    if known is not None and known.others:
        return rows.alias(unit=ledger.unit_of_account()).filter(unit=programme.unit)
    return rows


def _sums(rows: QuerySet[Any]) -> Totals:
    sums = rows.aggregate(
        number=Count("pk"),
        gained=Coalesce(Sum("units", filter=Q(units__gt=0)), 0),
        taken=Coalesce(Sum("units", filter=Q(units__lt=0)), 0),
        members=Count("account", distinct=True),
    )
    return Totals(sums["number"], sums["gained"], -sums["taken"], sums["members"])


_BY_MEMBER: dict[str, Any] = {
    "movements": Count("pk"),
    "gained": Coalesce(Sum("units", filter=Q(units__gt=0)), 0),
    "taken": Coalesce(-Sum("units", filter=Q(units__lt=0)), 0),
    "last": Max("effective_at"),
}


class MemberPaginator(ShortPaginator):
    """Pages of customers who moved points, most gained first: only those of a page are looked up."""

    def __init__(self, rows: QuerySet[Any], per_page: int, members: int) -> None:
        rows = rows.values("account").annotate(**_BY_MEMBER).order_by("-gained", "account")
        super().__init__(rows, per_page, members)

    def page(self, number: Any) -> Any:
        found = super().page(number)
        rows = list(found.object_list)
        members = get_model("loyalty_members", "Member").objects.in_bulk(
            [row["account"] for row in rows], field_name="account_id"
        )
        # A gift card may have moved since the others were counted: it is nobody's here.
        found.object_list = [_named(row, members[row["account"]]) for row in rows if row["account"] in members]
        return found


def _named(row: dict[str, Any], member: Any) -> dict[str, Any]:
    names = ("number", "first_name", "last_name", "email")
    return {**row, "member_id": member.pk, **{name: getattr(member, name) for name in names}}


def pages_by_member(programme: Any, filters: Filters, per_page: int, known: Days | None, found: Totals) -> Paginator:
    """Return the pages of what :func:`by_member` says; ``found`` are the :func:`totals`."""
    rows = _plain(programme, filters, known)
    if found.entries is not None:
        rows = get_model("loyalty_ledger", "Entry").objects.order_by().filter(pk__in=found.entries)
    return MemberPaginator(rows, per_page, found.members or 0)


def by_member(programme: Any, filters: Filters) -> QuerySet[Any]:
    """Return a row for each member who moved points: how many, gained and taken; most gained first."""
    rows = entries(programme, filters).select_related(None).prefetch_related(None).order_by()
    rows = rows.values(
        member_id=F("account__member"),
        number=F("account__member__number"),
        first_name=F("account__member__first_name"),
        last_name=F("account__member__last_name"),
        email=F("account__member__email"),
    ).annotate(**_BY_MEMBER)
    return rows.order_by("-gained", "member_id")


def by_service(programme: Any, filters: Filters) -> QuerySet[Any]:
    """Return a row for each service or product that brought points: pieces, members, points; most points first.

    What was earned for a whole order, visit or shipping is a row without a product. Points that were taken back later
    are not subtracted: they were taken from the award, not from one of its lines.
    """
    if filters.product is not None:
        rows = earning.lines_of(filters.product, since=filters.starts, until=filters.ends)
    else:
        # Of all products, the awards of these days are found sooner than their lines.
        rows = get_model("loyalty_earning", "AwardLine").objects.all()
        if filters.starts:
            rows = rows.filter(award__happened_at__gte=filters.starts)
        if filters.ends:
            rows = rows.filter(award__happened_at__lt=filters.ends)
    rows = rows.filter(award__programme=programme)
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
