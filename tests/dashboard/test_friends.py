"""The owner's pages about actions and referral."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oscar_loyalty.earning import actions
from oscar_loyalty.earning.referrals import services
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members
from oscar_loyalty.rewards import services as rewards

pytestmark = pytest.mark.django_db


def filled(**changed):
    data = {}
    for action in actions.registered():
        data |= {f"{action.code}-points": "0", f"{action.code}-times": "1", f"{action.code}-period": "ever"}
    return data | changed


def test_points_for_actions(owner, url, programme, boss):
    page = url("actions")
    assert "Birthday" in owner.get(page).content.decode()
    answer = owner.post(page, filled(**{"vote-points": "-1", "survey-points": "7"}))
    assert 'value="7"' in answer.content.decode() and not actions.rules_of(programme)
    for _press in range(2):
        owner.post(page, filled(**{"vote-points": "10"}))
    rule = get_model("loyalty_earning", "ActionRule").objects.get()
    assert (rule.action, rule.points, rule.number, rule.published_by) == ("vote", 10, 1, str(boss.pk))


def test_codes_to_print(owner, url, programme, haircut):
    assert "Haircut" in owner.get(url("scans")).content.decode()
    assert owner.get(url("scan-code", haircut.pk))["Content-Type"] == "image/svg+xml"


def test_the_terms(owner, url, programme):
    data = {
        "is_active": "on",
        "referrer_points": "50",
        "friend_points": "60",
        "orders": "0",
        "minimum": "0",
        "daily_limit": "5",
    }
    assert owner.post(url("referral-terms"), data).status_code == 200
    assert owner.post(url("referral-terms"), {**data, "orders": "1"}).status_code == 302
    assert programme.referral_scheme.friend_points == 60


def test_the_terms_may_be_rewards(owner, url, programme):
    page = owner.get(url("referral-terms")).content.decode()
    assert "referrer_reward" not in page  # there is none to choose
    tea = get_model("loyalty_rewards", "Reward")(programme=programme, name="Tea", kind="amount", value=5, points=9)
    tea = rewards.save_reward(reward=tea)
    data = {"is_active": "on", "orders": "1", "minimum": "0", "daily_limit": "5", "friend_points": "60"}
    data |= {"referrer_reward": str(tea.pk), "referrer_points": "50"}
    assert "Points, or a reward?" in owner.post(url("referral-terms"), data).content.decode()
    assert owner.post(url("referral-terms"), {**data, "referrer_points": ""}).status_code == 302
    scheme = programme.referral_scheme
    assert (scheme.referrer_points, scheme.referrer_reward, scheme.friend_points) == (0, tea.pk, 60)
    host = members.join(programme=programme, email="host@example.net")
    services.accept(
        code=services.invitation_of(member=host).code, friend=members.join(programme=programme, email="f@example.net")
    )
    text = owner.get(url("referrals")).content.decode().replace("\xa0", " ")
    assert "“Tea” for" in text and "60 petals for" in text


def test_staff_see_why_and_decide(client, staff, url, programme, many, owner):
    services.save_scheme(programme=programme, is_active=True, daily_limit=20)
    host = many(1, points=0)[0]
    code = services.invitation_of(member=host).code
    for index in range(21):
        services.accept(code=code, friend=members.join(programme=programme, email=f"f{index}@example.net"))
    row = get_model("loyalty_earning", "Referral").objects.get(state="refused")
    with CaptureQueriesContext(connection) as queries:
        text = owner.get(url("referrals")).content.decode()
    assert "too many friends within a day" in text
    assert len(queries) < 25
    client.force_login(staff("view_loyalty"))
    assert client.post(url("referral-decide", row.pk, "allow")).status_code == 403
    client.force_login(staff("view_loyalty", "approve_points", username="second"))
    for _press in range(2):
        client.post(url("referral-decide", row.pk, "allow"))
    row.refresh_from_db()
    assert (row.state, row.decided_by.username) == ("joined", "second")
    assert "Allowed by" in client.get(url("referrals")).content.decode()
