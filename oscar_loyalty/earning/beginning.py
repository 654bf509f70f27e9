"""The way from no programme to one that runs, as its state says how far it is."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, Q

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model


@dataclass(frozen=True)
class Beginning:
    """Which steps are done: the ``programme`` is made, it has ``rules`` (drafted, too), something is ``published``, and
    a purchase was ``tried``. ``draft`` is the draft to go on with, ``None`` without one."""

    programme: bool = False
    rules: bool = False
    published: bool = False
    tried: bool = False
    draft: Any = None

    @property
    def steps(self) -> list[bool]:
        return [self.programme, self.rules, self.published, self.tried]

    @property
    def done(self) -> int:
        return sum(self.steps)

    @property
    def is_over(self) -> bool:
        return all(self.steps)

    @property
    def next(self) -> int:
        """The number of the first step that is not done, from 1; 0 when all are."""
        return next((number for number, done in enumerate(self.steps, start=1) if not done), 0)


def beginning_of(programme: Any) -> Beginning:
    """Return how far ``programme`` (``None``: not made yet) is; two queries."""
    if programme is None:
        return Beginning()
    mine = Q(programme=programme)
    published = get_model("loyalty_earning", "RuleVersion").objects.filter(rule__programme=programme)
    goals = get_model("loyalty_earning", "Goal").objects.filter(mine)
    drafted = get_model("loyalty_earning", "DraftItem").objects.filter(
        draft__programme=programme, draft__state__in=["draft", "published"]
    )
    tried = get_model("loyalty_earning", "Award").objects.filter(
        mine, source_type__in=["order", "booking"], points__gt=0
    )
    row = (
        type(programme)
        .objects.filter(pk=programme.pk)
        .values_list(
            Exists(published), Exists(published.filter(valid_from__lte=clock.now())), Exists(goals), Exists(drafted),
            Exists(tried),
        )
        .get()
    )  # fmt: skip
    rule, begun, goal, draft, earned = row
    last = get_model("loyalty_earning", "Draft").objects.filter(mine, state="draft").first()
    return Beginning(True, rule or goal or draft, begun or goal, earned, last)
