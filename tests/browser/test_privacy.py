"""A member decides which mails come, takes a copy of the data, leaves and comes back. In English and in French."""

import io
import re
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from django.core import mail
from django.utils.translation import gettext, override
from playwright.sync_api import expect

from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.members import consents, services


@pytest.fixture(autouse=True)
def _cron(settings):
    settings.OSCAR_LOYALTY_WORKER = "cron"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_member_decides_takes_a_copy_leaves_and_comes_back(
    open_page, shop, programme, member, user, give, sign_in, shot, language
):
    def said(text, **values):
        with override(language):
            return gettext(text) % values

    give(1240)
    giftcards.issue(value=Decimal("40.00"), key="card", buyer=user)
    services.update_details(member=member, language=language)
    page = open_page(locale={"en": "en-GB", "fr": "fr-FR"}[language])
    sign_in(page, user)

    # How to be greeted, and a birthday: what cannot be is said at the field, and nothing typed is lost.
    page.goto("/accounts/loyalty/profile/")
    page.fill("#id_greeting_name", "Madame Rose")
    page.fill("#id_day", "31")
    page.select_option("#id_month", "2")
    page.click(".loyalty-narrow [type=submit]")
    expect(page.locator("#id_day_error")).to_be_visible()
    expect(page.locator("#id_greeting_name")).to_have_value("Madame Rose")
    shot(page, f"privacy-profile-wrong-{language}")
    page.fill("#id_day", "29")
    page.click(".loyalty-narrow [type=submit]")
    expect(page.locator(".alert-success")).to_be_visible()
    shot(page, f"privacy-profile-{language}")

    # What one agrees to.
    page.goto("/accounts/loyalty/privacy/")
    expect(page.locator("#id_birthday")).to_be_checked()
    page.check("#id_news")
    page.uncheck("#id_reminders")
    page.locator("section", has=page.locator("#consents")).locator("[type=submit]").click()
    expect(page.locator(".alert-success")).to_be_visible()
    page.get_by_text("What you answered before" if language == "en" else "Vos réponses précédentes").click()
    shot(page, f"privacy-consents-{language}")
    assert consents.allows(member, "news")
    assert not consents.allows(member, "reminders")

    # A copy of the data.
    page.locator("section", has=page.locator("#copy")).locator("[type=submit]").click()
    with page.expect_download() as download:
        page.locator("a[download]").click()
    archive = zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert "Madame Rose" in archive.read("index.html").decode()
    shot(page, f"privacy-copy-{language}")
    copy = open_page()
    copy.set_content(archive.read("index.html").decode())
    shot(copy, f"privacy-copy-page-{language}")

    # Leaving: first what is lost, then the password, and the way back.
    page.get_by_role("link", name=said("See what leaving means")).click()
    expect(page.locator(".loyalty-lost")).to_contain_text(re.compile(r"1.?240"))
    expect(page.locator(".loyalty-stays")).to_contain_text("40")
    page.fill("#id_password", "wrong")
    page.click(".btn-danger")
    expect(page.locator("#id_password_error")).to_be_visible()
    shot(page, f"privacy-leave-{language}")
    page.fill("#id_password", "petale-demo")
    page.click(".btn-danger")
    expect(page.get_by_role("button", name=said("Come back"))).to_be_visible()
    shot(page, f"privacy-left-{language}")
    due.sweep()
    (letter,) = [one for one in mail.outbox if one.subject == said("You have left %(name)s", name="Pétales")]
    assert "Madame Rose" in letter.body
    page.get_by_role("button", name=said("Come back")).click()
    expect(page.locator(".loyalty-figure").first).to_contain_text(re.compile(r"1.?240"))

    # The mails can be read here, and the end of one leads out of such mails, without signing in.
    page.goto("/accounts/loyalty/messages/")
    shot(page, f"privacy-messages-{language}")
    page.locator(".loyalty-ways a").first.click()
    expect(page.locator(".loyalty-letter")).to_be_visible()
    shot(page, f"privacy-message-{language}")
    stranger = open_page(locale={"en": "en-GB", "fr": "fr-FR"}[language])
    stranger.goto(f"/accounts/loyalty/unsubscribe/{consents.token(member, 'updates')}/")
    shot(stranger, f"privacy-unsubscribe-{language}")
    stranger.get_by_role("button", name=said("No longer get such e-mails")).click()
    expect(stranger.get_by_role("status")).to_be_visible()
    shot(stranger, f"privacy-unsubscribed-{language}")
    assert not consents.allows(member, "updates")
