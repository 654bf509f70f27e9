"""A guest orders, gets the link, registers, and finds points and gift card on the account; in English and in French."""

import re

import pytest
from django.core import mail
from django.utils.translation import gettext, override
from oscar.core.loading import get_model
from playwright.sync_api import expect

from oscar_loyalty.due import services as due
from oscar_loyalty.ledger import audit
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model


@pytest.fixture(autouse=True)
def _guests_may_order(settings):
    settings.OSCAR_ALLOW_ANON_CHECKOUT = True
    settings.ROOT_URLCONF = "tests.browser.guest_urls"
    settings.OSCAR_LOYALTY_WORKER = "cron"


def link_in(message):
    """Return the path of the link; its host is the shop's, not the test server's."""
    return re.search(r"/accounts/loyalty/guest-orders/\S+/", message.body)[0]


def to(email):
    return [message for message in mail.outbox if message.to == [email]]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_guest_takes_the_order_later(open_page, shop, programme, shot, language):
    page = open_page(locale={"en": "en-GB", "fr": "fr-FR"}[language])

    def said(text, **values):
        with override(language):
            return gettext(text) % values

    # Buys a haircut and a gift card without an account.
    page.goto(shop.get_absolute_url())
    page.click("#add_to_basket_form [type=submit]")
    page.locator("#messages .alert-success").first.wait_for()
    page.goto("/gift-cards/")
    page.locator("button[name=buy]").first.click()
    page.wait_for_url("**/basket/")
    page.goto("/checkout/")
    page.fill("#id_username", "lea@example.com")
    page.check("input[name=options][value=anonymous]")
    page.click("button.btn-block[type=submit]")
    page.wait_for_url("**/checkout/payment-details/")
    page.click("#view_preview")
    page.wait_for_url("**/checkout/preview/")
    page.click("#place-order")
    page.wait_for_url("**/thank-you/")
    keep = page.locator("#loyalty-keep-title")
    expect(keep).to_contain_text("80")
    shot(page, f"guest-thanks-{language}")
    order = get_model("order", "Order").objects.get()
    assert (order.user, order.guest_email) == (None, "lea@example.com")
    due.sweep()
    message = next(message for message in to("lea@example.com") if "/guest-orders/" in message.body)
    with override(language):
        assert programme.points_label(80).replace("\xa0", " ") in message.subject.replace("\xa0", " ")
    link = link_in(message)

    # The link says what waits; whoever has no account makes one and comes back.
    page.goto(link)
    expect(page.locator(".loyalty-figure")).to_contain_text("80")
    shot(page, f"guest-link-{language}")
    page.get_by_role("link", name=said("Create an account")).click()
    page.fill("#id_email", "lea.new@example.com")
    page.fill("#id_password1", "a long petale-demo")
    page.fill("#id_password2", "a long petale-demo")
    page.click("[name=registration_submit]")
    page.wait_for_url(f"**{link}")
    shot(page, f"guest-link-signed-in-{language}")
    button = page.locator("form[method=post] button.btn-lg")
    expect(button).to_have_text(said("Join %(name)s and add to my account", name=programme.name))
    # Two quick clicks take it once.
    button.dblclick()
    page.wait_for_url("**/accounts/loyalty/history/")
    expect(page.locator(".loyalty-movement")).to_have_count(1)
    shot(page, f"guest-history-{language}")
    page.goto("/accounts/loyalty/gift-cards/")
    expect(page.locator(".loyalty-own > li")).to_have_count(1)
    member = get_loyalty_model("loyalty_members", "Member").objects.get()
    assert ledger.balance(member.account).book == 80
    order.refresh_from_db()
    assert order.user == member.user
    # Back to the link: it leads to what was taken. To somebody else it says so.
    page.goto(link)
    page.wait_for_url("**/accounts/loyalty/history/")
    page.goto("/accounts/loyalty/guest-orders/")
    shot(page, f"guest-orders-{language}")
    page.locator("button[name=ask]").click()
    page.locator("#messages .alert-success").first.wait_for()
    stranger = open_page(locale=page.evaluate("navigator.language"))
    stranger.goto(link)
    expect(stranger.get_by_role("heading", level=1)).to_have_text(said("This was taken already"))
    shot(stranger, f"guest-taken-{language}")
    stranger.goto(link[:-3] + "/")
    expect(stranger.get_by_role("heading", level=1)).to_have_text(said("This link does not work"))
    shot(stranger, f"guest-broken-{language}")
    assert list(audit.audit()) == []
