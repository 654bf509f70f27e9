"""The owner's boosters, conditions and limits."""

import pytest
from django.utils.translation import override

from oscar_loyalty.earning import gifts, rules, words
from oscar_loyalty.earning.segments import segments
from oscar_loyalty.loading import get_model

pytestmark = pytest.mark.django_db
BOOSTER = {"kind": "booster", "target": "everything", "times": "2", "name_0": "Happy morning"}


def said(programme, version):
    return words.conditions(version.spec, programme, words.tier_names(programme))


def ticked(boxes):
    """Return what a browser sends: the boxes that are on the page and ticked."""
    return [box.data["value"] for box in boxes if box.data["selected"]]


def test_a_booster_with_conditions_is_published_shown_and_kept(owner, url, programme):
    form = {
        **BOOSTER, "weekdays": ["0", "1"], "begins": "09:00", "ends": "12:00", "channel": "order", "first": "on",
        "cap_day": "50",
    }  # fmt: skip
    assert owner.post(url("rule-create"), form).status_code == 302
    version = get_model("loyalty_earning", "RuleVersion").objects.get(rule__kind="booster")
    assert version.spec == {
        "times": "2",
        "when": {"weekdays": [0, 1], "from": "09:00", "until": "12:00", "channels": ["order"], "first": True},
        "caps": {"day": 50},
    }
    text = owner.get(url("rules")).content.decode()
    sentence = "Double petals on Mondays and Tuesdays from 9 a.m. to noon on the first purchase, orders only"
    assert sentence in text
    with override("fr"):
        assert said(programme, version)[:3] == ["les lundis et mardis", "de 09:00 à 12:00", "au premier achat"]
    # Changing its number keeps all the rest.
    shown = owner.get(url("rule", version.rule_id)).context["form"]
    assert shown.has_conditions
    sent = {field.html_name: field.value() for field in shown if field.value() not in (None, "", False)}
    sent = {name: "on" if value is True else value for name, value in sent.items() if name != "name"}
    assert owner.post(url("rule", version.rule_id), {**sent, "name_0": "Happy", "times": "3"}).status_code == 302
    latest = version.rule.versions.order_by("-number").first()
    assert latest.spec == {**version.spec, "times": "3"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"times": ""}, "times"),
        ({"times": "1"}, "times"),
        ({"plus": "5"}, "times"),
        ({"since": "2026-12-24", "to": "2026-12-01"}, "to"),
        ({"begins": "09:00", "ends": "09:00"}, "ends"),
        ({"cap_order": "0"}, "cap_order"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(owner, url, programme, wrong, field):
    response = owner.post(url("rule-create"), {**BOOSTER, "weekdays": ["3"], **wrong})
    assert response.status_code == 200
    assert set(response.context["form"].errors) == {field}
    assert 'name="weekdays" value="3"' in response.content.decode().replace(' class="form-check-input"', "")
    assert not get_model("loyalty_earning", "Rule").objects.exists()


def test_a_booster_keeps_the_amount_from_which_it_counts(owner, url, programme):
    rule = rules.publish_rule(programme=programme, kind="booster", spec={"plus": 50, "threshold": "100"}).rule
    assert "50\xa0petals more, once for each purchase of €100 or more" in owner.get(url("rules")).content.decode()
    shown = owner.get(url("rule", rule.pk)).context["form"]
    assert owner.post(url("rule", rule.pk), {"plus": "60", "threshold": shown["threshold"].value()}).status_code == 302
    assert rule.versions.order_by("-number").first().spec == {"plus": "60", "threshold": "100"}
    wrong = owner.post(url("rule", rule.pk), {"times": "2", "threshold": "100"})
    assert set(wrong.context["form"].errors) == {"threshold"}


def test_a_tier_that_is_no_more_still_limits_its_rule(owner, url, programme):
    when = {"tiers": ["platinum"]}
    rule = rules.publish_rule(programme=programme, kind="booster", spec={"times": 2, "when": when}).rule
    shown = owner.get(url("rule", rule.pk)).context["form"]
    owner.post(url("rule", rule.pk), {"times": "3", "tiers": ticked(shown["tiers"])})
    assert rule.versions.order_by("-number").first().spec == {"times": "3", "when": when}


def test_a_group_that_is_no_more_is_said_at_its_field(owner, url, programme, monkeypatch):
    monkeypatch.setitem(segments, "vip", ("VIP", lambda members, at: set()))
    spec = {"times": 2, "when": {"segments": ["vip"]}}
    rule = rules.publish_rule(programme=programme, kind="booster", spec=spec).rule
    monkeypatch.delitem(segments, "vip")
    shown = owner.get(url("rule", rule.pk)).context["form"]
    response = owner.post(url("rule", rule.pk), {"times": "3", "segments": ticked(shown["segments"])})
    assert set(response.context["form"].errors) == {"segments"}
    assert rule.versions.count() == 1


def test_what_another_kind_would_have_stands_in_nobodys_way(owner, url, programme):
    form = {"kind": "amount", "target": "everything", "points": "2", "per": "1", "times": "0.5", "plus": "-1"}
    assert owner.post(url("rule-create"), form).status_code == 302
    assert get_model("loyalty_earning", "RuleVersion").objects.get().spec == {"points": "2", "per": "1"}


def test_limits_are_saved_and_the_budget_counts_what_was_given(owner, url, programme, member):
    gifts.give_points(member=member, points=30, reference="a", why="test")
    form = {"stacking": "best", "cap_order": "500", "budget": "120"}
    assert owner.post(url("limits"), form).status_code == 302
    row = get_model("loyalty_earning", "EarningPolicy").objects.get()
    assert (row.stacking, row.cap_order, row.budget, row.budget_used) == ("best", 500, 120, 30)
    text = owner.get(url("limits")).content.decode().replace("\xa0", " ")
    assert "30 petals of 120 petals have been given." in text
    assert 'value="25"' in text
    wrong = owner.post(url("limits"), {**form, "budget_since": "2026-12-24", "budget_until": "2026-12-01"})
    assert set(wrong.context["form"].errors) == {"budget_until"}


def test_the_pages_ask_a_bounded_number_of_queries(owner, url, programme, django_assert_max_num_queries):
    for number in range(10):
        spec = {"plus": number + 1, "when": {"tiers": ["gold"]}}
        rules.publish_rule(programme=programme, kind="booster", spec=spec)
    with django_assert_max_num_queries(20):
        owner.get(url("rules"))
    with django_assert_max_num_queries(20):
        owner.get(url("limits"))
