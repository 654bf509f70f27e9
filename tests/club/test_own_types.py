"""A shop's own page type from the mixin, as docs/howto/club-page-types.md writes it, and how far a tier is."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command

from oscar_loyalty.members import selectors as members
from tests.club.conftest import SECRET
from tests.club.lookbook.models import LookbookPage
from tests.earning.tier_help import ladder, spend
from wagtail_club.models import PageAccess

HERE = Path(__file__).parent / "lookbook"
GUIDE = Path(__file__).parents[2] / "docs" / "howto" / "club-page-types.md"


@pytest.fixture
def lookbook(section, tiers):
    page = LookbookPage(
        title=f"The {SECRET} lookbook",
        slug="lookbook",
        season="Spring",
        body=[
            ("text", f"<p>{SECRET} in the hair</p>"),
            (
                "for_tier",
                {"tier": tiers["gold"], "invitation": "More for Gold", "content": [("text", "<p>Sunflower</p>")]},
            ),
        ],
        audience="tier",
        minimum_tier=tiers["silver"],
        teaser_title="A book of looks",
    )
    section.add_child(instance=page)
    page.save_revision().publish()
    return page


def test_what_the_guide_shows_is_what_is_tried_here():
    python, html = re.findall(r"```(?:python|html)\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert python == (HERE / "models.py").read_text(encoding="utf-8")
    assert html == (HERE / "templates" / "lookbook" / "lookbook_page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "status", "told", "sunflower"),
    [
        ("anonymous", 403, False, False),
        ("low", 403, False, False),
        ("exact", 200, True, False),
        ("higher", 200, True, True),
    ],
)
def test_it_is_closed_like_any_other(lookbook, people, client, name, status, told, sunflower):
    if people[name] is not None:
        client.force_login(people[name])
    response = client.get(lookbook.url)
    text = response.content.decode()
    assert (response.status_code, SECRET in text, "Sunflower" in text) == (status, told, sunflower)
    assert ("A book of looks" in text) == (not told)
    listed = client.get(lookbook.get_parent().specific.url).content.decode()
    assert (SECRET in listed) == told


def test_the_clubs_search_finds_the_texts_of_its_fields(lookbook, club, people, client):
    club.introduction = "<p>Tea &amp; cakes</p><p>for <em>all</em></p>"
    club.save_revision().publish()
    client.force_login(people["exact"])

    def found(query, page):
        return f'href="{page.url}"' in client.get("/club/", {"q": query}).content.decode().partition("club-results")[2]

    for query in (SECRET, lookbook.season.lower(), lookbook.title):
        assert found(query, lookbook), query
    club.refresh_from_db()
    assert club.club_access.words == "The club Tea & cakes for all"
    # As pages that are older than the club.
    PageAccess.objects.all().delete()
    assert not found(lookbook.season, lookbook)
    call_command("club_access")
    assert found(lookbook.season, lookbook)
    PageAccess.objects.update(words="")
    call_command("club_access")
    assert found(lookbook.season, lookbook)


def test_its_editor_has_the_tab_and_the_previews(lookbook, section, client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("boss", "boss@example.com", "x"))
    text = client.get(f"/cms/pages/{lookbook.pk}/edit/").content.decode()
    for words in ("Who may see it", "For others", "A visitor", "Spring"):
        assert words in text


def test_who_has_too_little_reads_how_far_the_pages_own_tier_is(lookbook, programme, people, client, time):
    ladder(programme, silver=200, gold=500)
    lookbook.minimum_tier = members.tiers(programme)[2]
    lookbook.save_revision().publish()
    spend(members.member_for(people["low"], programme), 150)
    client.force_login(people["low"])
    text = client.get(lookbook.url).content.decode().replace("\xa0", " ")
    assert "<strong>€350.00</strong> more, and you are Gold." in text
    assert 'value="30"' in text


@pytest.mark.parametrize("count", [1, 12])
def test_the_way_on_costs_the_same_for_many_pages(section, article, client, count, django_assert_max_num_queries):
    pages = [article(section, slug=f"guide-{number}") for number in range(count)]
    client.get(pages[0].url)
    with django_assert_max_num_queries(40):
        text = client.get(pages[0].url).content.decode()
    assert text.count('<article class="club-tile') == min(count - 1, 4)
