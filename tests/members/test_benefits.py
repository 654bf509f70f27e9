"""What a tier brings in the basket, through Oscar's own offers and its own Applicator."""

from decimal import Decimal as D

import pytest
from django.utils.html import conditional_escape
from django.utils.translation import override
from oscar.apps.offer.applicator import Applicator
from oscar.apps.partner.strategy import Selector
from oscar.core.loading import get_model
from oscar.test.factories import create_product

from oscar_loyalty.members import benefits, selectors, services


@pytest.fixture
def basket(user):
    basket = get_model("basket", "Basket").objects.create(owner=user)
    basket.strategy = Selector().strategy()
    basket.add_product(create_product(price=D("100.00"), num_in_stock=10), 1)
    return basket


@pytest.fixture
def tiers(programme):
    bronze, silver, gold = selectors.tiers(programme)
    silver.discount, gold.discount, silver.free_shipping = D("5.00"), D("10.00"), True
    for tier in (silver, gold):
        tier.save()
        benefits.sync(tier=tier)
    return {"bronze": bronze, "silver": silver, "gold": gold}


def applied(basket):
    basket.reset_offer_applications()
    # Each request has a basket of its own, and so its own look at who is buying.
    basket.__dict__.pop("_loyalty_ranks", None)
    Applicator().apply(basket, basket.owner)
    return basket.total_discount, bool(basket.shipping_discounts)


def test_the_discount_is_that_of_the_own_tier_and_never_adds_up(basket, member, tiers):
    assert applied(basket) == (0, False)
    services.set_tier(member=member, tier=tiers["silver"], key="a")
    assert applied(basket) == (D("5.00"), True)
    services.set_tier(member=member, tier=tiers["gold"], key="b")
    assert applied(basket) == (D("10.00"), True)


def test_who_is_on_hold_or_nobody_gets_nothing(basket, member, tiers):
    services.set_tier(member=member, tier=tiers["gold"], key="a")
    services.set_status(member=member, status="frozen")
    assert applied(basket) == (0, False)
    basket.owner = None
    assert applied(basket) == (0, False)


def test_offers_change_and_end_with_the_tier(basket, member, tiers):
    gold = tiers["gold"]
    services.set_tier(member=member, tier=gold, key="a")
    gold.discount = D("20.00")
    benefits.sync(tier=gold)
    assert applied(basket)[0] == D("20.00")
    gold.discount = None
    benefits.sync(tier=gold)
    # Silver's is for those above, too.
    assert applied(basket)[0] == D("5.00")
    assert get_model("offer", "ConditionalOffer").objects.count() == 3


def test_the_offer_is_stored_once_and_shown_in_the_readers_language(basket, member, tiers):
    from oscar_loyalty.fields import localized

    gold = tiers["gold"]
    gold.name = localized(en="Gold", fr="Or")
    gold.save()
    services.set_tier(member=member, tier=gold, key="a")
    applied(basket)
    (discount,) = basket.offer_applications.offer_discounts
    assert conditional_escape(discount["name"]).startswith("Gold")
    with override("fr"):
        assert conditional_escape(discount["name"]).startswith("Or")
    discount["offer"].record_usage({"freq": 1, "discount": D("10.00")})
    stored = get_model("offer", "ConditionalOffer").objects.get(pk=discount["offer"].pk)
    assert stored.name == "Gold: 10% off"
