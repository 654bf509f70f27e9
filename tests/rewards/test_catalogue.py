"""What a member sees of the rewards, and whose voucher works in whose basket."""

from datetime import timedelta
from decimal import Decimal

import pytest
from oscar.apps.partner.strategy import Selector
from oscar.test.factories import create_product

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.rewards import selectors
from oscar_loyalty.rewards.conditions import OwnVoucher


def reasons(programme, member=None):
    return [card.reason.replace("\xa0", " ") for card in selectors.cards(programme, member)]


def test_the_catalogue_says_what_can_be_had_and_why_not(programme, member, reward, give, time):
    give(500)
    reward(points=400)
    reward(points=620)
    reward(points=700, stock=2, taken=2)
    reward(points=0)
    reward(points=100, is_active=False)
    reward(points=100, ends_at=time.at)
    reward(points=100, starts_at=time.at + timedelta(days=1))
    assert reasons(programme, member) == ["", "120 petals to go", "There is none left."]
    assert reasons(programme) == ["", "", "There is none left."]


def test_whoever_is_on_hold_can_have_nothing(programme, member, reward, give):
    give(500)
    reward()
    member.status = "frozen"
    member.save()
    assert reasons(programme, member) == ["The membership is on hold."]


def test_the_catalogue_costs_the_same_for_one_and_for_fifty(
    programme, member, reward, give, django_assert_max_num_queries
):
    for number in range(50):
        reward(limit=number % 3 + 1, limit_days=30)
    with django_assert_max_num_queries(5):
        assert len(selectors.cards(programme, member)) == 50


def test_the_database_sells_no_more_than_there_are(reward):
    from django.db import IntegrityError

    with pytest.raises(IntegrityError):
        reward(stock=1, taken=2)


def test_a_voucher_works_in_its_members_basket_alone(reward, member, django_user_model, time):
    offer_app, now = "offer", clock.now()
    everything = get_model(offer_app, "Range").objects.create(name="All", includes_all_products=True)
    condition = get_model(offer_app, "Condition").objects.create(
        range=everything, value=Decimal(20), proxy_class=f"{OwnVoucher.__module__}.{OwnVoucher.__name__}"
    )
    benefit = get_model(offer_app, "Benefit").objects.create(range=everything, type="Absolute", value=5)
    offer = get_model(offer_app, "ConditionalOffer").objects.create(
        name="Five off", offer_type="Voucher", condition=condition, benefit=benefit, max_basket_applications=1
    )
    span = {"start_datetime": now - timedelta(days=1), "end_datetime": now + timedelta(days=9000)}
    voucher = get_model("voucher", "Voucher").objects.create(name="Five", code="FIVE", usage="Single use", **span)
    voucher.offers.add(offer)
    claim = get_model("loyalty_rewards", "Claim").objects.create(
        reward=reward(), member=member, key="test", voucher=voucher, claimed_at=now
    )
    from oscar.apps.offer.applicator import Applicator

    def discount(owner, price):
        basket = get_model("basket", "Basket").objects.create(owner=owner)
        basket.strategy = Selector().strategy()
        basket.add_product(create_product(price=Decimal(price), num_in_stock=5), 1)
        basket.vouchers.add(voucher)
        basket.reset_offer_applications()
        Applicator().apply(basket, owner)
        return basket.total_discount

    other = django_user_model.objects.create_user(username="other", email="other@example.com")
    assert discount(member.user, 20) == 5
    assert discount(member.user, 19) == 0
    assert discount(other, 20) == 0
    claim.state = "cancelled"
    claim.save()
    assert discount(member.user, 20) == 0
