"""How thousands of members stand at once, worked out in the database.

What counts is summed there, and members of whom all is the same to the rules (tier, term, step reached) are one
:class:`Situation`. So :func:`~oscar_loyalty.earning.tiering.ladder.judge` is asked once for each situation, and there
is one judgement, for one member and for a million.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from string import Template
from typing import Any

from django.db.models import Q

from oscar_loyalty.earning.tiering import counting
from oscar_loyalty.earning.tiering.ladder import LIFETIME, Ladder, Step, Term
from oscar_loyalty.loading import get_model
from oscar_loyalty.sql import Database

#: A table of the transaction: one row for each member whom the rules have something to say about.
TABLE = "loyalty_now_standing"
CALENDAR = "loyalty_now_calendar"
COLUMNS = """
    member_id bigint PRIMARY KEY, situation integer, stored boolean, tier_id bigint, earned_id bigint, ends_at $moment,
    floor_id bigint, floor_until $moment, warned_for $moment, up integer, again integer
"""
#: What makes a situation.
SAME = "stored, tier_id, earned_id, ends_at, floor_id, floor_until, warned_for, up, again"


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


def members(programme_id: int, first: int, last: int | None) -> Any:
    """Return the members of a slice who have a tier by the rules."""
    rows = _model("Member").objects.filter(programme=programme_id, status="active", merged_into__isnull=True)
    rows = rows.filter(pk__gte=first)
    return rows if last is None else rows.filter(pk__lte=last)


@dataclass(frozen=True)
class Situation:
    """``number`` members stand like this: their ``tier`` and ``term``, the step that what counts reaches now (``up``),
    and the one that it reaches since :meth:`Ladder.kept_since` of the term's end (``again``)."""

    pk: int
    stored: bool
    tier: int | None
    term: Term
    up: Step
    again: Step
    number: int


class Standings:
    """A slice of a programme's members, by ``ladder``, at ``now``; fills :data:`TABLE` of the transaction.

    By default with those for whom a review may have something to do; ``preview``: those who may be told of. Only what
    came before ``until`` counts, if that is said.
    """

    def __init__(
        self,
        programme_id: int,
        ladder: Ladder,
        now: datetime,
        first: int,
        last: int | None,
        *,
        preview: bool = False,
        until: datetime | None = None,
    ) -> None:
        self.db = Database(_model("Member"))
        self.programme_id, self.ladder, self.now, self.preview = programme_id, ladder, now, preview
        self.until = until
        self.first, self.last = first, last if last is not None else 2**62
        self._fill()

    def situations(self) -> list[Situation]:
        """Return how they stand; some hundred, however many they are."""
        text = "SELECT situation, COUNT(*), $same FROM $table GROUP BY situation, $same ORDER BY situation"
        rows = self.db.rows(text, table=TABLE, same=SAME)
        found = []
        for pk, number, stored, tier, earned, ends_at, floor, floor_until, warned_for, up, again in rows:
            moments = [self.db.as_moment(value) for value in (ends_at, floor_until, warned_for)]
            term = Term(earned, moments[0], floor, moments[1], moments[2])
            steps = self.ladder.steps
            found.append(Situation(pk, bool(stored), tier, term, steps[up], steps[again], number))
        return found

    def members_in(self, situations: Iterable[int]) -> list[tuple[int, int]]:
        """Return the members of some situations, by primary key, each with the situation."""
        wanted = ", ".join(str(int(pk)) for pk in situations)
        text = "SELECT member_id, situation FROM $table WHERE situation IN ($wanted)"
        return [(member, pk) for member, pk in self.db.rows(text, table=TABLE, wanted=wanted)]

    # Filling ------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        db, ladder = self.db, self.ladder
        db.make_table(TABLE, COLUMNS)
        sums, params = self._sums() if ladder.is_automatic else ("", [])
        up, up_params = self._step("counted.total") if sums else ("0", [])
        again, again_params = self._step("kept.total") if sums and self._starts else ("0", [])
        text = """
            INSERT INTO $into (situation, member_id, $columns)
            $sums
            SELECT DENSE_RANK() OVER (ORDER BY $columns), member_id, $columns
            FROM (
                SELECT member.id AS member_id, term.member_id IS NOT NULL AS stored, member.tier_id AS tier_id,
                    COALESCE(term.earned_id, member.tier_id) AS earned_id, term.ends_at AS ends_at,
                    term.floor_id AS floor_id, term.floor_until AS floor_until, term.warned_for AS warned_for,
                    $up AS up, $again AS again
                FROM $member member
                LEFT JOIN $term term ON term.member_id = member.id AND term.member_id BETWEEN $first AND $last
                $join
                WHERE member.id BETWEEN %s AND %s AND member.programme_id = %s AND member.status = 'active'
                    AND member.merged_into_id IS NULL
            ) stands
            WHERE ($settled) IS NOT TRUE
        """
        join = "LEFT JOIN counted ON counted.member_id = member.id" if sums else ""
        if sums and self._starts:
            join += " LEFT JOIN kept ON kept.member_id = member.id"
        settled, settled_params = self._settled()
        mine = [self.first, self.last, self.programme_id]
        db.run(
            text,
            [*params, *up_params, *again_params, *mine, *settled_params],
            into=TABLE,
            columns=SAME,
            sums=sums,
            up=up,
            again=again,
            join=join,
            settled=settled,
            first=int(self.first),
            last=int(self.last),
            member=db.table(_model("Member")),
            term=db.table(_model("TierTerm")),
        )
        db.analyse(TABLE)

    def _horizon(self) -> datetime:
        """Ends that come later are not looked at yet."""
        return self.now if self.preview else self.now + timedelta(days=self.ladder.warning_days + 1)

    def _settled(self) -> tuple[str, list[Any]]:
        """Return of whom the rules have nothing to say: they have what they have reached, or will keep it for long."""
        ladder = self.ladder
        same = "tier_id IS NOT NULL AND tier_id = earned_id AND floor_id IS NULL"
        if not ladder.is_automatic:
            return same, []
        whens = " ".join(f"WHEN {int(step.pk)} THEN {index}" for index, step in enumerate(ladder.steps))
        rank = f"CASE earned_id {whens} ELSE -1 END"
        if self.preview:
            return f"{same} AND up = {rank} AND (ends_at IS NULL OR ends_at > %s)", [self.db.moment(self.now)]
        if ladder.window == LIFETIME:
            return f"{same} AND up = {rank} AND ends_at IS NULL", []
        by_rule = [index for index, step in enumerate(ladder.steps) if index and step.threshold is not None]
        kept = f"({rank}) IN ({', '.join(map(str, by_rule))}) AND ends_at > %s" if by_rule else "1 = 0"
        params = [self.db.moment(self._horizon())] if by_rule else []
        return f"{same} AND up <= {rank} AND (({rank}) = 0 AND ends_at IS NULL OR {kept})", params

    def _step(self, total: str) -> tuple[str, list[Any]]:
        """Return the number of the step that ``total`` reaches, as :meth:`Ladder.reached`."""
        steps = [(index, step.threshold) for index, step in enumerate(self.ladder.steps) if index]
        wanted = [(index, threshold) for index, threshold in reversed(steps) if threshold is not None]
        if not wanted:
            return "0", []
        # SQLite sums decimals as floats.
        value = f"COALESCE({total}, 0)" if self.db.is_postgresql else f"ROUND(COALESCE({total}, 0), 2)"
        whens = " ".join(f"WHEN {value} >= CAST(%s AS NUMERIC) THEN {index}" for index, _threshold in wanted)
        return f"CASE {whens} ELSE 0 END", [threshold for _index, threshold in wanted]

    def _sums(self) -> tuple[str, list[Any]]:
        """Return what counts now, and what counts towards keeping a tier whose end is near, for each member."""
        self._starts = self._calendar()
        now, params = self._awards(self.ladder.since(self.now))
        text = "WITH counted(member_id, total) AS (SELECT member, SUM(amount) FROM ($now) counts GROUP BY member)"
        if not self._starts:
            return Template(text).substitute(now=now), params
        since, more = self._awards(min(self._starts.values()))
        text += """, kept(member_id, total) AS (
            SELECT ending.member_id, SUM(amount) FROM $term ending
            JOIN $calendar calendar ON calendar.ends_at = ending.ends_at
            JOIN ($since) counts ON counts.member = ending.member_id AND counts.at >= calendar.since
            WHERE ending.member_id BETWEEN %s AND %s GROUP BY ending.member_id
        )"""
        names = {"term": self.db.table(_model("TierTerm")), "calendar": CALENDAR}
        text = Template(text).substitute(now=now, since=since, **names)
        return text, [*params, *more, self.first, self.last]

    def _awards(self, since: datetime | None) -> tuple[str, list[Any]]:
        """Return a query of ``member``, ``at`` and ``amount``."""
        texts, params = [], []
        ways = [("member", {"member__pk__range": (self.first, self.last)})]
        if _model("Member").objects.filter(merged_into__pk__range=(self.first, self.last)).exists():
            # What a membership brought before it became part of another.
            ways.append(("member__merged_into", {"member__merged_into__pk__range": (self.first, self.last)}))
        for rows in counting.parts(self.ladder.metric, since):
            for member, here in ways:
                mine = rows.filter(**here) if self.until is None else rows.filter(at__lt=self.until, **here)
                text, more = self.db.compiled(mine.values_list(member, "at", "amount"))
                texts.append(text)
                params += more
        each = " UNION ALL ".join(texts)
        text = "WITH each_award(member, at, amount) AS ($each) SELECT member, at, amount FROM each_award"
        return Template(text).substitute(each=each), params

    def _calendar(self) -> dict[datetime, datetime]:
        """Note from when on things count for each end of a term that is near, by the one calendar there is."""
        if self.ladder.window == LIFETIME:
            return {}
        terms = _model("TierTerm").objects.filter(
            member__pk__range=(self.first, self.last), ends_at__lte=self._horizon()
        )
        terms = terms.filter(~Q(ends_at=None), member__programme=self.programme_id)
        ends = terms.order_by().values_list("ends_at", flat=True).distinct()
        found = {end: self.ladder.kept_since(end) for end in ends}
        starts = {end: start for end, start in found.items() if start is not None}
        if starts:
            self.db.make_table(CALENDAR, "ends_at $moment PRIMARY KEY, since $moment")
            rows: Sequence[Sequence[Any]] = [
                (self.db.moment(end), self.db.moment(start)) for end, start in sorted(starts.items())
            ]
            self.db.fill(CALENDAR, rows)
        return starts
