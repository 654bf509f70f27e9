"""Friends of members: one page, nothing below it, and no longer than it was meant."""

import pytest
from django.test import Client
from django.utils.translation import override
from wagtail.models import Locale

from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as joining
from oscar_loyalty.privileges import passes, selectors
from oscar_loyalty.privileges.exceptions import NoMorePasses, PassRefused
from tests.club.conftest import SECRET
from wagtail_club import access
from wagtail_club.models import ClubArticlePage, ClubSectionPage


@pytest.fixture
def page(section, article):
    return article(section, tier="silver", guest_passes=2)


@pytest.fixture
def giver(people, programme):
    return members.member_for(people["exact"], programme)


@pytest.fixture
def give(giver, page):
    def give(key="k", target=None):
        return passes.give(member=giver, subject=passes.find("page", str((target or page).pk)), key=key)

    return give


def visitor(row=None, user=None):
    """A browser, which opens the invitation ``row``."""
    client = Client()
    if user is not None:
        client.force_login(user)
    if row is not None:
        response = client.post(f"/loyalty/pass/{passes.token_of(row)}/")
        assert response.status_code == 302
    return client


def reads(client, page):
    response = client.get(page.get_url())
    text = response.content.decode()
    assert (response.status_code == 200) is (SECRET in text), response.status_code
    if response.status_code == 200:
        assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
    else:
        assert response.status_code == 403
    return response.status_code == 200


@pytest.mark.parametrize("name", ["anonymous", "customer", "low"])
def test_a_friend_sees_the_page(name, page, give, people):
    user = people[name]
    assert not reads(visitor(user=user), page)
    friend = visitor(give(), user)
    assert reads(friend, page)
    assert "guest of one of our members" in friend.get(page.get_url()).content.decode()
    assert not reads(visitor(), page)


def test_neither_what_is_below_nor_beside_it(section, article, tiers, people, programme, giver):
    closed = section.add_child(
        instance=ClubSectionPage(
            title="Inside", slug="inside", audience="tier", minimum_tier=tiers["silver"], guest_passes=1
        )
    )
    below = article(closed, slug="below")
    beside = article(section, tier="silver", slug="beside", guest_passes=1)
    row = passes.give(member=giver, subject=passes.find("page", str(closed.pk)), key="k")
    friend = visitor(row)
    response = friend.get(closed.get_url())
    assert response.status_code == 200
    assert SECRET not in response.content.decode()
    assert not reads(friend, below)
    assert not reads(friend, beside)
    assert not friend.get("/club/?q=moon").content.decode().count(f"The {SECRET}")
    for address in (f"/api/v2/pages/{closed.pk}/", f"/api/v2/pages/?child_of={closed.pk}"):
        assert SECRET not in friend.get(address).content.decode()


def test_no_part_of_it_that_is_for_a_tier(section, article, tiers, give):
    part = {
        "tier": tiers["gold"],
        "invitation": "More for Gold",
        "content": [("text", f"<p>Deep {SECRET}er</p>")],
    }
    page = article(section, tier="silver", slug="parts", guest_passes=1, body=[("for_tier", part)])
    text = visitor(give(target=page)).get(page.get_url()).content.decode()
    assert "More for Gold" in text
    assert f"Deep {SECRET}er" not in text


def test_it_ends_with_the_giver_and_with_the_page(page, give, giver, people, tiers):
    friend = visitor(give())
    assert reads(friend, page)
    joining.set_tier(member=giver, tier=tiers["bronze"], key="down")
    assert not reads(friend, page)
    joining.set_tier(member=giver, tier=tiers["silver"], key="up")
    assert reads(friend, page)
    joining.set_status(member=giver, status="closed")
    assert not reads(friend, page)
    giver.refresh_from_db()
    joining.set_status(member=giver, status="active")
    assert reads(friend, page)
    own = ClubArticlePage.objects.get(pk=page.pk)
    own.guest_passes = 0
    own.save_revision().publish()
    assert not reads(friend, page)


def test_an_unpublished_page_has_no_guests(page, give):
    friend = visitor(give())
    page.unpublish()
    assert friend.get(page.get_url() or "/club/care/guide/").status_code == 404


def test_they_are_limited_and_a_guest_brings_nobody(page, give, people, programme):
    give("1")
    give("2")
    with pytest.raises(NoMorePasses):
        give("3")
    low = members.member_for(people["low"], programme)
    passes.open_pass(row=passes.of_member(members.member_for(people["exact"], programme)).first(), user=people["low"])
    with pytest.raises(PassRefused):
        passes.give(member=low, subject=passes.find("page", str(page.pk)), key="chain")


def test_what_somebody_else_closed_stays_closed_to_guests(page, give):
    from wagtail.models import PageViewRestriction

    friend = visitor(give())
    PageViewRestriction.objects.create(page=page.get_parent(), restriction_type="login")
    response = friend.get(page.get_url())
    assert response.status_code == 302
    assert "login" in response["Location"]


def test_the_groups_of_a_page_do_not_change(page, give):
    """A pass is looked at when the page is asked for: nothing is stored that an audit would have to know."""
    before = access.stored([page.pk])
    visitor(give())
    assert access.stored([page.pk]) == before
    assert list(access.differences()) == []


def test_a_member_sees_what_they_may_bring_friends_to(page, giver, people, client, django_assert_max_num_queries):
    with django_assert_max_num_queries(16):
        offered = selectors.to_give(giver)
    assert [(row["subject"].name, row["left"]) for row in offered] == [(page.title, 2)]
    client.force_login(people["exact"])
    assert "bring a friend" in client.get(page.get_url()).content.decode()
    response = client.get("/accounts/loyalty/early/")
    assert page.title in response.content.decode()
    client.force_login(people["low"])
    assert SECRET not in client.get("/accounts/loyalty/early/").content.decode()


def test_a_page_for_everybody_has_no_passes(section, article):
    assert passes.find("page", str(article(section, slug="open", guest_passes=3).pk)) is None


def test_the_pages_pictures_are_the_guests_and_those_of_a_part_are_not(section, article, tiers, give, picture):
    shown, kept = picture(), picture("deep")
    part = {"tier": tiers["gold"], "invitation": "", "content": [("picture", {"image": kept, "alt": ""})]}
    page = article(section, tier="silver", slug="pictures", guest_passes=1, picture=shown, body=[("for_tier", part)])
    friend, stranger = visitor(give(target=page)), visitor()
    assert friend.get(shown.file.url).status_code == 200
    assert friend.get(kept.file.url).status_code == 404
    assert stranger.get(shown.file.url).status_code == 404
    assert "no-store" in friend.get(shown.file.url)["Cache-Control"]


def test_a_page_in_two_languages_is_offered_once_in_the_readers(page, club, section, site, giver):
    french = Locale.objects.get(language_code="fr")
    for above in (site.root_page, club, section):
        above.copy_for_translation(french).save_revision().publish()
    translation = page.copy_for_translation(french)
    translation.save_revision().publish()
    assert [each.pk for each in passes.offered(giver)] == [str(page.pk)]
    with override("fr"):
        assert [each.pk for each in passes.offered(giver)] == [str(translation.pk)]
