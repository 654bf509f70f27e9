"""What brings people back, in a browser, in both languages: a stamp card made and stamped; a friend invited."""

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.members import services as members
from sandbox.demo.programme import load_programme
from sandbox.shop.data.people import OWNER, PASSWORD
from sandbox.shop.load import load_catalogue
from tests.browser.conftest import PHONE, open_page, shot  # noqa: F401  (fixtures)
from tests.sandbox.test_story import reads, sign_in

WORDS = {
    "en": ("", "Three for us", "2 of 3 orders, 1 to go", "Join Pétales"),
    "fr": ("/fr", "Trois pour nous", "2 sur 3 commandes, encore 1", "Rejoindre Pétales"),
}


@pytest.fixture
def rose(transactional_db, wagtail_pages):
    load_catalogue()
    programme = load_programme(started_at=timezone.now())
    referrals.save_scheme(programme=programme, is_active=True)
    user = get_user_model().objects.create_user("rose", "rose@example.com", PASSWORD, first_name="Rose")
    return members.join(programme=programme, user=user, source="test")


@pytest.mark.parametrize("language", WORDS)
def test_a_card_is_made_and_stamped(language, rose, open_page, shot):  # noqa: F811
    prefix, name, said, _join = WORDS[language]
    desk = open_page()
    sign_in(desk, prefix, OWNER.email)
    desk.goto(f"{prefix}/dashboard/loyalty/goals/new/")
    for number, title in enumerate([WORDS["en"][1], WORDS["fr"][1]]):
        desk.fill(f"[name=name_{number}]", title)
    desk.select_option("[name=counts]", "orders")
    desk.fill("[name=size]", "3")
    desk.fill("[name=points]", "50")
    shot(desk, f"return-{language}-new-card")
    desk.locator("main form [type=submit], form.loyalty-form [type=submit], [type=submit].btn-primary").last.click()
    desk.wait_for_url("**/goals/")
    reads(desk, name)
    shot(desk, f"return-{language}-cards")
    desk.goto(f"{prefix}/dashboard/loyalty/members/{rose.pk}/stamp/")
    desk.fill("[name=quantity]", "2")
    desk.fill("[name=reason]", "Two orders on paper")
    desk.locator("[type=submit].btn-primary").last.click()
    desk.wait_for_load_state()

    phone = open_page(viewport=PHONE)
    sign_in(phone, prefix, "rose@example.com")
    phone.goto(f"{prefix}/accounts/loyalty/cards/")
    reads(phone, name)
    reads(phone, said)
    assert phone.locator(".is-stamped").count() == 2
    shot(phone, f"return-{language}-card")


@pytest.mark.parametrize("language", WORDS)
def test_a_friend_comes_by_the_link(language, rose, open_page, shot):  # noqa: F811
    prefix, _name, _said, join = WORDS[language]
    page = open_page()
    sign_in(page, prefix, "rose@example.com")
    page.goto(f"{prefix}/accounts/loyalty/invite/")
    link = page.input_value("#loyalty-link")
    shot(page, f"return-{language}-invite")

    other = open_page(viewport=PHONE)
    other.goto(link)
    shot(other, f"return-{language}-invitation")
    other.locator("a[href*='/register/'].btn-primary").click()
    for field, text in {"email": "lea@example.com", "password1": "orchidee-42", "password2": "orchidee-42"}.items():
        other.fill(f"[name={field}]", text)
    other.locator("button[name=registration_submit]").click()
    other.get_by_role("button", name=join).first.click()
    other.wait_for_load_state()

    page.reload()
    reads(page, "L.")
    assert rose.referrals.get().friend.email == "lea@example.com"
    shot(page, f"return-{language}-friends")
