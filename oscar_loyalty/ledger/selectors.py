"""All reads of the ledger. Pending, expired and held follow from the rows' own times, not from a job having run."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from string import Template
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from oscar_loyalty import clock
from oscar_loyalty.ledger import rows
from oscar_loyalty.loading import get_model
from oscar_loyalty.sql import Database


@dataclass(frozen=True)
class Balance:
    """What an account has, in whole units.

    ``usable`` can be spent now; ``pending`` comes later; ``held`` is set aside for a checkout under way; ``debt`` is
    paid by whatever comes, comes back or comes free; ``book`` is the sum of all entries. ``next_expiry`` and
    ``pending_next`` are ``(moment, units)``, or ``None``; the moment of ``pending_next`` is ``None`` where it is not
    known yet.
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


#: All that there is to say of some accounts, each lot and hold looked at once. What is usable, expired or held follows
#: from the rows' own times; a hold past its limit holds nothing, whether or not the sweep has been by.
FIGURES = """
    WITH lots AS (
        SELECT $account AS account, $remaining AS units, $remaining - $held AS free, $usable_from AS starts,
            $expires_at AS ends
        FROM $lot_ WHERE $account IN (${ids}) AND $remaining > 0 AND ($expires_at IS NULL OR $expires_at > ${at})
    ), sums AS (
        SELECT account, SUM(CASE WHEN starts <= ${at} THEN free END) AS usable,
            SUM(CASE WHEN starts <= ${at} THEN 0 ELSE free END) AS pending,
            MIN(CASE WHEN starts <= ${at} THEN ends END) AS ends,
            MIN(CASE WHEN starts > ${at} THEN starts END) AS starts
        FROM lots GROUP BY account
    ), dates AS (
        SELECT lots.account, SUM(CASE WHEN lots.starts <= ${at} AND lots.ends = sums.ends THEN units END) AS ending,
            SUM(CASE WHEN lots.starts = sums.starts OR (lots.starts IS NULL AND sums.starts IS NULL) THEN units END)
                AS coming
        FROM lots JOIN sums ON sums.account = lots.account GROUP BY lots.account
    ), holds AS (
        SELECT ${hold.account} AS account, SUM(CASE WHEN ${hold.until} > ${at} THEN ${use.units} END) AS live,
            SUM(CASE WHEN ${stale} AND $usable_from <= ${at} THEN ${use.units} END) AS stale,
            SUM(CASE WHEN ${stale} AND ($usable_from IS NULL OR $usable_from > ${at}) THEN ${use.units} END) AS early
        FROM ${use.holduse_} JOIN ${hold.hold_} ON ${hold.id} = ${use.hold} JOIN $lot_ ON $id = ${use.lot}
        WHERE ${hold.account} IN (${ids}) AND ${hold.state} = 'open' GROUP BY ${hold.account}
    )
    SELECT ${account.id}, ${account.balance}, ${account.debt}, COALESCE(sums.usable, 0) + COALESCE(holds.stale, 0),
        COALESCE(sums.pending, 0) + COALESCE(holds.early, 0), COALESCE(holds.live, 0), sums.ends, dates.ending,
        sums.starts, dates.coming
    FROM ${account.account_} LEFT JOIN sums ON sums.account = ${account.id}
        LEFT JOIN dates ON dates.account = ${account.id} LEFT JOIN holds ON holds.account = ${account.id}
    WHERE ${account.id} IN (${ids})
"""


class _Text(Template):
    #: Columns of other tables than the lots are named with them: ``${hold.until}``.
    braceidpattern = r"[a-z_.]+"


@lru_cache(maxsize=100)
def _figures(number: int, vendor: str) -> tuple[str, tuple[bool, ...]]:
    """Return the statement for so many accounts, and of each place for parameters whether it is for a moment."""
    known = dict(rows.names(_model("Lot"), vendor))
    for prefix, name in (("account", "Account"), ("hold", "Hold"), ("use", "HoldUse")):
        known |= {f"{prefix}.{field}": column for field, column in rows.names(_model(name), vendor).items()}
    stale = "${hold.until} <= ${at} AND ($expires_at IS NULL OR $expires_at > ${at})"
    text = FIGURES.replace("${stale}", stale)
    places = tuple(found == "${at}" for found in re.findall(r"\$\{(?:at|ids)\}", text))
    return _Text(text).substitute(known, at="%s", ids=rows.marks(number)), places


def balances(accounts: Iterable[Any], at: datetime | None = None) -> dict[int, Balance]:
    """Return the balance of each account by its primary key, in one query for five hundred of them."""
    at = at or clock.now()
    by_id = {account.pk: account for account in accounts}
    # An account that is in no database, such as a stand-in, has what it says itself.
    found = {pk: Balance(debt=account.debt, book=account.balance) for pk, account in by_id.items()}
    for ids in rows.slices(list(by_id)):
        database = Database(_model("Lot"), reading=True)
        text, places = _figures(len(ids), database.connection.vendor)
        moment = database.moment(at)
        params = [value for for_moment in places for value in ([moment] if for_moment else ids)]
        with database.connection.cursor() as cursor:
            figures = rows.execute(cursor, text, params)
        for pk, book, debt, usable, pending, held, ends, ending, starts, coming in figures:
            end = database.as_moment(ends)
            found[pk] = Balance(
                usable=max(0, int(usable) - debt),
                pending=int(pending),
                held=int(held),
                debt=debt,
                book=book,
                next_expiry=(end, int(ending)) if end is not None else None,
                pending_next=(database.as_moment(starts), int(coming)) if pending and coming else None,
            )
    return found


def unit_of_account() -> Subquery:
    """Return the expression for the unit of an entry or a lot: looked up row by row, where a join would have the
    database read all accounts for the sake of some."""
    return Subquery(_model("Account").objects.filter(pk=OuterRef("account")).values("unit")[:1])


def survivor(row: Any) -> Any:
    """Return what an account, or a membership, was merged into in the end, or itself."""
    while row.merged_into_id is not None:
        row = row.merged_into
    return row


def usable(account: Any, at: datetime | None = None) -> int:
    """Return the units of ``account`` that can be spent now (or at ``at``)."""
    return balances([account], at)[account.pk].usable


def balance(account: Any, at: datetime | None = None) -> Balance:
    """Return the balance of ``account``, in one query whatever its history. Its own figures are brought up to date."""
    found = balances([account], at)[account.pk]
    account.balance, account.debt = found.book, found.debt
    return found


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


def repaid(*, entry: Any = None, hold: Any = None) -> int:
    """Return how many of the units that came back with ``entry``, or came free with ``hold``, paid what was owed."""
    uses = _model("LotUse").objects.filter(units__gt=0)
    if entry is not None:
        uses = uses.filter(entry=entry)
    else:
        # By an entry of its own, of that moment.
        closed_at = _model("Hold").objects.filter(pk=hold.pk).values("closed_at")
        uses = uses.filter(entry__account=hold.account_id, entry__kind="repaid", entry__effective_at__in=closed_at)
        uses = uses.filter(lot__in=hold.uses.values("lot"))
    return uses.aggregate(total=Coalesce(Sum("units"), 0))["total"]


def undone(entry: Any) -> int:
    """Return how many units of an earning or a spend have been reversed, written off and expired ones included."""
    rows = _model("Entry").objects.filter(reverses=entry)
    if entry.units > 0:
        return sum(detail["asked"] for detail in rows.filter(kind="clawback").values_list("explanation", flat=True))
    return rows.filter(kind="return").aggregate(total=Coalesce(Sum("units"), 0))["total"]
