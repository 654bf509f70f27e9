"""Nothing of a closed page leaks: every way to a page, times everybody who may come along."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone
from wagtail.contrib.redirects.models import Redirect
from wagtail.documents import get_document_model
from wagtail.models import GroupPagePermission, Page

from oscar_loyalty.members import selectors as members
from tests.club.conftest import INSIDE, SECRET
from wagtail_club import access, selectors
from wagtail_club.models import ClubArticlePage


@pytest.fixture
def closed(section, article, guest_list):
    return article(section, "silver", guests=guest_list)


def told(response):
    return SECRET in response.content.decode() or SECRET in str(response.headers)


def test_the_page_itself(closed, reader, client):
    response = client.get(closed.url)
    assert told(response) == (reader in INSIDE)
    assert response.status_code == (200 if reader in INSIDE else 403)
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]
    if reader not in INSIDE:
        text = response.content.decode()
        assert "A guide for the hair" in text
        assert "Silver" in text
        assert "og:" not in text
        assert "ld+json" not in text


def test_the_page_by_other_addresses(closed, section, club, reader, client):
    alias = closed.create_alias(parent=club, update_slug="alias")
    copy = closed.copy(to=club, update_attrs={"slug": "copy"})
    for address in (alias.url, copy.url, closed.url + "?page=2"):
        assert told(client.get(address)) == (reader in INSIDE)
    Redirect.objects.create(old_path="/old", redirect_page=closed, is_permanent=False)
    assert told(client.get("/old/", follow=True)) == (reader in INSIDE)
    assert client.post(closed.url).status_code in ({200, 403, 405} if reader in INSIDE else {403})
    assert not told(client.head(closed.url))


def test_the_lists(closed, section, club, reader, client):
    for page in (section, club):
        assert told(client.get(page.url)) == (reader in INSIDE)
    closed.teased = False
    closed.save()
    assert ("A guide for the hair" in client.get(section.url).content.decode()) is False


def test_the_clubs_search(closed, club, reader, client):
    shown = f"The {SECRET} guide" in client.get(club.url, {"q": SECRET}).content.decode()
    assert shown == (reader in INSIDE)
    # What a reader types is on the page again; the words for others are no way to find it either.
    assert "The guide" not in client.get(club.url, {"q": "moon"}).content.decode()


def test_the_apis(closed, section, club, reader, client):
    core = [
        "/api/v2/pages/?fields=*",
        f"/api/v2/pages/?search={SECRET}&fields=*",
        f"/api/v2/pages/?child_of={section.pk}&fields=*",
        "/api/v2/pages/?type=wagtail_club.ClubArticlePage&fields=*",
        f"/api/v2/pages/?descendant_of={club.pk}",
        f"/api/v2/pages/?slug={closed.slug}",
        f"/api/v2/pages/{closed.pk}/?fields=*",
        f"/api/v2/pages/find/?html_path={closed.url}",
        "/api/v3/pages/",
        f"/api/v3/pages/{closed.pk}/",
    ]
    for address in core:
        response = client.get(address, follow=True)
        assert response.status_code < 500
        content = response.content.decode().replace(f"search={SECRET}", "")
        if reader not in INSIDE:
            assert SECRET not in content, address
    for address in core[:8]:
        assert not told(client.get(address.replace("/pages/", "/club/"), follow=True)), address


def test_the_clubs_api_shows_open_pages(section, article, client):
    article(section, slug="open")
    found = json.loads(client.get("/api/v2/club/?slug=open").content)
    assert found["meta"]["total_count"] == 1


def test_the_sitemap(closed, section, article, reader, client):
    article(section, slug="open-one")
    text = client.get("/sitemap.xml").content.decode()
    assert "/open-one/" in text
    assert f"/{closed.slug}/" not in text


def test_the_feed_is_a_strangers_whoever_reads_it(closed, section, club, article, tiers, reader, client):
    article(
        section, slug="open-one", title="Brushes", introduction="Which one for you", body=[("text", "<p>Inside</p>")]
    )
    hushed = article(section, "gold", slug="hushed", teaser_title="Hushed")
    hushed.teased = False
    hushed.save()
    response = client.get(f"{club.url}feed/")
    text = response.content.decode()
    assert response["Content-Type"].startswith("application/rss+xml")
    assert not told(response)
    for words in ("A guide for the hair", "Shine for weeks", "Brushes", "Which one for you"):
        assert words in text
    for words in ("Inside", "Hushed", "hushed", "<enclosure", "Care</title>"):
        assert words not in text
    assert f'href="{club.url}feed/"' in client.get(club.url).content.decode()
    club.audience, club.minimum_tier = "tier", tiers["silver"]
    club.save_revision().publish()
    answer = client.get(f"{club.url}feed/")
    assert answer.status_code == (200 if reader in {"exact", "higher"} else 403)
    assert not told(answer)


def test_the_feed_is_read_at_a_domain_that_no_site_has(section, club, article, client, settings):
    article(section, title="Brushes", slug="open-one")
    del settings.SITE_ID
    settings.ALLOWED_HOSTS = ["www.elsewhere.example"]
    response = client.get(f"{club.url}feed/", headers={"host": "www.elsewhere.example"})
    text = response.content.decode()
    assert response.status_code == 200
    for link in (club.url, f"{section.url}open-one/"):
        assert f"<link>http://www.elsewhere.example{link}</link>" in text
    assert f'href="http://www.elsewhere.example{club.url}feed/"' in text
    assert response["Last-Modified"]


def test_the_feed_costs_the_same_with_many_pages(section, club, article, client, django_assert_max_num_queries):
    for index in range(30):
        article(section, ["silver", None][index % 2], slug=f"guide-{index}")
    client.get(f"{club.url}feed/")
    with django_assert_max_num_queries(20):
        text = client.get(f"{club.url}feed/").content.decode()
    assert text.count("<item>") == 20


@pytest.mark.parametrize("before", [True, False], ids=["indexed before", "closed at once"])
def test_wagtails_search_of_the_whole_site(section, article, tiers, before, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        page = article(section, None if before else "silver", slug="guide")
    if before:
        assert [found.pk for found in Page.objects.live().search(SECRET)] == [page.pk]
        with django_capture_on_commit_callbacks(execute=True):
            page.audience, page.minimum_tier = "tier", tiers["silver"]
            page.save_revision().publish()
    call_command("wagtail_update_index", verbosity=0)
    assert list(Page.objects.live().search(SECRET)) == []
    assert list(Page.objects.live().autocomplete(SECRET[:5])) == []
    assert list(ClubArticlePage.objects.search(SECRET)) == []
    with django_capture_on_commit_callbacks(execute=True):
        page.audience = "same"
        page.save_revision().publish()
    assert [found.pk for found in Page.objects.live().search(SECRET)] == [page.pk]


def test_drafts_and_revisions_are_for_editors(closed, reader, client, section, tiers):
    closed.introduction = "A new draft"
    revision = closed.save_revision()
    for address in (
        f"/cms/pages/{closed.pk}/view_draft/",
        f"/cms/pages/{closed.pk}/revisions/{revision.pk}/view/",
        f"/cms/pages/{closed.pk}/edit/preview/",
        f"/cms/pages/{closed.pk}/edit/",
    ):
        response = client.get(address)
        assert response.status_code in (302, 403)
        assert not told(response)
    hidden = section.add_child(instance=ClubArticlePage(title=SECRET, slug="hidden", live=False))
    assert client.get(f"{section.url}{hidden.slug}/").status_code == 404


def test_scheduled_publishing_opens_for_its_tier_and_expiry_ends_it(section, article, people, client, tiers):
    page = article(section, "silver")
    page.unpublish()
    page = ClubArticlePage.objects.get(pk=page.pk)
    page.go_live_at = timezone.now() + timedelta(hours=1)
    page.save_revision().publish()
    client.force_login(people["exact"])
    assert client.get(page.url).status_code == 404
    page.refresh_from_db()
    revision = page.get_latest_revision()
    revision.approved_go_live_at = timezone.now() - timedelta(minutes=1)
    revision.content["go_live_at"] = revision.approved_go_live_at.isoformat()
    revision.save()
    call_command("publish_scheduled")
    assert client.get(page.url).status_code == 200
    client.force_login(people["low"])
    assert client.get(page.url).status_code == 403
    ClubArticlePage.objects.filter(pk=page.pk).update(expire_at=timezone.now() - timedelta(minutes=1))
    call_command("publish_scheduled")
    assert client.get(page.url).status_code == 404
    assert list(access.differences()) == []


@override_settings(
    MIDDLEWARE=[
        "django.middleware.cache.UpdateCacheMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "oscar.apps.basket.middleware.BasketMiddleware",
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
)
def test_a_cache_of_the_whole_site_keeps_nothing(closed, people, client):
    client.force_login(people["exact"])
    assert told(client.get(closed.url))
    client.logout()
    assert not told(client.get(closed.url))


def test_wagtails_tag_for_fragments_keeps_nothing_of_a_club_page(section, tiers, people, rf):
    """A shop's own template may cache what stands within: a part for a tier must not come out of it for others."""
    from django.core.cache import cache
    from django.template import engines

    cache.clear()
    page = section.add_child(instance=ClubArticlePage(title="Open", slug="parts"))
    page.body = [("for_tier", {"tier": tiers["silver"], "invitation": "", "content": [("text", f"<p>{SECRET}</p>")]})]
    source = (
        "{% load wagtail_cache wagtailcore_tags %}{% wagtailpagecache 60 'b' %}{{ page.body }}{% endwagtailpagecache %}"
    )
    template = engines["django"].from_string(source.replace("{{ page.body }}", "{% include_block page.body %}"))
    for who in ("exact", "low", "exact"):
        request = rf.get(page.url)
        request.user = people[who]
        assert (SECRET in template.render(page.get_context(request), request)) == (who == "exact")


def test_the_form_for_a_password_is_not_for_closed_pages(closed, reader, client):
    """Wagtail has an address that answers it for any page and restriction, and a template may name the page."""
    restriction = closed.view_restrictions.get().pk
    response = client.get(f"/_util/authenticate_with_password/{restriction}/{closed.pk}/")
    assert response.status_code == (200 if reader in INSIDE else 403)
    assert ("page" in response.context_data) == (reader in INSIDE)


def test_a_part_for_a_tier_is_in_the_page_for_that_tier_only(section, tiers, reader, client):
    page = ClubArticlePage(title="Open", slug="parts")
    page.body = [
        ("text", "<p>For everybody</p>"),
        (
            "for_tier",
            {"tier": tiers["silver"], "invitation": "More for Silver", "content": [("text", f"<p>{SECRET}</p>")]},
        ),
    ]
    section.add_child(instance=page)
    response = client.get(page.url)
    assert "For everybody" in response.content.decode()
    assert told(response) == (reader in {"exact", "higher"})
    assert ("More for Silver" in response.content.decode()) == (reader not in {"exact", "higher"})
    assert SECRET not in json.dumps(page.body.stream_block.get_api_representation(page.body))
    assert SECRET not in " ".join(page.body.stream_block.get_searchable_content(page.body))
    assert not ClubArticlePage.objects.search(SECRET)
    assert SECRET not in page.club_access.words


@pytest.mark.parametrize("search", ["", f"&q={SECRET}"])
def test_an_editor_of_another_section_finds_it_in_no_chooser(closed, site, editors, django_user_model, client, search):
    other = site.root_page.add_child(instance=Page(title="News", slug="news"))
    for kind in ("add_page", "change_page"):
        permission = Permission.objects.get(content_type__app_label="wagtailcore", codename=kind)
        GroupPagePermission.objects.create(group=editors, page=other, permission=permission)
    editors.permissions.add(Permission.objects.get(codename="access_admin"))
    editor = django_user_model.objects.create_user("editor", "editor@example.com")
    editor.groups.add(editors)
    client.force_login(editor)
    for address in (f"/cms/choose-page/{closed.get_parent().pk}/?", "/cms/choose-page/search/?"):
        response = client.get(address + search)
        assert response.status_code == 200
        assert f"The {SECRET} guide" not in response.content.decode()


def test_documents_of_a_closed_collection_go_the_way_of_wagtail(closed, tiers, reader, client, section):
    from wagtail.models import Collection, CollectionViewRestriction

    root = Collection.get_first_root_node() or Collection.add_root(name="Root")
    silver = root.add_child(name="Silver")
    restriction = CollectionViewRestriction.objects.create(collection=silver, restriction_type="groups")
    restriction.groups.add(tiers["silver"].group)
    document = get_document_model().objects.create(
        title="Sheet", collection=silver, file=ContentFile(SECRET.encode(), name="sheet.txt")
    )
    response = client.get(document.url)
    content = b"".join(response.streaming_content) if response.streaming else response.content
    assert (SECRET.encode() in content) == (reader in {"exact", "higher"})


@pytest.mark.parametrize("number", [3, 40])
def test_lists_cost_the_same_with_many_closed_pages(
    number, section, article, people, client, django_assert_max_num_queries
):
    for index in range(number):
        article(section, ["silver", "gold", None][index % 3], slug=f"guide-{index}")
    client.force_login(people["exact"])
    client.get(section.url)
    with django_assert_max_num_queries(45):
        client.get(section.url)
    with django_assert_max_num_queries(1 + 1):
        assert list(access.visible(Page.objects.live(), people["exact"]))
    with django_assert_max_num_queries(2):
        list(access.visible(Page.objects.live()))


def test_a_members_page_costs_a_bounded_number_of_queries(closed, people, client, django_assert_max_num_queries):
    client.force_login(people["exact"])
    client.get(closed.url)
    with django_assert_max_num_queries(40):
        client.get(closed.url)


def test_what_is_indexed_for_a_thousand_closed_pages_is_one_condition(people):
    sql = str(access.visible(Page.objects.all(), people["exact"]).query)
    assert "EXISTS" not in sql  # which PostgreSQL would run for each page
    assert sql.count("SELECT") == 3  # the pages, those closed, and those of them that a group may see
    assert ".path" not in sql.split("WHERE")[1].replace('."path" ASC', "")


def test_visitors_of_another_programme_reach_nothing(tiers):
    assert not selectors.Visitor(tier=None).reaches(tiers["bronze"])
    assert selectors.Visitor(tier=tiers["gold"]).reaches(tiers["silver"])
    assert not selectors.Visitor(tier=tiers["gold"]).reaches(None)
    assert members.tiers(tiers["gold"].programme).count() == 3


def test_no_list_reaches_past_a_section_that_is_not_announced(section, club, article, tiers, people, client):
    page = article(section)
    inside = article(page, "gold", slug="inside", teaser_title="A guide within")
    section.audience, section.minimum_tier = "tier", tiers["silver"]
    section.save_revision().publish()
    feed = f"{club.url}feed/"
    assert "A guide for the hair" in client.get(feed).content.decode()
    section.teased = False
    section.save_revision().publish()
    for address in (feed, club.url, "/sitemap.xml", f"{club.url}?q=guide"):
        text = client.get(address).content.decode()
        for name in ("A guide for the hair", "A guide within", page.slug + "/", inside.slug + "/"):
            assert name not in text, address
    # Who sees the section reads of what is locked in it.
    client.force_login(people["exact"])
    found = selectors.listed(Page.objects.filter(pk__in=[page.pk, inside.pk]), people["exact"])
    assert {row.pk: row.seen for row in found} == {page.pk: True, inside.pk: False}
