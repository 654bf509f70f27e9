"""The gift-card page, the balance page and the switch in the basket."""

from decimal import Decimal as D

import pytest
from oscar.core.loading import get_model

from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.ledger import books
from oscar_loyalty.members import services as members

Line = get_model("basket", "Line")
pytestmark = pytest.mark.django_db
PRESENT = {"for_whom": "present", "recipient_name": "Zoé", "recipient_email": "zoe@example.com", "message": "Hi!"}
PLAIN = str.maketrans("\xa0", " ")


def text(response):
    return response.content.decode().translate(PLAIN)


def options(line):
    return giftcards.line_options(line)


def test_both_prices_are_shown(shopper, member, give, ten):
    give(1240)
    giftcard_services.set_denomination(value=D("40.00"), points_price=3400)
    page = text(shopper.get("/gift-cards/"))
    assert "1,240 petals" in page
    assert "Pay with points: 1,000 petals" in page
    assert "You are missing 2,160 petals." in page
    assert page.count("You are missing") == 1
    assert page.count("disabled aria-describedby") == 1


def test_a_stranger_is_invited_and_can_buy_with_money(client, programme, ten):
    page = text(client.get("/gift-cards/"))
    assert "Join Pétales" in page
    assert "For members." in page
    response = client.post("/gift-cards/", {"for_whom": "myself", "buy": ten.pk})
    assert response.url == "/basket/"
    assert not options(Line.objects.get()).pay_with_points


def test_without_a_programme_points_are_not_spoken_of(client, ten):
    page = text(client.get("/gift-cards/"))
    assert "€10.00" in page
    assert "points" not in page.partition("loyalty-lead")[2].lower()


def test_nothing_on_sale_is_said(client, programme):
    assert "There are no gift cards on sale" in text(client.get("/gift-cards/"))


def test_a_present_for_points(shopper, member, give, ten):
    give(1000)
    response = shopper.post("/gift-cards/", {**PRESENT, "buy_with_points": ten.pk})
    assert response.url == "/basket/"
    chosen = options(Line.objects.get())
    assert (chosen.recipient_name, chosen.recipient_email, chosen.message) == ("Zoé", "zoe@example.com", "Hi!")
    assert chosen.pay_with_points


def test_a_card_for_oneself_forgets_what_was_typed_for_a_present(shopper, member, ten):
    shopper.post("/gift-cards/", {**PRESENT, "for_whom": "myself", "recipient_email": "nonsense", "buy": ten.pk})
    chosen = options(Line.objects.get())
    assert (chosen.recipient_name, chosen.recipient_email, chosen.message) == ("", "", "")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"recipient_email": "zoe"}, "Enter a valid email address."),
        ({"recipient_email": ""}, "Please tell us where to send the card."),
        ({"recipient_name": " "}, "Please tell us whom the card is for."),
    ],
)
def test_errors_keep_what_was_typed(shopper, member, ten, changed, told):
    response = shopper.post("/gift-cards/", {**PRESENT, **changed, "buy": ten.pk})
    page = text(response)
    assert told in page
    assert "Hi!" in page
    assert "autofocus" in page
    assert not Line.objects.exists()


def test_points_in_the_basket_count_as_spent(shopper, member, give, ten, put):
    give(1500)
    put(ten.product, pay_with_points=True)
    assert "You are missing 500 petals." in text(shopper.get("/gift-cards/"))
    response = shopper.post("/gift-cards/", {"for_whom": "myself", "buy_with_points": ten.pk})
    assert "You are missing 500 petals for this gift card." in text(response)
    assert Line.objects.get().quantity == 1


def test_a_member_on_hold_cannot_pay_with_points(shopper, member, give, ten):
    give(5000)
    members.set_status(member=member, status="frozen")
    page = text(shopper.get("/gift-cards/"))
    assert "on hold" in page
    response = shopper.post("/gift-cards/", {"for_whom": "myself", "buy_with_points": ten.pk})
    assert "on hold or closed" in text(response)


@pytest.mark.parametrize("button", [{}, {"buy": "999"}, {"buy": "x"}, {"buy_with_points": "999"}])
def test_a_card_that_is_not_on_sale(shopper, member, ten, button):
    response = shopper.post("/gift-cards/", {"for_whom": "myself", **button})
    assert response.status_code == 200
    assert not Line.objects.exists()


# The switch in the basket


def test_a_line_is_switched_to_points_and_back(shopper, member, give, ten, put):
    give(2500)
    line = put(ten.product, quantity=2)
    page = text(shopper.get("/basket/"))
    assert "Pay with points: 2,000 petals" in page
    shopper.post(f"/gift-cards/pay-with-points/{line.pk}/", {"on": "1"})
    assert options(Line.objects.get()).pay_with_points
    page = text(shopper.get("/basket/"))
    assert "2,000 petals of your 2,500 petals are used here." in page
    assert "−€20.00" in page
    shopper.post(f"/gift-cards/pay-with-points/{Line.objects.get().pk}/", {"on": "0"})
    assert not options(Line.objects.get()).pay_with_points


def test_too_few_points_are_told(shopper, member, give, ten, put):
    give(400)
    line = put(ten.product)
    assert "You are missing 600 petals." in text(shopper.get("/basket/"))
    response = shopper.post(f"/gift-cards/pay-with-points/{line.pk}/", {"on": "1"}, follow=True)
    assert "You are missing 600 petals for this gift card." in text(response)
    assert not options(Line.objects.get()).pay_with_points


def test_missing_points_are_told_in_the_basket_and_at_payment(shopper, member, give, ten, put):
    give(1000)
    put(ten.product, pay_with_points=True)
    books.spend(account=member.account, units=300, key="spent elsewhere", kind="spend")
    told = "You are missing 300 petals for the gift cards you want to pay with points."
    assert told in text(shopper.get("/basket/"))
    shopper.get("/checkout/shipping-method/")
    page = text(shopper.get("/checkout/payment-details/"))
    assert told in page
    assert "Change it in the basket" in page
    assert "view_preview" not in page


def test_a_line_of_somebody_else_is_not_found(client, django_user_model, member, ten, put):
    line = put(ten.product)
    other = django_user_model.objects.create_user("other", "other@example.com", "petale-demo")
    client.force_login(other)
    assert client.post(f"/gift-cards/pay-with-points/{line.pk}/", {"on": "1"}).status_code == 404
    assert client.get(f"/gift-cards/pay-with-points/{line.pk}/").status_code == 405


def test_lines_read_as_people_say_it(shopper, member, give, ten, put):
    give(1000)
    put(ten.product, pay_with_points=True, recipient_name="Zoé <&>", recipient_email="z@example.com", message="Hi!")
    page = text(shopper.get("/basket/"))
    assert "Gift card €10.00 · Zoé &lt;&amp;&gt;" in page
    assert "Pay with points = " not in page
    assert "<&>" not in page


# The balance page


def test_the_balance_of_a_card(client):
    card = giftcard_services.issue(value=D("25.00"), key="test", deliver=False)
    response = client.post("/gift-cards/balance/", {"code": giftcard_services.code_of(card).lower()})
    page = text(response)
    assert "€25.00" in page
    assert "Nothing has been spent" in page
    # The code is neither shown again nor kept by anybody between.
    assert giftcard_services.code_of(card) not in page.upper()
    assert "no-store" in response["Cache-Control"]


def test_wrong_codes_are_answered_alike_and_limited(client, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_ATTEMPTS = 3
    disabled = giftcard_services.issue(value=D("25.00"), key="test", deliver=False)
    code = giftcard_services.code_of(disabled)
    giftcard_services.disable(card=disabled)
    answers = []
    for typed in ("nonsense", "ABCD-EFGH-JKLM-NPQR-STUV", code):
        page = text(client.post("/gift-cards/balance/", {"code": typed}))
        assert "autofocus" in page
        answers.append("This code does not work. Check it letter by letter." in page)
    assert answers == [True, True, True]
    good = giftcard_services.issue(value=D("25.00"), key="good", deliver=False)
    page = text(client.post("/gift-cards/balance/", {"code": giftcard_services.code_of(good)}))
    assert "Too many wrong codes." in page
