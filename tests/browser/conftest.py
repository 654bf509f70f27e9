"""A real browser against a real server. A missing browser fails these tests; they are never skipped."""

import os
from decimal import Decimal as D
from pathlib import Path

import pytest
from oscar.core.loading import get_model
from oscar.test.factories import create_product, create_stockrecord

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def open_page(browser, live_server):
    """Open a window: ``open_page(locale="fr-FR")``."""
    contexts = []

    def open_page(**options):
        options = {"viewport": DESK, "locale": "en-GB", "base_url": live_server.url, **options}
        context = browser.new_context(**options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page):
    return open_page()


@pytest.fixture
def shot():
    """Keep a picture of a page at both widths, where LOYALTY_SHOTS names a folder: ``shot(page, "basket")``.

    At the width of a phone, nothing may be wider than the screen.
    """
    folder = os.environ.get("LOYALTY_SHOTS")

    def shot(page, name):
        before = page.viewport_size
        for size in (DESK, PHONE):
            page.set_viewport_size(size)
            if folder:
                Path(folder).mkdir(parents=True, exist_ok=True)
                page.screenshot(path=f"{folder}/{name}-{size['width']}.png", full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth")
        page.set_viewport_size(before)
        assert wide <= PHONE["width"], f"{name} is {wide} pixels wide on a phone"

    return shot


@pytest.fixture
def shop(transactional_db, programme):
    """A salon: a haircut that brings 80 petals, a petal for each euro, and gift cards of 10 and 40 euros."""
    from oscar_loyalty.earning import rules
    from oscar_loyalty.giftcards import services as giftcards

    ProductClass = get_model("catalogue", "ProductClass")
    kind = ProductClass.objects.create(slug="service", name="Service", requires_shipping=False, track_stock=False)
    haircut = create_product(title="Haircut", product_class=kind.name)
    create_stockrecord(haircut, price=D("30.00"), num_in_stock=None, partner_name="Salon")
    haircut.stockrecords.update(price_currency="EUR")
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1.00"})
    rules.set_product_points(product=haircut, points=80)
    giftcards.set_denomination(value=D("10.00"), points_price=1000)
    giftcards.set_denomination(value=D("25.00"))
    giftcards.set_denomination(value=D("40.00"), points_price=3400)
    return haircut


@pytest.fixture
def sign_in():
    def sign_in(page, user):
        page.goto("/accounts/login/")
        page.fill("#id_login-username", user.email)
        page.fill("#id_login-password", "petale-demo")
        page.click("[name=login_submit]")
        page.wait_for_url(lambda url: "/login/" not in url)

    return sign_in
