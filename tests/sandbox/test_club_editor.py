"""An editor at work: a part for a tier with a product of the shop, a member by name, and previews."""

import contextlib

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import TimeoutError

from oscar_loyalty.members import services
from sandbox.shop.data.people import PASSWORD
from sandbox.shop.load import load_products
from sandbox.shop.load_club import load_club
from tests.browser.conftest import open_page, shot  # noqa: F401  (fixtures)
from tests.sandbox.test_story import sign_in
from wagtail_club.models import ClubArticlePage, ClubHomePage, ClubSectionPage


@pytest.fixture
def section(transactional_db, wagtail_pages, programme):
    load_products()
    load_club()
    get_user_model().objects.create_superuser("editor", "editor@example.com", PASSWORD)
    guest = get_user_model().objects.create_user(
        "lucas", "lucas@example.com", PASSWORD, first_name="Lucas", last_name="Bernard"
    )
    services.join(programme=programme, user=guest)
    home = ClubHomePage.objects.get(locale__language_code="en")
    return home.add_child(instance=ClubSectionPage(title="Evenings", slug="evenings"))


def insert(page, field, name):
    parts = field.locator("[data-streamfield-child]")
    before = parts.count()
    for _press in range(3):
        # As below: a part that has just been put in may not listen yet.
        field.get_by_role("button", name="Insert a block").last.click()
        page.get_by_role("option", name=name, exact=True).click()
        with contextlib.suppress(TimeoutError):
            parts.nth(before).wait_for(timeout=5000)
            break


def choose(page, field, button, search, row):
    words = page.locator(".modal input[name=q]")
    for _press in range(3):
        # A part that has just been put in may not listen yet; one presses again.
        if not words.is_visible():
            field.get_by_role("button", name=button).first.click()
        with contextlib.suppress(TimeoutError):
            words.wait_for(timeout=5000)
            break
    words.fill(search)
    page.locator(".modal tbody tr").filter(has_text=row).get_by_role("link").first.click()
    page.locator(".modal").wait_for(state="detached")


def preview(page, mode):
    """What the preview shows to such a visitor."""
    page.select_option("#id_preview_mode", label=mode)
    frame = page.frame_locator("#w-preview-iframe, [data-w-preview-target=iframe]").first
    return frame.locator("main")


def test_an_editor_makes_a_page_with_a_part_for_a_tier(section, open_page, shot):  # noqa: F811
    desk = open_page()
    wrong = []
    desk.on("pageerror", lambda error: wrong.append(str(error)))
    sign_in(desk, "", "editor@example.com")
    desk.goto(f"/cms/pages/add/wagtail_club/clubarticlepage/{section.pk}/")
    desk.fill("#id_title", "The moonflower evening")
    body = desk.locator("[data-contentpath=body]")
    insert(desk, body, "For a tier")
    body.locator("[data-contentpath=tier] select").select_option(label="Silver")
    body.locator("[data-contentpath=invitation] input").fill("A word for the others")
    inner = body.locator("[data-contentpath=content]").last
    insert(desk, inner, "Products")
    choose(desk, inner, "Choose a product", "camellia", "Camellia hair oil")

    desk.get_by_role("tab", name="Who may see it").click()
    desk.select_option("#id_audience", "tier")
    desk.select_option("#id_minimum_tier", label="Bronze")
    desk.fill("#id_teaser_title", "An evening")
    guests = desk.locator("[data-contentpath=guests]")
    insert(desk, guests, "Member")
    choose(desk, guests, "Choose a member", "bernard", "Lucas Bernard")

    # As a visitor, a Bronze and a Gold member would see it.
    desk.get_by_role("button", name="Toggle preview").click()
    preview(desk, "A visitor").get_by_role("heading", name="An evening", exact=True).wait_for()
    preview(desk, "Bronze").get_by_text("A word for the others").wait_for()
    preview(desk, "Gold").get_by_text("Camellia hair oil").wait_for()

    # Wagtail takes a page that is published while it first saves itself for a second one, of the same address.
    desk.wait_for_url("**/edit/")
    # Published, and opened again: what was chosen is still chosen.
    desk.locator(".footer [data-w-dropdown-target=toggle], .footer .w-dropdown button").first.click()
    desk.locator("button[name=action-publish]").click()
    desk.wait_for_url(f"**/cms/pages/{section.pk}/")
    page = ClubArticlePage.objects.get(title="The moonflower evening")
    desk.goto(f"/cms/pages/{page.pk}/edit/")
    tier = desk.locator("[data-contentpath=body] [data-contentpath=tier] select")
    assert tier.locator("option:checked").inner_text() == "Silver"
    assert wrong == []
    assert page.live and page.minimum_tier.code == "bronze" and len(page.guests) == 1


def test_a_preview_chosen_while_another_loads_is_shown(section, open_page):  # noqa: F811
    desk = open_page()
    sign_in(desk, "", "editor@example.com")
    desk.goto(f"/cms/pages/{section.pk}/edit/")
    desk.get_by_role("tab", name="Who may see it").click()
    desk.select_option("#id_audience", "tier")
    desk.select_option("#id_minimum_tier", label="Bronze")
    desk.fill("#id_teaser_title", "For members only")
    desk.get_by_role("button", name="Toggle preview").click()
    preview(desk, "Gold").get_by_role("heading", name="Evenings", exact=True).wait_for()

    slow = []
    desk.route(lambda url: "mode=visitor" in url, lambda route: slow.append(route))
    with desk.expect_request(lambda request: "mode=visitor" in request.url):
        desk.select_option("#id_preview_mode", label="A visitor")
    (silver,) = desk.select_option("#id_preview_mode", label="Silver")
    slow.pop().continue_()
    desk.locator(f"#w-preview-iframe[src*='mode={silver}']").wait_for()
    desk.frame_locator("#w-preview-iframe").get_by_role("heading", name="Evenings", exact=True).wait_for()


def test_a_chosen_preview_stays_when_a_new_page_is_first_saved(section, open_page):  # noqa: F811
    desk = open_page()
    sign_in(desk, "", "editor@example.com")
    new = f"/cms/pages/add/wagtail_club/clubarticlepage/{section.pk}/"
    saving = []

    def held(route):
        saving.append(route) if route.request.method == "POST" else route.continue_()

    desk.route(lambda url: url.endswith(new), held)
    # Only the first time matters; what is saved later would go on when this test has ended.
    desk.route("**/edit/", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    desk.goto(new)
    desk.locator("#id_title").press_sequentially("The moonflower evening")
    desk.get_by_role("button", name="Toggle preview").click()
    desk.locator("#w-preview-iframe").wait_for()
    # What is written in the first seconds is no change to Wagtail yet: one writes on until it saves.
    for _word in range(10):
        if not saving:
            desk.locator("#id_introduction").press_sequentially("flowers ")
            desk.wait_for_timeout(1000)
    assert saving
    (bronze,) = desk.select_option("#id_preview_mode", label="Bronze")
    # Wagtail saves it by itself, and goes on as if it had been opened for changing.
    saving.pop().continue_()
    desk.wait_for_url("**/edit/")
    desk.locator("#w-preview-iframe[src*='/edit/']").wait_for()
    desk.locator(f"#w-preview-iframe[src*='/edit/'][src*='mode={bronze}']").wait_for()
    assert desk.locator("#id_preview_mode").input_value() == bronze
