"""The club of the demonstration: its pages in both languages, each for its tier."""

import pytest

from sandbox.demo.programme import load_programme
from sandbox.shop.club import PICTURES
from sandbox.shop.club.texts import read
from sandbox.shop.data.club import CODES, HOME_PICTURE, SECTIONS
from sandbox.shop.load import load_catalogue
from sandbox.shop.load_club_pages import load_club_pages
from wagtail_club import access
from wagtail_club.models import ClubArticlePage, ClubOfferPage, ClubSectionPage, PageAccess

PIECES = [piece for _head, pieces in SECTIONS for piece in pieces]


@pytest.fixture
def club(wagtail_pages):
    from oscar_loyalty import clock

    load_catalogue()
    load_programme(started_at=clock.now())
    load_club_pages()


def test_the_clubs_pages_in_both_languages(club, client):
    assert len(PIECES) >= 20
    articles = [piece for piece in PIECES if piece.kind == "ClubArticlePage"]
    assert ClubArticlePage.objects.count() == 2 * len(articles)
    assert ClubOfferPage.objects.count() == 2 * (len(PIECES) - len(articles))
    closed = [piece for piece in [*PIECES, *(head for head, _pieces in SECTIONS)] if piece.tier]
    assert PageAccess.objects.filter(closed=True).count() == 2 * len(closed)
    assert list(access.differences()) == []
    load_club_pages()
    assert ClubArticlePage.objects.count() == 2 * len(articles)
    text = client.get("/fr/club/").content.decode()
    assert "Les soins à la maison" in text
    assert "Un brushing comme au salon" in text
    response = client.get("/club/offers/gold-evening/")
    assert response.status_code == 403
    assert "SOIREE-OR" not in response.content.decode()


def test_a_picture_for_others_is_on_no_closed_page(club):
    pages = [page for model in (ClubArticlePage, ClubOfferPage, ClubSectionPage) for page in model.objects.all()]
    own = {page.picture_id for page in pages}
    for page in pages:
        assert (page.teaser_image_id is None) == (page.audience == "same")
        assert page.teaser_image_id not in own


def test_the_codes_that_the_club_gives_away_work(club, rf):
    from oscar.core.loading import get_model

    Voucher = get_model("voucher", "Voucher")
    codes = {code.code for code in CODES}
    assert {piece.code for piece in PIECES if piece.code} == codes
    for voucher in Voucher.objects.filter(code__in=codes):
        offer = ClubOfferPage.objects.filter(code=voucher.code).first()
        assert voucher.is_active() == (offer.state == offer.RUNNING)
    assert Voucher.objects.filter(code__in=codes).count() == len(codes)


def kinds(parts):
    """The kinds of the parts, and what in them is no matter of language."""
    for kind, content in parts:
        yield kind, content.get("name"), content.get("upcs"), content.get("minutes")
        yield from ((step["picture"],) for step in content.get("steps", ()))
        yield from kinds(content.get("parts", ()))


@pytest.mark.parametrize("piece", [*PIECES, *(head for head, _pieces in SECTIONS)], ids=lambda piece: piece.slug)
def test_a_text_is_whole_in_both_languages(piece):
    english, french = read(piece.slug, "en"), read(piece.slug, "fr")
    assert list(kinds(english.parts)) == list(kinds(french.parts))
    for text in (english, french):
        assert text.title and 0 < len(text.introduction) <= 400
        assert bool(text.teaser_title and text.teaser_text) == bool(piece.tier)
        assert len(text.teaser_text) <= 300
    assert english.title != french.title
    for name in (piece.picture, piece.teaser or HOME_PICTURE):
        assert (PICTURES / f"{name}.webp").exists()


def test_the_pictures_are_small():
    sizes = {path.name: path.stat().st_size for path in PICTURES.glob("*.webp")}
    assert sum(sizes.values()) < 1_500_000
    assert max(sizes.values()) < 60_000
