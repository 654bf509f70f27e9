"""A member gives points, another accepts them; one is put on hold and reads why. In English and in French."""

import re

import pytest
from django.core import mail
from django.utils.translation import gettext, override
from playwright.sync_api import expect

from oscar_loyalty.due import services as due
from oscar_loyalty.ledger import audit
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.members import giving, services


@pytest.fixture(autouse=True)
def _cron(settings):
    from oscar_loyalty.dashboard.navigation import NAVIGATION

    settings.OSCAR_LOYALTY_WORKER = "cron"
    settings.OSCAR_DASHBOARD_NAVIGATION = [*settings.OSCAR_DASHBOARD_NAVIGATION, *NAVIGATION]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_points_are_given_and_a_hold_is_read(
    open_page, shop, programme, member, user, give, sign_in, shot, django_user_model, language
):
    locale = {"en": "en-GB", "fr": "fr-FR"}[language]

    def said(text, **values):
        with override(language):
            return gettext(text) % values

    giving.save_policy(programme=programme, is_active=True, households=True)
    give(1240)
    friend = django_user_model.objects.create_user(
        username="lea", email="lea@example.com", password="petale-demo", first_name="Léa", last_name="Petit"
    )
    services.update_details(member=member, language=language)
    lea = services.join(programme=programme, user=friend, language=language)
    boss = django_user_model.objects.create_superuser(
        username="boss", email="boss@example.com", password="petale-demo", first_name="Ada", last_name="Boss"
    )

    # Rose gives: whom and how many, then once more in words, with the password.
    page = open_page(locale=locale)
    sign_in(page, user)
    page.goto("/accounts/loyalty/give/")
    shot(page, f"people-give-empty-{language}")
    page.fill("#id_to", "lea@example")
    page.fill("#id_units", "200")
    page.click("button[value=preview]")
    expect(page.locator("#id_to_error")).to_be_visible()
    shot(page, f"people-give-wrong-{language}")
    page.fill("#id_to", "lea@example.com")
    page.click("button[value=preview]")
    expect(page.locator(".loyalty-give")).to_contain_text("200")
    shot(page, f"people-give-confirm-{language}")
    page.fill("#id_password", "petale-demo")
    page.click("button[value=confirm]")
    page.wait_for_load_state()
    expect(page.locator(".loyalty-gifts")).to_contain_text("lea@example.com")
    shot(page, f"people-give-waiting-{language}")
    due.sweep()
    assert [message.to for message in mail.outbox if "200" in message.subject] != []

    # Léa finds them, and accepts.
    other = open_page(locale=locale)
    sign_in(other, friend)
    other.goto("/accounts/loyalty/")
    shot(other, f"people-overview-waiting-{language}")
    other.locator(".loyalty-waiting a").first.click()
    shot(other, f"people-answer-{language}")
    other.get_by_role("button", name=re.compile(said("Accept"))).click()
    other.wait_for_load_state()
    expect(other.locator("#messages")).to_contain_text("200")
    assert ledger.balance(lea.account).usable == 200

    # A household, by invitation.
    page.goto("/accounts/loyalty/household/")
    shot(page, f"people-household-empty-{language}")
    page.fill("#id_to", "lea@example.com")
    page.click("section[aria-labelledby=invite] button[type=submit]")
    page.wait_for_load_state()
    other.goto("/accounts/loyalty/household/")
    shot(other, f"people-household-invited-{language}")
    other.get_by_role("button", name=re.compile(said("Accept"))).click()
    other.wait_for_load_state()
    shot(other, f"people-household-{language}")
    page.goto("/accounts/loyalty/give/")
    shot(page, f"people-give-household-{language}")

    # The shop puts Rose on hold, with a reason that she may read.
    desk = open_page(locale=locale)
    sign_in(desk, boss)
    desk.goto(f"/dashboard/loyalty/members/{member.pk}/")
    shot(desk, f"people-desk-member-{language}")
    desk.locator(f"a[href$='/members/{member.pk}/status/frozen/']").click()
    shot(desk, f"people-desk-hold-{language}")
    desk.fill("#id_reason", "Carte perdue" if language == "fr" else "The card was lost")
    desk.check("#id_shown")
    desk.click("form.loyalty-form button[type=submit]")
    desk.wait_for_url(f"**/members/{member.pk}/")
    shot(desk, f"people-desk-on-hold-{language}")
    desk.goto("/dashboard/loyalty/gifts/")
    shot(desk, f"people-desk-gifts-{language}")
    desk.goto("/dashboard/loyalty/gifts/terms/")
    shot(desk, f"people-desk-terms-{language}")
    page.goto("/accounts/loyalty/")
    expect(page.locator(".alert-warning")).to_contain_text("Carte perdue" if language == "fr" else "The card was lost")
    shot(page, f"people-on-hold-{language}")
    page.goto("/accounts/loyalty/give/")
    expect(page.locator("#id_units")).to_have_count(0)
    shot(page, f"people-give-on-hold-{language}")
    due.sweep()
    assert any(said("Your membership is on hold") == message.subject for message in mail.outbox)

    # A duplicate, compared; then the hold ends, and the two become one.
    twin = services.join(programme=programme, email="rose.martin@example.org", first_name="Rose", last_name="Martin")
    give(80, to=twin)
    desk.goto(f"/dashboard/loyalty/members/{lea.pk}/merge/?q=rose")
    shot(desk, f"people-desk-find-{language}")
    services.set_status(member=member, status="active")
    desk.goto(f"/dashboard/loyalty/members/{member.pk}/merge/{twin.pk}/")
    shot(desk, f"people-desk-merge-{language}")
    desk.fill("#id_reason", "Same phone")
    desk.check("#id_sure")
    desk.click("form.loyalty-form button[type=submit]")
    desk.wait_for_url(f"**/members/{member.pk}/")
    assert ledger.balance(member.account).usable == 1240 - 200 + 80
    assert list(audit.audit()) == []
