"""Members under lock, in the one order in which everybody takes their locks.

What stands for one affair comes first (a basket and its attempt, an order's review, a booking, a referral, a tier that
goes, the pages of a club), then the members, then what is theirs (household, gifts; reward, claim, voucher; awards),
and the accounts of the ledger last; rows of one kind in the order of their primary keys. So nobody ever waits for
somebody who waits for them.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction

from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.selectors import survivor
from oscar_loyalty.loading import get_model
from oscar_loyalty.locks import as_locked


def lock_members(pks: Iterable[int]) -> dict[int, Any]:
    """Lock members until the transaction ends; return them as they are now, with programme, account and tier, by key.

    For whoever acts for themselves: a membership that was joined with another is closed, and does nothing more.
    """
    return {row.pk: row for row in _rows(set(pks))}


def lock_heirs(pks: Iterable[int], *, accounts: bool = False) -> dict[int, Any]:
    """Lock those whom members have become, with ``accounts`` their accounts after them, until the transaction ends.

    For what happens to somebody: what comes to a membership that was joined with another comes to that other one.
    Return them as :func:`lock_members` does, by the keys that were asked for, and by their own.
    """
    wanted, locking = set(pks), connection.features.has_select_for_update
    while True:
        mark = transaction.savepoint() if locking else None
        found = {row.pk: row for row in _rows(wanted)}
        more = {row.merged_into_id for row in found.values()} - {None} - wanted
        if mark and more:
            # Whom a member was merged into must be locked too, in their turn. This lets the locks go.
            transaction.savepoint_rollback(mark)
        elif mark:
            transaction.savepoint_commit(mark)
        if not more:
            break
        wanted |= more
    for row in found.values():
        if row.merged_into_id is not None:
            # So that nobody is read twice, and all see the same objects.
            row.merged_into = found[row.merged_into_id]
    heirs = {pk: survivor(row) for pk, row in found.items()}
    if accounts and heirs:
        books.lock({member.account_id for member in heirs.values()})
    return heirs


def _rows(pks: set[int]) -> list[Any]:
    rows = get_model("loyalty_members", "Member").objects.select_for_update(of=("self",), no_key=True)
    rows = rows.select_related("programme", "account", "tier").filter(pk__in=pks).order_by("pk")
    return [as_locked(row) for row in rows]
