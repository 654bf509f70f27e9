"""What the shop deletes among its vouchers, offers and ranges: a claim loses nothing by it, and the audit says so."""

import pytest

from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import merging
from oscar_loyalty.members import services as members
from oscar_loyalty.reports import audit
from oscar_loyalty.rewards import selectors, services
from oscar_loyalty.rewards.exceptions import RewardError


@pytest.fixture
def claim(member, reward, give):
    def claim(**fields):
        give(500)
        one = reward(**fields)
        return services.claim(reward=one, member=member, key=f"k{one.pk}")

    return claim


def lose(claim, what):
    """Delete what is behind the claim, as the shop's dashboard does."""
    if what == "voucher":
        claim.voucher.delete()
    else:
        claim.voucher.offers.get().delete()
    return get_model("loyalty_rewards", "Claim").objects.get(pk=claim.pk)


@pytest.fixture(params=["voucher", "offer"])
def lost(request, claim):
    return lose(claim(), request.param)


def test_the_audit_says_it_and_it_is_mended_under_its_code(lost, member, soap, order_with, proof):
    assert selectors.is_broken(lost)
    assert [(row.check, row.row) for row in audit.run(keep=False).findings] == [("rewards.voucher", f"claim {lost.pk}")]
    for _twice in range(2):
        mended = services.renew(claim=lost)
    assert mended.code == lost.code and not selectors.is_broken(mended)
    proof()
    order = order_with(member.user, (soap, 1), vouchers=[mended.voucher])
    mended.refresh_from_db()
    assert (mended.state, order.total_incl_tax) == ("used", 15)
    proof()


@pytest.mark.parametrize("end", ["give_back", "cancel", "use", "expire"])
def test_it_ends_as_any_other(end, time, lost, member, petals, proof):
    if end == "give_back":
        services.give_back(claim=lost, user=member.user)
    elif end == "cancel":
        services.cancel(claim=lost, why="It was deleted")
    elif end == "use":
        services.use(claim=lost)
    else:
        time.advance(days=91)
        due.sweep()
    lost.refresh_from_db()
    assert lost.state == {"give_back": "cancelled", "cancel": "cancelled", "use": "used"}.get(end, "expired")
    assert petals() == (500 if lost.state == "cancelled" else 0)
    proof()


def test_a_claim_keeps_what_it_promised(claim, member, soap, order_with, proof):
    five = claim()
    five.reward.value = 7
    services.save_reward(reward=five.reward)
    mended = services.renew(claim=lose(five, "voucher"))
    assert order_with(member.user, (soap, 1), vouchers=[mended.voucher]).total_incl_tax == 15
    proof()


def test_an_order_that_it_lowered_has_used_it_though_it_is_gone(claim, member, soap, order_with, proof):
    five = claim()
    order = order_with(member.user, (soap, 1), vouchers=[five.voucher])
    Claim = get_model("loyalty_rewards", "Claim")
    Claim.objects.filter(pk=five.pk).update(state="claimed", order=None)
    lose(five, "voucher")
    due.again(kind="rewards.order", key=str(order.pk), payload={"order": order.pk})
    due.sweep()
    five.refresh_from_db()
    assert (five.state, five.order_id) == ("used", order.pk)
    proof()


@pytest.mark.parametrize("what", ["voucher", "offer"])
def test_its_order_cancelled_it_can_be_used_again(what, claim, member, soap, order_with, proof):
    five = claim()
    order = order_with(member.user, (soap, 1), vouchers=[five.voucher])
    lose(five, what)
    order.set_status("Cancelled")
    due.sweep()
    five.refresh_from_db()
    assert five.state == "claimed" and not selectors.is_broken(five)
    again = order_with(member.user, (soap, 1), vouchers=[five.voucher], number="1002")
    assert again.total_incl_tax == 15
    proof()


@pytest.fixture
def boss(django_user_model):
    return django_user_model.objects.create_superuser(username="boss", email="boss@example.com", password="x")


def test_without_its_range_it_is_not_for_everything(claim, member, reward, soap, order_with, petals, proof, boss):
    Range = get_model("offer", "Range")
    hair = Range.objects.create(name="Hair")
    hair.add_product(soap)
    five = claim(range=hair)
    unclaimed = reward(range=Range.objects.create(name="Nails"))
    order = order_with(member.user, (soap, 1), vouchers=[five.voucher])
    for range_ in Range.objects.filter(name__in=["Hair", "Nails"]):
        range_.delete()
    unclaimed.refresh_from_db()
    assert (unclaimed.is_active, unclaimed.range) == (False, None)
    five.refresh_from_db()
    with pytest.raises(RewardError, match="ended"):
        services.present(reward=five.reward, member=member, key="p", user=boss)
    # What it was for is gone: cancelled, its order gives the points back, and no sweep asks again.
    order.set_status("Cancelled")
    due.sweep()
    five.refresh_from_db()
    assert (five.state, petals()) == ("cancelled", 500)
    proof()
    five.reward.refresh_from_db()
    services.save_reward(reward=five.reward)
    assert services.present(reward=five.reward, member=member, key="q", user=boss).state == "claimed"


# A late sweep, another price, another account


def test_what_is_over_is_over_before_the_sweep_comes(time, claim, member, petals):
    five = claim()
    time.advance(days=91)
    five.refresh_from_db()
    assert (five.is_open, five.state_now, list(selectors.open_claims(member))) == (False, "expired", [])
    for act in (
        lambda: services.use(claim=five),
        lambda: services.give_back(claim=five, user=member.user),
        lambda: services.cancel(claim=five, why="x"),
        lambda: services.renew(claim=five),
    ):
        with pytest.raises(RewardError):
            act()
    assert petals() == 0
    assert list(selectors.search(member.programme, state="expired")) == [five]
    assert not selectors.search(member.programme, state="claimed")


def test_nobody_pays_another_price_than_the_page_said(member, reward, give, petals):
    give(1000)
    five = reward()
    get_model("loyalty_rewards", "Reward").objects.filter(pk=five.pk).update(points=900)
    with pytest.raises(RewardError, match=r"It costs 900.petals now"):
        services.claim(reward=five, member=member, key="k", price=500)
    assert petals() == 1000
    services.claim(reward=five, member=member, key="k", price=900)
    assert petals() == 100


def test_the_account_of_before_a_merge_spends_nothing(programme, member, reward, give, petals, django_user_model):
    other = django_user_model.objects.create_user(username="old", email="old@example.com")
    old = members.join(programme=programme, user=other, source="test")
    merging.merge(source=old, target=member, key="m")
    give(500)
    with pytest.raises(RewardError, match="on hold"):
        services.claim(reward=reward(), member=old, key="k")
    assert petals() == 500


def test_nobody_gives_oneself_a_present_nor_points_back(member, reward, give, programme):
    give(500)
    claim = services.claim(reward=reward(), member=member, key="k")
    with pytest.raises(RewardError) as caught:
        services.present(reward=claim.reward, member=member, key="p", user=member.user)
    assert caught.value.code == "own"
    with pytest.raises(RewardError):
        services.withdraw(claim=claim, user=member.user, why="For me")
    alone = members.join(programme=programme, email=member.user.email, source="till")
    with pytest.raises(RewardError):
        services.present(reward=claim.reward, member=alone, key="a", user=member.user)
