"""What staff do by a button is done once, however often it is pressed, and each press is answered alike."""

from datetime import timedelta
from decimal import Decimal

import pytest
from oscar.test.factories import create_product

from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.ledger.selectors import balance
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, statuses
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as joining
from oscar_loyalty.privileges import passes
from oscar_loyalty.privileges import services as privileges
from oscar_loyalty.rewards import services as rewards

TOKEN = {"token": "0" * 32}


@pytest.fixture
def twice(owner, url):
    """Press a button twice: ``twice("member-status", pk, "active", reason="…")``; return what was said."""

    def press(address, data):
        response = owner.post(address, data, follow=True)
        said = [(message.level_tag, str(message)) for message in response.context["messages"]]
        return response.status_code, response.redirect_chain, said

    def twice(name, *args, **data):
        address = url(name, *args)
        first, second = press(address, data), press(address, data)
        assert first == second
        status, chain, said = first
        assert status == 200 and chain and len(said) == 1 and said[0][0].split()[-1] == "success"
        return said[0][1].replace("\xa0", " ")

    return twice


@pytest.fixture
def claim(programme, member, give):
    give(500)
    tea = get_model("loyalty_rewards", "Reward")(programme=programme, name="Tea", kind="experience", points=100)
    return rewards.claim(reward=rewards.save_reward(reward=tea), member=member, key="c")


@pytest.fixture
def gold(programme):
    return members.tiers(programme).get(code="gold")


@pytest.fixture
def window(programme, gold, time):
    soap = create_product(title="Soap", price=Decimal("20.00"), num_in_stock=5)
    ends_at = time() + timedelta(days=9)
    return privileges.create(programme=programme, tier=gold, target=soap, ends_at=ends_at, key="w", passes=1)


def test_putting_on_hold_and_ending_it(twice, member):
    twice("member-status", member.pk, "frozen", **TOKEN, reason="Card lost")
    twice("member-status", member.pk, "active", token="1" * 32, reason="Found")
    assert [change.after for change in member.status_changes.order_by("pk")] == ["frozen", "active"]


def test_points_by_hand(twice, member):
    twice("member-adjust", member.pk, **TOKEN, units="50", reason="Sorry", notify="")
    assert balance(member.account).usable == 50


def test_a_tier_by_hand_and_its_end(twice, member, gold):
    twice("member-tier", member.pk, **TOKEN, tier=gold.pk, reason="A friend of the house")
    twice("member-tier-end", member.pk, token="1" * 32)
    assert member.tier_changes.count() == 2


def test_a_reward_is_cancelled(twice, claim, member):
    twice("reward-cancel", claim.uuid, reason="Asked for it")
    assert balance(member.account).usable == 500


def test_a_reward_is_used(twice, claim):
    twice("reward-use", claim.uuid)


def test_a_gift_is_called_off(twice, programme, member, give):
    give(500)
    giving.save_policy(programme=programme, is_active=True, minimum=10)
    gift = giving.give(source=member, to="lea@example.com", units=100, key="g")
    twice("gift-call-off", gift.uuid, reason="A mistake")
    assert balance(member.account).usable == 500


def test_early_access_ends_and_goes_on(twice, window):
    twice("early-end", window.pk)
    twice("early-go-on", window.pk)


def test_a_guest_pass_is_taken_back(twice, window, member, gold):
    joining.set_tier(member=member, tier=gold, key="up")
    member.refresh_from_db()
    given = passes.give(member=member, subject=passes.find("early", str(window.pk)), key="p")
    twice("pass-back", given.uuid)


@pytest.mark.parametrize("decision", ["allow", "refuse"])
def test_a_friend_is_allowed_or_refused(twice, programme, member, decision):
    referrals.save_scheme(programme=programme, is_active=True)
    friend = joining.join(programme=programme, email="lea@example.com", source="test")
    row = referrals.accept(code=referrals.invitation_of(member=member).code, friend=friend)
    if decision == "allow":
        referrals.refuse_for(referral=row, reason="device")
    twice("referral-decide", row.pk, decision)


def test_two_memberships_become_one(twice, programme, member):
    twin = joining.join(programme=programme, email="twin@example.com", source="test")
    twice("member-merge", member.pk, twin.pk, **TOKEN, reason="The same person", sure="on")
    twin.refresh_from_db()
    assert twin.merged_into == member


def test_a_membership_is_opened_again(twice, member):
    statuses.set_status(member=member, status="closed", key="c")
    twice("member-status", member.pk, "active", **TOKEN, reason="A mistake")
