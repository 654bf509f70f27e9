"""The row above the member's pages: by keyboard, without a script, at both widths, in both languages."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils.translation import override, pgettext
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.look import WCAG

pytestmark = pytest.mark.django_db(transaction=True)


def barriers(page):
    """What axe finds on the part of the page that is ours."""
    found = Axe().run(page, context={"include": [[".loyalty"]]}, options={"runOnly": WCAG})
    return [violation["id"] for violation in found.response["violations"]]


@pytest.fixture
def account(open_page, client, member, live_server):
    """Open the member's overview."""

    def account(name="overview", **options):
        page = open_page(**options)
        client.force_login(member.user)
        cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
        page.context.add_cookies([cookie])
        page.goto(reverse(f"loyalty-account:{name}"))
        return page

    return account


@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
def test_by_keyboard(account, locale, shot):
    with override(locale[:2]):
        more, privacy = pgettext("pages", "More"), pgettext("pages", "Privacy")
    page = account(locale=locale)
    row = page.locator(".loyalty-sections")
    menu = row.locator("summary")
    link = row.get_by_role("link", name=privacy)
    expect(menu).to_have_text(re.compile(more))
    expect(link).to_be_hidden()
    menu.focus()
    page.keyboard.press("Enter")
    expect(link).to_be_visible()
    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    expect(menu).to_be_focused()
    page.keyboard.press("Enter")
    expect(link).to_be_visible()
    assert barriers(page) == []
    shot(page, f"sections-{locale}")
    page.locator("h1").click()
    expect(link).to_be_hidden()
    menu.click()
    link.click()
    page.wait_for_url("**/privacy/")
    expect(row.locator("[aria-current]")).to_have_text(privacy)
    expect(row.locator("[aria-current]")).to_be_visible()


def test_on_a_phone_what_has_no_place_is_in_the_menu_and_only_there(account):
    page = account(viewport=PHONE)
    row = page.locator(".loyalty-sections")
    history = row.get_by_role("link", name="History")
    expect(history).to_have_count(0)
    row.locator("summary").click()
    expect(history).to_have_count(1)
    assert barriers(page) == []
    history.click()
    page.wait_for_url("**/history/")
    expect(row.get_by_role("link", name="History")).to_have_count(1)
    heights = row.evaluate("nav => [nav.getBoundingClientRect().height, nav.querySelector('a').offsetHeight]")
    assert heights[0] < heights[1] * 1.5  # one line
    row.locator("summary").click()
    expect(row.get_by_role("link", name="My card")).to_have_count(1)
    page.set_viewport_size(DESK)
    expect(row.get_by_role("link", name="My card")).to_have_count(1)


def test_without_a_script(account):
    page = account(java_script_enabled=False)
    page.locator(".loyalty-sections summary").click()
    page.locator(".loyalty-sections").get_by_role("link", name="About you").click()
    page.wait_for_url("**/profile/")
