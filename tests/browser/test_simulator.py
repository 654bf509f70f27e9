"""The owner tries a draft on what was sold, sees the bar and the result, and compares; in English and in French."""

import threading
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import connection
from django.utils.translation import gettext, override
from playwright.sync_api import expect

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import bookings, drafts, rules
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members


@pytest.fixture(autouse=True)
def _settings(settings):
    from oscar_loyalty.dashboard.navigation import NAVIGATION

    settings.OSCAR_DASHBOARD_NAVIGATION = [*settings.OSCAR_DASHBOARD_NAVIGATION, *NAVIGATION]
    settings.OSCAR_LOYALTY_WORKER = "cron"


@pytest.fixture
def sold(shop, programme, django_user_model):
    """Five members who bought and came, tiers by what is spent, and a draft that doubles what visits bring."""
    get_model("loyalty_members", "TierScheme").objects.create(programme=programme, metric="spend", months=12)
    for rank, (code, threshold) in enumerate([("bronze", None), ("silver", 100), ("gold", 160)]):
        members.save_tier(programme=programme, code=code, rank=rank, name=code.title())
        programme.tiers.filter(code=code).update(threshold=threshold)
    for number in range(5):
        user = django_user_model.objects.create_user(
            username=f"m{number}", email=f"m{number}@example.com", first_name=f"Lou {number}", last_name="Petit"
        )
        member = members.join(programme=programme, user=user, source="test")
        for visit in range(number + 2):
            bookings.made(
                reference=f"b{number}-{visit}",
                service=shop,
                starts_at=clock.now() + timedelta(hours=1),
                member=member,
                price=D(30),
                currency="EUR",
            )
    rules.publish_rule(programme=programme, kind="visit", spec={"points": 5}, name="Welcome")
    draft = drafts.start(programme=programme, name="Twice for visits")
    drafts.put(draft=draft, kind="booster", spec={"times": "2", "when": {"channels": ["booking"]}}, name="Twice")
    return draft


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_owner_tries_a_draft(open_page, sold, programme, sign_in, shot, django_user_model, language):
    boss = django_user_model.objects.create_superuser(
        username="boss", email="boss@example.com", password="petale-demo", first_name="Ada"
    )
    page = open_page(locale={"en": "en-GB", "fr": "fr-FR"}[language])

    def said(text, **values):
        with override(language):
            return gettext(text) % values

    sign_in(page, boss)
    page.goto("/dashboard/loyalty/simulations/")
    shot(page, f"simulator-empty-{language}")
    page.locator("main, body").get_by_role("link", name=said("New simulation")).first.click()
    page.goto(f"/dashboard/loyalty/simulations/new/?draft={sold.pk}")
    expect(page.locator("#id_rules")).to_have_value(f"draft:{sold.pk}")
    page.select_option("#id_beside", "today")
    page.check("#id_earlier")
    shot(page, f"simulator-new-{language}")
    page.locator("form.loyalty-form button[type=submit]").click()
    page.wait_for_url("**/simulations/*/")
    expect(page.get_by_role("progressbar")).to_be_visible()
    shot(page, f"simulator-waiting-{language}")

    def work():
        try:
            due.sweep()
        finally:
            connection.close()

    # While somebody else does the work, the page comes by itself.
    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    expect(page.get_by_role("heading", name=said("Points by rule"))).to_be_visible()
    expect(page.locator(".loyalty-figures")).to_contain_text("5 / 0")
    shot(page, f"simulator-result-{language}")
    page.get_by_role("link", name=said("Side by side")).click()
    expect(page.locator("h2 a")).to_have_count(2)
    shot(page, f"simulator-compare-{language}")
    page.goto("/dashboard/loyalty/simulations/")
    shot(page, f"simulator-list-{language}")
