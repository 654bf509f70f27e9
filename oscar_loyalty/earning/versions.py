"""Versions of rules that begin or end later: publishing, ending and calling them off. All under the rule's lock."""

from datetime import datetime
from typing import Any

from django.db import transaction

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import rules
from oscar_loyalty.earning.exceptions import TooLate, WrongRule
from oscar_loyalty.ledger.books import NOBODY, Ref
from oscar_loyalty.loading import get_model


def _lock(rule: Any) -> Any:
    return get_model("loyalty_earning", "Rule").objects.select_for_update().get(pk=rule.pk)


def newest(rule: Any) -> Any:
    """Return the last version of a rule; it may begin later."""
    return rule.versions.order_by("-number").first()


@transaction.atomic
def end_at(*, rule: Any, at: datetime, actor: Ref = NOBODY) -> Any:
    """End a rule at a moment, now or later; return it. Until then it stays as it is.

    :raises WrongRule: when it begins no sooner than ``at``; such a version is called off instead.
    """
    row = _lock(rule)
    last = newest(row)
    if row.state == "ended" or last is None:
        return row
    if last.valid_from >= at:
        raise WrongRule("There is a later version.")
    if at <= clock.now():
        return rules.end_rule(rule=row, actor=actor, happened_at=at)
    last.valid_to = at
    last.save(update_fields=["valid_to"])
    row.ended_by_type, row.ended_by = actor.type, actor.id
    row.save(update_fields=["ended_by_type", "ended_by"])
    due.again(kind="earning.end_rule", key=f"rule:{row.pk}", payload={"rule": row.pk}, at=at)
    return row


@transaction.atomic
def settle_end(*, rule: Any) -> Any:
    """Mark a rule ended whose last version is over; safe at any time, and again."""
    row = _lock(rule)
    last = newest(row)
    if row.state == "live" and last is not None and last.valid_to is not None and last.valid_to <= clock.now():
        row.state = "ended"
        row.save(update_fields=["state"])
    return row


@transaction.atomic
def keep(*, rule: Any) -> Any:
    """Take back an end that has not come yet; return the rule."""
    row = _lock(rule)
    last = newest(row)
    if last is not None and last.valid_to is not None:
        if last.valid_to <= clock.now():
            raise TooLate("The rule has ended.")
        last.valid_to = None
        last.save(update_fields=["valid_to"])
        row.ended_by_type = row.ended_by = ""
        row.save(update_fields=["ended_by_type", "ended_by"])
    return row


@transaction.atomic
def call_off(*, version: Any) -> Any:
    """Call off a version that has not begun: what was in force before it stays in force. Again: nothing.

    Nobody can have earned by it, so it is removed; the draft that it came from keeps what it said. A rule without any
    other version goes with it. Return the rule, or ``None`` once it is gone.

    :raises TooLate: when it has begun.
    """
    Rule, Version = get_model("loyalty_earning", "Rule"), get_model("loyalty_earning", "RuleVersion")
    rule = Rule.objects.select_for_update().filter(pk=version.rule_id).first()
    row = Version.objects.filter(pk=version.pk).first()
    if rule is None or row is None:
        return rule
    if row.valid_from <= clock.now():
        raise TooLate("The version has begun.")
    after = rule.versions.filter(number__gt=row.number).order_by("number").first()
    before = rule.versions.filter(number__lt=row.number).order_by("-number").first()
    until = row.valid_to
    row.delete()
    if before is not None:
        # What follows still begins when it was to begin.
        before.valid_to = after.valid_from if after is not None else until
        before.save(update_fields=["valid_to"])
    elif after is None:
        rule.delete()
        return None
    return rule
