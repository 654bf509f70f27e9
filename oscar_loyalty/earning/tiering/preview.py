"""Who would move, before the rules are changed: the sums and the judgement of the review, written nowhere."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from oscar_loyalty import clock
from oscar_loyalty.earning.tiering import counting, selectors
from oscar_loyalty.earning.tiering.ladder import LIFETIME, Ladder, judge
from oscar_loyalty.loading import get_model


@dataclass(frozen=True)
class Would:
    """A member, by primary key, who would go from one tier to another, both primary keys."""

    member: int
    before: int | None
    after: int


@dataclass(frozen=True)
class Moves:
    """``rising`` would rise at once. ``falling`` would fall at the end of their time, if nothing more came in."""

    seen: int = 0
    rising: list[Would] = field(default_factory=list)
    falling: list[Would] = field(default_factory=list)

    def steps(self, which: str) -> list[tuple[int | None, int, int]]:
        """Return from which tier to which how many would move."""
        counts = Counter((each.before, each.after) for each in getattr(self, which))
        return [(before, after, number) for (before, after), number in counts.most_common()]


def moves(programme: Any, ladder: Ladder) -> Moves:
    """Return who would move if ``ladder`` were in force; some queries for each 2,000 members.

    Falling is said of whoever has a tier by the rules that what counts now would not reach.
    """
    if not ladder.steps:
        return Moves()
    now, found = clock.now(), Moves()
    seen = 0
    rows = get_model("loyalty_members", "Member").objects
    rows = rows.filter(programme=programme, status="active", merged_into__isnull=True).order_by("pk")
    names = ("earned", "ends_at", "floor", "floor_until", "warned_for")
    fields = ["pk", "tier", *(f"tier_term__{name}" for name in names)]
    last = 0
    while True:
        batch = list(rows.filter(pk__gt=last).values_list(*fields)[: counting.BATCH])
        if not batch:
            break
        last, seen = batch[-1][0], seen + len(batch)
        known = {
            pk: selectors.Term(earned if earned is not None else tier, ends_at, floor, floor_until, warned_for)
            for pk, tier, earned, ends_at, floor, floor_until, warned_for in batch
        }
        sums = counting.totals(ladder, now, {pk: term.ends_at for pk, term in known.items()})
        for pk, tier, *_term in batch:
            _note(ladder, found, pk, tier, known[pk], now, sums[pk])
    return Moves(seen, found.rising, found.falling)


def _note(ladder: Ladder, found: Moves, pk: int, tier: int | None, term: Any, now: Any, sums: Any) -> None:
    verdict = judge(ladder, term, now, *sums)
    own, after = ladder.step(tier), ladder.step(verdict.tier)
    if after is None:
        return
    if own is None or after.rank > own.rank:
        found.rising.append(Would(pk, tier, after.pk))
        return
    if after.rank < own.rank:
        found.falling.append(Would(pk, tier, after.pk))
        return
    if not ladder.is_automatic or after.threshold is None or after is ladder.steps[0]:
        return
    floor = ladder.step(verdict.term.floor)
    reached = ladder.reached(sums[0])
    if verdict.term.ends_at is not None and verdict.term.ends_at <= now and ladder.window != LIFETIME:
        reached = max(reached, ladder.reached(sums[1]), key=lambda step: step.rank)
    if floor is not None and floor.rank > reached.rank:
        reached = floor
    if reached.rank < after.rank:
        found.falling.append(Would(pk, tier, reached.pk))
