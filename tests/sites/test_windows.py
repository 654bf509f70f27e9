"""Changing over in a real browser, with two windows open."""

import pytest
from django.test import Client
from django.urls import reverse

from oscar_loyalty.loading import get_model

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_window_that_was_left_open_saves_nothing_into_the_other_programme(
    transactional_db, settings, live_server, browser, a, b, boss
):
    settings.SITE_ID = a.site.pk
    client = Client()
    client.force_login(boss)
    context = browser.new_context(viewport={"width": 390, "height": 844}, base_url=live_server.url)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    try:
        left_open, page = context.new_page(), context.new_page()
        left_open.goto(reverse("loyalty-dashboard:loyalty-referral-terms"))
        left_open.check("[name=is_active]")
        page.goto(reverse("loyalty-dashboard:loyalty-members"))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.select_option("#loyalty-switcher", str(b.programme.pk))
        page.click(".loyalty-switcher button")
        # The list stays the list.
        assert page.url.endswith(reverse("loyalty-dashboard:loyalty-members"))
        assert page.eval_on_selector("#loyalty-switcher", "list => list.value") == str(b.programme.pk)
        left_open.click(".loyalty-form button[type=submit], main form button.btn-primary")
        left_open.wait_for_url("**/programmes/")
    finally:
        context.close()
    assert not get_model("loyalty_earning", "ReferralScheme").objects.filter(is_active=True).exists()
