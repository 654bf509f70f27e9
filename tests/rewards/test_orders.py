"""A voucher is used by the order that it lowers, and by no other."""

from decimal import Decimal

import pytest
from oscar.apps.shipping.methods import FixedPrice, TaxInclusiveOfferDiscount

from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import audit
from oscar_loyalty.rewards import services
from oscar_loyalty.rewards.exceptions import RewardError
from tests.rewards.helpers import attempt


@pytest.fixture
def claim(member, reward, give):
    """Claim a reward: the vouchers look at the real clock, as Oscar does."""
    give(5000)
    made = []

    def claim(**fields):
        made.append(1)
        return services.claim(reward=reward(**fields), member=member, key=f"k{len(made)}")

    return claim


def cancel(order):
    order.status = "Cancelled"
    order.save()
    due.sweep()


def test_an_order_that_it_lowers_uses_it(member, claim, soap, order_with, proof):
    five = claim(minimum=Decimal(15))
    order = order_with(member.user, (soap, 1), vouchers=[five.voucher])
    assert order.total_incl_tax == 15
    five.refresh_from_db()
    assert (five.state, five.order) == ("used", order)
    proof()


def test_where_it_lowers_nothing_it_can_be_used_again(member, claim, soap, order_with, proof):
    five = claim(minimum=Decimal(50))
    order = order_with(member.user, (soap, 1), vouchers=[five.voucher])
    assert order.total_incl_tax == 20
    five.refresh_from_db()
    assert five.state == "claimed" and five.voucher.is_available_to_user(member.user)[0]
    assert order_with(member.user, (soap, 3), vouchers=[five.voucher], number="1002").total_incl_tax == 55
    five.refresh_from_db()
    assert five.state == "used"
    proof()


def test_the_sweep_finds_what_no_row_was_left_for(member, claim, soap, order_with, proof):
    five = claim()
    order = order_with(member.user, (soap, 1), vouchers=[five.voucher])
    get_model("loyalty_rewards", "Claim").objects.update(state="claimed", order=None, used_at=None)
    get_model("loyalty_due", "Due").objects.filter(kind="rewards.order").delete()
    proof()
    due.sweep()
    five.refresh_from_db()
    assert (five.state, five.order) == ("used", order)
    get_model("order", "Order").objects.filter(pk=order.pk).update(status="Cancelled")
    due.sweep()
    five.refresh_from_db()
    assert (five.state, five.order) == ("claimed", None)
    proof()


def test_of_many_claims_one_whose_order_was_cancelled_is_found_in_its_turn(
    member, claim, soap, order_with, proof, in_parts
):
    claims = []
    for number in range(3):
        claims.append(claim())
        order_with(member.user, (soap, 1), vouchers=[claims[-1].voucher], number=f"{1001 + number}")
    get_model("order", "Order").objects.filter(number="1002").update(status="Cancelled")
    assert sorted(due.sweep()["rewards.orders"] for _sweep in range(2)) == [0, 1]
    for each in claims:
        each.refresh_from_db()
    assert [each.state for each in claims] == ["used", "claimed", "used"]
    proof()


def test_two_of_a_kind_in_one_basket_lower_it_once(member, reward, give, soap, order_with, proof):
    give(1000)
    five = reward()
    first, second = (services.claim(reward=five, member=member, key=key) for key in "ab")
    order = order_with(member.user, (soap, 1), vouchers=[second.voucher, first.voucher])
    assert order.total_incl_tax == 15
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("used", "claimed")
    assert order_with(member.user, (soap, 1), vouchers=[second.voucher], number="1002").total_incl_tax == 15
    proof()


def test_other_terms_leave_a_claimed_voucher_what_it_promised(member, reward, give, soap, basket_with):
    give(1000)
    five = reward()
    old = services.claim(reward=five, member=member, key="a")
    five.refresh_from_db()
    five.value = Decimal(8)
    services.save_reward(reward=five)
    new = services.claim(reward=five, member=member, key="b")
    assert basket_with(member.user, (soap, 1), vouchers=[old.voucher]).total_discount == 5
    assert basket_with(member.user, (soap, 1), vouchers=[new.voucher]).total_discount == 8
    again = services.give(reward=five, member=member, key="c")
    assert list(again.voucher.offers.all()) == list(new.voucher.offers.all())


def test_percent_a_free_product_and_free_shipping(member, claim, soap, basket_with, order_with, proof):
    ten = claim(kind="percent", value=10)
    assert basket_with(member.user, (soap, 2), vouchers=[ten.voucher]).total_discount == 4
    free = claim(kind="product", value=None, product=soap)
    assert basket_with(member.user, (soap, 2), vouchers=[free.voucher]).total_discount == 20
    sent = claim(kind="shipping", value=None)

    def shipping(basket):
        (application,) = basket.shipping_discounts
        return TaxInclusiveOfferDiscount(FixedPrice(Decimal(6), Decimal(6)), application["offer"])

    order = order_with(member.user, (soap, 1), vouchers=[sent.voucher], shipping=shipping)
    assert order.total_incl_tax == 20
    sent.refresh_from_db()
    assert sent.state == "used"
    proof()


def test_a_cancelled_order_gives_the_voucher_back(member, claim, soap, order_with, proof):
    five = claim(validity_days=1)
    order = order_with(member.user, (soap, 1), vouchers=[five.voucher])
    before = five.expires_at
    cancel(order)
    five.refresh_from_db()
    assert (five.state, five.order) == ("claimed", None)
    assert (five.expires_at - before).days == 13
    assert order_with(member.user, (soap, 1), vouchers=[five.voucher], number="1002").total_incl_tax == 15
    five.refresh_from_db()
    assert five.state == "used"
    cancel(order)
    five.refresh_from_db()
    assert five.state == "used"
    proof()


def test_or_the_points_come_back(member, claim, soap, order_with, petals, programme, proof):
    services.save_policy(programme=programme, cancelled_order="points")
    five = claim()
    order = order_with(member.user, (soap, 1), vouchers=[five.voucher])
    cancel(order)
    five.refresh_from_db()
    assert five.state == "cancelled" and petals() == 5000
    proof()


def test_nothing_is_given_back_while_it_is_being_paid_with(member, claim, soap, basket_with):
    five = claim()
    basket = basket_with(member.user, (soap, 1), vouchers=[five.voucher])
    under_way = attempt(basket, member, [five.code])
    for act in (
        lambda: services.give_back(claim=five, user=member.user),
        lambda: services.use(claim=five),
        lambda: services.cancel(claim=five, why="no"),
    ):
        with pytest.raises(RewardError) as error:
            act()
        assert error.value.code == "paying"
    under_way.state = "cancelled"
    under_way.save()
    assert services.give_back(claim=five, user=member.user).state == "cancelled"
    assert not basket.vouchers.exists()


def test_nobody_gets_points_for_a_voucher_that_an_order_has_just_used(member, claim, soap, order_with, petals, proof):
    five = claim()
    order_with(member.user, (soap, 1), vouchers=[five.voucher])
    get_model("loyalty_rewards", "Claim").objects.update(state="claimed", order=None, used_at=None)
    with pytest.raises(RewardError) as error:
        services.give_back(claim=five, user=member.user)
    assert error.value.code == "closed" and petals() == 4500
    due.sweep()
    five.refresh_from_db()
    assert five.state == "used"
    proof()


def test_the_audit_names_what_does_not_agree(member, reward, claim, soap, order_with):
    five, paid = claim(), claim()
    order_with(member.user, (soap, 1), vouchers=[five.voucher])
    Claim = get_model("loyalty_rewards", "Claim")
    Claim.objects.filter(pk=five.pk).update(order=None, state="cancelled")
    Claim.objects.filter(pk=paid.pk).update(points=499)
    found = {(finding.check, finding.row) for finding in audit.run(keep=False).findings}
    assert found == {
        ("rewards.taken", f"reward {five.reward_id}"),
        ("rewards.points", f"claim {five.pk}"),
        ("rewards.points", f"claim {paid.pk}"),
        ("rewards.order", f"claim {five.pk}"),
    }
