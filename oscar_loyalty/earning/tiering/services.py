"""Members get the tiers that they have reached, at once when something counts, and by a review once a day.

Members are locked first, in the order of their keys, and only then is summed what counts: whatever runs side by side,
the last one sees all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning.followers import follower
from oscar_loyalty.earning.tiering import counting, selectors
from oscar_loyalty.earning.tiering.ladder import Ladder, Term, Verdict, judge
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import tiers as moving
from oscar_loyalty.members.tiers import Move

#: Members in one transaction of the follower.
SLICE = 500
#: What lies further back is history that was loaded: nobody is congratulated for it.
NEWS = timedelta(days=7)


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


@dataclass
class Outcome:
    """How many members were looked at, and what became of them."""

    seen: int = 0
    risen: int = 0
    fallen: int = 0
    kept: int = 0
    warned: int = 0

    def add(self, other: "Outcome", times: int = 1) -> None:
        for name in ("seen", "risen", "fallen", "kept", "warned"):
            setattr(self, name, getattr(self, name) + getattr(other, name) * times)


@follower("tiers")
def follow(awards: Sequence[Any]) -> None:
    """Who has reached a higher tier has it at once."""
    programmes = {award.programme_id: award.programme for award in awards}
    recent = clock.now() - NEWS
    for programme in programmes.values():
        ladder = selectors.ladder_of(programme)
        if not ladder.is_automatic:
            continue
        mine = [award for award in awards if award.programme_id == programme.pk]
        quiet = all(max(award.happened_at, award.usable_from or award.happened_at) < recent for award in mine)
        pks = sorted({award.member_id for award in mine})
        for start in range(0, len(pks), SLICE):
            settle(programme=programme, members=pks[start : start + SLICE], quiet=quiet, ladder=ladder)


@transaction.atomic
def settle(*, programme: Any, members: Iterable[int], quiet: bool = False, ladder: Ladder | None = None) -> Outcome:
    """Give members, by primary key, the tiers that they have by the rules as things stand; return what became of them.

    Whoever is on hold or closed is left as they are. Called again, nothing changes.
    """
    rules = ladder or selectors.ladder_of(programme)
    if not rules.steps:
        return Outcome()
    rows = _model("Member").objects.select_for_update(of=("self",), no_key=True)
    rows = rows.filter(pk__in=list(members), programme=programme, status="active", merged_into__isnull=True)
    people = {row.pk: row for row in rows.order_by("pk")}
    # Whoever was waited for has written their history before this moment.
    now = clock.now()
    terms = _model("TierTerm").objects.in_bulk(list(people))
    known = {pk: selectors.term(row.tier_id, terms.get(pk)) for pk, row in people.items()}
    sums = counting.totals(rules, now, {pk: term.ends_at for pk, term in known.items()})
    verdicts = {pk: judge(rules, known[pk], now, *sums[pk]) for pk in people}
    if quiet:
        # Whoever is not told now is told by the next review.
        verdicts = {pk: unwarned(verdict, known[pk]) for pk, verdict in verdicts.items()}
    return _write(programme, people, known, terms, verdicts, quiet, now)


def unwarned(verdict: Verdict, before: Term) -> Verdict:
    """Return a verdict without its warning, which is left to be given later."""
    if not verdict.warn:
        return verdict
    return replace(verdict, term=replace(verdict.term, warned_for=before.warned_for), warn=False)


def _write(
    programme: Any,
    people: dict[int, Any],
    known: dict[int, Any],
    terms: dict[int, Any],
    verdicts: dict[int, Verdict],
    quiet: bool,
    now: datetime,
) -> Outcome:
    tiers = {tier.pk: tier for tier in members.tiers(programme)}
    outcome = Outcome(seen=len(people), kept=sum(verdict.renewed for verdict in verdicts.values()))
    moves = []
    for pk, verdict in verdicts.items():
        member = people[pk]
        if member.tier_id == verdict.tier:
            continue
        before, after = tiers.get(member.tier_id), tiers[verdict.tier]
        # Read with the others: no query for each.
        member.tier = before
        rises = before is None or after.rank > before.rank
        cause = "risen" if rises else "over" if verdict.floor_over else "fallen"
        outcome.risen += rises
        outcome.fallen += not rises
        moves.append(Move(member, after, cause, f"tier:{pk}:{uuid4().hex}"))
    fields = ["earned", "ends_at", "warned_for", "floor", "floor_until", "floor_reason"]
    changed = [pk for pk, verdict in verdicts.items() if verdict.term != known[pk] or _is_new(verdict, terms.get(pk))]
    rows = []
    for pk in changed:
        found = verdicts[pk].term
        rows.append(
            _model("TierTerm")(
                member_id=pk,
                earned_id=found.earned,
                ends_at=found.ends_at,
                warned_for=found.warned_for,
                floor_id=found.floor,
                floor_until=found.floor_until,
                floor_reason=terms[pk].floor_reason if found.floor is not None else "",
            )
        )
    _model("TierTerm").objects.bulk_create(
        rows, batch_size=500, update_conflicts=True, unique_fields=["member"], update_fields=fields
    )
    moving.move_many(programme=programme, moves=moves, quiet=quiet, at=now)
    warned = {pk: verdict for pk, verdict in verdicts.items() if verdict.warn}
    outcome.warned = len(warned)
    if warned:
        due.leave_many(
            kind="members.tier_ends",
            rows={
                f"{pk}:{verdict.term.warned_for:%Y%m%dT%H%M}": {
                    "member": pk,
                    "until": verdict.term.warned_for.isoformat() if verdict.term.warned_for else "",
                }
                for pk, verdict in warned.items()
            },
        )
    return outcome


def _is_new(verdict: Verdict, row: Any) -> bool:
    """Whether a term has to be stored that was not: from then on it is known what the rules gave."""
    return row is None and (verdict.term.ends_at is not None or verdict.term.floor is not None)
