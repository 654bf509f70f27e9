"""Drafts: written in peace, read as engine facts, published as one, and refused where somebody was faster."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import drafts, limits, rules, versions
from oscar_loyalty.earning.engine import Line
from oscar_loyalty.earning.exceptions import DraftClosed, DraftConflict, PublishedVersion, TooLate, WrongRule
from oscar_loyalty.earning.facts import RuleBook
from oscar_loyalty.loading import get_model


@pytest.fixture
def draft(programme):
    return drafts.start(programme=programme, name="Christmas", key="once")


def now_in_force(programme, moment=None):
    moment = moment or clock.now()
    return {(facts.kind, facts.points) for facts in RuleBook(programme, since=moment).at(moment, [])}


def test_started_twice_is_one_draft(programme, draft):
    assert drafts.start(programme=programme, name="Christmas", key="once") == draft


def test_nothing_counts_before_it_is_published_and_all_of_it_then(programme, draft, per_euro):
    drafts.put(draft=draft, rule=per_euro.rule, spec={"points": 3, "per": "1"})
    drafts.put(draft=draft, kind="order", spec={"points": 50})
    drafts.put(draft=draft, kind="order", spec={"points": 50})
    assert draft.items.count() == 2
    assert now_in_force(programme) == {("amount", Decimal(1))}
    drafts.publish(draft=draft)
    drafts.publish(draft=draft)
    assert now_in_force(programme) == {("amount", Decimal(3)), ("order", Decimal(50))}
    per_euro.refresh_from_db()
    assert per_euro.spec["points"] == "1"
    with pytest.raises(DraftClosed):
        drafts.put(draft=draft, kind="visit", spec={"points": 5})


def test_published_for_later_and_called_off(programme, draft, per_euro):
    start = clock.now() + timedelta(days=7)
    changed = drafts.put(draft=draft, rule=per_euro.rule, spec={"points": 3, "per": "1"})
    new = drafts.put(draft=draft, kind="order", spec={"points": 50})
    drafts.publish(draft=draft, at=start)
    assert now_in_force(programme) == {("amount", Decimal(1))}
    assert now_in_force(programme, start) == {("amount", Decimal(3)), ("order", Decimal(50))}
    changed.refresh_from_db()
    new.refresh_from_db()
    assert versions.call_off(version=changed.version) == per_euro.rule
    assert versions.call_off(version=new.version) is None
    assert now_in_force(programme, start) == {("amount", Decimal(1))}


def test_what_has_begun_is_not_called_off(draft, later):
    item = drafts.put(draft=draft, kind="order", spec={"points": 50})
    drafts.publish(draft=draft, at=clock.now() + timedelta(days=1))
    item.refresh_from_db()
    later(days=2)
    with pytest.raises(TooLate):
        versions.call_off(version=item.version)


def test_an_end_in_a_week(programme, draft, per_euro, later):
    drafts.put(draft=draft, rule=per_euro.rule, ends=True)
    end = clock.now() + timedelta(days=7)
    drafts.publish(draft=draft, at=end)
    assert now_in_force(programme) and not now_in_force(programme, end)
    # Other numbers meanwhile do not change the end; taking the end back does.
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 2, "per": "1"}, rule=per_euro.rule)
    assert not now_in_force(programme, end)
    later(days=8)
    due.sweep()
    per_euro.rule.refresh_from_db()
    assert per_euro.rule.state == "ended"
    with pytest.raises(TooLate):
        versions.keep(rule=per_euro.rule)


def test_an_end_taken_back(programme, per_euro, later):
    end = clock.now() + timedelta(days=7)
    versions.end_at(rule=per_euro.rule, at=end)
    versions.keep(rule=per_euro.rule)
    later(days=8)
    due.sweep()
    per_euro.rule.refresh_from_db()
    assert per_euro.rule.state == "live" and now_in_force(programme)


def test_somebody_was_faster(programme, draft, per_euro, haircut):
    drafts.put(draft=draft, rule=per_euro.rule, spec={"points": 3, "per": "1"})
    drafts.put(draft=draft, kind="unit", target="product", target_object=haircut, spec={"points": 90})
    drafts.put(draft=draft, kind="visit", spec={"points": 5})
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 2, "per": "1"}, rule=per_euro.rule)
    rules.set_product_points(product=haircut, points=80)
    rules.publish_rule(programme=programme, kind="visit", spec={"points": 5})
    with pytest.raises(DraftConflict) as refused:
        drafts.publish(draft=draft)
    assert [why for _item, why in refused.value.clashes] == ["changed", "taken", "same"]
    assert ("amount", Decimal(2)) in now_in_force(programme)
    # Written anew, it is meant.
    drafts.put(draft=draft, rule=per_euro.rule, spec={"points": 3, "per": "1"})
    for item in draft.items.filter(rule__isnull=True):
        drafts.drop(item=item)
    drafts.publish(draft=draft)
    assert ("amount", Decimal(3)) in now_in_force(programme)


def test_empty_past_and_thrown_away(draft):
    with pytest.raises(WrongRule):
        drafts.publish(draft=draft)
    item = drafts.put(draft=draft, kind="order", spec={"points": 50})
    with pytest.raises(WrongRule):
        drafts.publish(draft=draft, at=clock.now() - timedelta(minutes=1))
    drafts.discard(draft=draft)
    for refused in (drafts.publish, drafts.rename):
        with pytest.raises(DraftClosed):
            refused(draft=draft, **({"name": "x"} if refused is drafts.rename else {}))
    copy = drafts.copy(draft=draft, name="Again", key="copy")
    assert drafts.copy(draft=draft, name="Again", key="copy") == copy
    assert [one.spec for one in copy.items.all()] == [item.spec]


def test_a_draft_as_facts_holds_at_any_moment(programme, draft, per_euro, own, haircut, shampoo):
    drafts.put(draft=draft, rule=per_euro.rule, spec={"points": 3, "per": "1"})
    drafts.put(draft=draft, rule=own.rule, ends=True)
    drafts.put(draft=draft, kind="unit", target="product", target_object=shampoo, spec={"points": 7})
    long_ago = clock.now() - timedelta(days=900)
    lines = [Line(key="a", product=haircut.pk), Line(key="b", product=shampoo.pk)]
    for moment in (clock.now(), long_ago):
        found = {(facts.kind, facts.target, facts.points) for facts in drafts.facts_of(draft, moment, lines)}
        assert found == {("amount", "everything", Decimal(3)), ("unit", "product", Decimal(7))}


def test_few_queries_however_long_the_draft(programme, draft, django_assert_max_num_queries):
    for points in range(1, 31):
        drafts.put(draft=draft, kind="order", spec={"points": points})
    with django_assert_max_num_queries(3):
        assert len(drafts.facts_of(draft, clock.now())) == 30
    with django_assert_max_num_queries(6):
        assert drafts.conflicts(draft) == []


def test_a_booster_in_a_draft_keeps_its_conditions(programme, draft, per_euro):
    when = {"weekdays": [0], "from": "09:00", "until": "12:00"}
    drafts.put(draft=draft, kind="booster", spec={"times": "2", "when": when})
    (booster,) = [one for one in drafts.facts_of(draft, clock.now()) if one.kind == "booster"]
    assert booster.times == 2 and booster.when.weekdays == {0} and booster.rule < 0
    drafts.publish(draft=draft)
    (booster,) = [one for one in RuleBook(programme, since=clock.now()).general if one.facts.kind == "booster"]
    assert booster.facts.times == 2 and booster.facts.when.weekdays == {0}


def test_begun_with_the_rules_as_they_are_it_changes_nothing(programme, per_euro, own, later):
    draft = drafts.start_with_rules(programme=programme, name="All", key="all")
    assert drafts.start_with_rules(programme=programme, name="All", key="all").items.count() == 2
    before = now_in_force(programme)
    later(days=1)
    # Somebody else writes the same number elsewhere: that is no conflict.
    drafts.put(draft=draft, rule=per_euro.rule, spec={"points": 2, "per": "1"})
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 2, "per": "1"}, rule=per_euro.rule)
    drafts.publish(draft=draft)
    assert own.rule.versions.count() == 1 and per_euro.rule.versions.count() == 2
    assert before != now_in_force(programme) == {("amount", Decimal(2))}


def test_a_draft_is_called_off_as_a_whole_and_published_again(programme, draft, per_euro, own, later):
    start = clock.now() + timedelta(days=7)
    drafts.put(draft=draft, rule=per_euro.rule, spec={"points": 3, "per": "1"})
    drafts.put(draft=draft, rule=own.rule, ends=True)
    drafts.put(draft=draft, kind="order", spec={"points": 50})
    drafts.publish(draft=draft, at=start)
    for _click in range(2):
        assert drafts.call_off(draft=draft).is_open
    own.refresh_from_db()
    assert own.valid_to is None
    assert now_in_force(programme, start) == {("amount", Decimal(1))}
    assert drafts.conflicts(draft, at=start) == []
    drafts.publish(draft=draft, at=start)
    assert now_in_force(programme, start) == {("amount", Decimal(3)), ("order", Decimal(50))}
    later(days=8)
    due.sweep()
    with pytest.raises(TooLate):
        drafts.call_off(draft=draft)
    own.rule.refresh_from_db()
    assert own.rule.state == "ended"


def test_calling_off_keeps_what_was_as_it_is(programme, per_euro):
    draft = drafts.start_with_rules(programme=programme, name="All")
    drafts.put(draft=draft, kind="order", spec={"points": 50})
    drafts.publish(draft=draft, at=clock.now() + timedelta(days=7))
    drafts.call_off(draft=draft)
    assert now_in_force(programme) == {("amount", Decimal(1))} and per_euro.rule.versions.count() == 1


def names(programme, moment=None):
    moment = moment or clock.now()
    return [facts.name for facts in RuleBook(programme, since=moment).at(moment, [])]


def test_a_new_name_begins_with_its_version(programme, draft, per_euro, later, sweep):
    """It was called by its new name at once, though the numbers with that name were to begin in a week."""
    rule = per_euro.rule
    drafts.put(draft=draft, rule=rule, spec={"points": 2, "per": "1"}, name="Christmas")
    drafts.publish(draft=draft, at=clock.now() + timedelta(days=7))
    rule.refresh_from_db()
    assert str(rule.name) == ""
    assert names(programme) == [""]
    later(days=7)
    sweep()
    rule.refresh_from_db()
    assert str(rule.name) == "Christmas"
    assert names(programme) == ["Christmas"]
    # Called otherwise, the numbers of before keep their name.
    later(days=1)
    other = rules.publish_rule(programme=programme, kind="amount", rule=rule, spec={"points": 2, "per": "1"}, name="X")
    assert [str(version.name) for version in rule.versions.order_by("number")] == ["", "Christmas", "X"]
    assert other.number == 3
    assert names(programme, clock.now() - timedelta(hours=2)) == ["Christmas"]


def test_a_name_that_was_to_come_is_called_off_with_its_version(programme, draft, per_euro, later, sweep):
    drafts.put(draft=draft, rule=per_euro.rule, spec={"points": 2, "per": "1"}, name="Christmas")
    drafts.publish(draft=draft, at=clock.now() + timedelta(days=7))
    drafts.call_off(draft=draft)
    later(days=8)
    sweep()
    per_euro.rule.refresh_from_db()
    assert str(per_euro.rule.name) == ""


def test_a_published_version_never_changes(per_euro):
    per_euro.spec = {"points": "5", "per": "1"}
    for fields in (None, ["spec"], ["spec", "valid_to"]):
        with pytest.raises(PublishedVersion):
            per_euro.save(update_fields=fields)
    per_euro.refresh_from_db()
    assert per_euro.spec["points"] == "1"


def test_what_multiplies_beyond_all_measure_is_refused_at_every_door(programme, draft, per_euro):
    """A hundred times, a hundred times over: by the form it was refused, by the service it was not."""
    rules.publish_rule(programme=programme, kind="booster", spec={"times": "50"})
    for _door in range(2):
        with pytest.raises(WrongRule) as refused:
            rules.publish_rule(programme=programme, kind="booster", spec={"times": "3"})
        assert refused.value.field == "times"
    drafts.put(draft=draft, kind="booster", spec={"times": "3"})
    with pytest.raises(WrongRule):
        drafts.publish(draft=draft)
    assert get_model("loyalty_earning", "Rule").objects.filter(kind="booster").count() == 1


def test_other_stacking_is_refused_where_boosters_would_multiply_beyond_all_measure(programme, per_euro):
    limits.save_limits(programme=programme, stacking="best")
    for _number in range(2):
        rules.publish_rule(programme=programme, kind="booster", spec={"times": "50"})
    with pytest.raises(ValidationError) as refused:
        limits.save_limits(programme=programme, stacking="multiply")
    assert "stacking" in refused.value.message_dict
    assert type(programme).objects.get(pk=programme.pk).earning_policy.stacking == "best"
    assert programme.earning_policy.stacking == "best"


def test_days_that_there_are_not(programme, draft):
    for door in (
        lambda spec: rules.publish_rule(programme=programme, kind="booster", spec=spec),
        lambda spec: drafts.put(draft=draft, kind="booster", spec=spec),
    ):
        with pytest.raises(WrongRule) as refused:
            door({"times": "2", "when": {"weekdays": ["monday"]}})
        assert refused.value.field == "when.weekdays"
