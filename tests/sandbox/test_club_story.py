"""An editor publishes a page for Gold, with a picture; Bronze, Gold and a visitor see what each should."""

from io import BytesIO

import pytest
from django.contrib.auth import get_user_model
from PIL import Image as Canvas

from oscar_loyalty.members import selectors, services
from sandbox.gallery.models import Picture
from sandbox.shop.data.people import PASSWORD
from sandbox.shop.load_club import load_club
from tests.browser.conftest import open_page, shot  # noqa: F401  (fixtures)
from tests.sandbox.test_story import reads, sign_in
from wagtail_club.models import ClubArticlePage, ClubHomePage, ClubSectionPage

SECRET = "The moonflower evening"


@pytest.fixture(params=["en", "fr"])
def language(request):
    return request.param


@pytest.fixture
def club(transactional_db, wagtail_pages, programme, language):
    """The club of the salon in a language, a section, an editor and two members."""
    load_club()
    tiers = {tier.code: tier for tier in selectors.tiers(programme)}
    for code in ("bronze", "gold"):
        user = get_user_model().objects.create_user(code, f"{code}@example.com", PASSWORD, first_name=code.title())
        member = services.join(programme=programme, user=user)
        services.set_tier(member=member, tier=tiers[code], key=f"story:{code}")
    get_user_model().objects.create_superuser("editor", "editor@example.com", PASSWORD)
    home = ClubHomePage.objects.get(locale__language_code=language)
    return home.add_child(instance=ClubSectionPage(title="Evenings", slug="evenings"))


@pytest.fixture
def photo(tmp_path):
    out = BytesIO()
    Canvas.new("RGB", (1400, 700), "#c08").save(out, "JPEG")
    path = tmp_path / "moonflower.jpg"
    path.write_bytes(out.getvalue())
    return path


def pictures(page):
    """The club's pictures on the page: their addresses, and whether the browser could show each."""
    page.wait_for_load_state("networkidle")
    return page.evaluate(
        """async () => {
            const found = [...document.querySelectorAll("main img")];
            found.forEach(image => image.loading = "eager");
            await Promise.all(found.map(image => image.decode().catch(() => null)));
            return found.map(image => [new URL(image.currentSrc || image.src).pathname, image.naturalWidth > 0]);
        }"""
    )


def test_the_story_of_a_gold_page(club, photo, open_page, shot, language):  # noqa: F811
    prefix = "" if language == "en" else f"/{language}"
    # The editor writes the page, uploads its picture, and chooses the tier.
    desk = open_page()
    sign_in(desk, "", "editor@example.com")
    desk.goto(f"/cms/pages/add/wagtail_club/clubarticlepage/{club.pk}/")
    desk.fill("#id_title", SECRET)
    desk.fill("#id_introduction", "Champagne and moonflowers")
    desk.locator("#id_picture-chooser .unchosen button").click()
    desk.get_by_role("tab", name="Upload").click()
    desk.set_input_files("#id_image-chooser-upload-file", str(photo))
    desk.fill("#id_image-chooser-upload-title", "Moonflowers")
    desk.locator(".modal form [type=submit]:visible").last.click()
    desk.locator("#id_picture-chooser .chosen img").wait_for()
    desk.get_by_role("tab", name="Who may see it").click()
    desk.select_option("#id_audience", "tier")
    desk.select_option("#id_minimum_tier", label="Gold")
    desk.fill("#id_teaser_title", "An evening for Gold")
    shot_name = f"club-gold-{language}"
    desk.get_by_role("tab", name="Promote").click()
    desk.fill("#id_slug", "moonflower")
    desk.locator(".footer [data-w-dropdown-target=toggle], .footer .w-dropdown button").first.click()
    desk.locator("button[name=action-publish]").click()
    desk.wait_for_url(f"**/cms/pages/{club.pk}/")
    page_url = ClubArticlePage.objects.get(slug="moonflower").get_url()
    image = Picture.objects.get()

    # Gold reads it, with the picture.
    gold = open_page()
    sign_in(gold, prefix, "gold@example.com")
    gold.goto(page_url)
    reads(gold, SECRET)
    assert gold.locator("html").get_attribute("lang") == language
    shown = pictures(gold)
    assert [decoded for address, decoded in shown if f"/pictures/{image.pk}/" in address] == [True]
    shot(gold, f"{shot_name}-gold")
    address = next(address for address, _decoded in shown if f"/pictures/{image.pk}/" in address)

    # Bronze and a visitor read the words for others; the picture's address gives them nothing.
    for name in ("bronze", "visitor"):
        page = open_page()
        if name == "bronze":
            sign_in(page, prefix, "bronze@example.com")
        page.goto(page_url)
        reads(page, "An evening for Gold")
        assert SECRET not in page.content()
        assert str(image.pk) not in [part for path, _decoded in pictures(page) for part in path.split("/")]
        shot(page, f"{shot_name}-{name}")
        page.goto(club.get_url())
        assert SECRET not in page.content()
        for closed in (address, image.file.url):
            assert page.request.get(closed).status == 404
    assert gold.request.get(address).status == 200
