"""A box for Gold members first, told in a browser in both languages: the owner begins it, a member has it and brings a
friend, a stranger waits, the owner ends it."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from oscar.core.loading import get_model

from oscar_loyalty.loading import get_model as get_loyalty_model
from oscar_loyalty.members import selectors
from oscar_loyalty.members import services as members
from sandbox.demo.programme import load_programme
from sandbox.shop.data.people import OWNER, PASSWORD
from sandbox.shop.load import load_catalogue
from tests.browser.conftest import open_page, shot  # noqa: F401  (fixtures)
from tests.sandbox.test_story import plain, reads, sign_in


@dataclass(frozen=True)
class Words:
    prefix: str
    sentence: str
    badge: str
    refusal: str
    link: str
    invites: str
    ended: str


WORDS = {
    "en": Words(
        "",
        "Discovery box: Gold members only until",
        "Early access for Gold until",
        "Now for members from Gold on; for everybody from",
        "The link for your friend is below.",
        "Rose M. invites you",
        "It is for everybody now.",
    ),
    "fr": Words(
        "/fr",
        "Coffret découverte : membres Or seulement, jusqu’au",
        "En avant-première pour Or jusqu’au",
        "En ce moment pour nos membres dès Or ; pour tous à partir du",
        "Le lien pour votre ami est ci-dessous.",
        "Rose M. vous invite",
        "C’est maintenant pour tout le monde.",
    ),
}


@pytest.fixture
def rose(transactional_db, wagtail_pages):
    load_catalogue()
    programme = load_programme(started_at=timezone.now())
    user = get_user_model().objects.create_user(
        "rose", "rose@example.com", PASSWORD, first_name="Rose", last_name="Martin"
    )
    member = members.join(programme=programme, user=user, source="test")
    members.set_tier(member=member, tier=selectors.tiers(programme).get(code="gold"), key="story")
    return member


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_story(language, rose, open_page, shot):  # noqa: F811
    words, name = WORDS[language], f"early-{language}"
    locale = "fr-FR" if language == "fr" else "en-GB"
    box = get_model("catalogue", "Product").objects.get(upc="MP-603")
    address = f"{words.prefix}/catalogue/{box.slug}_{box.pk}/"
    price = ".price_color"

    # The owner begins it.
    desk = open_page(locale=locale)
    sign_in(desk, words.prefix, OWNER.email)
    desk.goto(f"{words.prefix}/dashboard/loyalty/early-access/new/?product={box.pk}")
    desk.select_option("[name=tier]", str(rose.tier_id))
    desk.fill("[name=ends_day]", (timezone.localdate() + timedelta(days=9)).isoformat())
    desk.fill("[name=ends_time]", "09:00")
    desk.fill("[name=passes]", "2")
    shot(desk, f"{name}-form")
    # By the keyboard: the window has just been another size for its picture, and a click may miss what still moves.
    with desk.expect_navigation():
        desk.locator("form[data-early-form] [type=submit]").press("Enter")
    reads(desk, words.sentence)
    shot(desk, f"{name}-list")

    # A stranger reads for whom it is, and no price.
    stranger = open_page(locale=locale)
    stranger.goto(address)
    reads(stranger, words.refusal)
    assert plain(stranger.locator(price).first.inner_text()) == ""
    assert stranger.locator("#add_to_basket_form").count() == 0
    shot(stranger, f"{name}-stranger")

    # Rose has it, and makes a link for a friend.
    page = open_page(locale=locale)
    sign_in(page, words.prefix, "rose@example.com")
    page.goto(address)
    reads(page, words.badge)
    assert plain(page.locator(price).first.inner_text()) != ""
    shot(page, f"{name}-member")
    page.goto(f"{words.prefix}/accounts/loyalty/early/")
    page.fill("[name=friend]", "Lina")
    with page.expect_navigation():
        page.locator("form.loyalty-panel [type=submit]").first.press("Enter")
    reads(page, words.link)
    shot(page, f"{name}-account")
    link = page.locator("input[readonly]").first.input_value()

    # The friend comes, and puts it into the basket.
    friend = open_page(locale=locale)
    friend.goto(link)
    reads(friend, words.invites)
    shot(friend, f"{name}-invitation")
    with friend.expect_navigation():
        friend.locator(".loyalty form [type=submit]").first.press("Enter")
    reads(friend, words.badge)
    with friend.expect_navigation():
        friend.click("#add_to_basket_form [type=submit]")
    assert get_model("basket", "Line").objects.filter(product=box).count() == 1
    # Somebody else with the same link does not.
    stranger.goto(link)
    assert box.get_title() not in stranger.inner_text(".loyalty")
    shot(stranger, f"{name}-used")

    # The owner sees who came, and ends it: it is everybody's.
    desk.goto(f"{words.prefix}/dashboard/loyalty/guest-passes/")
    reads(desk, "Lina")
    shot(desk, f"{name}-passes")
    row = get_loyalty_model("loyalty_privileges", "EarlyAccess").objects.get()
    desk.goto(f"{words.prefix}/dashboard/loyalty/early-access/{row.pk}/end/")
    shot(desk, f"{name}-end")
    with desk.expect_navigation():
        desk.locator("button.btn-danger").press("Enter")
    reads(desk, words.ended)
    stranger.goto(address)
    assert plain(stranger.locator(price).first.inner_text()) != ""
