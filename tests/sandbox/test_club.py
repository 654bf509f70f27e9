"""The club of the demonstration: its pages in both languages, each for its tier."""

import pytest

from sandbox.demo.programme import load_programme
from sandbox.shop.load import load_catalogue
from sandbox.shop.load_club_pages import load_club_pages
from wagtail_club import access
from wagtail_club.models import ClubArticlePage, ClubOfferPage, PageAccess


@pytest.fixture
def club(wagtail_pages):
    from oscar_loyalty import clock

    load_catalogue()
    load_programme(started_at=clock.now())
    load_club_pages()


def test_the_clubs_pages_in_both_languages(club, client):
    assert ClubArticlePage.objects.count() == 6
    assert ClubOfferPage.objects.count() == 4
    assert PageAccess.objects.filter(closed=True).count() == 8
    assert list(access.differences()) == []
    load_club_pages()
    assert ClubArticlePage.objects.count() == 6
    text = client.get("/fr/club/").content.decode()
    assert "Les soins à la maison" in text
    assert "Un brushing comme au salon" in text
    response = client.get("/club/offers/gold-evening/")
    assert response.status_code == 403
    assert "code for the new collection" not in response.content.decode()
