"""Reads of movements of points, over all members of a programme: which there are, of whom, and of what."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from oscar_loyalty.earning.selectors import with_reasons
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members

#: Up to so many members that a search finds, their movements are looked up by their accounts.
SEARCHED = 1000


def movements(programme: Any, **asked: Any) -> QuerySet[Any]:
    """Return the ledger entries of the programme's members, newest first, with member, note, lots, award and its lines.

    They are ``asked`` for as :func:`plain_movements` says.
    """
    entries = plain_movements(programme, **asked).filter(account__member__programme=programme)
    entries = with_reasons(entries).select_related("account__member")
    return entries.order_by("-effective_at", "-pk")


def plain_movements(
    programme: Any,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    member: Any = None,
    product: Any = None,
    kind: str = "",
    words: str = "",
) -> QuerySet[Any]:
    """Return what :func:`movements` finds with nothing beside it, in no order; and, where it is asked for neither a
    member nor a product nor words, the entries of other units too: each by itself looks up no account and no member.

    ``since`` is included, ``until`` is not; ``product`` keeps what it (or a variant of it) earned; ``words`` search
    members.
    """
    entries = get_model("loyalty_ledger", "Entry").objects.order_by()
    if since is not None:
        entries = entries.filter(effective_at__gte=since)
    if until is not None:
        entries = entries.filter(effective_at__lt=until)
    if member is not None:
        entries = entries.filter(account=member.account_id)
    if product is not None:
        lines = lines_of(product, since=since, until=until)
        entries = entries.filter(award__in=lines.values("award"), award__programme=programme)
    if kind:
        entries = entries.filter(kind=kind)
    if words:
        entries = entries.filter(account__in=_accounts(programme, words))
    return entries


def _accounts(programme: Any, words: str) -> Any:
    """Return the accounts of the members that a search finds: a list of up to :data:`SEARCHED`, or else a query."""
    found = members.search(programme, words).order_by().select_related(None)
    accounts = list(found.values_list("account", flat=True)[: SEARCHED + 1])
    return accounts if len(accounts) <= SEARCHED else found.values("account")


class Moved(NamedTuple):
    """A movement: ``units`` of the entry (its primary key); ``whose`` tells members apart."""

    entry: int
    units: int
    whose: int


def newest(
    programme: Any,
    *,
    since: datetime | None,
    until: datetime | None,
    product: Any = None,
    words: str = "",
    most: int,
    most_of_many: int,
) -> tuple[list[Moved], bool] | None:
    """Return the last ``most`` movements that ``product`` (or a variant of it) has brought, or the last
    ``most_of_many`` of the many members that ``words`` find, the newest first, and whether there are more.

    ``None`` where they are better looked up otherwise: of no more than :data:`SEARCHED` members, by their accounts.
    """
    accounts = _accounts(programme, words) if words else None
    if isinstance(accounts, list) or (accounts is None and product is None):
        return None
    rows: Any
    if product is not None:
        # By its lines alone: an award says what its entry does.
        rows = lines_of(product, since=since, until=until).order_by("-happened_at", "-pk")
        rows = rows.filter(award__programme=programme, award__entry__isnull=False, award__points__gt=0)
        rows = rows if accounts is None else rows.filter(award__member__account__in=accounts)
        rows = rows.values_list("award__entry", "award__points", "award__member")
    else:
        rows = plain_movements(programme, since=since, until=until).exclude(units=0).filter(account__in=accounts)
        rows = rows.order_by("-effective_at", "-pk").values_list("pk", "units", "account")
    most = most if accounts is None else most_of_many
    found = list(rows[: most + 1])
    # Several lines of an award may be about the product.
    return [Moved(*row) for row in dict.fromkeys(found[:most])], len(found) > most


def lines_of(product: Any, *, since: datetime | None = None, until: datetime | None = None) -> QuerySet[Any]:
    """Return the lines of awards about ``product`` or a variant of it, in no order; one query for its variants."""
    # By their keys: over a join, the database would look at all lines there are.
    own = Q(pk=product.pk) | Q(parent=product.pk)
    variants = list(get_model("catalogue", "Product").objects.filter(own).order_by().values_list("pk", flat=True))
    lines = get_model("loyalty_earning", "AwardLine").objects.filter(product__in=variants).order_by()
    if since is not None:
        lines = lines.filter(happened_at__gte=since)
    return lines if until is None else lines.filter(happened_at__lt=until)
