"""The member area on a phone: its holder keeps the card there, it opens without a network, and goes at signing out."""

import pytest
from django.utils import timezone

from oscar_loyalty.members import services as members
from sandbox.demo.programme import load_programme
from sandbox.shop.data.people import BRONZE, PASSWORD
from sandbox.shop.load import load_catalogue
from sandbox.shop.load_people import account
from tests.browser.conftest import PHONE, open_page, shot  # noqa: F401  (fixtures)

WORDS = {
    "en": ("", "Hello Camille", "Show it large", "Keep it on this device", "opens without a network"),
    "fr": ("/fr", "Bonjour Camille", "L’afficher en grand", "La garder sur cet appareil", "s’ouvre sans réseau"),
}


@pytest.fixture
def member(transactional_db, wagtail_pages):
    load_catalogue()
    programme = load_programme(started_at=timezone.now())
    user = account(person=BRONZE)
    user.first_name = "Camille"
    user.save()
    return members.join(programme=programme, user=user, source="test")


@pytest.mark.parametrize("language", WORDS)
def test_the_card_opens_offline(member, open_page, shot, language):  # noqa: F811
    prefix, hello, large, keep, kept = WORDS[language]
    page = open_page(viewport=PHONE)
    page.goto(f"{prefix}/club/me/")
    page.fill("#id_login-username", BRONZE.email)
    page.fill("#id_login-password", PASSWORD)
    page.click("button[name=login_submit]")
    page.get_by_role("heading", name=hello).wait_for()
    shot(page, f"area-{language}")

    page.get_by_role("link", name=large).click()
    page.get_by_role("button", name=keep).click()
    page.get_by_text(kept, exact=False).first.wait_for()
    shot(page, f"area-card-{language}")
    page.reload()
    page.wait_for_function("navigator.serviceWorker.controller !== null")

    page.context.set_offline(True)
    page.goto(f"{prefix}/club/me/")
    page.get_by_text(member.number).first.wait_for()
    page.get_by_text(kept, exact=False).first.wait_for()
    page.context.set_offline(False)

    gone = "caches.keys().then((kept) => !kept.length)"
    page.goto(f"{prefix}/club/me/card/")
    page.get_by_text(kept, exact=False).first.wait_for()
    page.goto(f"{prefix}/club/me/")
    page.evaluate("document.querySelector('#logout_link, a[href$=\"/logout/\"]').click()")
    page.wait_for_url(lambda url: "/club/me" not in url)
    page.wait_for_function(gone)

    page.evaluate(f"caches.open('loyalty-card:{prefix}/club/me/card/')")
    page.goto(f"{prefix}/club/me/")
    page.wait_for_selector("#id_login-username")
    page.wait_for_function(gone)
