"""Claimed for points, given for nothing, used, given back, run out."""

from datetime import timedelta
from decimal import Decimal

import pytest
from oscar.test.factories import create_basket, create_order, create_product

from oscar_loyalty import clock
from oscar_loyalty.account.selectors import what_goes
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import goals, rules
from oscar_loyalty.earning import selectors as earning
from oscar_loyalty.earning.goals import Step
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import leaving, merging
from oscar_loyalty.members import services as members
from oscar_loyalty.rewards import selectors, services
from oscar_loyalty.rewards.exceptions import NotEnoughPoints, RewardError


@pytest.fixture(autouse=True)
def _clock(time):
    """The clock stands still."""


def refused(code, **fields):
    with pytest.raises(RewardError) as error:
        services.claim(key="k", **fields)
    assert error.value.code == code
    assert not get_model("loyalty_rewards", "Claim").objects.exists()
    return error.value


def test_pressed_twice_it_is_claimed_once(member, reward, give, petals, proof, mailoutbox):
    give(700)
    five = reward(stock=3)
    first = services.claim(reward=five, member=member, key="form-1")
    again = services.claim(reward=five, member=member, key="form-1")
    assert first.pk == again.pk and petals() == 200
    five.refresh_from_db()
    assert five.taken == 1 and five.left == 2
    assert first.voucher.code == first.code and len(first.code) == 14
    assert first.voucher.usage == "Single use"
    due.sweep()
    (mail,) = [mail for mail in mailoutbox if "Five off" in mail.subject]
    assert first.code in mail.body
    proof()


def test_what_was_paid_is_in_the_history(member, reward, give):
    give(500)
    services.claim(reward=reward(), member=member, key="k")
    movement = earning.history(member, page=1, per_page=5).object_list[0]
    assert movement.title == "Reward: Five off" and movement.sentences == ["For the reward “Five off”"]


def test_why_not_is_said(member, reward, give, programme, time):
    error = refused("points", reward=reward(), member=member)
    assert isinstance(error, NotEnoughPoints) and error.missing == 500
    assert str(error).replace("\xa0", " ") == "500 petals to go"
    give(5000)
    refused("sold_out", reward=reward(stock=1, taken=1), member=member)
    refused("ended", reward=reward(ends_at=time.at), member=member)
    refused("early", reward=reward(starts_at=time.at + timedelta(days=1)), member=member)
    refused("ended", reward=reward(is_active=False), member=member)
    refused("not_for_points", reward=reward(points=0), member=member)
    gold = members.save_tier(programme=programme, code="gold", name="Gold", rank=9)
    refused("tier", reward=reward(tier=gold), member=member)
    member.status = "frozen"
    member.save()
    refused("member", reward=reward(), member=member)


def test_a_limit_counts_what_was_not_given_back(member, reward, give, time):
    give(5000)
    once = reward(limit=1, limit_days=30)
    first = services.claim(reward=once, member=member, key="a")
    with pytest.raises(RewardError) as error:
        services.claim(reward=once, member=member, key="b")
    assert error.value.code == "limit"
    services.give_back(claim=first, user=member.user)
    second = services.claim(reward=once, member=member, key="c")
    services.use(claim=second)
    time.at += timedelta(days=31)
    assert services.claim(reward=once, member=member, key="d").state == "claimed"


def test_given_back_the_points_return_to_their_lots(member, reward, give, petals, proof, time):
    give(300, expires_at=time.at + timedelta(days=10))
    give(300)
    five = reward(stock=1)
    claim = services.claim(reward=five, member=member, key="k")
    assert petals() == 100
    for _again in range(2):
        services.give_back(claim=claim, user=member.user)
    assert petals() == 600
    assert [lot.remaining for lot in ledger.lots_open(member.account)] == [300, 300]
    claim.refresh_from_db()
    five.refresh_from_db()
    assert claim.state == "cancelled" and five.taken == 0
    assert not claim.voucher.is_active(time.at + timedelta(days=1))
    proof()


def test_the_owner_decides_whether_members_give_back(member, reward, give, programme):
    give(500)
    claim = services.claim(reward=reward(), member=member, key="k")
    services.save_policy(programme=programme, own_cancel=False)
    with pytest.raises(RewardError):
        services.give_back(claim=claim, user=member.user)
    assert services.cancel(claim=claim, why="A mistake").state == "cancelled"


def test_a_used_reward_is_used_once_and_the_shop_may_be_kind(member, reward, give, petals, proof):
    give(500)
    claim = services.claim(reward=reward(kind="experience"), member=member, key="k")
    assert claim.code and claim.voucher is None
    used = services.use(claim=claim, say="Tea with us")
    assert services.use(claim=claim).used_at == used.used_at
    with pytest.raises(RewardError):
        services.give_back(claim=claim, user=member.user)
    services.cancel(claim=claim, why="It rained")
    assert petals() == 500
    proof()


@pytest.mark.parametrize(("policy", "left"), [("gone", 0), ("back", 500)])
def test_it_runs_out_after_its_last_day(member, reward, give, petals, programme, proof, time, policy, left, mailoutbox):
    give(500)
    services.save_policy(programme=programme, expired=policy)
    claim = services.claim(reward=reward(validity_days=30), member=member, key="k")
    due.sweep()
    time.at += timedelta(days=24)
    due.sweep()
    assert "can be used until" in mailoutbox[-1].subject and claim.code in mailoutbox[-1].body
    time.at += timedelta(days=6)
    due.sweep()
    claim.refresh_from_db()
    assert claim.state == "claimed"
    assert claim.last_day.isoformat() == "2026-04-01"
    time.at += timedelta(days=1)
    due.sweep()
    claim.refresh_from_db()
    assert claim.state == "expired" and petals() == left
    assert not claim.voucher.is_active(time.at + timedelta(hours=1))
    proof()


@pytest.mark.parametrize("after", ["active", "closed"])
def test_on_hold_no_reward_runs_out_and_it_lives_longer_by_that_time(
    member, reward, give, petals, programme, proof, time, after, mailoutbox
):
    give(500)
    claim = services.claim(reward=reward(validity_days=30), member=member, key="k")
    time.at += timedelta(days=10)
    members.set_status(member=member, status="frozen", key="on")
    time.at += timedelta(days=40)
    due.sweep()
    claim.refresh_from_db()
    assert (claim.state_now, claim.last_day) == ("claimed", None)
    assert [row.is_open for row in selectors.own_claims(member)] == [True]
    assert selectors.open_claims(member).count() == 1 and selectors.waiting_and_taken(member, [], time.at)[0] == 1
    assert selectors.search(programme, state="claimed").count() == 1
    assert not selectors.search(programme, state="expired").exists()
    assert not any("can be used until" in message.subject for message in mailoutbox)
    members.set_status(member=member, status=after, key="off")
    due.sweep()
    claim.refresh_from_db()
    # Thirty days from 2 March, and forty.
    assert (claim.state, claim.last_day.isoformat()) == ("claimed", "2026-05-11")
    assert claim.voucher.is_active(claim.expires_at - timedelta(minutes=1))
    time.at = claim.expires_at
    due.sweep()
    claim.refresh_from_db()
    assert (claim.state, petals()) == ("expired", 0)
    proof()


def test_what_ran_out_before_a_hold_stays_so(member, reward, give, time):
    give(500)
    claim = services.claim(reward=reward(validity_days=1), member=member, key="k")
    time.at += timedelta(days=3)
    members.set_status(member=member, status="frozen", key="on")
    members.set_status(member=member, status="active", key="off")
    due.sweep()
    claim.refresh_from_db()
    assert claim.state == "expired"


def test_a_partners_code_goes_to_one_and_never_comes_back(member, reward, give, petals, proof):
    give(2000)
    cinema = services.save_reward(reward=_unsaved(member.programme))
    assert cinema.stock == 0
    assert services.add_codes(reward=cinema, codes=["A1", " B2 ", "A1", ""]) == 2
    assert services.add_codes(reward=cinema, codes=["B2", "C3"]) == 1
    first = services.claim(reward=cinema, member=member, key="a")
    assert first.code == "A1"
    with pytest.raises(RewardError):
        services.give_back(claim=first, user=member.user)
    services.cancel(claim=first, why="The partner has closed")
    assert petals() == 2000
    assert services.claim(reward=cinema, member=member, key="b").code == "B2"
    assert services.claim(reward=cinema, member=member, key="c").code == "C3"
    with pytest.raises(RewardError) as error:
        services.claim(reward=cinema, member=member, key="d")
    assert error.value.code == "sold_out"
    proof()


def _unsaved(programme):
    return get_model("loyalty_rewards", "Reward")(programme=programme, kind="partner", name="Cinema", points=400)


def test_a_donation_waits_for_the_shop_and_never_runs_out(member, reward, give, programme):
    give(500)
    trees = reward(kind="donation", beneficiary="Trees", value=5)
    claim = services.claim(reward=trees, member=member, key="k")
    assert claim.expires_at is None and claim.code == ""
    assert list(selectors.search(programme, state="todo")) == [claim]
    services.use(claim=claim)
    assert not selectors.search(programme, state="todo").exists()


def test_a_donation_is_made_when_it_is_claimed_and_stands_when_its_member_leaves(
    member, reward, give, programme, petals, time, proof
):
    give(1000)
    trees = services.claim(reward=reward(kind="donation", beneficiary="Trees"), member=member, key="trees")
    voucher = services.claim(reward=reward(), member=member, key="voucher")
    assert list(selectors.open_claims(member)) == [voucher]
    assert selectors.waiting_and_taken(member, [], time.at)[0] == 1
    assert what_goes(member, member.user).rewards == 1
    departure = leaving.leave(member=member, key="left")
    time.at = departure.erase_at
    due.sweep()
    departure.refresh_from_db()
    trees.refresh_from_db()
    voucher.refresh_from_db()
    assert (departure.state, trees.state, voucher.state) == ("done", "claimed", "cancelled")
    assert list(selectors.search(programme, state="todo")) == [trees]
    proof()


# Given


def left(kind, member, reward, reference="goal:1:1"):
    payload = {"member": member.pk, "reward": reward.pk, "reference": reference, "why": "threshold", "name": "500"}
    due.leave(kind=f"rewards.{kind}", key=reference, payload=payload)
    due.sweep()
    return get_model("loyalty_rewards", "Claim").objects.get(key=f"prize:{reference}")


def test_a_prize_is_given_and_taken_back(member, reward, petals, proof):
    five = reward(points=0)
    claim = left("give", member, five)
    assert (claim.state, claim.points, str(claim.given_name)) == ("claimed", 0, "500")
    assert claim.code and petals() == 0
    assert left("take", member, five).state == "cancelled"
    proof()


def test_a_used_prize_stays(member, reward):
    five = reward()
    services.use(claim=left("give", member, five))
    assert left("take", member, five).state == "used"


def test_taken_before_it_was_given_it_is_never_given(member, reward, proof):
    five = reward()
    assert left("take", member, five).state == "cancelled"
    assert left("give", member, five).state == "cancelled"
    five.refresh_from_db()
    assert five.taken == 0
    proof()


def test_what_cannot_be_given_is_owed_until_it_can(member, reward, programme, proof):
    five = reward(stock=0)
    claim = left("give", member, five)
    assert (claim.state, claim.why) == ("owed", "There is none left.")
    assert list(selectors.search(programme, state="todo")) == [claim]
    assert not selectors.claims_of(member).exists()
    five.stock = 1
    services.save_reward(reward=five)
    due.sweep()
    claim.refresh_from_db()
    assert (claim.state, claim.why) == ("claimed", "") and claim.code
    proof()


def test_several_thresholds_passed_at_once_give_each_its_own(member, reward, programme, proof):
    small, big = reward(points=0), reward(points=0, kind="percent", value=10)
    goals.create_goal(
        programme=programme,
        kind="threshold",
        name="Petals",
        counts="points",
        steps=[Step(100, reward=small.pk), Step(200, reward=big.pk)],
        key="goal",
    )
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1"})
    basket = create_basket(empty=True)
    basket.add_product(create_product(price=Decimal(450), num_in_stock=5), 1)
    create_order(basket=basket, user=member.user, date_placed=clock.now())
    for _twice in range(3):
        due.sweep()
    claims = selectors.claims_of(member)
    assert sorted(claim.reward_id for claim in claims) == sorted([small.pk, big.pk] * 2)
    proof()


def test_a_claim_follows_its_member_into_another(programme, member, reward, give, proof, django_user_model):
    give(500)
    claim = services.claim(reward=reward(), member=member, key="k")
    lou = django_user_model.objects.create_user(username="lou", email="lou@example.com")
    other = members.join(programme=programme, user=lou, source="test")
    merging.merge(source=member, target=other, key="merge")
    (own,) = selectors.claims_of(other)
    assert own == claim
    services.give_back(claim=own, user=lou)
    assert ledger.balance(other.account).usable == 500
    # A prize that was left for the old membership reaches the new one.
    assert left("give", member, reward()).member == other
    proof()
