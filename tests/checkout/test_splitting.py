"""A part of any order is paid with points at the programme's rate: chosen, shown, carried out, seen again."""

from decimal import Decimal as D

import pytest
from oscar.core.loading import get_model

from oscar_loyalty.earning import selectors as earning
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.ledger import audit, books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.members import services as members
from oscar_loyalty.payments import returns, selectors, services
from oscar_loyalty.payments.exceptions import PaymentProblem

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db
PAGE = "/checkout/payment-details/"


@pytest.fixture(autouse=True)
def _books_agree(db):
    yield
    assert list(audit.audit()) == []


@pytest.fixture
def allowed(programme):
    """Points pay at checkout, a cent each."""
    programme.points_at_checkout = True
    programme.save()
    return programme


@pytest.fixture
def use(shopper):
    """Type a number of points and press the button: ``use(1500)``, ``use("all")``."""

    def use(number, shopper=shopper, page=PAGE, **more):
        data = {"loyalty_points_do": number} if number in ("all", "none") else {"loyalty_points_do": "use"}
        return shopper.client.post(page, {"points": str(number), **data, **more})

    return use


def plan(shopper, page=PAGE):
    return [(t.kind, t.amount, t.points) for t in shopper.client.get(page).context["loyalty_plan"].tenders]


def said(response):
    return " ".join(str(message) for message in response.wsgi_request._messages)


def paid():
    return [(part.kind, part.amount, part.points) for part in selectors.paid_with(Order.objects.get())]


def test_points_cards_and_the_salon_pay_one_order(shopper, rich, allowed, haircut, issue, use):
    first, second = issue("12.50"), issue("50.00")
    shopper.add(haircut, quantity=3)
    shopper.add_card(first)
    shopper.add_card(second)
    assert use("1,500").url == PAGE
    page = shopper.client.get(PAGE).content.decode()
    assert "1,500\xa0petals" in page and "1,000\xa0petals left afterwards" in page
    assert "€0.00 left on it afterwards" in page
    shopper.place()
    assert paid() == [
        ("points", D("15.00"), 1500),
        ("giftcard", D("12.50"), 0),
        ("giftcard", D("50.00"), 0),
        ("on_site", D("12.50"), 0),
    ]
    assert ledger.balance(rich.account).usable == 1000
    order = Order.objects.get()
    for address in ("/checkout/thank-you/", f"/accounts/orders/{order.number}/"):
        page = shopper.client.get(address).content.decode()
        assert "1,500\xa0petals" in page and f"Gift card {first.label}" in page and "At the salon" in page
    # The next order starts without them.
    shopper.add(haircut)
    assert plan(shopper) == [("on_site", D("30.00"), 0)]


def test_what_points_and_cards_pay_brings_no_points(shopper, rich, allowed, haircut, use, programme):
    from oscar_loyalty.earning import rules

    rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1.00"})
    shopper.add(haircut)
    assert "30\xa0petals" in shopper.client.get("/checkout/preview/").content.decode()
    use(1000)
    page = shopper.client.get("/checkout/preview/").content.decode()
    assert "20\xa0petals" in page and "30\xa0petals" not in page
    shopper.place()
    assert earning.preview_order(Order.objects.get()).points == 20


def test_more_than_allowed_is_taken_back_to_it_and_said(shopper, rich, allowed, haircut, use):
    allowed.minimum_cash = D("12.00")
    allowed.save()
    shopper.add(haircut)
    use("9 999")
    response = shopper.client.get(PAGE)
    page = response.content.decode()
    assert "You asked for 9 999. At most 1,800\xa0petals can be used" in page
    assert plan(shopper) == [("points", D("18.00"), 1800), ("on_site", D("12.00"), 0)]
    use("none")
    assert plan(shopper) == [("on_site", D("30.00"), 0)]
    use("all")
    assert plan(shopper)[0] == ("points", D("18.00"), 1800)
    # Gift cards are cash for that matter.
    card = giftcard_services.issue(value=D("20.00"), key="cash", deliver=False)
    shopper.add_card(card)
    assert "Nothing left to pay" in shopper.client.get(PAGE).content.decode()
    shopper.place()
    assert paid() == [("points", D("18.00"), 1800), ("giftcard", D("12.00"), 0)]


@pytest.mark.parametrize("typed", ["many", "-5", "1.5", "1" * 30, "NaN"])
def test_what_is_no_number_is_said_at_the_field_and_kept(shopper, rich, allowed, haircut, use, typed):
    shopper.add(haircut)
    use(700)
    response = use(typed)
    assert response.context["loyalty_points_form"].errors["points"]
    assert f'value="{typed}"' in response.content.decode()
    assert plan(shopper)[0] == ("points", D("7.00"), 700)


def test_points_too_few_to_matter(shopper, rich, allowed, haircut, use):
    allowed.redemption_points = 250
    allowed.save()
    shopper.add(haircut)
    response = use(2)
    assert "Use at least 3\xa0petals" in str(response.context["loyalty_points_form"].errors)
    use(3)
    assert plan(shopper)[0] == ("points", D("0.01"), 3)


@pytest.mark.parametrize(
    ("status", "words"),
    [("frozen", "on hold"), ("closed", "Members of Pétales can pay")],
)
def test_who_may_not_use_points_is_told_why(shopper, rich, allowed, haircut, use, status, words):
    shopper.add(haircut)
    use(500)
    rich.status = status
    rich.save()
    assert words in shopper.client.get(PAGE).content.decode()
    response = use(500)
    assert words in str(response.context["loyalty_points_form"].errors)
    assert plan(shopper) == [("on_site", D("30.00"), 0)]


def test_who_is_no_member_is_asked_to_join(allowed, shopper, haircut):
    shopper.add(haircut)
    page = shopper.client.get(PAGE).content.decode()
    assert "Members of Pétales can pay with their petals." in page
    assert "/accounts/loyalty/join/" in page


def test_nobody_is_asked_where_the_owner_has_not_switched_it_on(shopper, rich, haircut, use):
    shopper.add(haircut)
    assert "Use my petals" not in shopper.client.get(PAGE).content.decode()
    use(500)
    assert plan(shopper) == [("on_site", D("30.00"), 0)]


def test_a_programme_that_closes_meanwhile_is_said_and_nothing_is_taken(shopper, rich, allowed, haircut, use):
    basket = shopper.add(haircut)
    use(500)
    shopper.client.get("/checkout/preview/")
    members.save_programme(programme=allowed, is_active=False)
    assert "has changed since you looked" in shopper.place().content.decode()
    basket.refresh_from_db()
    assert basket.status == "Open"
    assert "cannot be paid with petals at the moment" in shopper.client.get(PAGE).content.decode()
    shopper.place()
    assert paid() == [("on_site", D("30.00"), 0)]
    assert ledger.balance(rich.account).usable == 2500


def test_points_spent_meanwhile_are_told_not_replaced_by_more_money(shopper, rich, allowed, haircut, use):
    shopper.add(haircut)
    use(2500)
    shopper.client.get("/checkout/preview/")
    books.spend(account=rich.account, units=1000, key="elsewhere")
    assert "has changed since you looked" in shopper.place().content.decode()
    assert not Order.objects.exists()
    shopper.place()
    assert paid()[0] == ("points", D("15.00"), 1500)


def test_points_for_a_gift_card_and_at_the_rate_come_from_one_balance(shopper, rich, allowed, haircut, card_10, use):
    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    use("all")
    assert plan(shopper) == [
        ("points_line", D("10.00"), 1000),
        ("points", D("15.00"), 1500),
        ("on_site", D("15.00"), 0),
    ]
    shopper.place()
    assert ledger.balance(rich.account).usable == 0
    # Both go back as what they were, and nothing twice.
    order = Order.objects.get()
    cancelled = {line.pk: line.quantity for line in order.lines.all()}
    returns.return_lines(order=order, cancelled=cancelled, shipping=True)
    returns.return_lines(order=order, cancelled=cancelled, shipping=True)
    assert ledger.balance(rich.account).usable == 2500
    page = shopper.client.get(f"/accounts/orders/{order.number}/").content.decode()
    assert "1,500\xa0petals given back" in page


def test_points_at_the_rate_buy_no_gift_card(shopper, rich, allowed, card_10, use):
    shopper.add(card_10)
    response = use(500)
    assert "own price in petals" in str(response.context["loyalty_points_form"].errors)


def test_nothing_left_to_pay_asks_for_no_money(shopper, rich, allowed, haircut, use, monkeypatch):
    from oscar.apps.checkout import views

    def never(self, number, total, **kwargs):
        raise AssertionError("Nothing is left to pay.")

    monkeypatch.setattr(views.PaymentDetailsView, "handle_payment", never)
    card = giftcard_services.issue(value=D("5.00"), key="five", deliver=False)
    shopper.add(haircut)
    shopper.add_card(card)
    use("all")
    assert "Nothing left to pay" in shopper.client.get(PAGE).content.decode()
    shopper.place()
    assert paid() == [("points", D("25.00"), 2500), ("giftcard", D("5.00"), 0)]


def test_the_rest_is_nothing_or_what_its_provider_takes(shopper, rich, allowed, haircut, use, monkeypatch):
    from oscar_loyalty.payments import tenders

    monkeypatch.setattr(type(tenders.of("on_site")), "minimum", lambda self, currency: D("10.00"))
    shopper.add(haircut)
    use(2400)
    assert plan(shopper) == [("points", D("20.00"), 2000), ("on_site", D("10.00"), 0)]
    assert "or at least €10.00" in shopper.client.get(PAGE).content.decode()
    shopper.place()
    assert paid() == [("points", D("20.00"), 2000), ("on_site", D("10.00"), 0)]


def test_a_rest_that_nobody_takes_is_refused_with_its_reason(shopper, rich, card_10, haircut, monkeypatch):
    from oscar_loyalty.payments import tenders

    monkeypatch.setattr(type(tenders.of("on_site")), "minimum", lambda self, currency: D("50.00"))
    basket = shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    page = shopper.client.get(PAGE).content.decode()
    assert "€30.00 would be left to pay" in page and "view_preview" not in page
    assert "€30.00 would be left to pay" in shopper.place().content.decode()
    assert "one gift card less" in page
    basket.refresh_from_db()
    assert (basket.status, Order.objects.exists()) == ("Open", False)
    assert ledger.balance(rich.account).usable == 2500


def test_an_order_below_what_its_provider_takes_says_so_plainly(shopper, member, haircut, monkeypatch):
    from oscar_loyalty.payments import tenders

    monkeypatch.setattr(type(tenders.of("on_site")), "minimum", lambda self, currency: D("50.00"))
    shopper.add(haircut)
    page = shopper.client.get(PAGE).content.decode()
    assert "€30.00 cannot be paid this way: the least is €50.00." in page and "one gift card less" not in page


def test_the_script_gets_the_changed_parts_alone(shopper, rich, allowed, haircut, use):
    shopper.add(haircut)
    response = use(1200, loyalty_live="1")
    page = response.content.decode()
    assert "<html" not in page and 'id="loyalty-plan"' in page
    assert "With 1,200\xa0petals you pay €12.00 of this order. Left to pay: €18.00." in page
    assert plan(shopper)[0] == ("points", D("12.00"), 1200)
    page = use(99999, loyalty_live="1").content.decode()
    assert "You asked for 99999. At most 2,500\xa0petals" in page
    page = use("x", loyalty_live="1").content.decode()
    assert "Enter a whole number" in page


def test_every_part_can_be_taken_away_on_both_pages(shopper, rich, allowed, haircut, issue, use):
    card = issue("10.00")
    shopper.add(haircut)
    shopper.add_card(card)
    use(500)
    for page in (PAGE, "/checkout/preview/"):
        text = shopper.client.get(page).content.decode()
        assert 'name="loyalty_points_do" value="none"' in text
        assert f'name="loyalty_remove_card" value="{card.pk}"' in text
    use("none", page="/checkout/preview/")
    assert plan(shopper) == [("giftcard", D("10.00"), 0), ("on_site", D("20.00"), 0)]


def test_a_card_of_another_currency_is_refused_at_the_field_and_in_the_service(shopper, programme, haircut):
    from django.contrib.sites.models import Site
    from oscar.core.prices import Price

    from oscar_loyalty.payments.planning import Plan, PlanTender

    yen = giftcard_services.issue(value=D("5000"), currency="JPY", key="yen", deliver=False)
    basket = shopper.add(haircut)
    assert "another currency" in str(shopper.add_card(yen).context["loyalty_form"].errors)
    total = Price(currency="EUR", excl_tax=D("30.00"), tax=D("0.00"))
    forged = Plan((PlanTender("giftcard", D("30.00"), card=yen.pk),), D("30.00"), D(0), 0, D("30.00"))
    with pytest.raises(PaymentProblem, match="another currency"):
        # begin() commits, so it refuses to run in the test's own transaction: its inside is what is tested.
        services._begin(
            basket=basket, total=total, user=shopper.user, member=None, site=Site.objects.get_current(),
            cards=[yen], plan=forged, order_number="1", submission={},
        )  # fmt: skip
    assert giftcards.balance(yen).amount == D("5000")


def test_the_owners_page_of_the_order_says_what_paid(shopper, rich, allowed, haircut, issue, use, admin_client):
    card = issue("10.00")
    shopper.add(haircut)
    shopper.add_card(card)
    use(500)
    shopper.place()
    order = Order.objects.get()
    page = admin_client.get(f"/dashboard/orders/{order.number}/").content.decode()
    assert "Paid with" in page and "500\xa0petals" in page and f"Gift card {card.label}" in page


def test_the_payment_page_asks_a_bounded_number_of_queries(
    shopper, rich, allowed, haircut, card_10, issue, use, django_assert_max_num_queries
):
    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    for value in ("2.00", "3.00", "4.00", "5.00"):
        shopper.add_card(issue(value))
    use(500)
    with django_assert_max_num_queries(75):
        shopper.client.get(PAGE)


def test_an_invoice_pays_nothing_yet(shopper, rich, card_10, monkeypatch):
    from oscar_loyalty.checkout.views import PaymentDetailsView

    monkeypatch.setattr(PaymentDetailsView, "money_kind", "shop")
    monkeypatch.setattr(PaymentDetailsView, "money_is_paid", False)
    shopper.add(card_10)
    assert "To pay later" in shopper.client.get(PAGE).content.decode()
    shopper.place()
    order = Order.objects.get()
    assert [part.kind for part in selectors.paid_with(order)] == ["later"]
    assert giftcards.cards_of_order(order).get().state == "waiting"
    assert not order.sources.exists()
    order.set_status("Being processed")
    order.set_status("Complete")
    assert giftcards.cards_of_order(order).get().state == "active"
