"""A gift card of one's own amount, for somebody else, on a later day: bought, waited for, sent, printed."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.core import mail
from playwright.sync_api import expect

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import delivery
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.giftcards.strategy import GiftCardStrategy
from oscar_loyalty.ledger import audit
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members
from oscar_loyalty.payments import services as payments

MONEY = {"en": "€35.00", "fr": "35,00 €"}


def plain(text):
    return text.replace("\xa0", " ").replace("\u202f", " ")


def reads(page, text):
    page.wait_for_load_state()
    assert text in plain(page.inner_text("body")), f"“{text}” is not on {page.url}"


@pytest.fixture
def choice(shop, monkeypatch):
    """Amounts of the buyer's choice are on sale, in a shop whose strategy knows them."""

    def strategy(self, request=None, user=None, **kwargs):
        return GiftCardStrategy(request)

    monkeypatch.setattr("oscar.apps.partner.strategy.Selector.strategy", strategy)
    return giftcards.set_custom_amount(minimum=D(15), maximum=D(500), step=D(5), points_per_unit=D(100))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_present_for_next_week(language, shop, choice, programme, user, open_page, sign_in, shot):
    members.join(programme=programme, user=user, source="test")
    page = open_page(locale="fr-FR" if language == "fr" else "en-GB")
    sign_in(page, user)
    day = delivery.today() + timedelta(days=7)
    page.goto("/gift-cards/")
    shot(page, f"cards-{language}-page")
    page.locator("[name=for_whom][value=present]").check()
    page.locator("[name=design][value=ribbon]").check()
    page.fill("#id_recipient_name", "Zoé")
    page.fill("#id_recipient_email", "zoe@example.com")
    page.fill("#id_message", "Bon anniversaire !\nRose")
    page.fill("#id_deliver_on", day.isoformat())
    page.fill("#id_amount", "36")
    page.locator("[name=buy_amount][value=money]").click()
    # Not in steps of five: said at the field, which has the focus; nothing typed is lost.
    expect(page.locator("#id_amount_error")).to_be_visible()
    expect(page.locator("#id_amount")).to_be_focused()
    expect(page.locator("#id_recipient_name")).to_have_value("Zoé")
    shot(page, f"cards-{language}-error")
    page.fill("#id_amount", "35")
    # The picture shows what is typed: amount, name and message, on the design chosen.
    # The page has just been loaded: its script may not have seen it yet.
    page.locator("[data-loyalty-amount]", has_text="35").wait_for()
    assert plain(page.locator("[data-loyalty-amount]").inner_text()) == MONEY[language]
    assert page.locator("[data-loyalty-shows=recipient_name]").inner_text() == "Zoé"
    expect(page.locator(".loyalty-card--large .loyalty-art__one").nth(1)).to_be_visible()
    expect(page.locator(".loyalty-card--large .loyalty-art__one").nth(0)).to_be_hidden()
    shot(page, f"cards-{language}-filled")
    page.locator("[name=buy_amount][value=money]").click()
    page.wait_for_url("**/basket/")
    reads(page, MONEY[language])
    reads(page, "Zoé")
    shot(page, f"cards-{language}-basket")
    assert "delivery-date" not in page.content()

    page.goto("/checkout/")
    page.wait_for_url("**/payment-details/")
    shot(page, f"cards-{language}-payment")
    page.click("#view_preview")
    reads(page, MONEY[language])
    shot(page, f"cards-{language}-preview")
    page.click("#place-order")
    page.wait_for_url("**/thank-you/")
    shot(page, f"cards-{language}-thanks")

    # Paid at the salon: from then on it waits for its day, with a code that nobody has.
    card = get_model("loyalty_giftcards", "GiftCard").objects.get()
    assert (card.value, card.design, card.state) == (D("35.00"), "ribbon", "waiting")
    payments.mark_paid(order=card.order)
    row = get_model("loyalty_due", "Due").objects.get(kind=delivery.DELIVER)
    assert row.due_at == delivery.moment(day)
    page.reload()
    expect(page.locator(".loyalty-secret")).to_have_count(0)
    reads(page, "zoe@example.com")
    shot(page, f"cards-{language}-thanks-paid")
    page.goto("/accounts/loyalty/gift-cards/")
    shot(page, f"cards-{language}-mine")
    page.goto(f"/accounts/loyalty/gift-cards/{card.uuid}/change/")
    expect(page.locator("#id_deliver_on")).to_have_value(day.isoformat())
    page.fill("#id_recipient_name", "Zoé Łuk")
    shot(page, f"cards-{language}-change")
    page.locator(".loyalty-narrow [type=submit]").click()
    page.wait_for_url("**/gift-cards/")
    page.goto(f"/accounts/orders/{card.order_number}/")
    reads(page, MONEY[language])
    shot(page, f"cards-{language}-order")

    mail.outbox.clear()
    with clock.frozen(row.due_at - timedelta(minutes=1)):
        due.sweep()
        assert not [letter for letter in mail.outbox if letter.to == ["zoe@example.com"]]
    with clock.frozen(row.due_at + timedelta(minutes=1)):
        due.sweep()
        due.sweep()
    [letter] = [letter for letter in mail.outbox if letter.to == ["zoe@example.com"]]
    card.refresh_from_db()
    code = giftcards.code_of(card)
    assert code in letter.body
    assert "Bon anniversaire !" in letter.body
    pdf = next(part for part in letter.attachments if not hasattr(part, "get_content_type"))
    assert pdf[1].startswith(b"%PDF-")
    assert list(audit.audit()) == []


def test_without_a_script_the_button_shows_the_card(shop, choice, open_page, shot):
    page = open_page(java_script_enabled=False)
    page.goto("/gift-cards/")
    page.locator("[name=for_whom][value=present]").check()
    page.locator("[name=design][value=confetti]").check()
    # The drawing follows by the style sheet alone.
    expect(page.locator(".loyalty-card--large .loyalty-art__one").nth(2)).to_be_visible()
    page.fill("#id_recipient_name", "Zoé")
    page.fill("#id_amount", "50")
    page.locator("[name=preview]").click()
    page.wait_for_load_state()
    assert page.locator("[data-loyalty-amount]").inner_text() == "€50.00"
    assert page.locator("[data-loyalty-shows=recipient_name]").inner_text() == "Zoé"
    expect(page.locator("#id_recipient_name")).to_have_value("Zoé")
    expect(page.locator("[name=design][value=confetti]")).to_be_checked()
    expect(page.locator(".loyalty-errors li")).to_have_count(0)
    shot(page, "cards-no-script")


def test_a_card_for_oneself_is_saved_once(shop, choice, user, member, give, open_page, sign_in, shot):
    give(5000)
    page = open_page()
    sign_in(page, user)
    page.goto("/gift-cards/")
    page.locator("[name=design][value=blossoms]").check()
    page.fill("#id_amount", "20")
    page.locator("[name=buy_amount][value=points]").click()
    page.wait_for_url("**/basket/")
    reads(page, "Paid with 2,000 petals")
    shot(page, "cards-points-basket")
    page.goto("/checkout/")
    page.click("#view_preview")
    page.click("#place-order")
    page.wait_for_url("**/thank-you/")
    shot(page, "cards-thanks-own")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the card to print (PDF)").click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    page.reload()
    expect(page.get_by_role("button", name="Save the card to print (PDF)")).to_have_count(0)


def test_the_owner_sets_the_bounds(shop, member, open_page, sign_in, shot, django_user_model):
    owner = django_user_model.objects.create_superuser("owner", "owner@example.com", "petale-demo")
    page = open_page()
    sign_in(page, owner)
    page.goto("/dashboard/loyalty/gift-cards/values/")
    shot(page, "cards-values-before")
    page.goto("/dashboard/loyalty/gift-cards/values/custom/")
    page.fill("#id_maximum", "10")
    page.locator("main [type=submit], .loyalty-form [type=submit]").first.click()
    page.wait_for_load_state()
    reads(page, "The largest amount is not below the smallest.")
    shot(page, "cards-custom-error")
    page.fill("#id_maximum", "250")
    page.locator(".loyalty-form [type=submit]").first.click()
    page.wait_for_url("**/values/")
    reads(page, "From €15.00 to €250.00, in steps of €5.00.")
    shot(page, "cards-values")
    page.goto("/dashboard/loyalty/health/")
    reads(page, "Is somebody guessing gift-card codes?")
    shot(page, "cards-health")
