"""The owner's pages of stamp cards and challenges."""

import pytest

from oscar_loyalty.earning import goals
from oscar_loyalty.earning.goals import Step
from oscar_loyalty.loading import get_model

pytestmark = pytest.mark.django_db
TOKEN = "a" * 32


@pytest.fixture
def fields():
    return {
        "token": TOKEN, "kind": "stamps", "counts": "visits", "target": "everything", "name_0": "Ten visits",
        "name_1": "Dix visites", "size": "10", "points": "500", "gift_after": "5", "gift_points": "50", "repeats": "on",
    }  # fmt: skip


def text_of(response):
    return response.content.decode().replace("\xa0", " ")


def test_a_goal_is_made_once_changed_and_ended(owner, programme, url, fields, member):
    assert "No card yet" in text_of(owner.get(url("goals")))
    for _twice in range(2):
        assert owner.post(url("goal-create"), fields).status_code == 302
    Goal = get_model("loyalty_earning", "Goal")
    goal = Goal.objects.get()
    text = text_of(owner.get(url("goals")))
    assert "Every 10 visits: 500 petals" in text
    assert "On the way, 5 visits: 50 petals" in text
    assert 'value="10"' in text_of(owner.get(url("goal", goal.pk)))
    assert owner.post(url("goal", goal.pk), {**fields, "token": "b" * 32, "size": "8"}).status_code == 302
    assert Goal.objects.get(state="live").size == 8
    now = Goal.objects.get(state="live")
    assert "8 visits" in text_of(owner.get(url("goal-end", now.pk)))
    owner.post(url("goal-end", now.pk))
    assert not Goal.objects.filter(state="live").exists()
    assert owner.get(url("goals") + "?ended").status_code == 200


def test_what_is_wrong_is_said_at_its_field(owner, programme, url, fields):
    text = text_of(owner.post(url("goal-create"), {**fields, "gift_after": "12", "points": ""}))
    assert "Points, or a reward?" in text
    text = text_of(owner.post(url("goal-create"), {**fields, "gift_after": "10"}))
    assert "Each gift comes later" in text
    assert "Ten visits" in text


@pytest.mark.parametrize("gift", ["gift_", "gift2_", "gift3_"])
def test_a_gift_on_the_way_that_has_no_place_on_it_is_not_dropped(owner, programme, url, fields, gift):
    placed = {**fields, "gift_after": "5", "gift2_after": "6", "gift3_after": "7"}
    placed |= {f"{each}points": "50" for each in ("gift_", "gift2_", "gift3_")}
    response = owner.post(url("goal-create"), {**placed, f"{gift}after": ""})
    assert response.context["form"].errors == {f"{gift}after": ["After how many?"]}
    assert not get_model("loyalty_earning", "Goal").objects.exists()
    assert owner.post(url("goal-create"), placed).status_code == 302


def test_a_stamp_by_hand(owner, programme, url, member, client, staff):
    goal = goals.create_goal(
        programme=programme, kind="stamps", name="Ten", steps=[Step(10, points=5)], key="k", counts="visits"
    )
    asked = {"token": TOKEN, "goal": goal.pk, "quantity": 2, "reason": "Forgot the card"}
    for _twice in range(2):
        assert owner.post(url("member-stamp", member.pk), asked).status_code == 302
    assert get_model("loyalty_earning", "GoalCard").objects.get().count == 2
    assert "2 of 10 visits" in text_of(owner.get(url("member-stamp", member.pk)))
    client.force_login(staff("view_loyalty"))
    assert client.get(url("member-stamp", member.pk)).status_code == 403
    assert client.get(url("goal-create")).status_code == 403


def test_nobody_stamps_the_own_card(owner, own, url, programme):
    goal = goals.create_goal(programme=programme, kind="stamps", name="Ten", steps=[Step(10, points=5)], key="k")
    asked = {"token": TOKEN, "goal": goal.pk, "quantity": 2, "reason": "Because"}
    assert owner.post(url("member-stamp", own.pk), asked).status_code == 403
    assert not get_model("loyalty_earning", "GoalCard").objects.exists()


def test_a_change_keeps_every_gift_its_name_and_what_is_hidden(owner, programme, url, client):
    steps = [Step(after, points=after, name=f"Gift {after}") for after in (2, 4, 6, 8)] + [Step(10, points=100)]
    goal = goals.create_goal(
        programme=programme, kind="challenge", name="Ten", steps=steps, key="k", counts="visits", hidden=True
    )
    shown = owner.get(url("goal", goal.pk)).context["form"]
    sent = {field.html_name: field.value() for field in shown if field.value() not in (None, False, "")}
    sent |= {"name_0": "Ten", "token": "b" * 32, "size": "12"}
    assert (
        owner.post(url("goal", goal.pk), {key: value for key, value in sent.items() if key != "name"}).status_code
        == 302
    )
    changed = get_model("loyalty_earning", "Goal").objects.get(state="live")
    found = [(step.after, step.points, str(step.name)) for step in changed.steps.all()]
    assert found == [*((after, after, f"Gift {after}") for after in (2, 4, 6, 8)), (12, 100, "")]
    assert changed.hidden
