"""How cards are taxed: by their denomination, kept on the card, shown where orders are."""

from decimal import Decimal as D

import pytest
from django.urls import reverse
from oscar.apps.partner import strategy
from oscar.apps.partner.strategy import FixedRateTax

from oscar_loyalty.giftcards import selectors, services
from oscar_loyalty.giftcards.strategy import GiftCardStrategyMixin


class Taxed(
    GiftCardStrategyMixin, strategy.UseFirstStockRecord, strategy.StockRequired, FixedRateTax, strategy.Structured
):
    rate = D("0.20")


@pytest.fixture
def price(db):
    def price(kind):
        row = services.set_denomination(value=D("10"), tax_kind=kind)
        info = Taxed().fetch_for_product(row.product)
        return info.price.excl_tax, info.price.incl_tax, info.availability.is_available_to_buy

    return price


def test_only_single_purpose_cards_are_taxed_when_sold(price):
    assert price("multi") == (D("10.00"), D("10.00"), True)
    assert price("single") == (D("10.00"), D("12.00"), True)


def test_a_card_keeps_what_it_was_sold_as(basket, place, client, user, boss):
    row = services.set_denomination(value=D("10"), tax_kind="single")
    basket.add_product(row.product, options=selectors.options_for(recipient_name="Anna"))
    order = place()
    [card] = services.issue_for_lines(order)
    services.set_denomination(value=D("10"), tax_kind="multi")
    card.refresh_from_db()
    assert card.tax_kind == "single"
    client.force_login(user)
    page = client.get(reverse("customer:order", args=[order.number])).content.decode()
    assert "single-purpose voucher" in page and "for Anna" in page
    client.force_login(boss)
    page = client.get(reverse("dashboard:order-detail", args=[order.number])).content.decode()
    assert "single-purpose" in page and card.label in page


def test_multi_purpose_by_default(order, client, user):
    cards = services.issue_for_lines(order)
    assert {card.tax_kind for card in cards} == {"multi"}
    client.force_login(user)
    page = client.get(reverse("customer:order", args=[order.number])).content.decode()
    assert page.count("multi-purpose voucher") == 3
