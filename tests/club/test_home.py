"""The club's front door: joining for visitors, the balance for members."""

import pytest
from django.contrib.sites.models import Site as ShopSite
from django.utils.translation import override
from wagtail.models import Locale, Page, Site

from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services
from wagtail_club.models import ClubHomePage, ClubSectionPage


@pytest.fixture
def home(db):
    Locale.objects.get_or_create(language_code="en")
    root = Page.objects.filter(depth=1).first() or Page.add_root(instance=Page(title="Root", slug="root"))
    front = root.add_child(instance=Page(title="Front", slug="front"))
    Site.objects.all().delete()
    Site.objects.create(hostname="testserver", root_page=front, is_default_site=True)
    page = ClubHomePage(title="The club", slug="club", tagline="Petals for everybody", introduction="<p>Come in</p>")
    return front.add_child(instance=page)


def see(client, path="/club/"):
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode().replace("\xa0", " ").replace("\u202f", " ")


def test_a_visitor_is_asked_to_join(home, programme, client):
    text = see(client)
    assert "Join the club" in text
    assert "/accounts/register/?loyalty_join=1&amp;next=/club/" in text
    assert "Bronze" in text


def test_a_customer_joins_in_one_click_and_comes_back(home, programme, client, user):
    client.force_login(user)
    assert "Join Pétales" in see(client)
    response = client.post("/accounts/loyalty/join/", {"source": "club", "next": "/club/"})
    assert response.url == "/club/"
    assert members.member_for(user, programme).source == "club"
    assert "Hello Rose" in see(client)


def test_a_member_sees_the_balance_with_its_dates(home, member, give, client, user, time):
    client.force_login(user)
    give(1250)
    give(80, usable_from=None)
    text = see(client)
    assert "1,250 petals" in text
    assert "80 petals on the way" in text
    assert member.number in text


def test_a_member_on_hold_is_told_so(home, member, client, user):
    services.set_status(member=member, status="frozen")
    client.force_login(user)
    assert "on hold" in see(client)


def test_on_hold_a_closed_page_says_so_and_not_that_the_tier_is_too_low(
    section, article, people, programme, client, settings
):
    page = article(section, tier="silver")
    services.set_status(member=members.member_for(people["higher"], programme), status="frozen")
    client.force_login(people["higher"])
    for language, said, silent in (("en", "on hold", "This page is for"), ("fr", "en pause", "Cette page est")):
        settings.LANGUAGE_CODE = language
        text = client.get(page.url).content.decode()
        assert said in text and silent not in text


def test_without_a_programme_the_page_stands(home, client):
    assert "Opening soon" in see(client)


def test_the_sections_that_do_not_fit_are_on_the_next_page(home, client):
    for number in range(1, 27):
        home.add_child(instance=ClubSectionPage(title=f"Shelf {number:02}", slug=f"shelf-{number}"))
    first = see(client)
    assert "Shelf 24" in first and "Shelf 25" not in first
    assert "Page 1 of 2" in first and 'href="?page=2"' in first
    second = see(client, "/club/?page=2")
    assert "Shelf 26" in second and "Shelf 24" not in second
    assert 'href="?page=1"' in second


def test_no_cache_keeps_the_page(home, member, client, user):
    client.force_login(user)
    assert "no-store" in client.get("/club/")["Cache-Control"]


def test_the_programme_is_that_of_the_shops_site(home, programme, client):
    assert programme.site == ShopSite.objects.get_current()


@pytest.mark.parametrize("entries", [1, 60])
def test_the_queries_do_not_grow_with_the_history(
    home, member, give, client, user, entries, django_assert_max_num_queries
):
    for _entry in range(entries):
        give(10)
    client.force_login(user)
    client.get("/club/")
    with django_assert_max_num_queries(40):
        client.get("/club/")


def test_points_are_named_in_french(home, member, give, client, user):
    give(1000)
    with override("fr"):
        assert member.programme.points_label(1000).replace("\u202f", " ").replace("\xa0", " ") == "1 000 pétales"
