"""Time that does not count: the lots of an account lose their end for a while, and get it back that much later.

Passed on by :mod:`oscar_loyalty.ledger.books`. Every reader decides by a lot's own times; so, while an account rests,
its lots have no end, and remember how long they still live; so does what comes, or gets its end, while it rests.
"""

from datetime import datetime
from typing import Any

from oscar_loyalty import clock
from oscar_loyalty.ledger import keyed
from oscar_loyalty.ledger.keyed import NOBODY, Ref
from oscar_loyalty.ledger.pages import Pages, in_one_transaction, model


@in_one_transaction
def pause(*, account: Any, key: str, actor: Ref = NOBODY, happened_at: datetime | None = None) -> Any:
    """Let nothing of ``account`` expire until :func:`resume`; return the zero entry that records it.

    What had reached its end before is posted first. Lots that are used up are paused too: a refund may fill them. An
    account that rests already goes on resting.

    :raises KeyConflict: when the key has been used for something else.
    """
    at = clock.past(happened_at)
    pages = Pages([keyed.pk(account)], until=at, keys=[key])
    digest = keyed.digest("pause", keyed.pk(account), 0, "extended")
    if before := pages.known.get(key):
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
    page.account.paused_at = page.account.paused_at or at
    page.changed.add("paused_at")
    for lot in lots:
        page.stop(lot, at)
        page.touch(lot, times=True)
    keyed.flush(pages, [key])
    return entry


@in_one_transaction
def resume(*, paused: Any, key: str, actor: Ref = NOBODY, happened_at: datetime | None = None) -> Any:
    """End the rest that ``paused`` (an entry of :func:`pause`) began: every lot lives on for as long as it had left.

    What came, or got its end, in the meantime lives as long as it would have from then on. Nothing has expired, and how
    late a sweep is changes nothing. Return the zero entry that records it.

    :raises KeyConflict: when the key has been used for something else.
    """
    at = clock.past(happened_at)
    pages = Pages([paused.account_id], until=at, keys=[key])
    digest = keyed.digest("resume", paused.account_id, 0, "extended", paused.pk)
    if before := pages.known.get(key):
        return keyed.same(before, digest)
    page = pages[paused.account_id]
    rested = at - (page.account.paused_at or at)
    page.account.paused_at = None
    page.changed.add("paused_at")
    changed = [page.lot(row) for row in model("Lot").objects.filter(account=page.account, life_left__isnull=False)]
    for lot in changed:
        lot.expires_at, lot.life_left = at + lot.life_left, None
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
        page.touch(lot, times=True)
        page.watch(lot)
    keyed.flush(pages, [key])
    return entry
