"""How many points may still be given: caps of the day and the member, what one rule gives, and the budget.

Where there is a limit, the members' accounts and then the row of the budget are locked before it is looked at, until
the award is written: twenty orders at once cannot overdraw it together.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db.models import F, Sum
from django.db.models.functions import Greatest

from oscar_loyalty.earning.engine import NO_ROOM, Outcome, Room
from oscar_loyalty.earning.facts import RuleBook, limits_of
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model
from oscar_loyalty.times import day_of, end_of, start_of

#: What the caps of a day and of a member are about; a gift has its own reasons.
PURCHASES = ("order", "booking")


def _awards() -> Any:
    return get_model("loyalty_earning", "Award").objects


class Allowance:
    """What may still be given to ``members`` for what happened at ``moments``; a few queries, none without limits.

    With ``lock``, inside of the transaction that gives; ``locked``: the accounts are locked already. Each outcome must
    be noted before the next room is asked for.
    """

    def __init__(
        self,
        book: RuleBook,
        *,
        members: Iterable[Any],
        moments: Iterable[datetime],
        lock: bool = True,
        locked: bool = False,
    ) -> None:
        self._limits = limits_of(book.programme)
        self._members = {member.pk: member for member in members if member is not None}
        days = [day_of(moment) for moment in moments]
        # Caps of an order alone need nothing from before; the engine knows them.
        self._rules = {
            dated.facts.rule: dated.facts.caps
            for dated in book.known()
            if dated.facts.caps is not None and not (dated.facts.caps.day is None and dated.facts.caps.member is None)
        }
        self._limited = bool(self._members and days and (self._limits.is_limited or self._rules))
        self._of_day: dict[tuple[int, date], int] = defaultdict(int)
        self._of_member: dict[int, int] = defaultdict(int)
        self._of_rule: dict[tuple[int, int], int] = defaultdict(int)
        self._of_rule_day: dict[tuple[int, int, date], int] = defaultdict(int)
        self._budget: int | None = None
        if self._limited:
            if lock and not locked:
                books.lock(sorted({member.account_id for member in self._members.values()}))
            self._load(min(days), max(days), lock)

    def room(self, member: Any, at: datetime) -> Room:
        """Return what is left for a purchase of ``member`` at a moment."""
        if not self._limited or member is None:
            return NO_ROOM
        limits, day = self._limits, day_of(at)
        rules = {}
        for rule, caps in self._rules.items():
            left = []
            if caps.day is not None:
                left.append((max(0, caps.day - self._of_rule_day[member.pk, rule, day]), "day"))
            if caps.member is not None:
                left.append((max(0, caps.member - self._of_rule[member.pk, rule]), "member"))
            most, by = min(left)
            rules[rule] = (by, most)
        return Room(
            day=None if limits.cap_day is None else max(0, limits.cap_day - self._of_day[member.pk, day]),
            member=None if limits.cap_member is None else max(0, limits.cap_member - self._of_member[member.pk]),
            budget=self._budget if limits.in_budget(day) else None,
            rules=rules,
        )

    def note(self, member: Any, at: datetime, outcome: Outcome) -> None:
        """Count what is being given."""
        if not self._limited or member is None:
            return
        day = day_of(at)
        self._of_day[member.pk, day] += outcome.points
        self._of_member[member.pk] += outcome.points
        for line in outcome.lines:
            if line.rule in self._rules:
                self._of_rule[member.pk, line.rule] += line.points
                self._of_rule_day[member.pk, line.rule, day] += line.points
        if self._budget is not None and self._limits.in_budget(day):
            self._budget -= outcome.points

    def _load(self, since: date, until: date, lock: bool) -> None:
        limits = self._limits
        if limits.budget is not None:
            self._budget = left_of_budget(limits, lock=lock)
        mine = _awards().filter(member__in=list(self._members), source_type__in=PURCHASES).order_by()
        if limits.cap_member is not None:
            sums = mine.values_list("member").annotate(points=Sum(F("points") - F("clawed_back")))
            self._of_member |= dict(sums)
        if limits.cap_day is not None:
            rows = mine.filter(happened_at__gte=start_of(since), happened_at__lt=end_of(until))
            for pk, at, points, back in rows.values_list("member", "happened_at", "points", "clawed_back"):
                self._of_day[pk, day_of(at)] += points - back
        if self._rules:
            lines = get_model("loyalty_earning", "AwardLine").objects.filter(
                award__member__in=list(self._members), award__void=False, rule_version__rule__in=list(self._rules)
            )
            told = lines.values_list("award__member", "rule_version__rule", "award__happened_at", "points")
            for pk, rule, at, points in told:
                self._of_rule[pk, rule] += points
                self._of_rule_day[pk, rule, day_of(at)] += points


def left_of_budget(limits: Any, *, lock: bool) -> int | None:
    """Return what is left of the programme's budget (``None``: there is none), with its row locked."""
    if limits.budget is None or limits.pk is None:
        return None
    rows = type(limits).objects.filter(pk=limits.pk)
    budget, used = (rows.select_for_update() if lock else rows).values_list("budget", "budget_used").get()
    return None if budget is None else max(0, budget - used)


def charge(programme: Any, given: Iterable[tuple[datetime, int]]) -> None:
    """Take points given at these moments from the budget; below zero: give them back to it."""
    limits = limits_of(programme)
    if limits.budget is None or limits.pk is None:
        return
    total = sum(points for at, points in given if limits.in_budget(day_of(at)))
    if total:
        rows = type(limits).objects.filter(pk=limits.pk)
        rows.update(budget_used=Greatest(F("budget_used") + total, 0) if total < 0 else F("budget_used") + total)


def used(limits: Any) -> int:
    """Reckon anew what was given within the budget's dates, less what was taken back."""
    rows = _awards().filter(programme=limits.programme_id)
    if limits.budget_since:
        rows = rows.filter(happened_at__gte=start_of(limits.budget_since))
    if limits.budget_until:
        rows = rows.filter(happened_at__lt=end_of(limits.budget_until))
    return int(rows.order_by().aggregate(points=Sum(F("points") - F("clawed_back")))["points"] or 0)
