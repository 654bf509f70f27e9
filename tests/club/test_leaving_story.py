"""A stranger joins on a page of the club, without a script, and may read it; whoever leaves takes the card along."""

import pytest
from playwright.sync_api import expect

from oscar_loyalty.loading import get_model
from tests.browser import conftest as play

open_page, shot, sign_in = play.open_page, play.shot, play.sign_in


def test_joining_without_a_script_leads_back_to_the_page(
    transactional_db, open_page, shot, programme, section, article
):
    guide = article(section, "bronze")
    page = open_page(java_script_enabled=False)
    assert page.goto(guide.url).status == 403
    expect(page.locator("h1")).to_have_text("A guide for the hair")
    shot(page, "join-teaser")
    page.get_by_role("link", name="Join Pétales").click()
    expect(page.locator("#id_loyalty_join")).to_be_checked()
    shot(page, "join-register")
    page.fill("#id_email", "new@example.com")
    page.fill("#id_password1", "petale-demo-1")
    page.fill("#id_password2", "petale-demo-1")
    page.click("[name=registration_submit]")
    expect(page.locator("h1")).to_have_text("The moonflower guide")
    assert get_model("loyalty_members", "Member").objects.get().email == "new@example.com"


def test_whoever_is_signed_in_joins_by_one_click(
    transactional_db, open_page, sign_in, programme, section, article, user
):
    guide = article(section, "bronze")
    page = open_page(java_script_enabled=False)
    sign_in(page, user)
    page.goto(guide.url)
    page.get_by_role("button", name="Join Pétales").click()
    expect(page.locator("h1")).to_have_text("The moonflower guide")


@pytest.fixture
def with_kept_card(transactional_db, open_page, sign_in, programme, member, user, site):
    """A page whose reader has kept the card on the device."""

    def with_kept_card():
        page = open_page()
        sign_in(page, user)
        page.goto("/club/me/card/")
        page.locator('[data-club-do="keep"]').click()
        expect(page.locator("[data-club-kept]")).to_be_visible()
        return page

    return with_kept_card


def test_the_card_on_the_phone_goes_when_its_holder_leaves(with_kept_card):
    page = with_kept_card()
    assert page.evaluate("caches.has('loyalty-card:/club/me/card/')")
    # And once more in another language.
    page.evaluate("caches.open('loyalty-card:/fr/club/me/card/')")
    # In the shop's own account, which knows nothing of the club.
    page.goto("/accounts/loyalty/leave/")
    page.fill("#id_password", "petale-demo")
    page.click(".btn-danger")
    page.wait_for_function("caches.keys().then((kept) => !kept.length)")


def test_the_card_on_the_phone_stays_when_its_holder_saves_a_form(with_kept_card, member):
    page = with_kept_card()
    page.goto("/club/me/profile/")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    page.fill("#id_greeting_name", "Rosa")
    # The answer sends on, and the worker asks for the card: its holder is still there.
    with page.context.expect_event("response", lambda response: response.url.endswith("/club/me/card/")) as asked:
        page.locator("#id_greeting_name").press("Enter")
    assert asked.value.status == 200
    expect(page.locator("#id_greeting_name")).to_have_value("Rosa")
    page.context.set_offline(True)
    page.goto("/club/me/")
    expect(page.get_by_text(member.number).first).to_be_visible()
    page.context.set_offline(False)
    # Whoever is signed out meanwhile finds it gone.
    page.context.clear_cookies()
    page.goto("/club/me/")
    page.wait_for_function("caches.keys().then((kept) => !kept.length)")
