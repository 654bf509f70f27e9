"""An order is refunded in the dashboard, on a desk and on a phone, in both languages."""

from decimal import Decimal as D

import pytest
from oscar.core.loading import get_model
from playwright.sync_api import expect

from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.payments import refunds
from tests.checkout.conftest import Shopper
from tests.refunds.conftest import bank, paid_by_bank  # noqa: F401

Order = get_model("order", "Order")


@pytest.fixture
def card(shop):
    return giftcard_services.issue(value=D("10.00"), key="browser", deliver=False)


@pytest.fixture
def order(shop, user, card):
    """Two haircuts of 30 euros; 10 of them by gift card."""
    shopper = Shopper(user)
    shopper.add(shop, quantity=2)
    shopper.add_card(card)
    shopper.place()
    return Order.objects.get()


@pytest.fixture
def owner(db, django_user_model):
    return django_user_model.objects.create_superuser("ada", "ada@example.com", "petale-demo", first_name="Ada")


def test_one_of_two_pieces(page, order, card, owner, sign_in, shot):
    sign_in(page, owner)
    page.goto(f"/dashboard/orders/{order.number}/")
    page.get_by_role("link", name="Refund", exact=True).click()
    shot(page, "refund-form")
    # What is wrong is said at its field, and nothing typed is lost.
    page.get_by_label("Haircut").fill("3")
    page.get_by_label("Reason").fill("Too short")
    page.get_by_role("button", name="Show what happens").click()
    expect(page.locator(".loyalty-refund-line .error-block")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("Too short")
    shot(page, "refund-error")
    page.get_by_label("Haircut").fill("1")
    page.get_by_role("button", name="Show what happens").click()
    expect(page.get_by_text(f"€5.00 on gift card {card.label}")).to_be_visible()
    expect(page.get_by_text("€25.00 at the till")).to_be_visible()
    shot(page, "refund-preview")
    page.get_by_role("button", name="Refund €30.00").click()
    expect(page.get_by_text("€30.00 has been refunded.")).to_be_visible()
    expect(page.get_by_text("Refunded so far")).to_be_visible()
    shot(page, "refund-done")
    assert order.loyalty_refunds.get().amount == D("30.00")
    assert giftcards.balance(card).amount == D("5.00")
    page.goto(f"/dashboard/orders/{order.number}/")
    expect(page.locator("#loyalty-refunds")).to_be_visible()


def test_an_amount_in_french(open_page, order, owner, sign_in, shot):
    page = open_page(locale="fr-FR")
    sign_in(page, owner)
    page.goto(f"/dashboard/loyalty/orders/{order.number}/refunds/")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.locator("[name=amount]").fill("12,50")
    page.locator("[name=reason]").fill("Trop court")
    page.locator("[value=preview]").click()
    shot(page, "refund-preview-fr")
    expect(page.locator("[value=confirm]")).to_contain_text("12,50")
    page.locator("[value=confirm]").click()
    shot(page, "refund-done-fr")
    assert order.loyalty_refunds.get().amount == D("12.50")


def test_what_the_provider_refused(page, order, owner, sign_in, shot, paid_by_bank):  # noqa: F811
    provider = paid_by_bank(order)
    provider.answer = "refused"
    refunds.refund(order=order, key="1", lines={order.lines.get().pk: 2}, reason="Closed")
    sign_in(page, owner)
    address = f"/dashboard/loyalty/orders/{order.number}/refunds/"
    page.goto(address)
    expect(page.get_by_text("waiting for Card")).to_be_visible()
    shot(page, "refund-waiting")
    due.sweep()
    page.goto("/dashboard/loyalty/health/")
    expect(page.get_by_text("refused by the payment provider")).to_be_visible()
    shot(page, "refund-health")
    page.get_by_role("link", name=order.number).click()
    expect(page.get_by_text("refused by Card")).to_be_visible()
    shot(page, "refund-refused")
    provider.answer = None
    page.get_by_role("button", name="Try again").click()
    due.sweep()
    page.goto(address)
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
