"""What members typed to say whom they mean: an e-mail, a card number. It may be a stranger's, who never agreed to it.

It is kept for as long as a gift or an invitation waits, and then for so many days that a mistake can still be found.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.due.registry import sweeper
from oscar_loyalty.loading import get_model

#: Gifts handled by one round of the sweep.
SLICE = 500


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


@sweeper("members.typed")
def sweep() -> int:
    """Erase what is older than the shop keeps it."""
    return forget_before(moment=clock.now() - timedelta(days=conf.SHARING_KEEP_DAYS))


@transaction.atomic
def forget_before(*, moment: datetime) -> int:
    """Erase whom the gifts and invitations that had ended by ``moment`` were for, and return how many those are.

    In a household nothing is typed: there they know each other by name.
    """
    gifts = _model("Transfer").objects.exclude(to="").filter(at_once=False, closed_at__lte=moment)
    done = _erase_gifts(gifts.order_by("closed_at").values_list("pk", flat=True)[:SLICE])
    invitations = _model("HouseholdInvitation").objects.exclude(to="").filter(until__lte=moment)
    return done + int(invitations.update(to=""))


@transaction.atomic
def forget(*, members: Iterable[int]) -> int:
    """Erase what the gifts and invitations of ``members``, given or received, say of anybody; return how many.

    For whoever leaves: what others typed to reach them, and the names in others' histories, are theirs too.
    """
    pks = list(members)
    gifts = _model("Transfer").objects.filter(Q(source__in=pks) | Q(target__in=pks))
    done = _erase_gifts(gifts.values_list("pk", flat=True), reasons=True, notes=("entry_out", "entry_in"))
    invitations = _model("HouseholdInvitation").objects.filter(Q(member__in=pks) | Q(invited_by__in=pks))
    return done + int(invitations.update(to=""))


def _erase_gifts(found: Any, *, reasons: bool = False, notes: tuple[str, ...] = ("entry_out",)) -> int:
    gifts, done = _model("Transfer").objects, 0
    pks = list(found)
    for start in range(0, len(pks), SLICE):
        some = gifts.filter(pk__in=pks[start : start + SLICE])
        for entry in notes:
            entries = some.filter(**{f"{entry}__isnull": False}).values(entry)
            get_model("loyalty_ledger", "EntryNote").objects.filter(entry__in=entries).delete()
        done += some.update(to="", **({"reason": ""} if reasons else {}))
    return done
