"""The gift-card page: one's own amount, designs and the day; and the card to print after the order."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.test.utils import CaptureQueriesContext
from oscar.core.loading import get_model

from oscar_loyalty.giftcards import delivery, services
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards.strategy import GiftCardStrategy
from oscar_loyalty.loading import get_model as get_loyalty_model

Line = get_model("basket", "Line")
pytestmark = pytest.mark.django_db
PRESENT = {
    "for_whom": "present",
    "recipient_name": "Zoé",
    "recipient_email": "zoe@example.com",
    "message": "Hi!",
    "design": "ribbon",
}
PLAIN = str.maketrans("\xa0", " ")


def text(response):
    return response.content.decode().translate(PLAIN)


@pytest.fixture
def choice(db, monkeypatch):
    def strategy(self, request=None, user=None, **kwargs):
        return GiftCardStrategy(request)

    monkeypatch.setattr("oscar.apps.partner.strategy.Selector.strategy", strategy)
    return services.set_custom_amount(minimum=D(15), maximum=D(500), step=D(5))


def buy(client, **fields):
    return client.post("/gift-cards/", {**PRESENT, "buy_amount": "money", "amount": "35", **fields})


def test_a_card_of_ones_own_amount(shopper, choice):
    day = delivery.today() + timedelta(days=7)
    assert buy(shopper, deliver_on=day.isoformat()).url == "/basket/"
    line = Line.objects.get()
    chosen = giftcards.line_options(line)
    assert (chosen.amount, chosen.design, chosen.deliver_on) == (D("35.00"), "ribbon", day)
    assert line.price_incl_tax == D("35.00")
    page = text(shopper.get("/basket/"))
    assert page.count("Gift card €35.00") >= 2
    assert "increased" not in page
    assert "Order total" in page and "€35.00" in page
    # The same again is the same line; written otherwise too.
    buy(shopper, deliver_on=day.isoformat(), amount="35.00")
    assert Line.objects.get().quantity == 2


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ("14", "Please choose an amount between €15.00 and €500.00."),
        ("36", "Please choose an amount in steps of €5.00, from €15.00 up."),
        ("-35", "Please choose an amount between"),
        ("", "Please say how much is to be on the card."),
        ("NaN", "Enter a number."),
        ("1e400", "Ensure that there are no more than 12 digits"),
    ],
)
def test_another_amount_is_refused_at_its_field(shopper, choice, amount, told):
    response = buy(shopper, amount=amount)
    page = text(response)
    assert told in page
    assert 'id="id_amount_error"' in page
    assert "autofocus" in page
    assert "zoe@example.com" in page
    assert not Line.objects.exists()


def test_a_broken_amount_disturbs_nobody_who_buys_another_card(shopper, choice, ten):
    shopper.post("/gift-cards/", {"for_whom": "myself", "amount": "nonsense", "buy": ten.pk})
    assert giftcards.line_options(Line.objects.get()).amount is None


def test_without_the_owners_bounds_there_is_no_choice(shopper, ten):
    assert "An amount of your choice" not in text(shopper.get("/gift-cards/"))
    buy(shopper)
    assert not Line.objects.exists()


def test_without_our_strategy_it_is_not_offered(shopper, choice, monkeypatch):
    monkeypatch.undo()
    assert "An amount of your choice" not in text(shopper.get("/gift-cards/"))
    buy(shopper)
    assert not Line.objects.exists()


def test_a_line_that_lost_its_bounds_stops_the_checkout(shopper, choice):
    buy(shopper)
    services.set_custom_amount(minimum=D(50), maximum=D(500), step=D(5))
    page = text(shopper.get("/basket/"))
    assert "Please choose an amount between €50.00 and €500.00." in page
    response = shopper.get("/checkout/payment-details/", follow=True)
    assert response.redirect_chain[-1][0].startswith("/basket/")


@pytest.mark.parametrize(
    ("days", "told"),
    [(-1, "This day is over."), (800, "Please choose a day until")],
)
def test_days_that_cannot_be_are_told_at_their_field(shopper, ten, days, told):
    day = delivery.today() + timedelta(days=days)
    response = shopper.post("/gift-cards/", {**PRESENT, "buy": ten.pk, "deliver_on": day.isoformat()})
    page = text(response)
    assert told in page and 'id="id_deliver_on_error"' in page
    assert not Line.objects.exists()


def test_today_is_no_day_to_wait_for(shopper, ten):
    shopper.post("/gift-cards/", {**PRESENT, "buy": ten.pk, "deliver_on": delivery.today().isoformat()})
    assert giftcards.line_options(Line.objects.get()).deliver_on is None


def test_a_design_that_is_none(shopper, ten):
    response = shopper.post("/gift-cards/", {**PRESENT, "buy": ten.pk, "design": "../../etc"})
    assert response.status_code == 200
    assert not Line.objects.exists()


def test_looking_at_the_card_keeps_everything_and_complains_about_nothing(shopper, choice):
    response = shopper.post("/gift-cards/", {**PRESENT, "recipient_email": "", "amount": "50", "preview": "1"})
    page = text(response)
    assert "loyalty-errors" not in page.partition("loyalty-gift")[2].partition("</form>")[0] or "⚠" not in page
    assert "data-loyalty-amount>€50.00<" in page
    assert 'data-loyalty-shows="recipient_name">Zoé<' in page
    assert not Line.objects.exists()


def test_a_shops_own_design_is_drawn(shopper, ten, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_DESIGNS = {
        "stars": {
            "name": "Étoiles",
            "template": "oscar_loyalty/designs/confetti.svg",
            "picture": "oscar_loyalty/designs/confetti.png",
        },
    }
    page = text(shopper.get("/gift-cards/"))
    assert "Étoiles" in page and 'id="loyalty-art-stars"' in page


def test_the_queries_do_not_grow_with_the_cards_on_sale(shopper, member, choice, django_assert_max_num_queries):
    from django.db import connection

    services.set_denomination(value=D(10))
    shopper.get("/gift-cards/")
    with CaptureQueriesContext(connection) as few:
        shopper.get("/gift-cards/")
    for value in range(20, 40):
        services.set_denomination(value=D(value))
    with django_assert_max_num_queries(len(few)):
        shopper.get("/gift-cards/")


# The card to print


@pytest.fixture
def bought(user, ten, shopper, put):
    """An order of the shopper's with a card for oneself, paid, whose page was looked at."""
    put(ten.product)
    shopper.get("/checkout/shipping-method/")
    shopper.post("/checkout/preview/", {"action": "place_order"})
    order = get_model("order", "Order").objects.get()
    from oscar_loyalty.payments import services as payments

    payments.mark_paid(order=order)
    return get_loyalty_model("loyalty_giftcards", "GiftCard").objects.get()


def test_it_is_saved_once_by_whoever_was_shown_the_code(shopper, bought, client, django_user_model):
    address = f"/gift-cards/{bought.uuid}/print/"
    # Not before the code was shown.
    assert shopper.post(address).status_code == 302
    assert "loyalty-secret" in text(shopper.get("/checkout/thank-you/"))
    response = shopper.post(address)
    assert response["Content-Type"] == "application/pdf"
    assert "no-store" in response["Cache-Control"]
    assert response.content.startswith(b"%PDF-")
    again = shopper.post(address, follow=True)
    assert "This card was saved before." in text(again)
    assert shopper.get(address).status_code == 405


def test_nobody_else_saves_it(shopper, bought, client, django_user_model):
    from django.test import Client

    shopper.get("/checkout/thank-you/")
    address = f"/gift-cards/{bought.uuid}/print/"
    other = Client()
    assert other.post(address).status_code == 404
    other.force_login(django_user_model.objects.create_superuser("boss", "boss@example.com", "petale-demo"))
    assert other.post(address).status_code == 404
    bought.refresh_from_db()
    assert bought.printed_at is None
