"""What comes back of cancelled orders whose gift cards are used meanwhile."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.contrib.sites.models import Site
from oscar.core.loading import get_model
from oscar.core.prices import Price

from oscar_loyalty import clock
from oscar_loyalty.checkout import cards
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.ledger import audit, books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments import clicks, returns, services
from oscar_loyalty.reports import audit as reports

Order = get_model("order", "Order")
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _books_agree(db):
    yield
    assert list(audit.audit()) == []


@pytest.fixture
def bought(shopper, rich, card_10):
    """A gift card that was bought with 1,000 of 2,500 points."""
    shopper.add(card_10, pay_with_points=True)
    shopper.place()
    return giftcards.cards_of_order(Order.objects.get()).get()


def cancel(order):
    order.set_status("Cancelled")
    due.sweep()
    due.sweep()


def begin(basket, card):
    """Set the card aside, as a checkout does that is not over yet."""
    total = Price(currency="EUR", excl_tax=D("30.00"), tax=D("0.00"))
    plan = services.plan_for(basket=basket, total=total.incl_tax, cards=[card])
    return services.begin(
        basket=basket,
        total=total,
        user=basket.owner,
        member=None,
        site=Site.objects.get_current(),
        cards=[card],
        plan=plan,
    )


def test_one_of_three_returns_a_whole_third(shopper, rich, card_10):
    books.earn(account=rich.account, units=500, key="more", usable_from=clock.now(), kind="adjust")
    shopper.add(card_10, quantity=3, pay_with_points=True)
    shopper.place()
    order = Order.objects.get()
    for gone in (1, 2, 3):
        returns.return_lines(order=order, cancelled={order.lines.get().pk: gone})
        assert ledger.balance(rich.account).usable == gone * 1000


def test_a_card_that_is_about_to_pay_gives_no_points_back(shopper, rich, haircut, bought):
    attempt = begin(shopper.add(haircut), bought)
    cancel(Order.objects.get())
    assert ledger.balance(rich.account).usable == 1500
    services.cancel(attempt=attempt)
    due.sweep()
    assert ledger.balance(rich.account).usable == 2500
    assert giftcards.balance(bought).amount == 0


def test_what_comes_back_to_a_cancelled_card_becomes_points_again(shopper, rich, haircut, bought):
    first = Order.objects.get()
    shopper.add(haircut)
    shopper.add_card(bought)
    shopper.place()
    cancel(first)
    assert ledger.balance(rich.account).usable == 1500
    cancel(Order.objects.exclude(pk=first.pk).get())
    assert ledger.balance(rich.account).usable == 2500
    assert giftcards.balance(bought).amount == 0


def test_a_card_whose_points_went_back_is_not_put_to_use_again(shopper, rich, bought):
    cancel(Order.objects.get())
    assert ledger.balance(rich.account).usable == 2500
    with pytest.raises(giftcard_services.GiftCardError):
        giftcard_services.enable(card=bought)
    assert giftcards.balance(bought).amount == 0


def test_a_card_that_was_lost_before_its_order_was_cancelled_is_not_put_to_use_again(shopper, rich, bought):
    giftcard_services.disable(card=bought, reason="lost")
    cancel(Order.objects.get())
    assert ledger.balance(rich.account).usable == 2500
    with pytest.raises(giftcard_services.GiftCardError):
        giftcard_services.enable(card=bought)
    assert giftcards.balance(bought).amount == 0


def test_who_typed_the_old_code_cannot_pay_with_the_new_one(shopper, programme, haircut, issue):
    card = issue("25.00")
    shopper.add(haircut)
    shopper.add_card(card)
    giftcard_services.reissue(card=card, reason="sent to the wrong person", deliver=False)
    shopper.client.get("/checkout/preview/")
    shopper.place()
    assert giftcards.balance(card).amount == D("25.00")
    tenders = get_loyalty_model("loyalty_payments", "Tender").objects
    assert [tender.kind for tender in tenders.all()] == ["on_site"]


def test_a_second_click_with_a_card_follows_the_first(shopper, programme, haircut, issue, monkeypatch):
    card = issue("25.00")
    basket = shopper.add(haircut)
    shopper.add_card(card)
    shopper.client.get("/checkout/preview/")
    begin(basket, card)
    monkeypatch.setattr(services, "wait_for", lambda *, attempt: attempt)
    response = shopper.place()
    assert response.url == "/basket/"
    assert shopper.client.session[cards.KEY] == [[card.pk, 1]]


def test_nobody_waits_for_a_customer_who_pays_elsewhere(shopper, programme, haircut, issue, monkeypatch):
    attempt = begin(shopper.add(haircut), issue("25.00"))
    services.redirected(attempt=attempt)
    slept = []
    monkeypatch.setattr(clicks.time, "sleep", slept.append)
    assert services.wait_for(attempt=attempt, patience=0.2).state == "open"
    assert slept == []


def test_the_page_with_the_codes_lies_in_no_cache(shopper, bought):
    response = shopper.client.get("/checkout/thank-you/")
    assert giftcard_services.code_of(bought) in response.content.decode()
    assert "no-store" in response["Cache-Control"]


def test_a_typed_code_is_in_no_report_of_an_error(shopper, programme, haircut, monkeypatch):
    from django.views.debug import SafeExceptionReporterFilter

    def broken(code, **kwargs):
        raise OSError("the database is away")

    shopper.add(haircut)
    monkeypatch.setattr(giftcard_services, "look_up", broken)
    shopper.client.raise_request_exception = False
    response = shopper.client.post("/checkout/preview/", {"loyalty_add_card": "1", "code": "SECRET"})
    assert response.status_code == 500
    monkeypatch.setattr(SafeExceptionReporterFilter, "is_active", lambda self, request: True)
    assert "SECRET" not in str(SafeExceptionReporterFilter().get_post_parameters(response.wsgi_request))


@pytest.mark.parametrize("number", ["²", "9" * 30, "-1", "x"])
def test_nonsense_for_a_basket_is_passed_over(shopper, programme, haircut, number):
    shopper.add(haircut)
    assert shopper.place(loyalty_basket=number).url == "/checkout/thank-you/"


def test_what_comes_back_to_a_card_that_has_ended_can_be_spent_for_a_while(time, shopper, rich, haircut):
    card = giftcard_services.issue(value=D("25.00"), key="ends", expires_at=time.at + timedelta(days=5), deliver=False)
    shopper.add(haircut)
    shopper.add_card(card)
    shopper.place()
    time.advance(days=10)
    due.sweep()
    cancel(Order.objects.get())
    assert giftcards.balance(card).amount == 25
    time.advance(days=29)
    assert giftcards.balance(card).amount == 25
    time.advance(days=1)
    assert giftcards.balance(card).amount == 0
    assert reports.run(keep=False).findings == []
