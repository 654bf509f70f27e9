"""Which tier each member has after a try, where the programme's tiers follow from purchases.

What counts is what counts on the last day of the period: its purchases by the rules that are tried, and, as it was,
what the window of the tiers holds beside them: purchases from before the period, and gifts.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from oscar_loyalty.earning.tiering import counting
from oscar_loyalty.earning.tiering.selectors import ladder_of
from oscar_loyalty.reports.simulation.replay import Period, Standing, scheme

COUNTED: dict[str, Callable[[Standing], Decimal | int]] = {
    "spend": lambda one: one.spent - one.old_spent,
    "points": lambda one: one.points - one.old_points,
    "orders": lambda one: (one.purchases - one.visits) - (one.old_purchases - one.old_visits),
    "visits": lambda one: one.visits - one.old_visits,
}


def counts_from(programme: Any, until: datetime) -> datetime | None:
    """Return from when on things count towards the tiers of ``until``; ``None``: all that ever was."""
    ladder = ladder_of(programme)
    return ladder.since(until) if ladder.is_automatic else None


@scheme
def by_threshold(programme: Any, standings: Mapping[int, Standing], period: Period) -> Mapping[int, int | None] | None:
    """Return the highest tier that each member reaches, by their keys; ``None`` where tiers are given by hand.

    A tier that is still held from an earlier term, and those given by hand, are not in it.
    """
    ladder = ladder_of(programme)
    if not ladder.is_automatic:
        return None
    counted = COUNTED[ladder.metric]
    beside = counting.beside(ladder, period.until, period.since, list(standings))
    return {pk: ladder.reached(beside.get(pk, Decimal(0)) + counted(one)).pk for pk, one in standings.items()}
