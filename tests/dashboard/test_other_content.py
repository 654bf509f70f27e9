"""“Back”, other numbers, and the button again: nobody is told that it was done, and nothing that was typed is lost."""

from datetime import timedelta
from decimal import Decimal

import pytest

from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as cards
from oscar_loyalty.ledger.selectors import balance
from oscar_loyalty.loading import get_model

TOKEN = {"token": "0" * 32}
NAME = {"name_0": "Tea", "name_1": "Thé"}
SAID = "This form was sent before with other content"


@pytest.fixture
def refused(owner, url):
    """Send a form, and again with something ``other``: the first is done, and the second stays on the page."""

    def refused(page, *args, other, form="form", **data):
        first = owner.post(url(page, *args), TOKEN | data)
        assert first.status_code == 302, first.context[form].errors
        response = owner.post(url(page, *args), TOKEN | data | other)
        assert response.status_code == 200 and SAID in response.content.decode()
        kept = response.context[form]
        assert list(kept.errors) == ["__all__"]
        assert {name: str(kept[name].data) for name in other} == {name: str(value) for name, value in other.items()}
        # The first once more is still no mistake.
        assert owner.post(url(page, *args), TOKEN | data).status_code == 302

    return refused


def the(label, **fields):
    return get_model(*label.split(".")).objects.get(**fields)


def test_points_by_hand(refused, owner, url, member, many):
    refused("member-adjust", member.pk, units="50", reason="Sorry", other={"units": "-30"}, form="adjust_form")
    assert balance(member.account).usable == 50
    (friend,) = many(1)
    other = owner.post(url("member-adjust", friend.pk), {**TOKEN, "units": "50", "reason": "Sorry"})
    assert SAID in other.content.decode() and balance(friend.account).usable == 100


def test_points_by_hand_for_many(owner, url, many):
    one, two = many(2)

    def ask(*members, units="5"):
        data = {**TOKEN, "member": [member.pk for member in members], "units": units, "reason": "r", "step": "confirm"}
        return owner.post(url("members-adjust"), data)

    assert ask(one).status_code == 302
    assert SAID in ask(one, two).content.decode()
    assert SAID in ask(one, units="6").content.decode()
    assert ask(one).status_code == 302
    assert (balance(one.account).usable, balance(two.account).usable) == (105, 100)


def test_a_tier_by_hand(refused, member):
    silver, gold = member.programme.tiers.order_by("rank")[1:3]
    refused("member-tier", member.pk, tier=gold.pk, reason="A friend", other={"tier": silver.pk}, form="tier_form")
    member.refresh_from_db()
    assert member.tier == gold and member.tier_changes.count() == 1


def test_a_status(refused, member):
    refused("member-status", member.pk, "frozen", reason="Card lost", other={"reason": "Card found"})
    assert the("loyalty_members.StatusChange").reason == "Card lost"


def test_a_reward_and_a_present(refused, owner, url, programme, member):
    tea = {**NAME, "points": "100", "validity_days": "30", "is_active": "on"}
    refused("reward-create", "experience", **tea, other={"points": "200"})
    reward = the("loyalty_rewards.Reward")
    assert reward.points == 100
    for points in ("300", "400"):
        assert owner.post(url("reward", reward.pk), {**tea, "points": points}).status_code == 302
    reward.refresh_from_db()
    assert reward.points == 400
    refused("member-reward", member.pk, reward=reward.pk, reason="Sorry", other={"reason": "Thank you"})
    assert the("loyalty_rewards.Claim").reward == reward


def test_a_stamp_card_and_a_stamp(refused, programme, member):
    goal = {"kind": "stamps", **NAME, "counts": "pieces", "target": "everything", "size": "10", "points": "5"}
    refused("goal-create", **goal, other={"size": "8", "points": "7"})
    made = the("loyalty_earning.Goal")
    assert [(step.after, step.points) for step in made.steps.all()] == [(10, 5)]
    refused("member-stamp", member.pk, goal=made.pk, quantity="1", reason="x", other={"quantity": "3"})
    assert the("loyalty_earning.GoalCard").count == 1


def test_early_access(refused, owner, url, programme, haircut):
    gold = programme.tiers.order_by("-rank").first()
    window = {"target": "product", "product": haircut.pk, "tier": gold.pk, "others": "priceless", "passes": "0"}
    refused("early-create", **window, pass_days="7", ends_day="2030-01-01", other={"ends_day": "2031-01-01"})
    made = the("loyalty_privileges.EarlyAccess")
    assert made.ends_at.year in (2029, 2030)
    for year in (2032, 2033):
        changed = {**window, "pass_days": "7", "ends_day": f"{year}-06-01"}
        assert owner.post(url("early-window", made.pk), changed).status_code == 302
    made.refresh_from_db()
    assert made.ends_at.year == 2033


def test_a_draft_and_a_simulation(refused, programme):
    refused("draft-create", name="Christmas", note="", start="empty", other={"name": "Easter"})
    assert the("loyalty_earning.Draft").name == "Christmas"
    asked = {"rules": "today", "since": "2026-01-01", "breakage": "20"}
    refused("simulation-new", **asked, until="2026-02-01", other={"until": "2026-03-01"})
    assert the("loyalty_reports.Simulation").until.month == 2


def test_customers_who_become_members(refused, programme):
    refused("members-enrol", sure="on", other={"staff": True})


def test_gift_cards(refused, programme, time):
    card = cards.issue(value=Decimal(25), key="k", expires_at=time() + timedelta(days=2000), deliver=False)
    top_up = {"amount": "10", "reason": "r", "sure": "1"}
    refused("giftcard-action", card.uuid, "top-up", **top_up, other={"amount": "20"}, form="topup_form")
    assert giftcards.balance(card).amount == 35
    extend = {"until": "2040-01-01", "reason": "r", "sure": "1"}
    refused("giftcard-action", card.uuid, "extend", **extend, other={"until": "2041-01-01"}, form="extend_form")
    card.refresh_from_db()
    assert card.expires_at.year in (2039, 2040)


def test_a_form_that_was_refused_may_be_mended(owner, url, member):
    take = {**TOKEN, "units": "-30", "reason": "Mistake"}
    assert owner.post(url("member-adjust", member.pk), take).status_code == 200
    assert owner.post(url("member-adjust", member.pk), {**take, "units": "30"}).status_code == 302
    assert balance(member.account).usable == 30
