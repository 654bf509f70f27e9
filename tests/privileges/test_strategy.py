"""The strategy: with a request, with a user, with nobody; products, variants and lines."""

from decimal import Decimal

import pytest
from django.core.checks import run_checks
from django.test import RequestFactory
from oscar.core.loading import get_model
from oscar.test.factories import create_product

from oscar_loyalty.privileges import checks, services
from oscar_loyalty.privileges.strategy import LoyaltyStrategy, MembersFirst, Selector


def info(product, user=None, request=None):
    strategy = Selector().strategy(request=request, user=user)
    return strategy.fetch_for_parent(product) if product.is_parent else strategy.fetch_for_product(product)


def request_of(user):
    request = RequestFactory().get("/")
    request.user = user
    return request


def test_it_knows_the_user_from_the_request_or_as_told(time, window, soap, person):
    window("gold")
    gold, silver = person("gold"), person("silver")
    assert info(soap, gold).availability.is_available_to_buy
    assert info(soap, request=request_of(gold)).availability.is_available_to_buy
    for refused in (info(soap, silver), info(soap, request=request_of(silver)), info(soap)):
        assert isinstance(refused.availability, MembersFirst)
        assert not refused.price.exists
    # The request says who buys, whoever is named besides.
    assert not info(soap, gold, request_of(silver)).availability.is_available_to_buy


def test_a_user_who_is_told_later_counts(time, window, soap, person):
    """As whoever places an order without a request does it."""
    window("gold")
    strategy = LoyaltyStrategy()
    assert not strategy.fetch_for_product(soap).availability.is_available_to_buy
    strategy.user = person("gold")
    assert strategy.fetch_for_product(soap).availability.is_available_to_buy


@pytest.mark.parametrize(("others", "priced"), [("shown", True), ("priceless", False), ("hidden", False)])
def test_the_price_is_shown_or_not(time, window, soap, others, priced):
    window("gold", others=others)
    found = info(soap)
    assert found.price.exists is priced
    permitted, why = found.availability.is_purchase_permitted(1)
    assert not permitted
    assert why == "Now for members from Gold on; for everybody from March 12, 1 p.m. on"


def test_variants(time, window, person):
    parent = create_product(title="Shirt", structure="parent", price=None)
    red = create_product(title="Red", structure="child", parent=parent, price=Decimal("30"), num_in_stock=5)
    blue = create_product(title="Blue", structure="child", parent=parent, price=Decimal("20"), num_in_stock=5)
    first = window("gold", target=red, others="hidden")
    assert not info(red).availability.is_available_to_buy
    assert info(blue).availability.is_available_to_buy
    # The parent's price is of what a stranger can have.
    assert info(parent).price.excl_tax == Decimal("20")
    assert info(parent).availability.is_available_to_buy
    window("gold", target=blue, others="hidden")
    assert not info(parent).availability.is_available_to_buy
    assert not info(parent).price.exists
    assert info(parent, person("gold")).availability.is_available_to_buy
    services.end(window=first)
    window("gold", target=parent)
    assert not info(red).availability.is_available_to_buy


@pytest.fixture
def basket(person):
    basket = get_model("basket", "Basket").objects.create(owner=person("gold"))
    basket.strategy = Selector().strategy(user=basket.owner)
    return basket


def test_a_basket_filled_before_keeps_its_price_and_is_not_ordered(time, window, soap, basket, programme):
    from oscar_loyalty.members import selectors as members
    from oscar_loyalty.members import services as joining

    window("gold")
    basket.add_product(soap, 2)
    joining.set_status(member=members.member_for(basket.owner, programme), status="frozen")
    basket = get_model("basket", "Basket").objects.get(pk=basket.pk)
    basket.strategy = Selector().strategy(user=basket.owner)
    line = basket.all_lines().get()
    assert basket.total_incl_tax == Decimal("40.00")
    assert not line.purchase_info.availability.is_available_to_buy
    assert line.get_warning()
    # Being paid for, it was looked at already: what was promised is kept.
    basket.freeze()
    line = get_model("basket", "Basket").objects.get(pk=basket.pk).lines.get()
    line.basket.strategy = basket.strategy
    assert basket.strategy.fetch_for_line(line).availability.is_available_to_buy


def test_a_shop_that_lacks_something_is_told_so(time, window, db):
    def ids():
        return {each.id for each in run_checks(databases=["default"]) if each.id.startswith("loyalty.W17")}

    assert ids() == set()
    window("gold")
    assert ids() == {"loyalty.W170", "loyalty.W172", "loyalty.W173", "loyalty.W174", "loyalty.W175"}


def test_a_selector_that_keeps_its_user_to_itself(time, window, monkeypatch):
    monkeypatch.setattr(
        "oscar.apps.partner.strategy.Selector.strategy", lambda self, request=None, user=None: LoyaltyStrategy()
    )
    assert next(lack.id for lack in checks.lacks()) == "loyalty.W171"
