"""The club's pages in a browser: nothing that axe finds, a strict policy that holds, in the light and in the dark."""

import pytest
from django.urls import reverse

from oscar_loyalty import clock
from oscar_loyalty.members import selectors, services
from sandbox.demo.programme import load_programme
from sandbox.shop.data.people import BRONZE, GOLD
from sandbox.shop.load import load_catalogue
from sandbox.shop.load_club_pages import load_club_pages
from sandbox.shop.load_people import account
from tests.browser.conftest import DESK, PHONE, open_page  # noqa: F401  (fixture)
from tests.browser.look import barriers, serve_strictly
from tests.sandbox.test_story import sign_in
from wagtail_club import me_urls

#: Who looks at what. Between them there is each kind of page and each block.
SIGHTS = {
    "": ["/club/", "/club/care/", "/club/care/summer-hair/", "/club/notebook/"],
    BRONZE.email: ["/club/offers/gold-evening/", "/club/offers/winter-box/", "/club/offers/duo/"],
    GOLD.email: [
        "/club/", "/club/?q=nothing+like+it", "/club/care/summer-hair/", "/club/care/hair-diary/",
        "/club/how-to/blow-dry/", "/club/how-to/breathe/", "/club/offers/camellia/",
    ],
}  # fmt: skip


NO_PAGES = {"manifest", "worker", "copy", "leave-undo"}


def member_area() -> list[str]:
    """The pages of the member area that need nothing but a member; what only a button asks for is none."""
    names = [pattern.name for pattern in me_urls.urlpatterns if "<" not in str(pattern.pattern)]
    return [reverse(f"wagtail_club:{name}") for name in names if name not in NO_PAGES]


@pytest.fixture
def club(transactional_db, wagtail_pages):
    load_catalogue()
    programme = load_programme(started_at=clock.now())
    tiers = {tier.code: tier for tier in selectors.tiers(programme)}
    for person, code in ((BRONZE, "bronze"), (GOLD, "gold")):
        member = services.join(programme=programme, user=account(person=person))
        services.set_tier(member=member, tier=tiers[code], key=f"look:{code}")
    load_club_pages()


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("fr", "dark")])
def test_every_page_of_the_club_is_for_everybody(club, open_page, language, scheme):  # noqa: F811
    prefix = "/fr" if language == "fr" else ""
    found, wide = [], []
    for email, addresses in SIGHTS.items():
        page = open_page(color_scheme=scheme, reduced_motion="reduce")
        if email:
            sign_in(page, prefix, email)
        broken = serve_strictly(page)
        for address in [*addresses, *(member_area() if email == GOLD.email else [])]:
            answer = page.goto(prefix + address)
            assert answer.status in (200, 403), address
            for size in (DESK, PHONE):
                page.set_viewport_size(size)
                found += barriers(page)
            if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
                wide.append(address)
        found += broken
    assert "\n".join(found) == ""
    assert wide == []


def test_what_breaks_the_policy_and_other_hosts_are_found(open_page):  # noqa: F811
    page = open_page()
    broken = serve_strictly(page)
    page.goto("/static/shop/mark.svg")
    trap = '<p style="color: red">No</p><img src="http://127.0.0.2:9/pixel.png" alt="">'
    policy = {"content-security-policy": "style-src 'self'", "content-type": "text/html"}
    page.route("**/trap", lambda route: route.fulfill(body=trap, headers=policy))
    page.goto("/trap")
    page.wait_for_load_state("networkidle")
    assert len(broken) == 2
    assert "another host" in "".join(broken)
