"""What hangs on awards: tiers, stamp cards, referrals and the like are brought in line with them.

A follower looks at how an award stands now, whatever has happened to it: just made, its visit attended, partly or
wholly taken back. So it can be called again at any time. It is called after the award's transaction, by a due row: it
may lock members and accounts of its own choice, and a slow or broken one stops no award.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction

from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler
from oscar_loyalty.loading import get_model

KIND = "earning.follow"
Follower = Callable[[Sequence[Any]], None]

_followers: dict[str, Follower] = {}


def follower(name: str) -> Callable[[Follower], Follower]:
    """Register a function that is told of awards; it gets a list of them, in a transaction of its own.

    Each comes with its ``programme``; they are of one programme or several, and from orders, bookings and gifts alike
    (``source_type``). Whoever needs more of them, and a lock before that, reads them again.
    """

    def register(function: Follower) -> Follower:
        _followers[name] = function
        return function

    return register


def tell_given(awards: Sequence[Any]) -> None:
    """Leave word in the current transaction that these awards are new."""
    if awards:
        # New awards have new keys: nothing has to be looked for.
        due.leave_many(kind=KIND, rows={f"given:{awards[0].pk}": {"awards": [award.pk for award in awards]}})


def tell_moved(award: Any) -> None:
    """Leave word in the current transaction that ``award`` does not stand any more as it did."""
    due.again(kind=KIND, key=f"moved:{award.pk}", payload={"awards": [award.pk]})


@handler(KIND, atomic=False)
def follow_due(row: Any) -> None:
    follow(row.payload["awards"])


def follow(pks: Sequence[int]) -> None:
    """Call every follower for these awards; one that raises stops no other, and is raised in the end."""
    rows = get_model("loyalty_earning", "Award").objects.filter(pk__in=list(pks)).select_related("programme")
    awards = list(rows.order_by("happened_at", "pk"))
    failed: Exception | None = None
    for function in list(_followers.values()):
        try:
            with transaction.atomic():
                function(awards)
        except Exception as error:
            failed = failed or error
    if failed is not None:
        raise failed
