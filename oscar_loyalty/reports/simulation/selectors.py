"""What a try says, in money and words' worth of figures."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from oscar_loyalty.loading import get_model
from oscar_loyalty.money import Money

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Cost:
    """What points cost the shop: their worth at the rate, less what is never spent. In the programme's currency."""

    tried: Money
    today: Money
    awarded: Money
    more: Money
    share: Decimal

    @property
    def is_more(self) -> bool:
        return self.more.amount > 0

    @property
    def is_less(self) -> bool:
        return self.more.amount < 0

    @property
    def difference(self) -> Money:
        """The difference, without its sign."""
        return Money(abs(self.more.amount), self.more.currency)


def cost_of(simulation: Any) -> Cost:
    """Return the costs of a try that is done; ``share``: how many percent of the turnover the difference is."""
    result = simulation.result
    points, amount = result["rate"]
    worth = Decimal(amount) / points * (100 - simulation.breakage) / 100

    def money(number: int) -> Money:
        return Money((number * worth).quantize(CENT), result["currency"])

    tried, today = money(result["points"]), money(result["today"])
    turnover = Decimal(result["turnover"])
    more = tried.amount - today.amount
    share = (abs(more) * 100 / turnover).quantize(Decimal("0.1")) if turnover else Decimal(0)
    return Cost(tried, today, money(result["awarded"]), Money(more, result["currency"]), share)


def simulations(programme: Any) -> QuerySet[Any]:
    """Return the programme's tries, the newest first."""
    return get_model("loyalty_reports", "Simulation").objects.filter(programme=programme)


def members_of(simulation: Any, which: str = "") -> QuerySet[Any]:
    """Return the members of a try: "win" and "lose" against today's rules (the most first), or all by their points."""
    rows = simulation.members.select_related("member", "tier")
    if which == "win":
        return rows.filter(difference__gt=0).order_by("-difference", "pk")
    if which == "lose":
        return rows.filter(difference__lt=0).order_by("difference", "pk")
    return rows.order_by("-points", "pk")
