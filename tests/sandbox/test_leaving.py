"""The member's own pages in the club, without a script: what one tells and agrees to, a copy, leaving, coming back."""

import pytest
from django.utils import timezone
from django.utils.translation import gettext, override
from playwright.sync_api import expect

from oscar_loyalty.members import consents, leaving
from oscar_loyalty.members import services as members
from sandbox.demo.programme import load_programme
from sandbox.shop.data.people import BRONZE, PASSWORD
from sandbox.shop.load import load_catalogue
from sandbox.shop.load_people import account
from tests.browser import conftest as play

open_page, shot = play.open_page, play.shot
PREFIX = {"en": "", "fr": "/fr"}


@pytest.mark.parametrize("language", PREFIX)
def test_a_member_decides_leaves_and_comes_back_in_the_club(transactional_db, wagtail_pages, open_page, shot, language):
    def said(text, **values):
        with override(language):
            return gettext(text) % values

    load_catalogue()
    member = members.join(
        programme=load_programme(started_at=timezone.now()), user=account(person=BRONZE), source="test"
    )
    area = f"{PREFIX[language]}/club/me/"
    page = open_page(java_script_enabled=False)
    page.goto(area)
    page.fill("#id_login-username", BRONZE.email)
    page.fill("#id_login-password", PASSWORD)
    page.click("button[name=login_submit]")
    for name in ("", "history/", "invite/", "messages/"):
        page.goto(area + name)
        expect(page.locator("h1")).to_be_visible()
        shot(page, f"club-{name.strip('/') or 'area'}-{language}")
    page.goto(f"{area}profile/")
    page.fill("#id_greeting_name", "Madame Camille")
    page.fill("#id_day", "31")
    page.select_option("#id_month", "4")
    page.click(".club-own form [type=submit]")
    expect(page.locator("#id_day_error")).to_be_visible()
    shot(page, f"club-profile-{language}")
    page.fill("#id_day", "30")
    page.click(".club-own form [type=submit]")
    page.goto(f"{area}privacy/")
    page.check("#id_news")
    page.locator("section", has=page.locator("#consents")).locator("[type=submit]").click()
    assert consents.allows(member, "news")
    page.locator("section", has=page.locator("#copy")).locator("[type=submit]").click()
    expect(page.locator("a[download]")).to_be_visible()
    shot(page, f"club-privacy-{language}")
    page.get_by_role("link", name=said("See what leaving means")).click()
    shot(page, f"club-leave-{language}")
    page.fill("#id_password", PASSWORD)
    page.click(".btn-danger")
    expect(page.get_by_role("button", name=said("Come back"))).to_be_visible()
    assert page.url.endswith(f"{area}privacy/")
    assert leaving.departure_of(member) is not None
    shot(page, f"club-left-{language}")
    page.goto(area)
    shot(page, f"club-area-left-{language}")
    page.get_by_role("button", name=said("Come back")).click()
    expect(page.locator("h1")).to_contain_text("Madame Camille")
    assert leaving.departure_of(member) is None
