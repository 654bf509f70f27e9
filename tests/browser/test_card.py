"""A customer pays by card, in a browser: to the payment page and back, in every way there is, in both languages."""

import re
from decimal import Decimal as D

import pytest
from oscar.core.loading import get_class, get_model
from playwright.sync_api import expect

import stripe_server
from oscar_loyalty.loading import get_model as get_loyalty_model

Order, Basket = get_model("order", "Order"), get_model("basket", "Basket")


@pytest.fixture
def bank(settings):
    with stripe_server.running() as running:
        settings.OSCAR_LOYALTY_STRIPE_SECRET_KEY = running.test_key
        settings.OSCAR_LOYALTY_STRIPE_WEBHOOK_SECRET = running.webhook_secret
        settings.OSCAR_LOYALTY_STRIPE_API_BASE = running.url
        settings.OSCAR_LOYALTY_MONEY = ["stripe", "on_site"]
        yield running


@pytest.fixture
def checkout(open_page, bank, shop, user, sign_in):
    """Somebody with a haircut in the basket, on the payment page: ``checkout(locale="fr-FR")``."""

    def checkout(**options):
        page = open_page(**options)
        sign_in(page, user)
        basket = Basket.open.get_or_create(owner=user)[0]
        basket.strategy = get_class("partner.strategy", "Selector")().strategy(user=user)
        basket.add_product(shop)
        page.goto("/checkout/shipping-method/")
        page.goto("/checkout/payment-details/")
        return page

    return checkout


def go_to_pay(page):
    page.locator("#loyalty-money-stripe").check()
    page.locator("#view_preview").click()
    page.wait_for_url("**/checkout/preview/")
    page.locator("#place_order_form [type=submit], #place-order").first.click()
    page.wait_for_url("**/c/pay/**")


def state():
    attempt = get_loyalty_model("loyalty_payments", "PaymentAttempt").objects.order_by("pk").last()
    return attempt.state, attempt.tenders.get(kind="stripe").state


@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
def test_declined_and_then_paid(checkout, bank, shot, locale):
    page = checkout(locale=locale)
    shot(page, f"card-choice-{locale}")
    go_to_pay(page)
    assert page.locator("html").get_attribute("lang") == locale[:2]
    page.locator("button[value=declined]").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.locator("button[value=pay]").click()
    page.wait_for_url("**/checkout/thank-you/")
    shot(page, f"card-thanks-{locale}")
    order = Order.objects.get()
    expect(page.get_by_text(order.number).first).to_be_visible()
    assert page.locator("html").get_attribute("lang") == locale[:2]
    assert (state(), order.total_incl_tax) == (("placed", "captured"), D("30.00"))
    assert bank.control.books()["currencies"]["eur"]["net"] == 3000


def test_three_d_secure_left_and_taken_up_again(checkout, shot):
    page = checkout()
    go_to_pay(page)
    page.locator("button[value=three_d_secure]").click()
    page.wait_for_url("**/3ds")
    # The customer leaves, and comes back to the shop by hand.
    page.goto("/checkout/preview/")
    expect(page.get_by_role("heading", name=re.compile("You have not paid yet|being confirmed"))).to_be_visible()
    shot(page, "card-unpaid")
    page.get_by_role("link", name="Go on paying").click()
    page.locator("button[value=complete]").click()
    page.wait_for_url("**/checkout/thank-you/")
    assert state() == ("placed", "captured")


def test_leaving_gives_the_basket_back(checkout, bank, shot):
    page = checkout()
    go_to_pay(page)
    page.locator(".leave a").click()
    page.wait_for_url("**/checkout/preview/")
    expect(page.get_by_text("nothing was taken")).to_be_visible()
    shot(page, "card-back")
    assert state() == ("cancelled", "cancelled")
    # And the same basket is paid for after all.
    page.locator("#place_order_form [type=submit], #place-order").first.click()
    page.wait_for_url("**/c/pay/**")
    page.locator("button[value=pay]").click()
    page.wait_for_url("**/checkout/thank-you/")
    assert state() == ("placed", "captured")


def test_the_browsers_back_button_after_paying(checkout):
    page = checkout()
    go_to_pay(page)
    page.locator("button[value=pay]").click()
    page.wait_for_url("**/checkout/thank-you/")
    page.go_back()
    page.reload()
    assert Order.objects.count() == 1
    assert state() == ("placed", "captured")
