"""All reads of the ledger. Pending, expired and held follow from the rows' own times, not from a job having run."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model


@dataclass(frozen=True)
class Balance:
    """What an account has, in whole units.

    ``usable`` can be spent now; ``pending`` comes later; ``held`` is set aside for a checkout under way; ``debt`` is
    paid by the next earning; ``book`` is the sum of all entries. ``next_expiry`` and ``pending_next`` are
    ``(moment, units)``, or ``None``; the moment of ``pending_next`` is ``None`` where it is not known yet.
    """

    usable: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    book: int = 0
    next_expiry: tuple[datetime, int] | None = None
    pending_next: tuple[datetime | None, int] | None = None


def _model(name: str) -> Any:
    return get_model("loyalty_ledger", name)


def _alive(at: datetime) -> Q:
    return Q(expires_at__isnull=True) | Q(expires_at__gt=at)


def _waiting(at: datetime) -> Q:
    return Q(usable_from__isnull=True) | Q(usable_from__gt=at)


def balances(accounts: Iterable[Any], at: datetime | None = None) -> dict[int, Balance]:
    """Return the balance of each account by its primary key, without the next dates, in three queries."""
    at = at or clock.now()
    by_id = {account.pk: account for account in accounts}
    lots = _model("Lot").objects.filter(account__in=by_id, remaining__gt=0).filter(_alive(at)).order_by()
    usable = dict(
        lots.filter(usable_from__lte=at).values_list("account").annotate(total=Sum(F("remaining") - F("held")))
    )
    pending = dict(lots.filter(_waiting(at)).values_list("account").annotate(total=Sum(F("remaining") - F("held"))))
    held: dict[int, int] = {}
    uses = _model("HoldUse").objects.filter(hold__account__in=by_id, hold__state="open").order_by()
    rows = uses.values_list("hold__account").annotate(
        live=Coalesce(Sum("units", filter=Q(hold__until__gt=at)), 0),
        stale=Coalesce(
            Sum(
                "units",
                filter=Q(hold__until__lte=at, lot__usable_from__lte=at)
                & (Q(lot__expires_at__isnull=True) | Q(lot__expires_at__gt=at)),
            ),
            0,
        ),
        early=Coalesce(
            Sum(
                "units",
                filter=(Q(lot__usable_from__isnull=True) | Q(lot__usable_from__gt=at))
                & Q(hold__until__lte=at)
                & (Q(lot__expires_at__isnull=True) | Q(lot__expires_at__gt=at)),
            ),
            0,
        ),
    )
    for pk, live, stale, early in rows:
        held[pk] = live
        # A hold past its limit holds nothing, whether or not the sweep has been by.
        usable[pk] = usable.get(pk, 0) + stale
        pending[pk] = pending.get(pk, 0) + early
    return {
        pk: Balance(
            usable=max(0, usable.get(pk, 0) - account.debt),
            pending=pending.get(pk, 0),
            held=held.get(pk, 0),
            debt=account.debt,
            book=account.balance,
        )
        for pk, account in by_id.items()
    }


def survivor(row: Any) -> Any:
    """Return what an account, or a membership, was merged into in the end, or itself."""
    while row.merged_into_id is not None:
        row = row.merged_into
    return row


def usable(account: Any, at: datetime | None = None) -> int:
    """Return the units of ``account`` that can be spent now (or at ``at``)."""
    return balances([account], at)[account.pk].usable


def balance(account: Any, at: datetime | None = None) -> Balance:
    """Return the balance of ``account`` with its next dates, in at most seven queries whatever its history."""
    at = at or clock.now()
    account.refresh_from_db(fields=["balance", "debt"])
    now = balances([account], at)[account.pk]
    lots = _model("Lot").objects.filter(account=account, remaining__gt=0).filter(_alive(at)).order_by()
    next_expiry = None
    ends = lots.filter(usable_from__lte=at, expires_at__isnull=False)
    first = ends.aggregate(first=Min("expires_at"))["first"]
    if first is not None:
        units = ends.filter(expires_at=first).aggregate(total=Sum("remaining"))["total"]
        next_expiry = (first, units)
    pending_next = None
    if now.pending:
        waiting = lots.filter(_waiting(at))
        start = waiting.aggregate(first=Min("usable_from"))["first"]
        units = waiting.filter(usable_from=start) if start else waiting.filter(usable_from__isnull=True)
        pending_next = (start, units.aggregate(total=Sum("remaining"))["total"])
    return Balance(**{**now.__dict__, "next_expiry": next_expiry, "pending_next": pending_next})


def entries(account: Any) -> QuerySet[Any]:
    """Return the entries of ``account``, newest first, with their notes and lots."""
    rows = _model("Entry").objects.filter(account=account)
    return rows.select_related("note").prefetch_related("lots").order_by("-sequence")


def lots_open(account: Any, at: datetime | None = None) -> QuerySet[Any]:
    """Return the lots that still hold units, first-expiring first."""
    lots = _model("Lot").objects.filter(account=account, remaining__gt=0).filter(_alive(at or clock.now()))
    return lots.select_related("entry").order_by(F("expires_at").asc(nulls_last=True), "pk")


def by_source(source_type: str, source_id: Any) -> QuerySet[Any]:
    """Return the entries that came from one row of another room, oldest first."""
    rows = _model("Entry").objects.filter(source_type=source_type, source_id=str(source_id))
    return rows.order_by("recorded_at", "pk")


def undone(entry: Any) -> int:
    """Return how many units of an earning or a spend have been reversed, written off and expired ones included."""
    rows = _model("Entry").objects.filter(reverses=entry)
    if entry.units > 0:
        return sum(detail["asked"] for detail in rows.filter(kind="clawback").values_list("explanation", flat=True))
    return rows.filter(kind="return").aggregate(total=Coalesce(Sum("units"), 0))["total"]
