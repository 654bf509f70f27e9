"""Who would move, before the rules are changed: the sums and the judgement of the review, kept for as long as they are
looked at.

It is worked out once for each proposal, slice by slice, and begins in the request that asks for it; what does not fit
there is left to a worker.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler, sweeper
from oscar_loyalty.earning.tiering import proposals, standings
from oscar_loyalty.earning.tiering.ladder import LIFETIME, Ladder, Verdict, judge
from oscar_loyalty.earning.tiering.standings import TABLE, Situation, Standings
from oscar_loyalty.loading import get_model
from oscar_loyalty.sql import Database, Value

KIND = "earning.tier_preview"
#: Members in one transaction.
SLICE = 20_000
#: Seconds that one due row may take: less than its lease.
MOST = 120.0
#: Seconds that the request takes which asks: of most programmes, all members are seen by then.
AT_ONCE = 1.0
#: Rows of old proposals that one sweep deletes of each table.
GONE = 200_000
#: A table of the transaction: what a situation would become.
WOULD = "loyalty_now_would"


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


#: How many would move, by whether they rise, and from which tier to which.
Counts = Counter[tuple[bool, int | None, int]]


@dataclass(frozen=True)
class Moves:
    """How many members were looked at, and how many would move.

    ``rising`` would rise at once, ``falling`` would fall at the end of their time, if nothing more came in.
    """

    seen: int
    counts: Counts

    @property
    def rising(self) -> int:
        return sum(number for (rising, _before, _after), number in self.counts.items() if rising)

    @property
    def falling(self) -> int:
        return sum(self.counts.values()) - self.rising


def moves(programme: Any, ladder: Ladder) -> Moves:
    """Return how many would move if ``ladder`` were in force; who they are is kept nowhere."""
    counts: Counts = Counter()
    seen, last = 0, 0
    while ladder.steps:
        pks = _next(programme.pk, last, SLICE)
        if not pks:
            break
        with transaction.atomic():
            counts += _look(programme.pk, ladder, pks[0], pks[-1])[1]
        seen, last = seen + len(pks), pks[-1]
    return Moves(seen, counts)


def _next(programme_id: int, last: int, size: int) -> list[int]:
    members = standings.members(programme_id, last + 1, None).order_by("pk")
    return list(members.values_list("pk", flat=True)[:size])


def ask(*, proposal: Any, most: float = AT_ONCE) -> Any:
    """Begin to work out who would move by a proposal, and leave the rest to a worker; return the proposal as it is."""
    row = run(proposal=proposal, most=most)
    if row.finished_at is None:
        with transaction.atomic():
            due.again(kind=KIND, key=str(row.pk), payload={"proposal": row.pk})
    return row


def run(*, proposal: Any, most: float | None = None, progress: Callable[[int], None] | None = None) -> Any:
    """Look at members until all are seen or ``most`` seconds are over; return the proposal as it is then."""
    began = time.monotonic()
    while step(proposal=proposal):
        if progress is not None:
            progress(_model("TierProposal").objects.values_list("seen", flat=True).get(pk=proposal.pk))
        if most is not None and time.monotonic() - began > most:
            break
    return _model("TierProposal").objects.select_related("programme").get(pk=proposal.pk)


@transaction.atomic
def step(*, proposal: Any, size: int | None = None) -> bool:
    """Look at the next members; return whether there may be more. ``False``, too, while another worker is at it."""
    rows = _model("TierProposal").objects.select_for_update(skip_locked=True, of=("self",))
    row = rows.select_related("programme").filter(pk=proposal.pk, finished_at__isnull=True).first()
    if row is None:
        return False
    pks = _next(row.programme_id, row.last, size or SLICE)
    if pks:
        ladder = proposals.of(row).ladder()
        if ladder.steps:
            _note(row, ladder, pks[0], pks[-1])
        row.last = pks[-1]
        row.seen += len(pks)
    if len(pks) < (size or SLICE):
        row.finished_at = clock.now()
    row.save()
    return bool(row.finished_at is None)


def _note(row: Any, ladder: Ladder, first: int, last: int) -> None:
    """Store who of a slice would move, and count them."""
    would, counts = _look(row.programme_id, ladder, first, last)
    counts += Counter({(rising, before, after): number for rising, before, after, number in row.steps})
    found = Moves(0, counts)
    row.rising, row.falling = found.rising, found.falling
    row.steps = [[*step, number] for step, number in counts.most_common()]
    if not would:
        return
    db = Database(_model("TierProposalMove"))
    db.make_table(WOULD, "situation integer PRIMARY KEY, rising boolean, after_id bigint")
    db.fill(WOULD, would)
    columns: dict[str, str | Value] = {
        "proposal_id": Value(row.pk),
        "rising": "would.rising",
        "member": "stood.member_id",
        "before": "stood.tier_id",
        "after": "would.after_id",
    }
    source = "FROM $standing stood JOIN $would would ON would.situation = stood.situation"
    db.insert(_model("TierProposalMove"), columns, source, standing=TABLE, would=WOULD)


def _look(
    programme_id: int, ladder: Ladder, first: int, last: int | None
) -> tuple[list[tuple[int, bool, int]], Counts]:
    """Return what situations of a slice would become (rising?, after), and how many would move from where to where."""
    would, counts, now = [], Counter(), clock.now()
    for situation in Standings(programme_id, ladder, now, first, last, preview=True).situations():
        verdict = judge(ladder, situation.term, now, ladder.total_for(situation.up), ladder.total_for(situation.again))
        found = _would(ladder, situation, verdict, now)
        if found is not None:
            rising, after = found
            would.append((situation.pk, rising, after))
            counts[rising, situation.tier, after] += situation.number
    return would, counts


def _would(ladder: Ladder, situation: Situation, verdict: Verdict, now: Any) -> tuple[bool, int] | None:
    """Return whether members would rise, and to which tier; ``None`` for those who would stay.

    Falling is said of whoever has a tier by the rules that what counts now would not reach.
    """
    own, after = ladder.step(situation.tier), ladder.step(verdict.tier)
    if after is None:
        return None
    if own is None or after.rank > own.rank:
        return True, after.pk
    if after.rank < own.rank:
        return False, after.pk
    if not ladder.is_automatic or after.threshold is None or after is ladder.steps[0]:
        return None
    floor = ladder.step(verdict.term.floor)
    reached = situation.up
    if verdict.term.ends_at is not None and verdict.term.ends_at <= now and ladder.window != LIFETIME:
        reached = max(reached, situation.again, key=lambda step: step.rank)
    if floor is not None and floor.rank > reached.rank:
        reached = floor
    return (False, reached.pk) if reached.rank < after.rank else None


@handler(KIND, atomic=False)
def preview_due(row: Any) -> None:
    proposal = _model("TierProposal").objects.filter(pk=row.payload["proposal"], finished_at__isnull=True).first()
    if proposal is not None and run(proposal=proposal, most=MOST).finished_at is None:
        with transaction.atomic():
            due.again(kind=KIND, key=row.key, payload=row.payload)


@sweeper("earning.tier_proposals")
def forget() -> int:
    """Delete proposals that nobody can save any more, with their moves; return how many."""
    Proposal, Move = _model("TierProposal"), _model("TierProposalMove")
    done, left = 0, GONE
    for proposal in Proposal.objects.filter(made_at__lt=clock.now() - Proposal.LIFE).order_by("pk"):
        moves = Move.objects.filter(pk__in=Move.objects.filter(proposal=proposal).order_by("pk").values("pk")[:left])
        # There is nothing that hangs on a move.
        left -= moves._raw_delete(moves.db)
        if left <= 0:
            break
        proposal.delete()
        done += 1
    return done
