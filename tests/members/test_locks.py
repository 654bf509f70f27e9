"""All that happens to the same people at the same moment: nobody waits for somebody who waits for them.

A deadlock is an error that PostgreSQL raises in one of both; so a round without errors is a round without one.
"""

import threading

import pytest
from django.db import connection, transaction
from oscar.test.factories import create_order

from oscar_loyalty import clock
from oscar_loyalty.earning import clawback, gifts
from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, households, locking, merging, selectors, services
from oscar_loyalty.members.exceptions import CannotMerge, Merged, SharingRefused
from oscar_loyalty.reports import audit
from oscar_loyalty.rewards import services as rewards
from oscar_loyalty.rewards.exceptions import RewardError
from tests.earning.test_races import at_once
from tests.rewards.conftest import reward  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 4
REFUSED = (CannotMerge, Merged, SharingRefused, RewardError, ValueError)


@pytest.fixture(autouse=True)
def _terms(programme, settings):
    settings.OSCAR_LOYALTY_WORKER = "cron"
    giving.save_policy(programme=programme, is_active=True, households=True, minimum=1, per_day=None, per_month=None)
    yield
    report = audit.run(keep=False)
    assert report.clean, report.as_dict()


@pytest.fixture
def people(programme, django_user_model):
    def people(number, points=100):
        found = []
        for _index in range(number):
            count = get_model("loyalty_members", "Member").objects.count()
            user = django_user_model.objects.create_user(username=f"u{count}", email=f"u{count}@example.com")
            one = services.join(programme=programme, user=user, source="test")
            books.earn(account=one.account, units=points, key=f"e{count}", usable_from=clock.now(), kind="adjust")
            found.append(one)
        return found

    return people


def together(*acts):
    """Do all at once; what the programme refuses is an answer like any other."""

    def act(index):
        try:
            return acts[index]()
        except REFUSED as error:
            return error

    return at_once(act, len(acts))


def rounds(play):
    for number in range(ROUNDS):
        play(number)


def points(*members):
    return sum(ledger.balance(member.account).book for member in members)


def test_a_merge_while_points_rewards_and_a_hold_come_to_the_same_two(people, reward):  # noqa: F811
    five = reward(points=5)

    def play(round_):
        one, other = people(2)
        claim = rewards.claim(reward=five, member=one, key=f"first{round_}")
        together(
            lambda: merging.merge(source=one, target=other, key=f"m{round_}"),
            lambda: gifts.give_points(member=one, points=7, reference=f"g{round_}", why="test"),
            lambda: rewards.claim(reward=five, member=one, key=f"second{round_}"),
            lambda: rewards.cancel(claim=claim, why="x"),
            lambda: giving.give(source=other, to=one.number, units=10, key=f"gift{round_}"),
            lambda: services.set_status(member=one, status="frozen", key=f"f{round_}"),
        )
        one.refresh_from_db()
        claims = get_model("loyalty_rewards", "Claim").objects.filter(member__in=[one, other])
        if one.merged_into_id is not None:
            assert {row.member_id for row in claims} == {other.pk}
            assert not one.awards.exists() and one.status == "closed"
        else:
            assert one.status == "frozen"
        paid = sum(row.points for row in claims if row.state == "claimed")
        extra = 7 * get_model("loyalty_earning", "Award").objects.filter(reference=f"g{round_}").count()
        assert points(one, other) == 200 + extra - paid

    rounds(play)


def test_two_merges_and_two_who_give_each_other(people):
    def play(round_):
        one, other, third = people(3)
        together(
            lambda: merging.merge(source=one, target=other, key=f"a{round_}"),
            lambda: merging.merge(source=other, target=one, key=f"b{round_}"),
            lambda: merging.merge(source=third, target=one, key=f"c{round_}"),
            lambda: giving.give(source=one, to=other.number, units=1, key=f"x{round_}"),
            lambda: giving.give(source=other, to=one.number, units=1, key=f"y{round_}"),
        )
        assert points(one, other, third) == 300

    rounds(play)


def test_a_merge_and_a_referral_that_gives_both_their_points(people):
    def play(round_):
        one, other, friend = people(3)
        programme = one.programme
        scheme = referrals.selectors.scheme_of(programme)
        scheme.is_active = True
        scheme.save()
        code = referrals.invitation_of(member=one).code
        together(
            lambda: merging.merge(source=one, target=other, key=f"r{one.pk}"),
            lambda: referrals.accept(code=code, friend=friend),
            lambda: services.set_status(member=friend, status="frozen", key=f"f{one.pk}"),
            lambda: services.set_tier(member=one, tier=programme.tiers.get(code="gold"), key=f"t{one.pk}"),
        )
        for referral in get_model("loyalty_earning", "Referral").objects.filter(friend=friend):
            assert selectors.survivor(referral.referrer) == referral.referrer or referral.state == "refused"

    rounds(play)


def test_a_household_is_left_joined_and_spent_from(people):
    def play(round_):
        one, other, third = people(3)
        households.accept(invitation=households.invite(member=one, to=other.number, key=f"i{round_}"), member=other)
        asked = households.invite(member=one, to=third.number, key=f"j{round_}")
        gift, *_rest = together(
            lambda: giving.give(source=one, to=other.number, units=30, key=f"g{round_}"),
            lambda: households.leave(member=other),
            lambda: households.accept(invitation=asked, member=third),
            lambda: households.leave(member=one),
            lambda: households.call_off(invitation=asked, member=one),
            lambda: households.remove(member=one, other=other),
        )
        # Either they were together, and it moved at once; or they were not, and it waits.
        assert (gift.at_once, gift.state) in {(True, "done"), (False, "open")}
        assert points(one, other) == 200
        people_left = get_model("loyalty_members", "HouseholdMember").objects.filter(member__in=[one, other])
        assert not people_left.exists()

    rounds(play)


@pytest.mark.parametrize("kind", ["experience", "amount"])
def test_one_claim_is_used_cancelled_given_back_and_run_out_at_once(kind, people, reward):  # noqa: F811
    def play(round_):
        (one,) = people(1)
        five = reward(points=50, kind=kind, stock=1)
        claim = rewards.claim(reward=five, member=one, key=f"c{round_}")
        together(
            lambda: rewards.use(claim=claim),
            lambda: rewards.cancel(claim=claim, why="x"),
            lambda: rewards.give_back(claim=claim, user=one.user),
            lambda: rewards.expire(claim=claim),
            lambda: rewards.use(claim=claim),
            lambda: rewards.claim(reward=five, member=one, key=f"d{round_}"),
        )
        claim.refresh_from_db()
        five.refresh_from_db()
        assert claim.state in {"used", "cancelled"} and five.taken <= 1
        spent = 50 * one.reward_claims.filter(state__in=["used", "claimed"]).count()
        assert points(one) == 100 - spent

    rounds(play)


def test_the_end_of_a_claim_and_its_use_are_one_of_both(people, reward, monkeypatch):  # noqa: F811
    (one,) = people(1)
    claim = rewards.claim(reward=reward(points=50, kind="experience"), member=one, key="c")
    get_model("loyalty_rewards", "Claim").objects.filter(pk=claim.pk).update(expires_at=clock.now())
    together(*[lambda: rewards.use(claim=claim), lambda: rewards.expire(claim=claim)] * 3)
    claim.refresh_from_db()
    assert (claim.state, claim.used_at, points(one)) == ("expired", None, 50)


def test_the_first_terms_saved_in_several_windows_are_one_row(programme):
    get_model("loyalty_members", "SharingPolicy").objects.all().delete()
    together(*[lambda: giving.save_policy(programme=programme, is_active=True, minimum=1)] * 5)
    assert get_model("loyalty_members", "SharingPolicy").objects.count() == 1


@pytest.fixture
def meanwhile():
    """What ``ask`` answers that has to wait for ``change``: ``meanwhile(change, ask)``."""

    def meanwhile(change, ask):
        seen, waits = [], threading.Event()

        def wait():
            try:
                connection.ensure_connection()
                # On SQLite a transaction begins by waiting for the other's end.
                waits.set()
                with transaction.atomic():
                    seen.append(ask())
            finally:
                connection.close()

        other = threading.Thread(target=wait)
        with transaction.atomic():
            change()
            other.start()
            assert waits.wait(10)
            # Long enough for it to ask, and to wait for this transaction to end.
            other.join(0.5)
            assert not seen
        other.join(30)
        return seen

    return meanwhile


def test_whoever_waits_for_a_member_sees_the_tier_that_it_has_then(people, programme, meanwhile):
    (one,) = people(1)
    gold = programme.tiers.get(code="gold")
    seen = meanwhile(
        lambda: services.set_tier(member=one, tier=gold, key="waited for"),
        lambda: locking.lock_members([one.pk])[one.pk].tier,
    )
    assert seen == [gold]


def test_an_award_is_found_by_a_refund_that_waits_for_a_merge(people, programme, meanwhile):
    one, other = people(2)
    order = create_order(user=one.user, number="7001")
    assert get_model("loyalty_earning", "Award").objects.get(reference=f"order:{order.pk}").member == one
    seen = meanwhile(
        lambda: merging.merge(source=one, target=other, key="joined"), lambda: clawback.award_of(order).member
    )
    assert seen == [other]


def test_a_referral_is_found_by_whoever_waits_for_a_merge(people, programme, meanwhile):
    one, other, friend = people(3)
    scheme = referrals.selectors.scheme_of(programme)
    scheme.is_active = True
    scheme.save()
    referral = referrals.accept(code=referrals.invitation_of(member=one).code, friend=friend)
    seen = meanwhile(
        lambda: merging.merge(source=one, target=other, key="joined"), lambda: referrals._locked(referral).referrer
    )
    assert seen == [other]
