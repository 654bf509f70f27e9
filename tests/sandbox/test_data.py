"""The sandbox's data: what can be told without its database."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from sandbox.shop.data import own_points
from sandbox.shop.data.categories import CATEGORIES
from sandbox.shop.data.people import STYLISTS
from sandbox.shop.data.products import PRODUCTS
from sandbox.shop.data.services import SERVICES
from sandbox.shop.pictures import picture
from sandbox.shop.selectors import FAVOURITES
from sandbox.shop.shapes import SHAPES

ITEMS = [*SERVICES, *PRODUCTS]
SHELVES = {slug for _root, _name, _name_fr, shelves in CATEGORIES for slug, _shelf, _shelf_fr in shelves}


def test_there_are_twelve_services_and_twenty_five_products():
    assert len(SERVICES) == 12
    assert len(PRODUCTS) == 25
    assert len({item.upc for item in ITEMS}) == 37
    assert all(item.minutes and not item.stock for item in SERVICES)
    assert all(item.stock and not item.minutes for item in PRODUCTS)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.upc)
def test_every_item_is_complete(item):
    assert item.title and item.description
    assert item.title_fr and item.description_fr
    assert item.category in SHELVES
    assert item.picture[0] in SHAPES


def test_what_the_home_page_shows_exists():
    assert set(FAVOURITES) <= {item.upc for item in PRODUCTS}


def test_some_items_have_points_of_their_own_and_some_have_not():
    assert own_points()["MP-S01"] == 80
    assert set(own_points()) < {item.upc for item in ITEMS}


def test_somebody_gives_every_service():
    given = {shelf for stylist in STYLISTS for shelf in stylist.shelves}
    assert {item.category for item in SERVICES} <= given


def test_a_picture_is_a_jpeg_and_always_the_same():
    first = picture(PRODUCTS[0])
    assert first.startswith(b"\xff\xd8")
    assert first == picture(PRODUCTS[0])


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.upc)
def test_the_price_on_the_list_is_what_is_paid(item):
    from sandbox.partner.strategy import VatIncluded

    price = VatIncluded().pricing_policy(None, SimpleNamespace(price=item.price, price_currency="EUR"))
    assert price.incl_tax == item.price
    assert price.excl_tax + price.tax == item.price
    assert abs(price.tax - item.price / 6) <= Decimal("0.005")
