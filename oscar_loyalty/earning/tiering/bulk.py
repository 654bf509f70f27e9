"""Tiers of thousands of members at once: what :func:`~oscar_loyalty.earning.tiering.services.settle` does of some.

Nobody is locked to be looked at. Whoever moves is locked then, and if they are not any more as they were, they are
settled by themselves; so whatever runs side by side, the last one sees all.
"""

from dataclasses import replace
from typing import Any

from django.db import transaction

from oscar_loyalty import clock
from oscar_loyalty.earning.tiering import selectors, services
from oscar_loyalty.earning.tiering.ladder import Ladder, Verdict, judge
from oscar_loyalty.earning.tiering.standings import TABLE, Situation, Standings, members
from oscar_loyalty.members.tier_moves import Moves, Ruling


@transaction.atomic
def settle_slice(
    *, programme: Any, first: int, last: int | None, quiet: bool = False, ladder: Ladder | None = None
) -> services.Outcome:
    """Give the members from one key to another (``None``: all that follow) the tiers that they have by the rules."""
    rules, now = ladder or selectors.ladder_of(programme), clock.now()
    outcome = services.Outcome(seen=members(programme.pk, first, last).count())
    if not rules.steps or not outcome.seen:
        return outcome
    rulings, counts = [], {}
    stood = Standings(programme.pk, rules, now, first, last)
    for situation in stood.situations():
        verdict = judge(rules, situation.term, now, rules.total_for(situation.up), rules.total_for(situation.again))
        if quiet and verdict.warn:
            # Whoever is not told now is told by the next review.
            verdict = services.unwarned(verdict, situation.term)
        found = _ruling(rules, situation, verdict)
        if found is not None:
            rulings.append(found)
            counts[found.situation] = _counted(found, verdict)
            outcome.add(counts[found.situation], situation.number)
    if not rulings:
        return outcome
    moves = Moves(programme, TABLE, rulings, stood.first, stood.last)
    stale = moves.lock()
    moves.write(quiet=quiet)
    for _member, pk in stale:
        outcome.add(counts[pk], -1)
    if stale:
        found = services.settle(
            programme=programme, members=[member for member, _pk in stale], quiet=quiet, ladder=rules
        )
        outcome.add(replace(found, seen=0))
    return outcome


def _ruling(rules: Ladder, situation: Situation, verdict: Verdict) -> Ruling | None:
    """Return what has to be written, or ``None``."""
    before, after = rules.step(situation.tier), rules.step(verdict.tier)
    term = verdict.term
    # From then on it is known what the rules gave.
    is_new = not situation.stored and (term.ends_at is not None or term.floor is not None)
    writes = term != situation.term or is_new
    moves = after is not None and situation.tier != verdict.tier
    if after is None or not (writes or moves):
        return None
    before_rank = before.rank if before is not None else -1
    cause = ""
    if moves:
        cause = "risen" if after.rank > before_rank else "over" if verdict.floor_over else "fallen"
    return Ruling(
        situation=situation.pk,
        tier=after.pk,
        rank=after.rank,
        before_rank=before_rank,
        cause=cause,
        term=writes,
        earned=term.earned,
        ends_at=term.ends_at,
        floor=term.floor,
        floor_until=term.floor_until,
        warned_for=term.warned_for,
        warn=verdict.warn,
    )


def _counted(ruling: Ruling, verdict: Verdict) -> services.Outcome:
    """Return what became of one member."""
    return services.Outcome(
        risen=int(ruling.cause == "risen"),
        fallen=int(ruling.cause in ("fallen", "over")),
        kept=int(verdict.renewed),
        warned=int(verdict.warn),
    )
