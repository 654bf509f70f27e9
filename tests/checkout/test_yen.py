"""A shop that sells in yen: whole ones, though Oscar stores two decimals; from the plan to points that come back."""

from decimal import Decimal as D

import pytest
from oscar.core.loading import get_model
from oscar.test.factories import create_product, create_stockrecord

from oscar_loyalty import clock
from oscar_loyalty.earning import orders, rules
from oscar_loyalty.fields import localized
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.ledger import audit, books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.members import services as members
from oscar_loyalty.payments import returns, selectors
from tests.checkout.conftest import Shopper

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db
PAGE = "/checkout/payment-details/"


@pytest.fixture
def yen(settings, user):
    """Rose has 5,000 points in a shop in Tokyo, where three points are worth a yen."""
    settings.OSCAR_DEFAULT_CURRENCY = "JPY"
    programme = members.create_programme(
        name="Hanabira",
        points_name_one=localized("petal"),
        points_name_many=localized("petals"),
        paid_statuses=["Complete"],
        redemption_points=3,
        redemption_amount=D("1.00"),
        points_at_checkout=True,
        minimum_cash=D("500.00"),
    )
    assert programme.currency == "JPY"
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "100.00"})
    member = members.join(programme=programme, user=user, source="test")
    books.earn(account=member.account, units=5000, key="rich", usable_from=clock.now(), kind="adjust")
    return member


@pytest.fixture
def cut(yen):
    ProductClass = get_model("catalogue", "ProductClass")
    ProductClass.objects.create(slug="service", name="Service", requires_shipping=False, track_stock=False)
    product = create_product(title="Cut", product_class="Service")
    create_stockrecord(product, price=D("3333.00"), num_in_stock=None, partner_name="Salon")
    product.stockrecords.update(price_currency="JPY")
    return product


def test_an_order_is_split_in_whole_yen_from_end_to_end(yen, cut, user):
    card = giftcard_services.issue(value=D("1000"), currency="JPY", key="card", deliver=False)
    shopper = Shopper(user)
    basket = shopper.add(cut, quantity=2)
    basket.lines.update(price_currency="JPY")
    shopper.add_card(card)
    shopper.client.post(PAGE, {"loyalty_points_do": "use", "points": "5000"})
    page = shopper.client.get(PAGE).content.decode()
    # 5,000 points would be worth a third of a yen less than 1,667: the last two make no difference.
    assert "4,998\xa0petals" in page and "¥1,666" in page and "¥1,000" in page and "¥4,000" in page
    shopper.place()
    order = Order.objects.get()
    assert order.currency == "JPY"
    assert [(part.kind, part.amount, part.points) for part in selectors.paid_with(order)] == [
        ("points", D("1666"), 4998),
        ("giftcard", D("1000"), 0),
        ("on_site", D("4000"), 0),
    ]
    assert sum(part.amount for part in selectors.paid_with(order)) == order.total_incl_tax == D("6666")
    assert giftcards.balance(card).amount == 0
    assert ledger.balance(yen.account).usable == 2
    # What was paid in money brings points, what was not brings none.
    orders.review_order(order=order)
    assert ledger.balance(yen.account).pending == 40
    line = order.lines.get()
    returns.return_lines(order=order, cancelled={line.pk: 1})
    assert ledger.balance(yen.account).usable == 2 + 2499
    assert giftcards.balance(card).amount == D("500")
    returns.return_lines(order=order, cancelled={line.pk: 2}, shipping=True)
    assert ledger.balance(yen.account).usable == 5000
    assert giftcards.balance(card).amount == D("1000")
    assert list(audit.audit()) == []


def test_what_a_discount_leaves_of_a_yen_is_paid_in_money(yen, cut, user):
    cut.stockrecords.update(price=D("1049.50"))
    card = giftcard_services.issue(value=D("5000"), currency="JPY", key="card", deliver=False)
    shopper = Shopper(user)
    basket = shopper.add(cut)
    basket.lines.update(price_currency="JPY")
    shopper.add_card(card)
    shopper.client.post(PAGE, {"loyalty_points_do": "all"})
    shopper.client.get(PAGE)
    shopper.place()
    assert [(part.kind, part.amount) for part in selectors.paid_with(Order.objects.get())] == [
        ("points", D("549")),
        ("giftcard", D("500")),
        ("on_site", D("0.50")),
    ]
    assert list(audit.audit()) == []
