"""One order paid with points, two gift cards and a card by Stripe; one line of it refunded; everybody has back what
they gave. In the salon of the sandbox, in a browser, in both languages."""

from dataclasses import dataclass
from decimal import Decimal as D

import pytest
from django.core import mail
from oscar.core.loading import get_model

import stripe_server
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.payments import selectors as payments
from oscar_loyalty.reports import audit
from sandbox.shop.data.people import OWNER
from tests.browser.conftest import open_page, shot  # noqa: F401  (fixtures)
from tests.sandbox.test_story import plain, product, reads, salon, sign_in  # noqa: F401  (salon is a fixture)


@dataclass(frozen=True)
class Words:
    """What is read."""

    prefix: str
    demonstration: str
    refund: str
    mail: str


WORDS = {
    "en": Words("", "This is a demonstration", "Refund", "refund"),
    "fr": Words("/fr", "Ceci est une démonstration", "Rembourser", "rembours"),
}


@pytest.fixture
def bank(settings):
    """A Stripe that is up as long as the test."""
    with stripe_server.running() as running:
        settings.OSCAR_LOYALTY_STRIPE_SECRET_KEY = running.test_key
        settings.OSCAR_LOYALTY_STRIPE_WEBHOOK_SECRET = [running.webhook_secret]
        settings.OSCAR_LOYALTY_STRIPE_API_BASE = running.url
        yield running


def put_into_basket(page, prefix, *upcs):
    for upc in upcs:
        item = product(upc)
        page.goto(f"{prefix}/catalogue/{item.slug}_{item.pk}/")
        page.click("#add_to_basket_form [type=submit]")
        page.wait_for_load_state()


def to_payment(page, prefix):
    page.goto(f"{prefix}/checkout/")
    if page.locator("select[name=country]").count():
        page.select_option("[name=country]", "FR")
    address = {"first_name": "Rose", "last_name": "Martin", "line1": "12 rue des Lilas", "line4": "Lyon"}
    for field, text in {**address, "postcode": "69004"}.items():
        page.fill(f"[name={field}]", text)
    page.locator("form:has([name=line1]) [type=submit]").click()
    page.wait_for_url("**/payment-details/")


def books_of(bank):
    (intent,) = bank.control.books()["payment_intents"].values()
    return intent["captured"], intent["refunded"]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_paid_in_four_ways_and_refunded_to_each(language, salon, bank, open_page, shot):  # noqa: F811
    words, name = WORDS[language], f"money-{language}"
    cards = [giftcard_services.issue(value=D(value), key=f"money:{value}", deliver=False) for value in ("4.00", "6.50")]
    window = {"locale": "fr-FR" if language == "fr" else "en-GB"}
    page = open_page(**window)
    sign_in(page, words.prefix, "rose@example.com")

    # A shampoo and a mask; 700 petals, two gift cards, and the rest by card.
    put_into_basket(page, words.prefix, "MP-101", "MP-104")
    to_payment(page, words.prefix)
    for card in cards:
        page.fill("#id_code", giftcard_services.code_of(card))
        page.click("[name=loyalty_add_card]")
        page.wait_for_load_state()
    page.fill("[name=points]", "700")
    page.locator("#loyalty-plan", has_text="700").wait_for()
    page.locator("#loyalty-money-stripe").check()
    shot(page, f"{name}-payment")
    page.click("#view_preview")
    page.wait_for_url("**/preview/")
    shot(page, f"{name}-preview")
    page.click("#place-order")
    page.wait_for_url("**/c/pay/**")
    reads(page, words.demonstration)
    shot(page, f"{name}-bank")
    page.locator("button[value=pay]").click()
    page.wait_for_url("**/thank-you/")
    shot(page, f"{name}-thanks")

    order = get_model("order", "Order").objects.get()
    rest = order.total_incl_tax - D("17.50")
    assert [(part.kind, part.amount) for part in payments.paid_with(order)] == [
        ("points", D("7.00")),
        ("giftcard", D("4.00")),
        ("giftcard", D("6.50")),
        ("stripe", rest),
    ]
    assert books_of(bank) == (int(rest * 100), 0)
    assert ledger.balance(salon.account).usable == 540
    assert [giftcards.balance(card).amount for card in cards] == [0, 0]
    due.sweep()
    earned = get_loyalty_model("loyalty_earning", "Award").objects.get()
    assert (earned.points > 0, earned.clawed_back) == (True, 0)

    # The owner refunds the shampoo.
    line = order.lines.get(product=product("MP-101"))
    desk = open_page(**window)
    sign_in(desk, words.prefix, OWNER.email)
    desk.goto(f"{words.prefix}/dashboard/orders/{order.number}/")
    desk.get_by_role("link", name=words.refund, exact=True).click()
    desk.locator(f"[name=quantity_{line.pk}]").fill("1")
    desk.locator("[name=reason]").fill("A pump that does not pump")
    desk.locator("[value=preview]").click()
    for card in cards:
        reads(desk, card.label)
    shot(desk, f"{name}-refund")
    desk.locator("[value=confirm]").click()
    desk.wait_for_load_state()
    shot(desk, f"{name}-refunded")
    due.sweep()

    # Everybody has back what they gave for it, to the cent and to the petal.
    back = {part.kind + str(number): part for number, part in enumerate(payments.paid_with(order))}
    assert sum(part.returned for part in back.values()) == line.line_price_incl_tax
    points, *of_cards, stripe = back.values()
    assert all(part.returned > 0 for part in back.values())
    assert ledger.balance(salon.account).usable == 540 + points.returned_points
    assert points.returned_points == int(points.returned * 100)
    assert [giftcards.balance(card).amount for card in cards] == [part.returned for part in of_cards]
    assert books_of(bank) == (int(rest * 100), int(stripe.returned * 100))
    earned.refresh_from_db()
    # The shampoo's own 40 petals, as far as money paid for it, and no others.
    shampoo = earned.lines.filter(order_line=line)
    assert earned.clawed_back == sum(row.points for row in shampoo)
    assert earned.clawed_back > 0
    assert get_loyalty_model("loyalty_payments", "Refund").objects.count() == 1
    desk.reload()
    shot(desk, f"{name}-history")
    page.goto(f"{words.prefix}/accounts/orders/{order.number}/")
    shot(page, f"{name}-order")
    (told,) = [each for each in mail.outbox if words.mail in each.subject.lower()]
    assert all(plain(card.label) in plain(told.body) for card in cards)
    report = audit.run(keep=False)
    assert report.clean, report.findings
