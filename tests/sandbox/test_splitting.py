"""One order paid in four ways, in a browser and both languages: points, two gift cards, the rest at the salon."""

import os
import re
from dataclasses import dataclass
from decimal import Decimal as D

import pytest
from django.core import mail
from oscar.core.loading import get_model

from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.payments import selectors as payments
from oscar_loyalty.reports import audit
from sandbox.shop.data.people import OWNER
from tests.browser.conftest import open_page, shot  # noqa: F401  (fixtures)
from tests.sandbox.test_story import plain, product, reads, salon, sign_in  # noqa: F401  (salon is a fixture)


@dataclass(frozen=True)
class Words:
    """What the customer reads."""

    prefix: str
    use: str
    petals: str
    card: str
    at_salon: str
    paid: str
    euros: str

    def amount(self, text):
        return self.euros.format(text if self.euros.startswith("€") else text.replace(".", ","))


WORDS = {
    "en": Words(
        prefix="",
        use="Use my petals",
        petals="{} petals",
        card="Gift card {}",
        at_salon="To pay at the salon",
        paid="How it was paid",
        euros="€{}",
    ),
    "fr": Words(
        prefix="/fr",
        use="Utiliser mes pétales",
        petals="{} pétales",
        card="Carte cadeau {}",
        at_salon="À régler au salon",
        paid="Votre règlement",
        euros="{} €",
    ),
}


grouped = {"en": "4,000", "fr": "4 000"}


def parts(page):
    """The rows of the plan as they are read: ``[(what, amount), …]``."""
    rows = page.locator("#loyalty-plan dl > div")
    return [plain(rows.nth(number).inner_text()) for number in range(rows.count())]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_one_order_is_paid_in_four_ways(language, salon, open_page, shot):  # noqa: F811
    words = WORDS[language]
    name = f"split-{language}"
    first, second = (
        giftcard_services.issue(value=D(value), key=f"split:{value}", deliver=False) for value in ("4.00", "6.50")
    )
    page = open_page(locale="fr-FR" if language == "fr" else "en-GB")
    sign_in(page, words.prefix, "rose@example.com")
    shampoo = product("MP-101")
    page.goto(f"{words.prefix}/catalogue/{shampoo.slug}_{shampoo.pk}/")
    page.click("#add_to_basket_form [type=submit]")
    page.goto(f"{words.prefix}/checkout/")
    page.select_option("[name=country]", "FR") if page.locator("select[name=country]").count() else None
    for field, text in {
        "first_name": "Rose", "last_name": "Martin", "line1": "12 rue des Lilas", "line4": "Lyon", "postcode": "69004"
    }.items():  # fmt: skip
        page.fill(f"[name={field}]", text)
    page.locator("form:has([name=line1]) [type=submit]").click()
    page.wait_for_url("**/payment-details/")
    total = D(re.search(r"[\d.,]+", parts(page)[-1].replace("\u00a0", " "))[0].replace(",", "."))
    reads(page, words.use)

    # Two gift cards, in this order.
    for card in (first, second):
        page.fill("#id_code", giftcard_services.code_of(card))
        page.click("[name=loyalty_add_card]")
        page.wait_for_load_state()
        reads(page, words.card.format(card.label))

    # What points pay is shown while they are typed.
    page.fill("[name=points]", "700")
    page.locator("#loyalty-plan", has_text=words.amount("7.00")).wait_for()
    shot(page, f"{name}-typed")
    rest = total - D("17.50")
    assert rest > 0
    wanted = [
        (words.petals.format("700"), words.amount("7.00")),
        (words.card.format(first.label), words.amount("4.00")),
        (words.card.format(second.label), words.amount("6.50")),
        (words.at_salon, words.amount(f"{rest:.2f}")),
    ]

    def shows(expected):
        rows = parts(page)
        assert len(rows) == len(expected) + 1, rows
        for row, (what, amount) in zip(rows, expected, strict=False):
            assert row.startswith(plain(what)) and plain(amount) in row, (row, what, amount)

    shows(wanted)

    # The first card is taken away, and put back: it comes last then.
    page.click(f"#loyalty-plan button[value='{first.pk}'][name=loyalty_remove_card]")
    page.wait_for_load_state()
    shows([wanted[0], wanted[2], (words.at_salon, words.amount(f"{rest + 4:.2f}"))])
    page.fill("#id_code", giftcard_services.code_of(first))
    page.click("[name=loyalty_add_card]")
    page.wait_for_load_state()
    wanted = [wanted[0], wanted[2], wanted[1], wanted[3]]
    shows(wanted)

    # Too many points: as many as fit are taken, and that is said. Whoever goes on at once takes along what was typed.
    page.fill("[name=points]", "99999")
    page.locator("#loyalty-points-note .loyalty-warning").wait_for()
    shot(page, f"{name}-too-many")
    page.fill("[name=points]", "700")
    page.click("#view_preview")
    page.wait_for_url("**/preview/")
    for what, amount in wanted:
        reads(page, what)
        reads(page, amount)
    shot(page, f"{name}-preview")
    page.click("#place-order")
    page.wait_for_url("**/thank-you/")
    shot(page, f"{name}-thanks")

    order = get_model("order", "Order").objects.get()
    assert [(part.kind, part.amount, part.points) for part in payments.paid_with(order)] == [
        ("points", D("7.00"), 700),
        ("giftcard", D("6.50"), 0),
        ("giftcard", D("4.00"), 0),
        ("on_site", rest, 0),
    ]
    assert ledger.balance(salon.account).usable == 540
    assert [giftcards.balance(card).amount for card in (first, second)] == [0, 0]

    # Seen again on the order's page, and in its mail.
    page.goto(f"{words.prefix}/accounts/orders/{order.number}/")
    for what, amount in wanted[:3]:
        reads(page, what)
        reads(page, amount)
    shot(page, f"{name}-order")
    due.sweep()
    (message,) = [message for message in mail.outbox if order.number in message.subject]
    for text in (message.body, message.alternatives[0][0]):
        for what, amount in wanted[:3]:
            assert plain(what) in plain(text) and plain(amount) in plain(text)
        assert words.paid in plain(text)
    page.set_content(message.alternatives[0][0])
    shot(page, f"{name}-mail")

    # The owner reads it on the dashboard's page of the order, and what is allowed on the programme's.
    desk = open_page(locale="fr-FR" if language == "fr" else "en-GB")
    sign_in(desk, words.prefix, OWNER.email)
    desk.goto(f"{words.prefix}/dashboard/orders/{order.number}/")
    desk.click("a[href='#payment']")
    desk.locator("#payment", has_text=words.petals.format("700")).wait_for()
    for card in (first, second):
        reads(desk, words.card.format(card.label))
    if folder := os.environ.get("LOYALTY_SHOTS"):
        desk.locator("#payment").screenshot(path=f"{folder}/{name}-desk.png")
    desk.goto(f"{words.prefix}/dashboard/loyalty/programme/")
    reads(desk, words.petals.format(grouped[language]))
    shot(desk, f"{name}-programme")
    assert audit.run(keep=False).clean
