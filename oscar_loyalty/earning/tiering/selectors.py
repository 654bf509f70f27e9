"""Reads of the ladder: how a programme's tiers are reached, and how a member stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from oscar_loyalty import clock, times
from oscar_loyalty.earning.tiering import counting
from oscar_loyalty.earning.tiering.ladder import Ladder, Step, Term, Verdict, judge
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members

#: What of a ``TierScheme`` makes the rules.
FIELDS = ("metric", "window", "months", "grace_days", "warning_days")


def _model(name: str) -> Any:
    return get_model("loyalty_members", name)


def scheme_of(programme: Any) -> Any:
    """Return how a programme's tiers are reached; not yet stored where nobody has said so: by hand."""
    return members.terms_of(programme, "tier_scheme")


def ladder_from(scheme: Any, tiers: Iterable[Any]) -> Ladder:
    """Return the rules that a scheme and tiers make, stored or not."""
    steps = (Step(tier.pk, tier.rank, tier.threshold) for tier in tiers)
    return Ladder(
        metric=scheme.metric,
        window=scheme.window,
        months=scheme.months,
        grace_days=scheme.grace_days,
        warning_days=scheme.warning_days,
        steps=tuple(sorted(steps, key=lambda step: step.rank)),
    )


def ladder_of(programme: Any) -> Ladder:
    """Return the rules in force."""
    return ladder_from(scheme_of(programme), members.tiers(programme))


def plain(fields: Mapping[str, Any], thresholds: Mapping[int, Decimal | None]) -> dict[str, Any]:
    """Return rules as data that can be stored and compared: fields of the scheme, thresholds by the tiers' keys."""
    steps = {str(pk): str(Decimal(each).quantize(Decimal("0.01"))) if each else None for pk, each in thresholds.items()}
    return {"fields": {name: fields[name] for name in FIELDS}, "steps": steps}


def rules_of(programme: Any) -> dict[str, Any]:
    """Return the rules in force, as :func:`plain` does."""
    scheme = scheme_of(programme)
    thresholds = {tier.pk: tier.threshold for tier in members.tiers(programme)}
    return plain({name: getattr(scheme, name) for name in FIELDS}, thresholds)


def term(member_tier: int | None, row: Any) -> Term:
    """Return what is known of a member's tier, from their tier's key and their ``TierTerm`` or ``None``."""
    if row is None:
        return Term(member_tier)
    earned = row.earned_id if row.earned_id is not None else member_tier
    return Term(earned, row.ends_at, row.floor_id, row.floor_until, row.warned_for)


def reached_by(member: Any) -> Any:
    """Return the tier that what counts now reaches, or ``None`` where tiers are given by hand."""
    rules = ladder_of(member.programme)
    if not rules.is_automatic:
        return None
    total = counting.totals(rules, clock.now(), {member.pk: None})[member.pk][0]
    return members.tiers(member.programme_id).get(pk=rules.reached(total).pk)


@dataclass(frozen=True)
class Standing:
    """How a member stands: what counts (an amount in the programme's currency, points, orders or visits), what is next.

    ``missing`` until ``next`` (both ``None`` at the top, and where no rules lead higher); ``until`` is when the tier's
    time ends, ``kept``: enough for another has come in already. ``lost_at`` is when the tier goes down to ``then``
    unless ``to_keep`` more comes (``None``: nothing can be done about it). ``given_until`` is about a tier
    ``given`` by hand.
    """

    member: Any
    tier: Any
    metric: str
    window: str
    months: int
    total: Decimal
    since: datetime | None
    next: Any = None
    missing: Decimal | None = None
    percent: int = 100
    until: datetime | None = None
    kept: bool = False
    lost_at: datetime | None = None
    then: Any = None
    to_keep: Decimal | None = None
    given: bool = False
    given_until: datetime | None = None
    at_risk: bool = False

    @property
    def is_automatic(self) -> bool:
        return self.metric != "hand"

    @property
    def is_top(self) -> bool:
        return self.next is None

    @property
    def last_day(self) -> Any:
        """The last day of the tier's time."""
        return times.last_day(self.until)

    @property
    def lost_day(self) -> Any:
        """The last day on which the tier is still there."""
        return times.last_day(self.lost_at)

    @property
    def given_day(self) -> Any:
        return times.last_day(self.given_until)


def standing(member: Any, *, ladder: Ladder | None = None) -> Standing | None:
    """Return how ``member`` stands now, or ``None`` where the programme has no tiers; four queries."""
    tiers = {tier.pk: tier for tier in members.tiers(member.programme_id)}
    scheme = scheme_of(member.programme) if ladder is None else None
    if not tiers:
        return None
    rules = ladder or ladder_from(scheme, tiers.values())
    now = clock.now()
    known = term(member.tier_id, members.along(member, "tier_term"))
    total, kept = counting.totals(rules, now, {member.pk: known.ends_at})[member.pk]
    verdict = judge(rules, known, now, total, kept)
    return _standing(member, rules, tiers, now, verdict, total, kept)


def toward(standing: Standing, tier: Any) -> Standing:
    """Return ``standing`` with ``tier`` as what is next, if that is higher and to be reached; else as it is."""
    if not standing.is_automatic or tier.threshold is None or tier.rank <= standing.tier.rank:
        return standing
    missing = max(tier.threshold - standing.total, Decimal(0))
    return replace(standing, next=tier, missing=missing, percent=_percent(standing.total, tier.threshold))


def _percent(total: Decimal, threshold: Decimal | None) -> int:
    return min(99, int(max(total, Decimal(0)) * 100 / threshold)) if threshold else 100


def _standing(
    member: Any, rules: Ladder, tiers: dict[int, Any], now: datetime, verdict: Verdict, total: Decimal, kept: Decimal
) -> Standing:
    tier = tiers[verdict.tier]
    step = rules.next(tier.rank) if rules.is_automatic else None
    missing = max(step.threshold - total, Decimal(0)) if step is not None and step.threshold is not None else None
    end = verdict.term.ends_at
    earned = tiers.get(verdict.term.earned or 0, tier)
    held = verdict.term.floor is not None and tier.pk == verdict.term.floor
    enough = end is not None and earned.threshold is not None and rules.reached(kept).rank >= earned.rank
    risk = verdict.lost_at is not None and rules.warning_days > 0
    if risk:
        first = verdict.term.floor_until if held and earned.rank < tier.rank else end
        risk = first is not None and rules.warns_at(first) <= now
    return Standing(
        member=member,
        tier=tier,
        metric=rules.metric,
        window=rules.window,
        months=rules.months,
        total=total,
        since=rules.since(now) if rules.is_automatic else None,
        next=tiers[step.pk] if step is not None else None,
        missing=missing,
        percent=_percent(total, step.threshold if step is not None else None),
        until=end if end is not None and end > now and rules.window != "lifetime" else None,
        kept=bool(enough),
        lost_at=verdict.lost_at,
        then=tiers[verdict.then] if verdict.then is not None else None,
        to_keep=verdict.missing,
        given=held,
        given_until=verdict.term.floor_until if held else None,
        at_risk=risk,
    )
