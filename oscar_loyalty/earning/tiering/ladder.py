"""The rules of the tiers, pure: from what counts and a member's term of now to the term and the tier of now.

The follower, the review, the preview and the member's page all ask :func:`judge`, so they cannot disagree.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from oscar_loyalty import times

HAND, ROLLING, YEAR, LIFETIME = "hand", "rolling", "year", "lifetime"


@dataclass(frozen=True)
class Step:
    """A tier as the rules see it: its primary key, its rank, and from what on it is reached (``None``: by hand)."""

    pk: int
    rank: int
    threshold: Decimal | None


def _months(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 + months
    year, month = count // 12, count % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, monthrange(year, month)[1]))


@dataclass(frozen=True)
class Ladder:
    """The tiers of a programme, the lowest first, and how they are reached and kept."""

    metric: str
    window: str
    months: int
    grace_days: int
    warning_days: int
    steps: Sequence[Step]

    @property
    def is_automatic(self) -> bool:
        return self.metric != HAND and len(self.steps) > 1

    def step(self, pk: int | None) -> Step | None:
        return next((step for step in self.steps if step.pk == pk), None)

    def reached(self, total: Decimal) -> Step:
        """Return the highest step that ``total`` reaches; the lowest, everybody has."""
        found = self.steps[0]
        for step in self.steps[1:]:
            if step.threshold is not None and total >= step.threshold:
                found = step
        return found

    def next(self, rank: int) -> Step | None:
        """Return the next step above ``rank`` that can be reached."""
        above = (step for step in self.steps[1:] if step.rank > rank and step.threshold is not None)
        return min(above, key=lambda step: (step.threshold, step.rank), default=None)

    def since(self, now: datetime) -> datetime | None:
        """Return from when on things count towards a higher tier; ``None``: all that ever was.

        Within months, everything counts as long as a tier is kept that was reached on the same day.
        """
        if self.window == ROLLING:
            return self._leading_to(times.day_of(now))
        if self.window == YEAR:
            return times.start_of(times.day_of(now).replace(month=1, day=1))
        return None

    def term_end(self, now: datetime) -> datetime | None:
        """Return until when a tier is kept that is reached now: that moment is the first at which its time is over."""
        if self.window == ROLLING:
            return times.end_of_life(now, self.months)
        if self.window == YEAR:
            return times.start_of(date(times.day_of(now).year + 2, 1, 1))
        return None

    def next_end(self, end: datetime) -> datetime | None:
        """Return the end of the period that follows the one which ends at ``end``."""
        if self.window == ROLLING:
            return times.start_of(_months(times.day_of(end), self.months))
        if self.window == YEAR:
            return times.start_of(date(times.day_of(end).year + 1, 1, 1))
        return None

    def kept_since(self, end: datetime) -> datetime | None:
        """Return from when on things count towards keeping a tier beyond ``end``; what comes in the days of grace still
        counts.

        What has reached a tier does not keep it as well, however long the months are.
        """
        if self.window == ROLLING:
            return self._leading_to(times.day_of(end))
        if self.window == YEAR:
            return times.start_of(date(times.day_of(end).year - 1, 1, 1))
        return None

    def _leading_to(self, end: date) -> datetime:
        """Return the first moment that leads, in months, to the day ``end`` or further: months differ in length."""
        day = _months(end - timedelta(days=1), -self.months)
        while _months(day, self.months) < end:
            day += timedelta(days=1)
        return times.start_of(day)

    def falls_at(self, end: datetime) -> datetime:
        """Return when a tier is lost that was not kept at ``end``."""
        return times.days_later(end, self.grace_days)

    def total_for(self, step: Step) -> Decimal:
        """Return the least that reaches ``step``: to the rules, as good as any other that does."""
        return step.threshold if step is not self.steps[0] and step.threshold is not None else Decimal(0)

    def warns_at(self, end: datetime) -> datetime:
        return times.days_later(end, -self.warning_days)


@dataclass(frozen=True)
class Term:
    """What is known of a member's tier: see ``TierTerm``; tiers are primary keys."""

    earned: int | None
    ends_at: datetime | None = None
    floor: int | None = None
    floor_until: datetime | None = None
    warned_for: datetime | None = None


@dataclass(frozen=True)
class Verdict:
    """The term and the tier of now; ``floor_over``: what was given by hand has just ended.

    ``lost_at`` is when the tier goes down to ``then`` unless what is ``missing`` comes until then (``None``: nothing
    can be done about it), or ``None``; ``warn``: it is time to say so.
    """

    term: Term
    tier: int
    floor_over: bool = False
    renewed: bool = False
    lost_at: datetime | None = None
    then: int | None = None
    missing: Decimal | None = None
    warn: bool = False


def judge(ladder: Ladder, term: Term, now: datetime, total: Decimal, kept: Decimal) -> Verdict:
    """Return how a member stands. ``total`` is what counts within the window of now, ``kept`` what counts since
    :meth:`Ladder.kept_since` of the term's end."""
    lowest = ladder.steps[0]
    earned, ends_at, renewed = ladder.step(term.earned) or lowest, term.ends_at, False
    up = ladder.reached(total)
    again = up if ladder.window == LIFETIME else ladder.reached(kept)
    if ladder.is_automatic:
        if up.rank > earned.rank:
            earned, ends_at = up, ladder.term_end(now)
        elif earned is lowest or earned.threshold is None:
            # Nothing to lose, or nothing that could be lost by these rules.
            ends_at = None
        elif ladder.window == LIFETIME:
            if up.rank >= earned.rank:
                ends_at = None
            else:
                ends_at = ends_at or now
                if ladder.falls_at(ends_at) <= now:
                    earned, ends_at = up, None
        elif ends_at is None:
            ends_at = ladder.term_end(now)
        elif ends_at <= now:
            if again.rank >= earned.rank:
                renewed = True
                while ends_at is not None and ends_at <= now:
                    ends_at = ladder.next_end(ends_at)
            elif ladder.falls_at(ends_at) <= now:
                earned = max(again, up, key=lambda step: step.rank)
                ends_at = ladder.term_end(now) if earned is not lowest else None
    if ends_at != term.ends_at:
        # Of the period that begins, nothing has come in yet.
        kept, again = Decimal(0), lowest if ladder.window != LIFETIME else up
    floor = ladder.step(term.floor)
    over = floor is not None and term.floor_until is not None and term.floor_until <= now
    if floor is None or over:
        floor = None
    held = floor is not None and floor.rank > earned.rank
    tier = floor if held and floor is not None else earned
    term = replace(
        term,
        earned=earned.pk,
        ends_at=ends_at,
        floor=floor.pk if floor is not None else None,
        floor_until=term.floor_until if floor is not None else None,
    )
    verdict = Verdict(term, tier.pk, over, renewed)
    # Whoever was kept just now hears of the new end later; of the end of what was given by hand, in time.
    if held or not renewed:
        verdict = _warned(ladder, verdict, now, tier, earned, held, total, up, again, kept)
    return verdict


def _warned(
    ladder: Ladder,
    verdict: Verdict,
    now: datetime,
    tier: Step,
    earned: Step,
    held: bool,
    total: Decimal,
    up: Step,
    again: Step,
    kept: Decimal,
) -> Verdict:
    """Add what is about to be lost."""
    term = verdict.term
    if held:
        end, lost_at, then, counted = term.floor_until, term.floor_until, earned, total
    elif term.ends_at is None or not ladder.is_automatic:
        return verdict
    else:
        end, lost_at = term.ends_at, ladder.falls_at(term.ends_at)
        then, counted = max(again, up, key=lambda s: s.rank) if term.ends_at <= now else again, kept
        if ladder.window == LIFETIME:
            counted = total
        floor = ladder.step(term.floor)
        if floor is not None and (term.floor_until is None or term.floor_until > lost_at) and floor.rank > then.rank:
            then = floor
    if end is None or lost_at is None or then.rank >= tier.rank:
        return verdict
    missing = None
    if ladder.is_automatic and tier.threshold is not None and tier.threshold > counted:
        missing = tier.threshold - counted
    warn = ladder.warning_days > 0 and term.warned_for != end and ladder.warns_at(end) <= now
    if warn:
        term = replace(term, warned_for=end)
    return replace(verdict, term=term, lost_at=lost_at, then=then.pk, missing=missing, warn=warn)
