"""Points that are no purchase's: for an action, a full stamp card, a challenge, a friend who came."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from oscar_loyalty import clock, times
from oscar_loyalty.earning import facts
from oscar_loyalty.earning.allowance import left_of_budget
from oscar_loyalty.earning.awarding import Grant, give, mark_back, take_back
from oscar_loyalty.earning.engine import Outcome, OutcomeLine
from oscar_loyalty.fields import data_of
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.locking import lock_heirs


def _awards() -> Any:
    return get_model("loyalty_earning", "Award").objects


@transaction.atomic
def give_points(
    *,
    member: Any,
    points: int,
    reference: str,
    why: str,
    name: Any = "",
    said: Mapping[str, Any] | None = None,
    source: Ref | None = None,
    rule_version: Any = None,
    usable_from: datetime | None = None,
    happened_at: datetime | None = None,
) -> Any:
    """Give ``points`` to ``member`` and return the award; the same ``reference`` again returns the first.

    ``why`` is what :func:`oscar_loyalty.earning.explain.saying` was told how to say, ``said`` what that needs (data, no
    sentences), ``name`` the owner's name for it (text, or a dict by language). They can be spent from ``usable_from``
    (default: at once) and live as long as any others. Gifts are not multiplied by a tier, and no cap is about them;
    where the programme's budget has less left, that is what they bring.

    :raises ValueError: for points not above zero, or a member who cannot earn (on hold, closed, programme not open).
    """
    if points <= 0:
        raise ValueError("A gift is more than nothing.")
    member = lock_heirs([member.pk], accounts=True)[member.pk]
    before = _awards().filter(reference=reference).first()
    if before is not None:
        return before
    programme = member.programme
    if not programme.is_active or not member.can_earn:
        raise ValueError("This member cannot earn.")
    at = happened_at or clock.now()
    limits = facts.limits_of(programme)
    left = left_of_budget(limits, lock=True) if limits.in_budget(times.day_of(at)) else None
    whole, points = points, points if left is None else min(points, left)
    explanation = {"rule": why, "name": data_of(name), "points": str(whole), **(said or {})}
    line = OutcomeLine(
        key="",
        title="",
        product=None,
        quantity=1,
        amount=Decimal(0),
        share=Decimal(points),
        points=points,
        rule_version=rule_version.pk if rule_version else None,
        explanation=explanation,
    )
    capped = {"capped": {"by": "budget", "most": points, "before": whole}} if points < whole else {}
    outcome = Outcome(points, lines=(line,), explanation={"points": points, "gift": why, **capped})
    grant = Grant(
        member=member,
        tier=member.tier,
        outcome=outcome,
        reference=reference,
        key=f"award:{reference}",
        source=source or Ref(why, reference.partition(":")[2][:64]),
        name="",
        happened_at=at,
        usable_from=usable_from or at,
        expires_at=times.end_of_life(usable_from or at, programme.expiry_months),
        multiplied=False,
    )
    return give([grant])[0]


@transaction.atomic
def take_points(*, award: Any, why: str = "gift_back", happened_at: datetime | None = None) -> int:
    """Take a gift back, since what it was for is gone; return how many points that was. Again: nothing more."""
    row = _awards().select_for_update(of=("self",)).select_related("entry", "programme").get(pk=award.pk)
    mark_back(award=row, spent_back=row.spent, void=True)
    return take_back(
        award=row,
        target=row.points,
        key=f"clawback:{row.reference}",
        explanation={"why": why, "source": row.source_type},
        happened_at=happened_at,
    )
