"""Friends: who counts, what both get and give back, and every guard."""

from decimal import Decimal as D

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from oscar_loyalty import clock
from oscar_loyalty.earning.exceptions import NotAllowed
from oscar_loyalty.earning.referrals import guards, selectors, services
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import merging
from oscar_loyalty.members import services as members


@pytest.fixture
def scheme(programme):
    return services.save_scheme(programme=programme, is_active=True, referrer_points=200, friend_points=100)


@pytest.fixture
def friend(programme, scheme, member, django_user_model):
    user = django_user_model.objects.create_user(username="lea", email="lea@example.org", first_name="Lea")
    return members.join(programme=programme, user=user)


@pytest.fixture
def referral(member, friend):
    return services.accept(code=services.invitation_of(member=member).code, friend=friend)


@pytest.fixture
def order_of(place, shampoo, per_euro, sweep):
    def order_of(member):
        order = place((shampoo, 1), by=member.user)
        sweep()
        return order

    return order_of


def state(referral):
    referral.refresh_from_db()
    return referral.state


def has(member):
    return ledger.balance(member.account).book


def test_both_get_theirs_once_the_order_cannot_be_returned(referral, member, friend, order_of, later, sweep):
    order_of(friend)
    assert (state(referral), has(member), has(friend)) == ("ordered", 0, 12)
    later(13, 23)
    sweep()
    assert has(member) == 0
    later(hours=1)
    sweep()
    sweep()
    assert (state(referral), has(member), has(friend)) == ("rewarded", 200, 112)
    thanks = {message.to[0]: message.subject for message in mail.outbox if message.subject.startswith("Thank you")}
    assert thanks == {
        friend.email: "Thank you: 100 petals for you",
        member.email: "Thank you: 200 petals for you",
    }
    assert not get_model("loyalty_due", "Due").objects.exclude(state="done").exists()
    order_of(friend)
    later(15)
    sweep()
    assert (has(member), has(friend)) == (200, 124)


def test_the_thanks_count_too(programme, member, friend, order_of, later, sweep):
    services.save_scheme(programme=programme, referrer_points=1, friend_points=2)
    services.accept(code=services.invitation_of(member=member).code, friend=friend)
    order_of(friend)
    later(15)
    sweep()
    thanks = {message.to[0]: message.body for message in mail.outbox if message.subject.startswith("Thank you")}
    assert "1 petal is on your account." in thanks[member.email].replace("\xa0", " ")
    assert "2 petals are on your account." in thanks[friend.email].replace("\xa0", " ")


def test_a_cancelled_order_takes_both_back_and_the_next_counts(referral, member, friend, order_of, later, sweep):
    first = order_of(friend)
    later(14)
    sweep()
    first.set_status("Cancelled")
    sweep()
    assert (state(referral), has(member), has(friend)) == ("back", 0, 0)
    order_of(friend)
    later(14)
    sweep()
    assert (state(referral), has(member), has(friend)) == ("rewarded", 200, 112)


def test_an_order_cancelled_within_the_window_brings_nothing(referral, member, friend, order_of, later, sweep):
    order_of(friend).set_status("Cancelled")
    sweep()
    later(20)
    sweep()
    assert (state(referral), has(member)) == ("joined", 0)


def test_every_order_up_to_a_limit(programme, scheme, member, friend, order_of, later, sweep):
    services.save_scheme(programme=programme, orders=2)
    referral = services.accept(code=services.invitation_of(member=member).code, friend=friend)
    services.save_scheme(programme=programme, referrer_points=1)
    for _order in range(3):
        order_of(friend)
    later(14)
    sweep()
    assert has(member) == 400
    assert referral.rewards.count() == 2


def test_a_friend_has_one_referral_for_life(referral, programme, friend, django_user_model):
    other = members.join(programme=programme, email="other@example.net")
    code = services.invitation_of(member=other).code
    assert services.accept(code=code, friend=friend) == referral
    assert get_model("loyalty_earning", "Referral").objects.count() == 1


def test_off_late_and_oneself_count_for_nothing(programme, scheme, member, friend, later):
    code = services.invitation_of(member=member).code
    assert services.accept(code=code, friend=member) is None
    assert services.accept(code="NOSUCHXX", friend=friend) is None
    services.save_scheme(programme=programme, is_active=False)
    assert services.accept(code=code, friend=friend) is None
    services.save_scheme(programme=programme, is_active=True)
    later(31)
    assert services.accept(code=code, friend=friend) is None


def reasons(member, friend):
    return services.accept(code=services.invitation_of(member=member).code.lower(), friend=friend).reasons


def test_guard_mailbox(programme, scheme, django_user_model):
    made = []
    for email in ("rose.martin@gmail.com", "rosemartin+friend@googlemail.com"):
        made.append(members.join(programme=programme, email=email))
    assert reasons(*made) == ["mailbox"]


def test_guard_same_email(programme, scheme, member, django_user_model):
    assert reasons(member, members.join(programme=programme, email=member.email.upper())) == ["self"]


def test_guard_address(member, friend):
    from oscar.test.factories import UserAddressFactory

    fields = {"postcode": "75011", "line2": "", "line3": "", "line4": "Paris"}
    one = UserAddressFactory(user=member.user, line1="12, rue de l'Église", **fields)
    UserAddressFactory(user=friend.user, line1="12 RUE DE L EGLISE", country=one.country, **fields)
    assert reasons(member, friend) == ["address"]


def test_guard_device(member, friend):
    services.see_device(member=member, number="a-device")
    services.see_device(member=friend, number="a-device")
    assert "a-device" not in get_model("loyalty_earning", "ReferralDevice").objects.first().digest
    assert reasons(member, friend) == ["device"]


def test_guard_cycle(referral, member, friend):
    assert reasons(friend, member) == ["cycle"]


def test_guard_too_many(programme, scheme, member):
    services.save_scheme(programme=programme, daily_limit=2)
    found = [reasons(member, members.join(programme=programme, email=f"f{n}@example.net")) for n in range(3)]
    assert found == [[], [], ["too_many"]]


def test_guard_customer(scheme, member, programme, place, shampoo, django_user_model, later):
    user = django_user_model.objects.create_user(username="old", email="old@example.org")
    place((shampoo, 1), by=user)
    later(1)
    assert reasons(member, members.join(programme=programme, user=user)) == ["customer"]


def pay_with(user, card):
    Attempt = get_model("loyalty_payments", "PaymentAttempt")
    Tender = get_model("loyalty_payments", "Tender")
    now = clock.now()
    attempt = Attempt.objects.create(
        user=user,
        site_id=1,
        currency="EUR",
        total=D("12.50"),
        state="placed",
        created_at=now,
        leased_until=now,
        expires_at=now,
    )
    return Tender.objects.create(
        attempt=attempt, number=1, kind="stripe", state="captured", amount=D("12.50"), detail={"card": card}
    )


def test_guard_card_shows_when_it_is_paid_and_staff_may_allow_it(
    referral, member, friend, order_of, later, sweep, django_user_model
):
    for one in (member, friend):
        pay_with(one.user, "same-card")
    order_of(friend)
    later(14)
    sweep()
    assert (state(referral), referral.reasons, has(member)) == ("refused", ["card"], 0)
    boss = django_user_model.objects.create_superuser(username="boss", email="boss@example.com")
    with pytest.raises(NotAllowed):
        services.allow(referral=referral, user=friend.user)
    services.allow(referral=referral, user=boss)
    services.allow(referral=referral, user=boss)
    sweep()
    assert (state(referral), referral.decided_by, has(member), has(friend)) == ("rewarded", boss, 200, 112)


def test_nobody_decides_on_oneself_also_by_e_mail_alone(programme, scheme, member, django_user_model):
    friend = members.join(programme=programme, email="boss@example.com")
    referral = services.accept(code=services.invitation_of(member=member).code, friend=friend)
    boss = django_user_model.objects.create_superuser(username="boss", email="boss@example.com")
    for decide in (services.refuse, services.allow):
        with pytest.raises(NotAllowed):
            decide(referral=referral, user=boss)
    assert state(referral) == "joined"


def test_who_is_on_hold_gets_nothing_and_the_friend_does(referral, member, friend, order_of, later, sweep):
    members.set_status(member=member, status="frozen")
    order_of(friend)
    later(14)
    sweep()
    assert (has(member), has(friend)) == (0, 112)


def test_traces_are_forgotten(member, friend, later, sweep, settings):
    services.see_device(member=member, number="a-device")
    tender = pay_with(member.user, "same-card")
    later(401)
    sweep()
    assert not get_model("loyalty_earning", "ReferralDevice").objects.exists()
    tender.refresh_from_db()
    assert "card" not in tender.detail


def test_traces_are_forgotten_of_many_payments_a_part_each_time(member, friend, later, sweep, in_parts):
    tenders = [pay_with(member.user, f"card-{number}") for number in range(4)]
    later(401)
    left = []
    for _sweep in range(4):
        sweep()
        for tender in tenders:
            tender.refresh_from_db()
        left.append(sum("card" in tender.detail for tender in tenders))
    assert left == [2, 1, 0, 0]


names = st.text("abcXYZ.+_-", min_size=1, max_size=12)


@given(name=names, domain=st.sampled_from(["gmail.com", "googlemail.com", "example.com", "icloud.com", "me.com"]))
def test_a_mailbox_named_twice_is_the_same(name, domain):
    once = guards.mailbox(f"{name}@{domain}")
    assert guards.mailbox(once) == once == guards.mailbox(f" {name.upper()}@{domain.upper()} ")


@given(name=st.from_regex(r"\A[a-z]{1,8}\Z"), alias=st.from_regex(r"\A[a-z+]{0,8}\Z"))
def test_an_alias_is_the_same_mailbox_only_where_the_provider_says_so(name, alias):
    assert guards.mailbox(f"{name}+{alias}@gmail.com") == f"{name}@gmail.com"
    assert guards.mailbox(f"{name}+{alias}@example.com") == f"{name}+{alias}@example.com"


def test_the_list_of_friends_tells_no_more_than_a_first_name(friend):
    assert selectors.short_name(friend) == "Lea"
    friend.first_name = ""
    assert selectors.short_name(friend) == "L."


# Rewards instead of points


@pytest.fixture
def tea(programme):
    from oscar_loyalty.rewards import services as rewards

    row = get_model("loyalty_rewards", "Reward")(programme=programme, name="Tea", kind="amount", value=5, points=300)
    return rewards.save_reward(reward=row)


def claims(member):
    return list(get_model("loyalty_rewards", "Claim").objects.filter(member=member).order_by("pk"))


@pytest.fixture
def with_reward(programme, scheme, tea, member, friend):
    """The member who invites gets a reward of the catalogue, the friend points."""
    services.save_scheme(programme=programme, referrer_points=0, referrer_reward=tea.pk)
    return services.accept(code=services.invitation_of(member=member).code, friend=friend)


def test_a_reward_instead_of_points(with_reward, tea, member, friend, order_of, later, sweep):
    order_of(friend)
    assert claims(member) == []
    later(14)
    sweep()
    sweep()
    (claim,) = claims(member)
    assert (claim.reward, claim.state, claim.points, claim.given_why) == (tea, "claimed", 0, "referral")
    assert claim.voucher is not None and claim.code
    assert (state(with_reward), has(member), has(friend)) == ("rewarded", 0, 112)
    told = [message for message in mail.outbox if message.to == [member.email] and claim.code in message.body]
    assert len(told) == 1 and "“Tea” is yours: a friend you invited has ordered." in told[0].body
    assert not any(message.subject.startswith("Thank you") and message.to == [member.email] for message in mail.outbox)


def test_a_reward_goes_back_with_its_order_unless_it_was_used(with_reward, member, friend, order_of, later, sweep):
    from oscar_loyalty.rewards import services as rewards

    first = order_of(friend)
    later(14)
    sweep()
    first.set_status("Cancelled")
    sweep()
    assert [claim.state for claim in claims(member)] == ["cancelled"]
    second = order_of(friend)
    later(14)
    sweep()
    rewards.use(claim=claims(member)[1])
    second.set_status("Cancelled")
    sweep()
    assert [claim.state for claim in claims(member)] == ["cancelled", "used"]
    assert (state(with_reward), has(friend)) == ("back", 0)


def test_both_may_get_rewards_and_who_is_on_hold_gets_none(
    programme, with_reward, tea, member, friend, order_of, later, sweep
):
    services.save_scheme(programme=programme, friend_points=0, friend_reward=tea.pk)
    with_reward.terms = selectors.terms(selectors.scheme_of(programme))
    with_reward.save()
    first = order_of(friend)
    members.set_status(member=member, status="frozen", key="hold")
    later(14)
    sweep()
    assert claims(member) == [] and [claim.state for claim in claims(friend)] == ["claimed"]
    first.set_status("Cancelled")
    sweep()
    # What was never given leaves no trace.
    assert claims(member) == [] and [claim.state for claim in claims(friend)] == ["cancelled"]


def test_the_terms_of_the_day_hold(programme, with_reward, tea, member, friend, order_of, later, sweep):
    services.save_scheme(programme=programme, referrer_points=1, referrer_reward=None)
    order_of(friend)
    later(14)
    sweep()
    assert len(claims(member)) == 1 and has(member) == 0


def test_terms_that_cannot_be_are_refused(programme, scheme, tea):
    with pytest.raises(ValidationError, match="Points, or a reward"):
        services.save_scheme(programme=programme, friend_points=10, friend_reward=tea.pk)
    with pytest.raises(ValidationError, match="no such reward"):
        services.save_scheme(programme=programme, friend_points=0, friend_reward=tea.pk + 1)


def test_what_both_get_in_words(programme, scheme, tea, django_assert_num_queries):
    services.save_scheme(programme=programme, friend_points=0, friend_reward=tea.pk)
    terms = selectors.terms(selectors.scheme_of(programme))
    with django_assert_num_queries(1):
        assert selectors.brings(terms, programme) == selectors.Brings("200\xa0petals", "“Tea”")
    assert selectors.brings({"referrer": 0}, programme) == selectors.Brings("", "")


def test_a_reward_follows_two_memberships_that_become_one(
    programme, with_reward, member, friend, order_of, later, sweep
):
    first = order_of(friend)
    later(14)
    sweep()
    twin = members.join(programme=programme, email="rose@example.net")
    merging.merge(source=member, target=twin, key="one", reason="twice")
    first.set_status("Cancelled")
    sweep()
    assert [claim.state for claim in claims(twin)] == ["cancelled"]


# Two who were both invited turn out to be one


@pytest.fixture
def both(programme, scheme, order_of, later, sweep, django_user_model):
    """Two friends, each invited by somebody; the second has ordered, and is then merged into the first."""

    def join(name):
        user = django_user_model.objects.create_user(username=name, email=f"{name}@example.org", first_name=name)
        return members.join(programme=programme, user=user)

    first, second, ann, bert = map(join, ("first", "second", "ann", "bert"))
    services.accept(code=services.invitation_of(member=first).code, friend=ann)
    services.accept(code=services.invitation_of(member=second).code, friend=bert)
    order = order_of(bert)
    later(14)
    sweep()
    assert (has(first), has(second), has(bert)) == (0, 200, 112)
    merging.merge(source=bert, target=ann, key="both")
    sweep()
    assert (has(first), has(second), has(ann)) == (0, 200, 112)
    return first, second, ann, order


def test_an_order_counts_in_one_referral_whoever_is_merged(both, order_of, later, sweep):
    first, second, ann, _order = both
    order_of(ann)
    later(14)
    sweep()
    assert (has(first), has(second), has(ann)) == (200, 200, 224)
    assert not get_model("loyalty_due", "Due").objects.exclude(last_error="").exists()


def test_an_order_that_is_cancelled_after_a_merge_takes_back_what_it_brought(both, cancel, sweep):
    first, second, ann, order = both
    cancel(order)
    sweep()
    assert (has(first), has(second), has(ann)) == (0, 0, 0)
