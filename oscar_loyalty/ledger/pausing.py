"""Time that does not count: the lots of an account lose their end for a while, and get it back that much later.

Passed on by :mod:`oscar_loyalty.ledger.books`. Every reader decides by a lot's own times; so, while an account rests,
its lots have no end, and the zero entry that says so remembers what it was.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from oscar_loyalty import clock
from oscar_loyalty.ledger import keyed
from oscar_loyalty.ledger.keyed import NOBODY, Ref
from oscar_loyalty.ledger.pages import Pages, model


@transaction.atomic
def pause(*, account: Any, key: str, actor: Ref = NOBODY, happened_at: datetime | None = None) -> Any:
    """Let nothing of ``account`` expire until :func:`resume`; return the zero entry that records it.

    What had reached its end before is posted first. Lots that are used up are paused too: a refund may fill them.

    :raises KeyConflict: when the key has been used for something else.
    """
    at = happened_at or clock.now()
    pages = Pages([keyed.pk(account)], until=at)
    digest = keyed.digest("pause", keyed.pk(account), 0, "extended")
    if before := keyed.known([key]).get(key):
        return keyed.same(before, digest)
    pages.post_due(at)
    page = pages[keyed.pk(account)]
    lots = [page.lot(lot) for lot in model("Lot").objects.filter(account=page.account, expires_at__gt=at)]
    ends = {str(lot.pk): lot.expires_at.isoformat() for lot in lots}
    entry = page.post(
        kind="extended",
        units=0,
        key=key,
        digest=digest,
        effective_at=at,
        explanation={"why": "paused", "ends": ends},
        **keyed.refs(NOBODY, actor),
    )
    for lot in lots:
        lot.expires_at = None
        page.touch(lot)
    keyed.flush(pages, {key: entry})
    return entry


@transaction.atomic
def resume(*, paused: Any, key: str, actor: Ref = NOBODY, happened_at: datetime | None = None) -> Any:
    """Give the lots that ``paused`` (an entry of :func:`pause`) stopped their ends back, later by the time that passed.

    What came, or got its end, in the meantime lives longer by the part of the time that it was there. Return the zero
    entry that records it.

    :raises KeyConflict: when the key has been used for something else.
    """
    at = happened_at or clock.now()
    pages = Pages([paused.account_id], until=at)
    digest = keyed.digest("resume", paused.account_id, 0, "extended", paused.pk)
    if before := keyed.known([key]).get(key):
        return keyed.same(before, digest)
    page = pages[paused.account_id]
    ends = {int(pk): datetime.fromisoformat(end) for pk, end in paused.explanation["ends"].items()}
    rested = at - paused.effective_at
    changed = []
    stopped = model("Lot").objects.filter(account=page.account, pk__in=list(ends), expires_at__isnull=True)
    for row in stopped:
        lot = page.lot(row)
        lot.expires_at = ends[lot.pk] + rested
        changed.append(lot)
    dated = model("Lot").objects.filter(account=page.account, remaining__gt=0, expires_at__gt=paused.effective_at)
    for row in dated.select_related("entry").order_by(F("expires_at"), "pk"):
        lot = page.lot(row)
        lot.expires_at += max(at - max(paused.effective_at, row.entry.effective_at), timedelta(0))
        changed.append(lot)
    entry = page.post(
        kind="extended",
        units=0,
        key=key,
        digest=digest,
        effective_at=at,
        explanation={"why": "resumed", "seconds": int(rested.total_seconds())},
        **keyed.refs(NOBODY, actor),
    )
    for lot in changed:
        page.touch(lot)
        page.watch(lot)
    keyed.flush(pages, {key: entry})
    return entry
