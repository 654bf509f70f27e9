"""Caps and budget within a replay: what was given before its period is read once, its own is remembered."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F, Sum

from oscar_loyalty.earning.allowance import PURCHASES, Allowance
from oscar_loyalty.loading import get_model
from oscar_loyalty.times import day_of, start_of


class Remembered(Allowance):
    """The allowance of a replay from ``since`` on; it locks nothing. The budget counts purchases only from there on."""

    def __init__(self, book: Any, since: datetime) -> None:
        super().__init__(book, members=[], moments=[])
        self._since = since
        self._seen: set[int] = set()
        if self._limits.budget is not None:
            self._budget = max(0, self._limits.budget - self._used())

    @property
    def limited(self) -> bool:
        return self._limited

    def learn(self, known: Iterable[Any], people: set[int]) -> None:
        """Take note of the rules known so far, and of what these members had before."""
        self._rules = {
            dated.facts.rule: dated.facts.caps
            for dated in known
            if dated.facts.caps is not None and (dated.facts.caps.day, dated.facts.caps.member) != (None, None)
        }
        self._limited = bool(self._limits.is_limited or self._rules)
        new = people - self._seen if self._limited else set()
        if not new:
            return
        self._seen |= new
        awards = get_model("loyalty_earning", "Award").objects.filter(
            member__in=new, source_type__in=PURCHASES, happened_at__lt=self._since
        )
        sums = awards.order_by().values_list("member").annotate(points=Sum(F("points") - F("clawed_back")))
        self._of_member |= dict(sums)
        if self._rules:
            lines = get_model("loyalty_earning", "AwardLine").objects.filter(
                award__member__in=new, award__void=False, award__happened_at__lt=self._since
            )
            told = lines.values_list("award__member", "rule_version__rule").order_by().annotate(points=Sum("points"))
            for member, rule, points in told:
                if rule is not None:
                    self._of_rule[member, rule] += points

    def take_back(self, member: int, at: datetime, points: int, lines: Iterable[Any]) -> None:
        """Note that points for what happened ``at`` were taken back; ``lines`` are those that count no more."""
        day = day_of(at)
        self._of_day[member, day] -= points
        self._of_member[member] -= points
        for line in lines:
            if line.rule in self._rules:
                self._of_rule[member, line.rule] -= line.points
                self._of_rule_day[member, line.rule, day] -= line.points
        if self._budget is not None and self._limits.in_budget(day):
            self._budget += points

    def _used(self) -> int:
        """Return what was given within the budget's dates before the period."""
        rows = get_model("loyalty_earning", "Award").objects.filter(
            programme=self._limits.programme_id, happened_at__lt=self._since
        )
        if self._limits.budget_since:
            rows = rows.filter(happened_at__gte=start_of(self._limits.budget_since))
        return int(rows.order_by().aggregate(points=Sum(F("points") - F("clawed_back")))["points"] or 0)
