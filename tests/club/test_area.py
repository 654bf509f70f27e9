"""The member area: one's own, of bounded cost, and private; what a phone keeps is asked for and holds no balance."""

import json
import re
from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from oscar.test.factories import create_product

from oscar_loyalty import clock, times
from oscar_loyalty.earning import actions, profiles
from oscar_loyalty.earning.referrals import services as referrals
from oscar_loyalty.fields import localized
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as tiers
from oscar_loyalty.members import services, statuses
from oscar_loyalty.privileges import services as privileges
from oscar_loyalty.privileges.words import moment
from oscar_loyalty.rewards import services as rewards
from wagtail_club import next_steps
from wagtail_club.models import ClubHomePage

pytestmark = pytest.mark.django_db
AREA = "/club/me/"
Reward = get_model("loyalty_rewards", "Reward")


@pytest.fixture
def signed_in(client, user):
    client.force_login(user)
    return client


def text_of(response):
    assert response.status_code == 200
    return response.content.decode().replace("\xa0", " ")


@pytest.mark.parametrize("path", [AREA, AREA + "card/"])
def test_strangers_sign_in_first(client, programme, path):
    response = client.get(path)
    assert response.status_code == 302
    assert "/accounts/login/" in response.url
    assert "no-store" in response["Cache-Control"]


def test_who_is_no_member_may_join(signed_in, programme):
    assert "Join Pétales" in text_of(signed_in.get(AREA))
    assert signed_in.get(AREA + "card/").url == AREA


def test_a_member_sees_what_there_is_and_nobody_keeps_it(signed_in, member, give):
    give(1240, expires_at=clock.now() + timedelta(days=20))
    give(80, usable_from=clock.now() + timedelta(days=14))
    response = signed_in.get(AREA)
    text = text_of(response)
    for words in ("Hello Rose", "1,240 petals", "80 petals on the way", "Bronze", member.number, "Use 1,240 petals by"):
        assert words in text
    assert "private" in response["Cache-Control"]
    assert "no-store" in response["Cache-Control"]


def test_points_are_shown_with_their_last_day(signed_in, member, give, time, settings):
    give(40, expires_at=times.end_of(date(2026, 3, 31)))
    text = text_of(signed_in.get(AREA))
    assert "40 petals to use by March 31, 2026" in text and "Use 40 petals by March 31, 2026" in text
    # That day is one of them: in French, too, it is no end that they stop before.
    settings.LANGUAGE_CODE = "fr"
    french = text_of(signed_in.get(AREA))
    assert "à utiliser jusqu’au 31 mars 2026" in french and "avant le" not in french
    assert re.search("Utilisez 40.pétales jusqu’au 31 mars 2026", french)


def test_a_membership_on_hold_has_words_and_nothing_to_do(signed_in, member, give):
    give(500, expires_at=clock.now() + timedelta(days=20))
    statuses.set_status(member=member, status="frozen", reason="?", key="hold:1")
    text = text_of(signed_in.get(AREA))
    assert "on hold" in text
    assert "What you can do now" not in text


def test_a_programme_that_is_closed_keeps_what_one_has_in_sight(signed_in, programme, member, give, site, settings):
    site.root_page.add_child(instance=ClubHomePage(title="The club", slug="club"))
    give(100)
    card = signed_in.get(AREA + "card/")
    services.save_programme(programme=programme, is_active=False)
    text = text_of(signed_in.get(AREA))
    for words in ("Pétales is closed for the moment", "100 petals", "kept for you", member.number):
        assert words in text
    for words in ("Opening soon", "to spend now", "What you can do now"):
        assert words not in text
    again = signed_in.get(AREA + "card/")
    assert member.number in text_of(again)
    assert again["X-Loyalty-Holder"] == card["X-Loyalty-Holder"]
    assert "Pétales is closed for the moment" in text_of(signed_in.get(AREA + "history/"))
    home = text_of(signed_in.get("/club/"))
    assert "Pétales is closed for the moment" in home and f'href="{AREA}"' in home
    assert "Opening soon" not in home
    settings.LANGUAGE_CODE = "fr"
    assert "Fermé pour le moment" in text_of(signed_in.get("/club/"))
    signed_in.logout()
    settings.LANGUAGE_CODE = "en"
    assert "Opening soon" in text_of(signed_in.get("/club/"))


def test_the_card_alone_holds_no_balance(signed_in, member, give):
    give(1240)
    text = text_of(signed_in.get(AREA + "card/"))
    assert member.number in text
    assert "1,240" not in text
    assert "<script>" not in text


def test_the_card_is_the_same_as_in_the_account(signed_in, member):
    def face(address):
        text = signed_in.get(address).content.decode()
        assert "oscar_loyalty/card.css" in text
        return re.search(r'<section class="loyalty-pass__face.*?</section>', text, re.DOTALL)[0]

    assert face(AREA) == face(AREA + "card/") == face("/accounts/loyalty/card/")


def test_what_has_nothing_to_show_is_not_named(signed_in, programme, member):
    def named():
        text = text_of(signed_in.get(AREA))
        return re.findall(r"<li><a [^>]*>([^<]+)</a>", text.partition("club-area__links")[2])

    assert named() == ["Gift cards", "How to earn", "Messages", "About you", "Privacy", "Account"]
    referrals.save_scheme(programme=programme, is_active=True)
    assert "Friends" in named()


def test_what_is_early_says_when_it_is_everybodys(signed_in, programme, member):
    bronze, silver = tiers.tiers(programme)[:2]
    soap, now = create_product(title="Soap"), clock.now()
    ends = now + timedelta(days=2)
    privileges.create(programme=programme, tier=bronze, target=soap, ends_at=ends, key="first")
    privileges.create(
        programme=programme, tier=silver, target=soap, opens_at=ends, ends_at=now + timedelta(days=4), key="then"
    )
    text = text_of(signed_in.get(AREA))
    assert "Yours first: Soap" in text
    assert f"For everybody from {moment(now + timedelta(days=4))} on." in text


def test_as_many_queries_however_long_the_history(signed_in, member, give):
    give(5)
    text_of(signed_in.get(AREA))
    with CaptureQueriesContext(connection) as few:
        text_of(signed_in.get(AREA))
    for _number in range(25):
        give(5)
    with CaptureQueriesContext(connection) as many:
        text_of(signed_in.get(AREA))
    assert len(many) <= len(few) <= 60


def test_a_birthday_is_asked_for_only_where_it_brings_something(signed_in, programme, member):
    def asked():
        text = text_of(signed_in.get(AREA))
        assert "Tell us a little about you" in text
        return "a surprise on the day" in text

    assert not asked()
    actions.set_rule(programme=programme, action="birthday", points=50)
    assert asked()
    profiles.set_birthday(member=member, day=6, month=5)  # the address is missing still
    assert not asked()
    profiles.set_birthday(member=member, day=None, month=None)
    actions.set_rule(programme=programme, action="birthday", points=0)
    assert not asked()


def test_points_that_expire_lead_to_what_they_can_buy(signed_in, programme, member, give):
    def step():
        return re.search(r'href="([^"]+)"><strong>Use .*?</a>', text_of(signed_in.get(AREA)))

    give(500, expires_at=clock.now() + timedelta(days=20))
    assert step()[1] == AREA + "history/" and "gift card" not in step()[0]
    rewards.save_reward(reward=Reward(programme=programme, kind="experience", name=localized(en="Massage"), points=400))
    assert step()[1] == "/accounts/loyalty/rewards/" and "gift card" not in step()[0]
    giftcards.set_denomination(value=D("10"), points_price=501)
    giftcards.set_denomination(value=D("20"))
    assert step()[1] == "/accounts/loyalty/rewards/"
    give(1)
    assert step()[1] == "/gift-cards/" and "A gift card keeps its value." in step()[0]


def test_a_step_that_fails_is_left_out(signed_in, member, monkeypatch):
    def broken(request, club):
        raise RuntimeError

    monkeypatch.setitem(next_steps._tellers, "broken", (0, broken))
    assert "Hello Rose" in text_of(signed_in.get(AREA))


def test_the_app(client, programme):
    manifest = client.get(AREA + "manifest.webmanifest")
    assert manifest["Content-Type"] == "application/manifest+json"
    about = json.loads(manifest.content)
    assert about["start_url"] == about["scope"] == AREA
    for icon in about["icons"]:
        response = client.get(icon["src"])
        assert response["Content-Type"] == "image/png"
        assert response.content.startswith(b"\x89PNG")
    assert client.get(AREA + "icon-50000.png").status_code == 404
    worker = client.get(AREA + "sw.js")
    assert worker["Content-Type"].startswith("text/javascript")
    assert "no-cache" in worker["Cache-Control"]


def test_a_kept_card_is_known_by_its_holder(signed_in, member, client, programme, django_user_model):
    response = signed_in.get(AREA + "card/")
    holder = response["X-Loyalty-Holder"]
    assert holder == signed_in.get(AREA + "card/")["X-Loyalty-Holder"]
    other = django_user_model.objects.create_user("other", "other@example.com")
    services.join(programme=programme, user=other)
    client.force_login(other)
    assert client.get(AREA + "card/")["X-Loyalty-Holder"] != holder
    assert "X\\u002DLoyalty\\u002DHolder" in client.get(AREA + "sw.js").content.decode()
    assert 'data-leave="/accounts/logout/"' in client.get(AREA).content.decode()
