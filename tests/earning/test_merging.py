"""Two memberships that become one, with all that a good customer has: everything follows, and the books agree."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.apps import apps

from oscar_loyalty import clock
from oscar_loyalty.earning import actions, adjustments, bookings, claims, gifts, goals, profiles
from oscar_loyalty.earning.goals import Step
from oscar_loyalty.earning.referrals import selectors as referral_selectors
from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.fields import localized
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import giving, merging, selectors, services
from oscar_loyalty.members.exceptions import CannotMerge, SharingRefused
from oscar_loyalty.reports import audit
from oscar_loyalty.rewards import services as rewards


@pytest.fixture(autouse=True)
def _cron(settings):
    settings.OSCAR_LOYALTY_WORKER = "cron"


@pytest.fixture
def twin(programme, member, django_user_model):
    """The same person, who joined once more with another e-mail."""
    user = django_user_model.objects.create_user(username="twin", email="rose2@example.com", first_name="Rose")
    return services.join(programme=programme, user=user, source="test")


def test_every_column_that_names_a_member_has_somebody_who_cares():
    """A new table with a member in it needs a mover, or a word why it stays."""
    known = {*merging.MOVED, *merging.LEFT}
    found = set()
    for model in ("Member", "Account"):
        label = "loyalty_members" if model == "Member" else "loyalty_ledger"
        for field in apps.get_model(label, model)._meta.get_fields(include_hidden=True):
            if field.auto_created and not field.concrete and field.related_model is not None and field.field.concrete:
                found.add(f"{field.related_model._meta.label}.{field.field.name}")
    own = {"loyalty_members.Member.account", "loyalty_giftcards.GiftCard.account"}
    assert found - own - known == set()
    # And nobody cares for what there is not.
    assert known - found == set()
    assert not set(merging.MOVED) & set(merging.LEFT)


@pytest.fixture
def rich(programme, twin, member, own, per_euro, haircut, shampoo, place, sweep, time, give, boss, request):
    """Let the twin have one of everything."""
    commit = request.getfixturevalue("django_capture_on_commit_callbacks")
    friend = services.join(programme=programme, email="friend@example.com", first_name="Fay")
    referrals.save_scheme(programme=programme, is_active=True)
    goal = goals.create_goal(
        programme=programme, kind="stamps", name="Five haircuts", steps=[Step(5, points=500)], counts="pieces",
        target="product", target_object=haircut, key="five",
    )  # fmt: skip
    with commit(execute=True):
        order = place((haircut, 4), (shampoo, 1), by=twin.user, number="T1")
        place((haircut, 1), number="M1")
        guest = place((shampoo, 1), by=None, number="G1", guest_email="rose2@example.com")
    claims.claim(link=claims.link_for(order=guest, programme=programme), user=twin.user)
    bookings.made(reference="v1", service=haircut, member=twin, starts_at=time.at)
    bookings.attended(reference="v1")
    card = giftcards.issue(value=D(25), key="card", buyer=twin.user)
    actions.set_rule(programme=programme, action="profile", points=30, times=1, period="ever")
    profiles.set_birthday(member=twin, day=4, month=5, year=None)
    adjustments.request_adjustment(
        programme=programme, members=[twin, member], units=10, reason="Both", key="adj", user=boss
    )
    adjustments.request_adjustment(programme=programme, members=[twin], units=7, reason="One", key="adj1", user=boss)
    referrals.accept(code=referrals.invitation_of(member=twin).code, friend=friend)
    referrals.see_device(member=twin, number="device-one")
    referrals.see_device(member=twin, number="device-two")
    referrals.see_device(member=member, number="device-one")
    services.set_tier(member=twin, tier=programme.tiers.get(code="gold"), key="gold")
    Reward = get_model("loyalty_rewards", "Reward")
    reward = Reward.objects.create(
        programme=programme,
        kind="amount",
        name=localized(en="Five off"),
        points=500,
        value=5,
        created_at=clock.now(),
    )
    rewards.give(reward=reward, member=twin, key="claim", why="test")
    give(50, to=twin, expires_at=time.at + timedelta(days=20))
    sweep()
    return {"order": order, "goal": goal, "friend": friend, "card": card}


@pytest.fixture
def boss(django_user_model):
    return django_user_model.objects.create_superuser(username="boss", email="boss@example.com", password="x")


def units(*members):
    found = [ledger.balance(member.account) for member in members]
    return sum(each.book for each in found), sum(each.usable for each in found)


def test_a_rich_member_comes_along_whole(rich, programme, twin, member, boss, cancel, sweep, haircut, petals, later):
    assert audit.run(keep=False).clean
    before = units(twin, member)
    code = referrals.invitation_of(member=twin).code
    own_code = referrals.invitation_of(member=member).code
    seen = merging.preview(twin, member, actor=Ref.of("user", boss.pk))
    assert not seen.problem and seen.tier.code == "gold" and seen.shut_out == twin.user
    said = dict(seen.rows)
    assert said["Points earned"] >= 3 and said["Bookings"] == said["Guest orders"] == said["Rewards"] == 1
    assert said["Stamp cards and challenges"] == 1 and said["Invited friends"] == 1
    for _click in range(2):
        merging.merge(source=twin, target=member, key="m", actor=Ref.of("user", boss.pk), reason="The same person")
    sweep()
    member.refresh_from_db()
    twin.refresh_from_db()
    # 4 stamps of the twin (one of those bought is the visit) and one of the member's fill the card of five: 500 more.
    assert units(member) == (before[0] + 500, before[1] + 500)
    card = get_model("loyalty_earning", "GoalCard").objects.get(member=member, goal=rich["goal"], state="full")
    assert card.round == 1
    assert (member.tier.code, member.birth_day, member.birth_month) == ("gold", 4, 5)
    assert member.tier_changes.filter(key="gold").exists() and member.profile.birthday_told_at is not None
    assert member.guest_claims.count() == member.reward_claims.count() == member.bookings.count() == 1
    assert member.adjustment_items.count() == 2 and twin.adjustment_items.count() == 1
    assert member.referral_devices.count() == 2 and not twin.referral_devices.exists()
    assert member.referrals.get().friend == rich["friend"]
    assert get_model("loyalty_messaging", "Message").objects.filter(member=twin).count() == 0
    # Both codes and both cards find the membership that goes on.
    for each in (code, own_code):
        assert referral_selectors.invitation(each, programme).member == member
    for number in (twin.number, member.number):
        assert selectors.by_number(number, programme) == member
    # What was bought with money stays with its account.
    rich["card"].refresh_from_db()
    assert rich["card"].buyer == twin.user
    # What happens to old orders follows.
    cancel(rich["order"])
    sweep()
    assert units(member)[0] < before[0]
    change = twin.status_changes.first()
    assert change.details["merged_into"] == member.pk and change.reason == "The same person"


def test_who_merges_is_somebody_else(twin, member, user):
    actor = Ref.of("user", user.pk)
    assert "own membership" in merging.preview(twin, member, actor=actor).problem
    with pytest.raises(CannotMerge):
        merging.merge(source=twin, target=member, key="m", actor=actor)


def test_a_checkout_under_way_comes_first(twin, member, programme):
    attempt = get_model("loyalty_payments", "PaymentAttempt").objects.create(
        member=member, site=programme.site, currency="EUR", total=1, created_at=clock.now(),
        leased_until=clock.now(), expires_at=clock.now(),
    )  # fmt: skip
    assert "checkout" in merging.preview(twin, member).problem
    with pytest.raises(CannotMerge):
        merging.merge(source=twin, target=member, key="m")
    attempt.state = "cancelled"
    attempt.closed_at = clock.now()
    attempt.save()
    merging.merge(source=twin, target=member, key="m")


@pytest.mark.parametrize("terms", [{"head_start": 2}, {"repeats": False}, {"days": 30}])
def test_a_card_that_has_brought_something_is_not_undone(terms, programme, twin, member, own, haircut, place, sweep,
                                                        django_capture_on_commit_callbacks):  # fmt: skip
    goal = goals.create_goal(
        programme=programme, kind="stamps", name="Five", steps=[Step(5, points=500)], counts="pieces",
        target="product", target_object=haircut, key="five", **terms,
    )  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        place((haircut, 6), by=twin.user, number="T1")
        place((haircut, 5), number="M1")
    sweep()
    before = units(twin, member)
    merging.merge(source=twin, target=member, key="m")
    sweep()
    assert units(member)[0] >= before[0]
    prizes = get_model("loyalty_earning", "GoalPrize").objects.filter(card__goal=goal)
    assert set(prizes.values_list("state", flat=True)) == {"given"}


def test_whoever_invited_oneself_has_brought_nobody(programme, twin, member):
    referrals.save_scheme(programme=programme, is_active=True)
    referral = referrals.accept(code=referrals.invitation_of(member=member).code, friend=twin)
    get_model("loyalty_earning", "Referral").objects.filter(pk=referral.pk).update(state="joined", reasons=[])
    merging.merge(source=twin, target=member, key="m")
    referral.refresh_from_db()
    assert referral.state == "refused" and "self" in referral.reasons


def test_an_e_mail_alone_that_is_taken_over_brings_all_along(programme, member, user, own, haircut, time):
    alone = services.join(programme=programme, email="rose@example.org")
    bookings.made(reference="v1", service=haircut, member=alone, starts_at=time.at)
    services.attach_user(member=alone, user=user)
    assert member.bookings.count() == 1 and member.awards.count() == 1


# Every door that brings or takes points, with a member on hold


def test_on_hold_no_door_brings_or_takes_points(
    programme, member, own, haircut, place, sweep, give, later, petals, django_user_model, boss,
    django_capture_on_commit_callbacks,
):  # fmt: skip
    give(1000)
    giving.save_policy(programme=programme, is_active=True)
    referrals.save_scheme(programme=programme, is_active=True)
    goals.create_goal(
        programme=programme, kind="stamps", name="One", steps=[Step(1, points=500)], counts="pieces",
        target="product", target_object=haircut, key="one",
    )  # fmt: skip
    actions.set_rule(programme=programme, action="profile", points=30, times=1, period="ever")
    code = referrals.invitation_of(member=member).code
    services.set_status(member=member, status="frozen")
    later(days=1)
    with django_capture_on_commit_callbacks(execute=True):
        place((haircut, 1), number="F1")
    bookings.made(reference="f1", service=haircut, member=member, starts_at=clock.now())
    bookings.attended(reference="f1")
    profiles.set_birthday(member=member, day=4, month=5, year=None)
    with pytest.raises(ValueError, match="cannot earn"):
        gifts.give_points(member=member, points=5, reference="g:1", why="referral")
    newcomer = services.join(programme=programme, email="new@example.com")
    assert referrals.accept(code=code, friend=newcomer) is None
    with pytest.raises(SharingRefused):
        giving.give(source=member, to=newcomer.number, units=100, key="g")
    sweep()
    assert petals() == (1000, 0)
    assert not selectors.may_spend(member)
    services.set_status(member=member, status="active")
    sweep()
    # What happened meanwhile brings nothing afterwards either.
    assert petals() == (1000, 0)
