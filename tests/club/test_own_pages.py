"""The account's pages in the club: the same, in the club's frame, and staying in the club."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oscar_loyalty.members import consents, holdings, leaving, statuses
from tests.members.test_privacy import columns_that_name_a_person

pytestmark = pytest.mark.django_db
AREA = "/club/me/"
PAGES = ["history/", "invite/", "profile/", "messages/", "privacy/", "leave/"]


@pytest.fixture
def signed_in(client, user):
    client.force_login(user)
    return client


def test_with_the_club_every_column_that_names_a_person_is_in_the_copy_too():
    found = columns_that_name_a_person() - {"loyalty_giftcards.GiftCard.account"}
    assert found == {*holdings.COLUMNS, *holdings.LEFT_OUT}


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_the_clubs_and_private(signed_in, member, name):
    response = signed_in.get(AREA + name)
    text = response.content.decode()
    assert 'class="club-page club-area"' in text
    assert text.count("<h1") == 1
    assert "loyalty-sections" not in text
    assert "private" in response["Cache-Control"]
    assert "no-store" in response["Cache-Control"]
    with CaptureQueriesContext(connection) as queries:
        signed_in.get(AREA + name)
    assert len(queries) <= 45


@pytest.mark.parametrize("name", PAGES[1:])
def test_strangers_and_others_are_sent_where_they_can_join(client, user, programme, name):
    assert "/login/" in client.get(AREA + name).url
    client.force_login(user)
    assert client.get(AREA + name).url == AREA


def test_what_is_done_in_the_club_stays_in_the_club(signed_in, member):
    assert signed_in.post(AREA + "privacy/", {"news": "on"}).url == AREA + "privacy/"
    assert consents.allows(member, "news")
    assert signed_in.post(AREA + "profile/", {"greeting_name": "Madame Rose"}).url == AREA + "profile/"
    assert "Hello Madame Rose" in signed_in.get(AREA).content.decode()
    assert signed_in.post(AREA + "privacy/copy/").url == AREA + "privacy/#copy"
    assert f"{AREA}privacy/copy/" in signed_in.get(AREA + "privacy/").content.decode()


def test_whoever_leaves_loses_the_card_and_can_come_back(signed_in, member):
    assert signed_in.get(AREA + "card/").status_code == 200
    assert signed_in.post(AREA + "leave/", {"password": "petale-demo"}).url == AREA + "privacy/"
    text = signed_in.get(AREA).content.decode()
    assert "You have left. Until" in text
    assert "oscar_loyalty/forget.js" in text
    assert "club-area__qr" not in text
    assert signed_in.get(AREA + "card/").url == AREA
    assert signed_in.post(AREA + "leave/undo/").url == AREA
    assert signed_in.get(AREA + "card/").status_code == 200
    assert leaving.departure_of(member) is None


def test_a_membership_that_the_shop_has_closed_shows_no_card_either(signed_in, member):
    statuses.set_status(member=member, status="closed", key="c")
    assert "club-area__qr" not in signed_in.get(AREA).content.decode()
    assert signed_in.get(AREA + "card/").url == AREA


def test_a_guest_who_leaves_sees_the_page_no_more(section, article, people, guest_list, client):
    page = article(section, "silver", guests=guest_list)
    client.force_login(people["guest"])
    assert client.get(page.url).status_code == 200
    leaving.leave(member=people["guest"].loyalty_memberships.get(), key="left")
    assert client.get(page.url).status_code == 403


# Joining


def test_one_click_joins_whoever_is_signed_in_and_goes_on_to_the_page(section, article, people, client):
    page = article(section, "bronze", teaser_text="For members")
    client.force_login(people["customer"])
    text = client.get(page.url).content.decode()
    assert f'name="next" value="{page.url}"' in text
    response = client.post("/accounts/loyalty/join/", {"source": "club", "next": page.url}, follow=True)
    assert response.redirect_chain[-1][0] == page.url
    assert response.status_code == 200


def test_a_stranger_registers_as_a_member_and_goes_on_to_the_page(section, article, programme, client, tiers):
    page = article(section, "bronze")
    text = client.get(page.url).content.decode()
    address = f"/accounts/register/?loyalty_join=1&amp;next={page.url}"
    assert address in text
    response = client.get(address.replace("&amp;", "&"))
    form = response.content.decode()
    assert 'id="id_loyalty_join" value="1" checked' in form
    assert f'value="{page.url}"' in form
    told = {"email": "new@example.com", "password1": "petale-demo-1", "password2": "petale-demo-1"}
    told |= {"loyalty_join": "1", "redirect_url": page.url, "registration_submit": "Register"}
    response = client.post(address.replace("&amp;", "&"), told, follow=True)
    assert response.redirect_chain[-1][0] == page.url
    assert response.status_code == 200
    assert "moonflower" in response.content.decode()
