"""The salon's Content-Security-Policy, as its server sends it: no page of shop, dashboard or club breaks it."""

import pytest
from django.apps import apps
from django.urls import NoReverseMatch, reverse
from oscar.core.loading import get_model
from wagtail.models import Page

from oscar_loyalty import clock
from oscar_loyalty.account.apps import AccountConfig
from oscar_loyalty.dashboard.apps import PAGES
from oscar_loyalty.members import selectors, services
from sandbox.demo.programme import load_programme
from sandbox.shop.data.people import GOLD, OWNER
from sandbox.shop.load import load_catalogue
from sandbox.shop.load_club_pages import load_club_pages
from sandbox.shop.load_people import account
from tests.attacks import planted
from tests.browser.conftest import open_page  # noqa: F401  (fixture)
from tests.sandbox.test_story import sign_in

#: Told by the browser, for each thing that it did not do because of the policy.
LISTEN = """
    window.broken = [];
    document.addEventListener("securitypolicyviolation", (event) => window.broken.push(
        [location.pathname, event.effectiveDirective, event.blockedURI, event.lineNumber, event.sample].join(" ")
    ));
"""


@pytest.fixture
def salon(transactional_db, wagtail_pages):
    load_catalogue()
    programme = load_programme(started_at=clock.now())
    member = services.join(programme=programme, user=account(person=GOLD))
    gold = next(tier for tier in selectors.tiers(programme) if tier.code == "gold")
    services.set_tier(member=member, tier=gold, key="policy")
    load_club_pages()
    return programme


def named(prefix, names):
    for name in names:
        try:
            yield reverse(f"{prefix}:{name}")
        except NoReverseMatch:
            continue


def walk(page, addresses):
    """Open each page, and return what broke the policy on it."""
    page.add_init_script(LISTEN)
    broken, opened = [], 0
    for address in addresses:
        # What only a button may ask for, or what is no page, is not one to open.
        answer = page.request.get(address)
        if answer.status != 200 or "html" not in answer.headers.get("content-type", ""):
            continue
        page.goto(address)
        opened += 1
        assert "'unsafe-" not in answer.headers["content-security-policy"], address
        # Oscar's own style where it hides something within the page: the shop's sheet does it instead.
        broken += [each for each in page.evaluate("window.broken") if "style-src-attr" not in each]
    return broken, opened


def test_the_shop_and_the_account(salon, open_page):  # noqa: F811
    page = open_page()
    sign_in(page, "", GOLD.email)
    product = get_model("catalogue", "Product").objects.filter(structure="standalone", is_public=True).first()
    page.goto(product.get_absolute_url())
    addresses = [
        "/",
        "/catalogue/",
        product.get_absolute_url(),
        "/basket/",
        "/gift-cards/",
        "/services/",
        "/club/",
        "/club/care/summer-hair/",
        "/club/me/",
        *named(
            "loyalty-account", [pattern.name for pattern in AccountConfig.create("oscar_loyalty.account").get_urls()]
        ),
    ]
    broken, opened = walk(page, addresses)
    assert "\n".join(broken) == ""
    assert opened > 15


def club_pages():
    """Every page of the club, in both languages, and what a member finds there."""
    found = [page.url for page in Page.objects.live().filter(depth__gt=2).specific() if "/club" in (page.url or "")]
    assert len(found) > 40, found
    return [*found, "/club/me/", "/fr/club/me/", "/club/?q=hair", "/club/feed/"]


@pytest.mark.parametrize("who", ["a stranger", "a Gold member"])
def test_the_club_whatever_was_typed_into_it(salon, open_page, who):  # noqa: F811
    models = [Page, *apps.get_app_config("wagtail_club").get_models()]
    done = sum(planted.plant_in(model, planted.TEXT) for model in models)
    assert planted.plant(planted.TEXT, planted.MAIL) + done > 35
    page = open_page()
    if who == "a Gold member":
        sign_in(page, "", GOLD.email)
    told, seen = [], 0
    addresses = club_pages()
    for address in addresses:
        text = page.request.get(address).text()
        seen += planted.SCRIPT in text
        told += [f"{address}: {each}" for each in planted.running(text)]
    broken, opened = walk(page, addresses)
    assert "\n".join(told + broken) == ""
    # Else nothing of it was on any page, and the walk proved nothing.
    assert seen > 20, seen
    assert opened > 20


def test_the_dashboard(salon, open_page):  # noqa: F811
    page = open_page()
    sign_in(page, "", OWNER.email)
    names = [name for address, _module, _view, name in PAGES if "<" not in address]
    addresses = ["/dashboard/", "/dashboard/orders/", *named("loyalty-dashboard", names)]
    broken, opened = walk(page, addresses)
    assert "\n".join(broken) == ""
    assert opened > 40


def test_what_oscar_writes_into_its_pages_works_all_the_same(salon, open_page):  # noqa: F811
    page = open_page()
    sign_in(page, "", GOLD.email)
    page.goto("/catalogue/")
    page.goto("/accounts/change-password/")
    page.locator("[onclick*='history.go']").click()
    page.wait_for_url("**/catalogue/")
