"""The salon takes cards, in a browser: declined and then paid, 3-D Secure left half way, left and come back."""

import pytest
from oscar.core.loading import get_model

import stripe_server
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.reports import audit
from tests.browser.conftest import open_page, shot  # noqa: F401  (fixtures)
from tests.sandbox.test_story import product, reads, salon, sign_in  # noqa: F401

Order = get_model("order", "Order")

WORDS = {
    "en": ("", "You have not paid yet", "nothing was taken", "No money moves."),
    "fr": ("/fr", "Vous n’avez pas encore payé", "rien n’a été débité", "Aucun argent ne circule."),
}


@pytest.fixture
def bank(settings):
    with stripe_server.running() as running:
        settings.OSCAR_LOYALTY_STRIPE_SECRET_KEY = running.test_key
        settings.OSCAR_LOYALTY_STRIPE_WEBHOOK_SECRET = running.webhook_secret
        settings.OSCAR_LOYALTY_STRIPE_API_BASE = running.url
        yield running


def to_payment(page):
    page.click("#place-order")
    page.wait_for_url("**/c/pay/**")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_shampoo_by_card(language, salon, open_page, shot, bank):  # noqa: F811
    prefix, unpaid, nothing, demonstration = WORDS[language]
    page = open_page(locale="fr-FR" if language == "fr" else "en-GB")
    sign_in(page, prefix, "rose@example.com")
    page.goto(f"{prefix}/catalogue/{product('MP-101').slug}_{product('MP-101').pk}/")
    page.click("#add_to_basket_form [type=submit]")
    page.goto(f"{prefix}/checkout/")
    address = {"first_name": "Rose", "last_name": "Martin", "line1": "1 rue", "line4": "Lyon", "postcode": "69004"}
    for field, text in address.items():
        page.fill(f"[name={field}]", text)
    page.locator("form:has([name=line1]) [type=submit]").click()
    page.locator("#loyalty-money-stripe").check()
    shot(page, f"card-{language}-choice")
    page.click("#view_preview")
    page.wait_for_url("**/preview/")
    # It says plainly that it is a demonstration.
    reads(page, demonstration)
    shot(page, f"card-{language}-preview")

    # Left, and come back: the basket is as it was.
    to_payment(page)
    page.locator(".leave a").click()
    page.wait_for_url(f"**{prefix}/checkout/preview/")
    reads(page, nothing)

    # 3-D Secure is left half way; the shop offers to go on.
    to_payment(page)
    page.locator("button[value=three_d_secure]").click()
    page.wait_for_url("**/3ds")
    page.goto(f"{prefix}/checkout/preview/")
    reads(page, unpaid)
    shot(page, f"card-{language}-unpaid")
    page.locator(".loyalty-buttons .btn-primary").click()
    page.locator("button[value=fail]").click()

    # Declined, and then paid.
    page.locator("button[value=declined]").click()
    page.locator("[role=alert]").wait_for()
    page.locator("button[value=pay]").click()
    page.wait_for_url(f"**{prefix}/checkout/thank-you/")
    assert page.locator("html").get_attribute("lang") == language
    order = Order.objects.get()
    reads(page, order.number)
    shot(page, f"card-{language}-thanks")
    tender = order.payment_attempt.tenders.get()
    assert (tender.kind, tender.state, tender.amount) == ("stripe", "captured", order.total_incl_tax)
    assert bank.control.books()["currencies"]["eur"]["net"] == int(order.total_incl_tax * 100)
    states = (
        get_loyalty_model("loyalty_payments", "PaymentAttempt").objects.order_by("pk").values_list("state", flat=True)
    )
    assert list(states) == ["cancelled", "placed"]
    assert audit.run(keep=False).findings == []
