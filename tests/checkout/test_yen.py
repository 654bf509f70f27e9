"""A shop that sells in yen: whole ones, though Oscar stores two decimals; from the plan to points that come back."""

from decimal import Decimal as D

import pytest
from django.urls import reverse
from oscar.core.loading import get_model
from oscar.test.factories import create_product, create_stockrecord

from oscar_loyalty import clock
from oscar_loyalty.earning import orders, rules
from oscar_loyalty.fields import localized
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.ledger import audit, books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.members import services as members
from oscar_loyalty.payments import refunds, returns, selectors
from oscar_loyalty.payments.exceptions import RefundRefused
from oscar_loyalty.reports import audit as whole_audit
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


@pytest.fixture
def place(cut, user):
    """Place an order of cuts at ``price`` less ten percent: ``place("1005.00")``."""
    reach = get_model("offer", "Range").objects.create(name="All", includes_all_products=True)
    get_model("offer", "ConditionalOffer").objects.create(
        name="Ten percent",
        condition=get_model("offer", "Condition").objects.create(range=reach, type="Count", value=1),
        benefit=get_model("offer", "Benefit").objects.create(range=reach, type="Percentage", value=10),
        offer_type="Site",
        status="Open",
    )

    def place(price, *, card=None, points="none", quantity=1):
        cut.stockrecords.update(price=D(price))
        shopper = Shopper(user)
        basket = shopper.add(cut, quantity=quantity)
        basket.lines.update(price_currency="JPY")
        if card is not None:
            shopper.add_card(card)
        shopper.client.post(PAGE, {"loyalty_points_do": points})
        shopper.client.get(PAGE)
        shopper.place()
        return Order.objects.get()

    return place


def back(order):
    return [(part.allotment.tender.kind, part.amount) for part in refunds_of(order)]


def refunds_of(order):
    return get_loyalty_model("loyalty_payments", "TenderReturn").objects.filter(refund__order=order).order_by("pk")


def test_half_a_yen_goes_back_with_the_last_one(yen, place):
    card = giftcard_services.issue(value=D("300"), currency="JPY", key="card", deliver=False)
    order = place("1005.00", card=card)
    assert order.total_incl_tax == D("904.50")
    line = order.lines.get().pk
    # In proportion, whole yen; no other part of one is an amount.
    assert refunds.refund(order=order, key="1", amount=D("3")).amount == 3
    with pytest.raises(RefundRefused, match="not an amount"):
        refunds.refund(order=order, key="x", amounts={line: D("0.20")})
    assert refunds.refund(order=order, key="2", lines={line: 1}).amount == D("901.50")
    assert back(order) == [("giftcard", 1), ("on_site", 2), ("giftcard", 299), ("on_site", D("602.50"))]
    assert giftcards.balance(card).amount == 300
    assert whole_audit.run(keep=False).findings == []


def test_pieces_of_half_a_yen(yen, place):
    order = place("1005.00", quantity=3)
    assert order.total_incl_tax == D("2713.50")
    line = order.lines.get().pk
    amounts = [refunds.refund(order=order, key=str(number), lines={line: 1}).amount for number in range(3)]
    assert amounts == [904, 904, D("905.50")]


def test_all_of_an_order_with_half_a_yen_goes_back(yen, place):
    order = place("2005.00", points="all")
    assert [(part.kind, part.amount) for part in selectors.paid_with(order)] == [
        ("points", D("1304")),
        ("on_site", D("500.50")),
    ]
    assert refunds.give_all_back(order=order, key="all", kind="capture_failed").amount == D("1804.50")
    assert ledger.balance(yen.account).usable == 5000
    assert whole_audit.run(keep=False).findings == []


def test_a_cancelled_order_with_half_a_yen_gives_its_points_back(yen, place):
    order = place("2005.00", points="all", quantity=3)
    assert order.total_incl_tax == D("5413.50")
    line = order.lines.get().pk
    returns.return_lines(order=order, cancelled={line: 1})
    returns.return_lines(order=order, cancelled={line: 3}, shipping=True)
    assert ledger.balance(yen.account).usable == 5000
    assert list(audit.audit()) == []


def test_the_page_to_refund_half_a_yen(yen, place, client, admin_user):
    order = place("1005.00")
    client.force_login(admin_user)
    page = reverse("loyalty-dashboard:loyalty-refunds", args=[order.number])
    assert client.get(page, {"all": ""}).status_code == 200
    asked = {"reason": "Broken", "token": "a" * 32, "amount": "904.50"}
    shown = client.post(page, {**asked, "step": "preview"}).context["shown"]
    client.post(page, {**asked, "step": "confirm", "shown": shown})
    assert order.loyalty_refunds.get().amount == D("904.50")
