"""Tiers in a browser: the member's bar on a desk and a phone, in both languages, and the owner's preview."""

import pytest
from django.urls import reverse

from oscar_loyalty.due import services as due
from oscar_loyalty.earning.tiering import selectors
from tests.earning.tier_help import ladder, spend

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _menu(settings):
    from oscar_loyalty.dashboard.navigation import NAVIGATION

    settings.OSCAR_DASHBOARD_NAVIGATION = [*settings.OSCAR_DASHBOARD_NAVIGATION, *NAVIGATION]


@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
def test_members_see_how_far_it_is(open_page, shot, programme, member, client, live_server, locale):
    ladder(programme, silver=200, gold=500)
    spend(member, 260)
    page = open_page(locale=locale)
    client.force_login(member.user)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(reverse("loyalty-account:overview"))
    bar = page.get_by_role("progressbar")
    assert bar.get_attribute("value") == "52"
    shot(page, f"tier-overview-{locale}")
    page.locator(".loyalty-tierbar a").click()
    page.wait_for_url("**/tier/")
    assert page.locator(".loyalty-tierlist > li").count() == 3
    localised = {"en-GB": "Silver", "fr-FR": "Argent"}[locale]
    assert page.locator(".loyalty-tierlist > li[aria-current]").inner_text().startswith(localised)
    shot(page, f"tier-page-{locale}")


@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
def test_the_owner_looks_before_saving(
    open_page, shot, programme, member, client, live_server, django_user_model, locale
):
    boss = django_user_model.objects.create_superuser(username="boss", email="boss@example.com", password="x")
    spend(member, 260)
    page = open_page(locale=locale)
    client.force_login(boss)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.goto(reverse("loyalty-dashboard:loyalty-tiers"))
    page.locator("input[name=metric][value=spend]").check()
    silver, gold = list(programme.tiers.order_by("rank"))[1:]
    page.fill(f"input[name=threshold_{silver.pk}]", "200")
    page.fill(f"input[name=threshold_{gold.pk}]", "100")
    page.locator(".loyalty-form button[type=submit]").click()
    # Gold must be more than silver; nothing that was typed is lost.
    assert page.locator(".error-block").count() == 1
    assert page.input_value(f"input[name=threshold_{silver.pk}]") == "200"
    page.fill(f"input[name=threshold_{gold.pk}]", "500")
    shot(page, f"tiers-{locale}")
    page.locator(".loyalty-form button[type=submit]").click()
    page.wait_for_url("**/preview/**")
    assert {"en-GB": "Bronze → Silver", "fr-FR": "Bronze → Argent"}[locale] in page.inner_text("body")
    shot(page, f"tiers-preview-{locale}")
    page.locator(".loyalty-form button[type=submit]").click()
    page.wait_for_url("**/tiers/")
    assert selectors.scheme_of(programme).metric == "spend"
    due.sweep()
    member.refresh_from_db()
    assert member.tier == silver
