"""How many points may still be given: caps of the day and the member, what one rule gives, and the budget.

Where there is a limit, the members' accounts and then the row of the budget are locked before it is looked at, until
the award is written: twenty orders at once cannot overdraw it together.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.db.models import F, Q, Sum
from django.db.models.functions import Greatest

from oscar_loyalty.earning.engine import NO_ROOM, Outcome, Room
from oscar_loyalty.earning.facts import RuleBook, limits_of
from oscar_loyalty.ledger import books, rows
from oscar_loyalty.loading import get_model
from oscar_loyalty.sql import Database
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
        if limits.is_limited and limits.pk and since == until and len(self._members) == 1:
            self._load_one(since, lock)
            return
        if limits.is_limited:
            self._load_many(since, until, lock)
        if self._rules:
            self._load_rules(since, until)

    def _load_one(self, day: date, lock: bool) -> None:
        """One query for one member and day. The account's lock keeps their awards, whoever waits for the budget."""
        limits, (member,) = self._limits, self._members
        connection = rows.database(type(limits))
        with_budget = limits.budget is not None
        by_member, by_day = limits.cap_member is not None, limits.cap_day is not None
        locking = lock and with_budget and connection.features.has_select_for_update
        moments = [connection.ops.adapt_datetimefield_value(moment) for moment in (start_of(day), end_of(day))]
        params: list[Any] = [member] if by_member else []
        params += [member, *moments] if by_day else []
        params += [*moments, member, False, *self._rules] if self._rules else []
        text = _given(connection.vendor, by_member, by_day, len(self._rules), locking)
        with connection.cursor() as cursor:
            found = rows.execute(cursor, text, [*params, limits.pk])
        for budget, used, of_member, of_day, *of_rule in found:
            self._of_member[member], self._of_day[member, day] = int(of_member), int(of_day)
            if with_budget and budget is not None:
                self._budget = max(0, budget - used)
            if of_rule and of_rule[0] is not None:
                rule, in_all, that_day = of_rule
                self._of_rule[member, rule], self._of_rule_day[member, rule, day] = int(in_all), int(that_day)

    def _load_many(self, since: date, until: date, lock: bool) -> None:
        limits = self._limits
        if limits.budget is not None:
            self._budget = left_of_budget(limits, lock=lock)
        mine = _awards().filter(member__in=list(self._members), source_type__in=PURCHASES).order_by()
        if limits.cap_member is not None:
            sums = mine.values_list("member").annotate(points=Sum(F("points") - F("clawed_back")))
            self._of_member |= dict(sums)
        if limits.cap_day is not None:
            found = mine.filter(happened_at__gte=start_of(since), happened_at__lt=end_of(until))
            for pk, at, points, back in found.values_list("member", "happened_at", "points", "clawed_back"):
                self._of_day[pk, day_of(at)] += points - back

    def _load_rules(self, since: date, until: date) -> None:
        lines = get_model("loyalty_earning", "AwardLine").objects.filter(
            award__member__in=list(self._members), award__void=False, rule_version__rule__in=list(self._rules)
        )
        if since == until:
            within = Q(award__happened_at__gte=start_of(since), award__happened_at__lt=end_of(since))
            sums = lines.order_by().values_list("award__member", "rule_version__rule")
            for pk, rule, points, of_day in sums.annotate(Sum("points"), of_day=Sum("points", filter=within)):
                self._of_rule[pk, rule], self._of_rule_day[pk, rule, since] = points, of_day or 0
            return
        told = lines.values_list("award__member", "rule_version__rule", "award__happened_at", "points")
        for pk, rule, at, points in told:
            self._of_rule[pk, rule] += points
            self._of_rule_day[pk, rule, day_of(at)] += points


@lru_cache
def _given(vendor: str, by_member: bool, by_day: bool, rules: int, locking: bool) -> str:
    """Return a SELECT of the budget and what is used of it, what a member was given in all and in a day, and, a row
    each, what some rules have given them in all and in that day."""
    names = {
        name: rows.names(get_model("loyalty_earning", name), vendor) for name in ("Award", "AwardLine", "RuleVersion")
    }
    award, line, version = names.values()
    policy = rows.names(get_model("loyalty_earning", "EarningPolicy"), vendor)
    kinds = ", ".join(map(repr, PURCHASES))
    given = (
        f"(SELECT COALESCE(SUM({award['points']} - {award['clawed_back']}), 0) FROM {award['award_']}"  # noqa: S608  # nosec B608
        f" WHERE {award['member']} = %s AND {award['source_type']} IN ({kinds})"
    )
    of_day = f"{award['happened_at']} >= %s AND {award['happened_at']} < %s"
    selected = [policy["budget"], policy["budget_used"]]
    selected += [f"{given})" if by_member else "0", f"{given} AND {of_day})" if by_day else "0"]
    joined = ""
    if rules:
        selected.append("of_rule.*")
        joined = (
            f" LEFT JOIN (SELECT {version['rule']} AS rule, SUM({line['points']}) AS in_all,"  # noqa: S608  # nosec B608
            f" SUM(CASE WHEN {of_day} THEN {line['points']} ELSE 0 END) AS that_day FROM {line['awardline_']}"
            f" JOIN {award['award_']} ON {award['id']} = {line['award']}"
            f" JOIN {version['ruleversion_']} ON {version['id']} = {line['rule_version']}"
            f" WHERE {award['member']} = %s AND {award['void']} = %s AND {version['rule']} IN ({rows.marks(rules)})"
            f" GROUP BY {version['rule']}) of_rule ON 1 = 1"
        )
    lock = f" FOR UPDATE OF {policy['earningpolicy_']}" if locking else ""
    return (
        f"SELECT {', '.join(selected)} FROM {policy['earningpolicy_']}{joined}"  # noqa: S608  # nosec B608
        f" WHERE {policy['id']} = %s{lock}"
    )


def left_of_budget(limits: Any, *, lock: bool) -> int | None:
    """Return what is left of the programme's budget (``None``: there is none), with its row locked."""
    if limits.budget is None or limits.pk is None:
        return None
    found = type(limits).objects.filter(pk=limits.pk)
    budget, used = (found.select_for_update() if lock else found).values_list("budget", "budget_used").get()
    return None if budget is None else max(0, budget - used)


def charge(programme: Any, given: Iterable[tuple[datetime, int]]) -> None:
    """Take points given at these moments from the budget; below zero: give them back to it.

    The awards are written before: so one that began without a budget sees the one that was set meanwhile, or is waited
    for by whoever sets it (:func:`wait_for_awards`).
    """
    limits = limits_of(programme)
    if limits.budget is None and Database(type(limits)).is_postgresql:
        # SQLite has one writer at a time.
        limits = type(limits).objects.filter(programme=programme, budget__isnull=False).first()
    if limits is None or limits.budget is None:
        return
    total = sum(points for at, points in given if limits.in_budget(day_of(at)))
    if total:
        found = type(limits).objects.filter(pk=limits.pk)
        found.update(budget_used=Greatest(F("budget_used") + total, 0) if total < 0 else F("budget_used") + total)


def wait_for_awards() -> None:
    """Let no award be written until the caller's transaction ends, and wait for those that are being written."""
    Award = get_model("loyalty_earning", "Award")
    db = Database(Award)
    if db.is_postgresql:
        db.run("LOCK TABLE $award IN SHARE MODE", award=db.table(Award))


def used(limits: Any) -> int:
    """Reckon anew what was given within the budget's dates, less what was taken back."""
    found = _awards().filter(programme=limits.programme_id)
    if limits.budget_since:
        found = found.filter(happened_at__gte=start_of(limits.budget_since))
    if limits.budget_until:
        found = found.filter(happened_at__lt=end_of(limits.budget_until))
    return int(found.order_by().aggregate(points=Sum(F("points") - F("clawed_back")))["points"] or 0)
