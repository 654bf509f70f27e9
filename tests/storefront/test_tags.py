"""The tags on the shop's own pages: right, and never in the way."""

from decimal import Decimal as D

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from oscar.core.loading import get_class, get_model

from oscar_loyalty.earning import rules
from oscar_loyalty.earning import selectors as earning
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.members import services as members

pytestmark = pytest.mark.django_db
PLAIN = str.maketrans("\xa0", " ")


def text(response):
    return response.content.decode().translate(PLAIN)


@pytest.fixture
def own(programme, haircut):
    rules.set_product_points(product=haircut, points=80)
    return haircut


def test_product_and_basket_say_what_one_will_earn_and_why(shopper, member, own, put):
    page = text(shopper.get(own.get_absolute_url()))
    assert "You will earn <strong>80 petals</strong>." in page
    assert "Why?" in page
    put(own, quantity=2)
    assert "You will earn <strong>160 petals</strong>." in text(shopper.get("/basket/"))
    shopper.get("/checkout/shipping-method/")
    assert "You will earn <strong>160 petals</strong>." in text(shopper.get("/checkout/preview/"))


def test_the_preview_at_checkout_is_what_the_order_brings(shopper, member, give, own, ten, put):
    give(1000)
    put(own)
    put(ten.product, pay_with_points=True)
    shopper.get("/checkout/shipping-method/")
    code = giftcards.code_of(giftcards.issue(value=D("20.00"), key="test", deliver=False))
    shopper.post("/checkout/payment-details/", {"loyalty_add_card": "1", "code": code})
    # Two thirds of the haircut are paid with the card.
    page = text(shopper.get("/checkout/preview/"))
    assert "You will earn <strong>26 petals</strong>." in page
    assert "Paid with gift cards" in page
    shopper.post("/checkout/preview/", {"action": "place_order"})
    assert "This order brings you <strong>26 petals</strong>." in text(shopper.get("/checkout/thank-you/"))


def test_others_hear_what_members_earn(client, own):
    page = text(client.get(own.get_absolute_url()))
    assert "Members earn <strong>80 petals</strong> with this." in page


def test_a_product_without_points_says_nothing(shopper, member, haircut):
    assert "loyalty-earn" not in text(shopper.get(haircut.get_absolute_url()))


@pytest.mark.parametrize("address", ["product", "/basket/", "/", "/checkout/preview/"])
def test_an_error_never_breaks_a_page_of_the_shop(shopper, member, own, put, address, monkeypatch, caplog):
    def fail(*args, **kwargs):
        raise RuntimeError("earning is broken")

    put(own)
    shopper.get("/checkout/shipping-method/")
    for name in ("preview_product", "preview_basket", "preview_order"):
        monkeypatch.setattr(earning, name, fail)
    monkeypatch.setattr("oscar_loyalty.storefront.selectors.points_of_basket", fail)
    monkeypatch.setattr("oscar_loyalty.members.selectors.usable_of_request", fail)
    response = shopper.get(own.get_absolute_url() if address == "product" else address, follow=True)
    assert response.status_code == 200
    assert "loyalty-earn" not in text(response)
    assert "failed" in caplog.text


def test_a_failed_query_leaves_the_shops_transaction_alone(own, rf_context, monkeypatch):
    def fail(*args, **kwargs):
        get_model("catalogue", "Product").objects.raw("SELECT nonsense FROM nowhere")[0]

    monkeypatch.setattr(earning, "preview_product", fail)
    page = Template("{% load loyalty_tags %}[{% loyalty_earn_product product %}]{{ product.categories.count }}")
    assert page.render(rf_context(product=own)) == "[]0"


@pytest.fixture
def rf_context(user):
    def rf_context(**data):
        request = RequestFactory().get("/")
        request.user = user
        request.strategy = get_class("partner.strategy", "Selector")().strategy(request=request)
        return Context({"request": request, **data})

    return rf_context


def test_the_header_shows_the_balance_to_members_only(shopper, programme, user, rf_context):
    tag = Template("{% load loyalty_tags %}{% loyalty_balance %}")
    assert tag.render(rf_context()) == ""
    members.join(programme=programme, user=user)
    assert "0 petals" in tag.render(rf_context()).translate(PLAIN)


@pytest.mark.parametrize(("auto", "closed", "shown"), [(False, False, 1), (True, False, 0), (False, True, 0)])
def test_the_tick_at_registration(client, programme, auto, closed, shown):
    members.save_programme(programme=programme, auto_enrol=auto, is_active=not closed)
    assert text(client.get("/accounts/login/")).count('name="loyalty_join"') == shown
    assert text(client.get("/accounts/register/")).count('name="loyalty_join"') == shown


def test_registering_with_the_tick_joins_and_errors_keep_it(client, programme, django_user_model):
    data = {"email": "new@example.com", "password1": "a long one, petale", "password2": "another", "loyalty_join": "1"}
    page = text(client.post("/accounts/register/", data))
    assert 'value="1" checked' in page
    client.post("/accounts/register/", data | {"password2": data["password1"]})
    user = django_user_model.objects.get(email="new@example.com")
    assert user.loyalty_memberships.get().source == "registration"


def test_joining_at_checkout(shopper, programme, user, haircut, put):
    put(haircut)
    shopper.get("/checkout/shipping-method/")
    assert 'name="source" value="checkout"' in text(shopper.get("/checkout/preview/"))
    response = shopper.post("/accounts/loyalty/join/", {"source": "checkout", "next": "/checkout/preview/"})
    assert response.url == "/checkout/preview/"
    assert user.loyalty_memberships.get().source == "checkout"
    assert 'value="checkout"' not in text(shopper.get("/checkout/preview/"))


def test_thank_you_and_order_say_how_it_was_paid_and_what_it_brings(shopper, member, give, own, ten, put):
    give(1000)
    put(own)
    put(ten.product, pay_with_points=True, recipient_name="Zoé", recipient_email="zoe@example.com")
    shopper.get("/checkout/shipping-method/")
    shopper.post("/checkout/preview/", {"action": "place_order"})
    page = text(shopper.get("/checkout/thank-you/"))
    assert "Gift card €10.00" in page
    assert "We show this code only once" in page
    assert "1,000 petals" in page
    assert "This order brings you <strong>80 petals</strong>." in page
    order = get_model("order", "Order").objects.get()
    page = text(shopper.get(f"/accounts/orders/{order.number}/"))
    assert "How it was paid" in page
    assert "pay-with-points" not in page


def test_the_style_sheet_is_linked_once(shopper, member, ten):
    for address in ("/gift-cards/", "/accounts/loyalty/", "/basket/"):
        assert text(shopper.get(address)).count("oscar_loyalty/loyalty.css") == 1
