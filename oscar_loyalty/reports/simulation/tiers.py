"""Which tier the purchases of a try bring, where the programme's tiers follow from them."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from oscar_loyalty.loading import get_model
from oscar_loyalty.reports.simulation.replay import Standing, scheme

COUNTED: dict[str, Callable[[Standing], Decimal | int]] = {
    "spend": lambda standing: standing.spent,
    "points": lambda standing: standing.points,
    "orders": lambda standing: standing.purchases - standing.visits,
    "visits": lambda standing: standing.visits,
}


@scheme
def by_threshold(programme: Any, standings: Mapping[int, Standing]) -> Mapping[int, int | None] | None:
    """Return the highest tier that each member reaches with the purchases of the period alone, by their keys;

    ``None`` where tiers are given by hand. A tier without a threshold is reached only where it is the first.
    """
    rows = get_model("loyalty_members", "TierScheme").objects.filter(programme=programme)
    counted = COUNTED.get(rows.values_list("metric", flat=True).first() or "")
    tiers = list(get_model("loyalty_members", "Tier").objects.filter(programme=programme).order_by("rank"))
    if counted is None or not tiers:
        return None
    first, ladder = tiers[0].pk, [(tier.threshold, tier.pk) for tier in tiers[1:] if tier.threshold is not None]

    def reached(standing: Standing) -> int:
        has = counted(standing)
        return next((pk for threshold, pk in reversed(ladder) if has >= threshold), first)

    return {member: reached(standing) for member, standing in standings.items()}
