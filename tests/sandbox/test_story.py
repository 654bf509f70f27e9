"""The story that all this is for, in the salon of the sandbox, in a browser, in both languages.

A customer books a haircut and buys a shampoo, sees the points each brings and why, and buys a 10-euro gift card with
1,000 points
at checkout; the owner sets the points of a service on its own form, and sees who earned what.
"""

from dataclasses import dataclass

import pytest
from appointment.models import Appointment
from django.contrib.auth import get_user_model
from django.utils import timezone
from oscar.core.loading import get_model

from oscar_loyalty.earning import bookings
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.members import services as members
from oscar_loyalty.reports import audit
from sandbox.demo.programme import load_programme
from sandbox.shop.data.people import OWNER, PASSWORD
from sandbox.shop.load import load_catalogue
from tests.browser.conftest import open_page, shot  # noqa: F401  (fixtures)


@dataclass(frozen=True)
class Words:
    """What the customer reads."""

    prefix: str
    earn_cut: str
    earn_shampoo: str
    why_shampoo: str
    pay_with_points: str
    at_salon: str
    pending: str
    visit: str


WORDS = {
    "en": Words(
        prefix="",
        earn_cut="You will earn 80 petals.",
        earn_shampoo="You will earn 40 petals.",
        why_shampoo="Rose water shampoo",
        pay_with_points="Pay with points: 1,000 petals",
        at_salon="To pay at the salon",
        pending="To spend after the visit",
        visit="Visit: Women's haircut",
    ),
    "fr": Words(
        prefix="/fr",
        earn_cut="Vous allez gagner 80 pétales.",
        earn_shampoo="Vous allez gagner 40 pétales.",
        why_shampoo="Shampoing à l'eau de rose",
        pay_with_points="Payer avec 1 000 pétales",
        at_salon="À régler au salon",
        pending="Utilisable après le rendez-vous",
        visit="Rendez-vous : Coupe femme",
    ),
}


@pytest.fixture
def salon(transactional_db, wagtail_pages):
    load_catalogue()
    programme = load_programme(started_at=timezone.now())
    user = get_user_model().objects.create_user(
        "rose", "rose@example.com", PASSWORD, first_name="Rose", last_name="Martin"
    )
    member = members.join(programme=programme, user=user, source="test")
    books.earn(account=member.account, units=1240, key="story", kind="adjust", usable_from=timezone.now())
    return member


def product(upc):
    return get_model("catalogue", "Product").objects.get(upc=upc)


def plain(text):
    """Without the difference between kinds of blanks."""
    return " ".join(text.split())


def sign_in(page, prefix, email):
    page.goto(f"{prefix}/accounts/login/")
    page.fill("#id_login-username", email)
    page.fill("#id_login-password", PASSWORD)
    page.click("[name=login_submit]")
    page.wait_for_url(lambda url: "/login/" not in url)


def reads(page, text):
    """The page says so, whatever blanks its typography uses."""
    page.wait_for_load_state()
    assert plain(text) in plain(page.inner_text("body")), f"“{text}” is not on {page.url}"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_story(language, salon, open_page, shot):  # noqa: F811
    words = WORDS[language]
    name = f"story-{language}"
    page = open_page(locale="fr-FR" if language == "fr" else "en-GB")
    sign_in(page, words.prefix, "rose@example.com")

    # The haircut says what it brings; it is booked in the calendar.
    page.goto(f"{words.prefix}/catalogue/{product('MP-S01').slug}_{product('MP-S01').pk}/")
    reads(page, words.earn_cut)
    shot(page, f"{name}-haircut")
    page.locator("a.btn-primary[href*='/booking/']").first.click()
    page.locator("label.mp-choice").first.click()
    page.locator(".mp-calendar__days button:not([disabled])").last.click()
    page.locator(".mp-choices--times label").first.click()
    shot(page, f"{name}-booking")
    page.click(".mp-picker button[type=submit]")
    page.fill("[name=name]", "Rose Martin")
    page.fill("[name=phone_1], [name=phone]", "0612345678")
    shot(page, f"{name}-booking-details")
    page.click(".mp-picker button[type=submit]")
    page.wait_for_url("**/thank-you/**")
    shot(page, f"{name}-booked")
    assert Appointment.objects.count() == 1

    # A shampoo, and a gift card for points.
    page.goto(f"{words.prefix}/catalogue/{product('MP-101').slug}_{product('MP-101').pk}/")
    reads(page, words.earn_shampoo)
    shot(page, f"{name}-shampoo")
    page.click("#add_to_basket_form [type=submit]")
    page.goto(f"{words.prefix}/gift-cards/")
    shot(page, f"{name}-giftcards")
    buttons = page.locator("button:not([disabled])")
    wanted = [n for n in range(buttons.count()) if plain(buttons.nth(n).inner_text()) == plain(words.pay_with_points)]
    assert len(wanted) == 1, buttons.all_inner_texts()
    buttons.nth(wanted[0]).click()
    page.wait_for_url("**/basket/")
    reads(page, words.earn_shampoo)
    page.locator("summary").first.click()
    reads(page, words.why_shampoo)
    shot(page, f"{name}-basket")

    # Checkout: points pay the card, the rest is paid at the salon.
    page.goto(f"{words.prefix}/checkout/")
    if "shipping-address" in page.url:
        page.select_option("[name=country]", "FR") if page.locator("select[name=country]").count() else None
        for field, text in {
            "first_name": "Rose",
            "last_name": "Martin",
            "line1": "12 rue des Lilas",
            "line4": "Lyon",
            "postcode": "69004",
        }.items():
            page.fill(f"[name={field}]", text)
        shot(page, f"{name}-address")
        page.locator("form:has([name=line1]) [type=submit]").click()
    shot(page, f"{name}-payment")
    page.click("#view_preview")
    reads(page, words.at_salon)
    shot(page, f"{name}-preview")
    page.click("#place-order")
    page.wait_for_url("**/thank-you/")
    code = page.locator(".loyalty-secret").inner_text()
    assert len(code.replace("-", "")) == 20
    shot(page, f"{name}-thanks")
    order = get_model("order", "Order").objects.get()
    assert [str(source.source_type) for source in order.sources.all()] == ["Points", "At the salon"]
    assert giftcards.cards_of_order(order).get().state == "active"
    assert ledger.balance(salon.account).usable == 240
    assert ledger.balance(salon.account).pending == 120

    # The member pages say what came, when it can be spent, and why.
    page.goto(f"{words.prefix}/accounts/loyalty/history/")
    reads(page, words.visit)
    reads(page, words.pending)
    shot(page, f"{name}-history")
    page.goto(f"{words.prefix}/club/")
    reads(page, "240")
    shot(page, f"{name}-club")

    # The owner sets the points of a service on its own form, and sees who earned what.
    desk = open_page(locale="fr-FR" if language == "fr" else "en-GB")
    sign_in(desk, words.prefix, OWNER.email)
    colour = product("MP-S02")
    desk.goto(f"{words.prefix}/dashboard/catalogue/products/{colour.pk}/")
    desk.fill("#id_loyalty_points", "95")
    shot(desk, f"{name}-product-form")
    desk.locator("button[name=action][value=continue], button[name=action][value=save]").first.click()
    desk.wait_for_load_state()
    page.goto(f"{words.prefix}/catalogue/{colour.slug}_{colour.pk}/")
    reads(page, words.earn_cut.replace("80", "95"))
    desk.goto(f"{words.prefix}/dashboard/loyalty/movements/")
    reads(desk, "Rose Martin")
    shot(desk, f"{name}-movements")
    desk.goto(f"{words.prefix}/dashboard/loyalty/")
    shot(desk, f"{name}-dashboard")

    # After the visit its points wait only for the programme's delay.
    booking = get_loyalty_model("loyalty_earning", "Booking").objects.get()
    bookings.attended(reference=booking.reference)
    assert ledger.balance(salon.account).pending_next[0] is not None
    assert audit.run(keep=False).clean
