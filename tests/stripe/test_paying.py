"""Paying by card through the shop's own pages: to Stripe's page, and back from it in every way there is."""

from decimal import Decimal as D

import pytest
from oscar.core.loading import get_model
from oscar.test.factories import create_product, create_stockrecord

from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.payments import settling
from tests.checkout.conftest import Shopper
from tests.stripe.conftest import last_attempt, tender_of

Order, Basket = get_model("order", "Order"), get_model("basket", "Basket")
pytestmark = pytest.mark.django_db


def test_a_card_pays_what_points_and_gift_cards_do_not(bank, to_stripe, ways, shopper, rich, haircut, card_10, issue):
    card = issue("12.00")
    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    shopper.add_card(card)
    shopper.client.get("/checkout/preview/")
    to_stripe(shopper)
    assert not Order.objects.exists()
    assert ledger.balance(rich.account).usable == 1500
    attempt = last_attempt()
    bank.pay(attempt)
    response = shopper.client.get(ways(attempt)["paid"])
    assert response.url == "/checkout/thank-you/"
    order = Order.objects.get()
    assert order.number == attempt.order_number
    tender = tender_of(attempt)
    assert (tender.state, tender.amount, tender.detail["last4"]) == ("captured", D("18.00"), "4242")
    source = order.sources.get(source_type__name="Stripe")
    assert (source.amount_allocated, source.amount_debited) == (D("18.00"), D("18.00"))
    assert source.transactions.get().reference == tender.reference
    assert Basket.objects.get(pk=order.basket_id).status == "Submitted"
    assert giftcards.cards_of_order(order).get().state == "active"
    page = shopper.client.get("/checkout/thank-you/")
    assert order.number in page.content.decode()
    assert bank.books()["currencies"]["eur"]["captured"] == 1800


def test_stripe_is_asked_for_one_line_that_is_set_aside(bank, to_stripe, shopper, member, haircut):
    shopper.add(haircut)
    to_stripe(shopper)
    session = bank.running.client().v1.checkout.sessions.retrieve(tender_of(last_attempt()).session)
    assert session.amount_total == 3000
    assert session.expires_at == bank.control.now() + 31 * 60
    assert session.payment_method_types == ["card"]
    assert session.client_reference_id == str(last_attempt().uuid)
    assert session.customer_email == shopper.user.email
    assert "/checkout/card/paid/" in session.success_url
    bank.pay()
    [intent] = bank.books()["payment_intents"].values()
    assert (intent["status"], intent["authorised"]) == ("requires_capture", 3000)


def test_opened_twice_the_page_shows_the_same_order(bank, to_stripe, ways, shopper, member, haircut):
    shopper.add(haircut)
    to_stripe(shopper)
    bank.pay()
    for _time in range(2):
        assert shopper.client.get(ways(last_attempt())["paid"]).url == "/checkout/thank-you/"
    assert Order.objects.count() == 1


def test_logged_out_meanwhile(bank, to_stripe, ways, shopper, member, haircut):
    shopper.add(haircut)
    to_stripe(shopper)
    bank.pay()
    stranger = Shopper()
    assert stranger.client.get(ways(last_attempt())["paid"]).url == "/checkout/thank-you/"
    # This shop shows its checkout to those who are logged in; the page is there after that.
    stranger.client.force_login(shopper.user)
    assert Order.objects.get().number in stranger.client.get("/checkout/thank-you/").content.decode()


def test_somebody_else_who_is_logged_in_sees_nothing(bank, to_stripe, ways, shopper, new_shopper, member, haircut):
    shopper.add(haircut)
    to_stripe(shopper)
    bank.pay()
    assert new_shopper().client.get(ways(last_attempt())["paid"]).status_code == 404
    assert shopper.client.get("/checkout/card/paid/made-up/").status_code == 404


def test_an_old_link_shows_no_codes(bank, to_stripe, ways, shopper, member, haircut, monkeypatch):
    from oscar_loyalty.payments import links

    shopper.add(haircut)
    to_stripe(shopper)
    bank.pay()
    monkeypatch.setattr(links, "SHOWN_FOR", -1)
    response = shopper.client.get(ways(last_attempt())["paid"])
    assert response.url == f"/accounts/orders/{Order.objects.get().number}/"
    assert "checkout_order_id" not in shopper.client.session


def test_back_from_stripe_the_basket_is_as_it_was(bank, to_stripe, ways, shopper, rich, haircut, card_10):
    basket = shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    to_stripe(shopper)
    attempt = last_attempt()
    response = shopper.client.get(ways(attempt)["back"])
    assert response.url == "/checkout/preview/"
    attempt.refresh_from_db()
    assert (attempt.state, tender_of(attempt).state) == ("cancelled", "cancelled")
    assert ledger.balance(rich.account).usable == 2500
    session = bank.running.client().v1.checkout.sessions.retrieve(tender_of(attempt).session)
    assert session.status == "expired"
    basket.refresh_from_db()
    assert (basket.status, basket.num_lines) == ("Open", 2)
    page = shopper.client.get("/checkout/preview/").content.decode()
    assert "nothing was taken" in page
    # And it can be paid for anew.
    to_stripe(shopper)
    bank.pay()
    assert shopper.client.get(ways(last_attempt())["paid"]).url == "/checkout/thank-you/"


def test_back_after_paying_is_the_order(bank, to_stripe, ways, shopper, member, haircut):
    shopper.add(haircut)
    to_stripe(shopper)
    bank.pay()
    assert shopper.client.get(ways(last_attempt())["back"]).url == "/checkout/thank-you/"
    assert Order.objects.count() == 1


def test_the_browsers_own_back_button(bank, to_stripe, ways, shopper, member, haircut):
    basket = shopper.add(haircut)
    page = to_stripe(shopper)
    response = shopper.client.get("/checkout/preview/", follow=True)
    text = response.content.decode()
    assert "You have not paid yet" in text
    assert page in text
    assert "Refresh" not in response
    # The button on the page as the browser remembers it leads to the same payment.
    assert shopper.place(loyalty_basket=basket.pk).url == page
    shopper.client.get(ways(last_attempt())["back"])
    assert shopper.client.get("/checkout/preview/").status_code == 200


@pytest.mark.parametrize("first", [True, False], ids=["found first", "found last"])
def test_another_basket_meanwhile_takes_nothing_away(first, bank, to_stripe, ways, shopper, member, haircut):
    """Oscar merges a customer's open baskets into whichever the database names first."""
    basket = shopper.add(haircut)
    to_stripe(shopper)
    Basket.objects.create(id=-1 if first else basket.pk + 1000, owner=shopper.user)
    shopper.client.get(ways(last_attempt())["back"])
    assert shopper.client.get("/checkout/preview/").status_code == 200
    left = Basket.open.get(owner=shopper.user)
    assert [(line.product_id, line.quantity) for line in left.all_lines()] == [(haircut.pk, 1)]


def test_the_basket_page_offers_what_was_left_half_way(guests_welcome, bank, programme, haircut):
    guest = Shopper()
    guest.client.post(f"/basket/add/{haircut.pk}/", {"quantity": 1})
    guest.client.post("/checkout/", {"username": "guest@example.com", "options": "anonymous"})
    guest.client.get("/checkout/shipping-method/")
    guest.place()
    assert "Go on with this order" in guest.client.get("/basket/").content.decode()
    # Hours later, the page of the payment is long closed.
    bank.later(hours=3)
    settling.sweep()
    page = guest.client.get("/basket/").content.decode()
    assert "Your last order was not paid" in page
    link = page.partition("/checkout/card/paid/")[2].partition('"')[0]
    guest.client.get(f"/checkout/card/paid/{link}")
    assert guest.client.get("/basket/").context["basket"].num_lines == 1
    assert "loyalty_attempt" not in guest.client.session


def test_a_guest_comes_back_to_the_basket(guests_welcome, bank, programme, ways, haircut):
    guest = Shopper()
    guest.client.post(f"/basket/add/{haircut.pk}/", {"quantity": 1})
    guest.client.post("/checkout/", {"username": "guest@example.com", "options": "anonymous"})
    guest.client.get("/checkout/shipping-method/")
    assert guest.place().url.startswith(bank.running.url)
    attempt = last_attempt()
    # Another page meanwhile: Oscar drops the cookie of the frozen basket.
    guest.client.get("/basket/")
    assert guest.client.get(ways(attempt)["back"]).url == "/checkout/preview/"
    assert guest.client.get("/checkout/preview/").context["basket"].pk == attempt.basket_id
    assert guest.place().url.startswith(bank.running.url)
    bank.pay()
    assert guest.client.get(ways(last_attempt())["paid"]).url == "/checkout/thank-you/"
    order = Order.objects.get()
    assert (order.guest_email, order.user) == ("guest@example.com", None)


def test_a_guest_who_went_on_shopping_meanwhile(guests_welcome, bank, programme, ways, haircut, card_10):
    guest = Shopper()
    guest.client.post(f"/basket/add/{haircut.pk}/", {"quantity": 1})
    guest.client.post("/checkout/", {"username": "guest@example.com", "options": "anonymous"})
    guest.client.get("/checkout/shipping-method/")
    guest.place()
    attempt = last_attempt()
    guest.client.post(f"/basket/add/{haircut.pk}/", {"quantity": 2})
    other = guest.client.get("/basket/").context["basket"].pk
    assert other != attempt.basket_id
    guest.client.get(ways(attempt)["back"])
    basket = guest.client.get("/basket/").context["basket"]
    assert (basket.pk, basket.num_items) == (attempt.basket_id, 3)
    assert Basket.objects.get(pk=other).status == "Merged"


def test_the_page_waits_for_a_bank_that_does_not_answer(bank, to_stripe, ways, shopper, member, haircut):
    shopper.add(haircut)
    to_stripe(shopper)
    bank.pay()
    bank.control.fault("GET /v1/checkout/sessions/*", "500_before", times=2)
    page = ways(last_attempt())["paid"]
    response = shopper.client.get(page)
    assert "being confirmed" in response.content.decode()
    assert response["Refresh"] == f"2; url={page}?look=1"
    # It does not ask for ever.
    response = shopper.client.get(f"{page}?look=20")
    assert "takes longer than usual" in response.content.decode()
    assert "Refresh" not in response
    assert shopper.client.get(f"{page}?look=nonsense").url == "/checkout/thank-you/"


def test_what_cannot_wait_with_the_attempt_is_said_at_once(bank, shopper, member, haircut, monkeypatch):
    """A shop's own view may add to the order; what cannot be kept until it is written is not lost in silence."""
    from oscar_loyalty.checkout.views import PaymentDetailsView

    build = PaymentDetailsView.build_submission

    def with_more(self, **kwargs):
        submission = build(self, **kwargs)
        submission["order_kwargs"]["gift_note"] = object()
        return submission

    basket = shopper.add(haircut)
    monkeypatch.setattr(PaymentDetailsView, "build_submission", with_more)
    assert shopper.place().status_code == 200
    basket.refresh_from_db()
    assert (basket.status, last_attempt(), bank.books()["payment_intents"]) == ("Open", None, {})


def test_a_declined_card_leaves_the_page_open(bank, to_stripe, ways, shopper, member, haircut):
    from stripe_server import ControlError

    shopper.add(haircut)
    to_stripe(shopper)
    with pytest.raises(ControlError):
        bank.pay(card="4000000000000002")
    response = shopper.client.get(ways(last_attempt())["paid"])
    assert "You have not paid yet" in response.content.decode()
    assert Basket.objects.get().status == "Frozen"
    bank.pay()
    assert shopper.client.get(ways(last_attempt())["paid"]).url == "/checkout/thank-you/"


def test_who_never_comes_back(bank, to_stripe, shopper, rich, haircut, card_10):
    shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    to_stripe(shopper)
    attempt = last_attempt()
    bank.later(minutes=6)
    settling.sweep()
    attempt.refresh_from_db()
    # The page is still open: nothing is free before Stripe says that it is not.
    assert (attempt.state, ledger.balance(rich.account).usable) == ("open", 1500)
    bank.control.fault("* /v1/checkout/sessions*", "500_before", times=100)
    bank.later(minutes=30)
    settling.sweep()
    attempt.refresh_from_db()
    assert (attempt.state, ledger.balance(rich.account).usable) == ("open", 1500)
    bank.control.faults(clear=True)
    bank.later(minutes=2)
    settling.sweep()
    attempt.refresh_from_db()
    assert (attempt.state, attempt.basket.status) == ("cancelled", "Open")
    assert ledger.balance(rich.account).usable == 2500


def test_who_paid_and_never_comes_back_has_an_order(bank, to_stripe, shopper, member, haircut):
    shopper.add(haircut)
    to_stripe(shopper)
    bank.pay()
    assert not Order.objects.exists()
    bank.later(minutes=6)
    assert settling.sweep() == 1
    assert Order.objects.get().user == shopper.user
    assert tender_of(last_attempt()).state == "captured"


def test_stripe_away_when_asked_for_a_page(bank, shopper, rich, haircut, card_10):
    basket = shopper.add(haircut)
    shopper.add(card_10, pay_with_points=True)
    bank.control.fault("POST /v1/checkout/sessions", "500_stored")
    response = shopper.place()
    assert "does not work at the moment" in response.content.decode()
    basket.refresh_from_db()
    assert (basket.status, last_attempt().state) == ("Open", "cancelled")
    assert ledger.balance(rich.account).usable == 2500
    assert shopper.place().url.startswith(bank.running.url)


def test_nothing_left_to_pay(bank, shopper, rich, card_10):
    shopper.add(card_10, pay_with_points=True)
    assert shopper.place().url == "/checkout/thank-you/"
    assert bank.books()["payment_intents"] == {}


def test_at_the_salon_instead(bank, shopper, member, haircut):
    shopper.add(haircut)
    page = shopper.client.get("/checkout/payment-details/").content.decode()
    assert "Now, by card" in page
    assert "At the salon" in page
    assert (
        shopper.client.post("/checkout/payment-details/", {"loyalty_choose_money": "1", "loyalty_money": "on_site"}).url
        == "/checkout/preview/"
    )
    assert shopper.place().url == "/checkout/thank-you/"
    assert last_attempt().tenders.get().kind == "on_site"


def test_without_keys_the_shop_runs(bank, settings, shopper, member, haircut):
    settings.OSCAR_LOYALTY_STRIPE_SECRET_KEY = ""
    shopper.add(haircut)
    assert "Now, by card" not in shopper.client.get("/checkout/payment-details/").content.decode()
    assert shopper.place().url == "/checkout/thank-you/"
    assert shopper.client.post("/stripe/webhook/", b"{}", content_type="application/json").status_code == 400


def test_a_guest_who_logged_in_meanwhile_has_both_baskets(guests_welcome, bank, programme, ways, haircut, new_shopper):
    account = new_shopper()
    own = account.add(haircut, quantity=3)
    colour = create_product(title="Colour", product_class="Service")
    create_stockrecord(colour, price=D("40.00"), partner_name="Salon")
    colour.stockrecords.update(price_currency="EUR")
    guest = Shopper()
    for product in (haircut, colour):
        guest.client.post(f"/basket/add/{product.pk}/", {"quantity": 1})
    guest.client.post("/checkout/", {"username": "guest@example.com", "options": "anonymous"})
    guest.client.get("/checkout/shipping-method/")
    assert guest.place().url.startswith(bank.running.url)
    attempt = last_attempt()
    guest.client.force_login(account.user)
    assert guest.client.get("/basket/").context["basket"].pk == own.pk
    guest.client.get(ways(attempt)["back"])
    for client in (guest.client, account.client):
        basket = client.get("/basket/").context["basket"]
        # As Oscar merges baskets of whoever logs in: the larger number of the same.
        assert (basket.pk, basket.owner, basket.num_items) == (own.pk, account.user, 4)
    attempt.basket.refresh_from_db()
    assert attempt.basket.status == "Merged"


def test_points_and_cards_of_an_order_placed_behind_the_scenes_are_not_those_of_the_next(
    bank, to_stripe, shopper, rich, haircut, issue
):
    from oscar_loyalty.checkout import cards, going_on, points

    card = issue("5.00")
    shopper.add(haircut)
    shopper.add_card(card)
    shopper.client.get("/checkout/preview/")
    session = shopper.client.session
    session[points.KEY] = 100
    session.save()
    to_stripe(shopper)
    bank.pay()
    assert settling.settle(attempt=last_attempt(), at_once=True) == "placed"
    # The window was closed; the visitor goes on shopping.
    shopper.add(haircut)
    page = shopper.client.get("/checkout/preview/")
    assert page.context["loyalty_cards"] == []
    session = shopper.client.session
    assert not {cards.KEY, points.KEY, going_on.KEY} & set(session.keys())
    # What the next checkout has been told stays.
    assert session["checkout_data"]["shipping"]


def test_an_order_placed_behind_the_scenes_ends_the_checkout(bank, to_stripe, shopper, rich, haircut):
    shopper.add(haircut)
    to_stripe(shopper)
    bank.pay()
    assert settling.settle(attempt=last_attempt(), at_once=True) == "placed"
    shopper.client.get("/basket/")
    assert shopper.client.session["checkout_data"] == {}
