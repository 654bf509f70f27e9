"""An editor of another section, who types numbers where Wagtail's windows offer nothing."""

import json

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from wagtail.log_actions import LogContext
from wagtail.models import GroupPagePermission, Page, PageViewRestriction
from wagtail.test.utils.form_data import nested_form_data, streamfield

from sandbox.gallery.models import Paper, Picture
from tests.club.conftest import SECRET
from wagtail_club import access, editors
from wagtail_club.models import ClubArticlePage, ClubHomePage, ClubSectionPage, PageAccess


@pytest.fixture
def news(editor):
    return editor.groups.get().page_permissions.first().page


@pytest.fixture
def own(news):
    news.add_child(instance=ClubSectionPage(title="Own", slug="own"))
    return ClubSectionPage.objects.get(slug="own")


@pytest.fixture
def closed(section, article, picture, paper, body):
    image, document = picture("scene"), paper("sheet")
    for file in (image, document):
        file.title = f"{SECRET} {file.title}"
        file.save()
    page = article(section, "silver", picture=image, body=body(paper=document))
    page.image, page.document = image, document
    return page


@pytest.fixture
def signed_in(client, editor):
    client.force_login(editor)
    return client


def typed(**fields):
    empty = {"title": "Own", "slug": "own", "introduction": "", "audience": "same", "guests": streamfield([])}
    empty |= {"guest_passes": 0, "guest_pass_days": 7}
    return nested_form_data({**empty, "body": streamfield([]), "comments": streamfield([]), **fields})


def test_a_picture_that_is_typed_is_refused_and_not_named(signed_in, own, closed, news):
    address = f"/cms/pages/{own.pk}/edit/"
    for field in ("picture", "teaser_image"):
        response = signed_in.post(address, typed(**{field: closed.image.pk}))
        text = response.content.decode()
        assert "that you cannot choose" in text
        assert SECRET not in text
    own.refresh_from_db()
    assert own.picture is None
    assert own.get_latest_revision() is None


@pytest.mark.parametrize(
    "block",
    [
        lambda closed: ("picture", {"image": closed.image.pk, "alt": "", "caption": ""}),
        lambda closed: ("download", {"document": closed.document.pk, "title": ""}),
    ],
    ids=["picture", "document"],
)
def test_so_is_one_within_a_text(signed_in, own, closed, news, block):
    address = f"/cms/pages/add/wagtail_club/clubarticlepage/{news.pk}/"
    response = signed_in.post(address, typed(slug="new", body=streamfield([block(closed)])))
    assert "that you cannot choose" in response.content.decode()
    assert SECRET not in response.content.decode()
    assert not ClubArticlePage.objects.filter(slug="new").exists()


def test_links_to_documents_in_a_rich_text_count():
    field = ClubHomePage._meta.get_field("introduction")
    found = editors._references(field, '<p><a linktype="document" id="3">x</a><embed embedtype="image" id="4"/></p>')
    assert found == {Paper: {"3"}, Picture: {"4"}}


def test_what_an_editor_may_choose_is_taken_and_stays(signed_in, own, news, picture, editor, article, section):
    image = picture("free", uploaded_by_user=editor)
    address = f"/cms/pages/{own.pk}/edit/"
    assert signed_in.post(address, typed(picture=image.pk)).status_code == 302
    own.refresh_from_db()
    assert own.get_latest_revision_as_object().picture == image
    # Somebody else puts it on a closed page: what has been there may be saved again.
    image.uploaded_by_user = None
    image.save()
    article(section, "silver", picture=image)
    assert signed_in.post(address, typed(picture=image.pk, title="Again")).status_code == 302


def test_titles_are_hidden_from_those_only_who_have_nothing_to_do_with_the_page(
    closed, editor, people, django_user_model, django_assert_num_queries
):
    below = closed.add_child(instance=Page(title=f"{SECRET} below", slug="below"))
    boss = django_user_model.objects.create_superuser("boss", "boss@example.com", "x")
    for user, told in ((None, True), (boss, True), (people["exact"], True), (people["low"], False), (editor, False)):
        with LogContext(user=user):
            for page in (closed, below):
                assert (SECRET in page.get_admin_display_title()) == told
    permission = Permission.objects.get(content_type__app_label="wagtailcore", codename="change_page")
    GroupPagePermission.objects.create(group=editor.groups.get(), page=below, permission=permission)
    editor = type(editor).objects.get(pk=editor.pk)
    with LogContext(user=editor):
        assert SECRET in below.get_admin_display_title()
        assert SECRET in closed.get_admin_display_title()  # on the way to what they work on


def test_titles_of_a_long_list_are_asked_for_once(section, article, editor, django_assert_max_num_queries):
    pages = [article(section, None, slug=f"guide-{n}") for n in range(8)]
    with django_assert_max_num_queries(8), LogContext(user=editor):
        for page in pages:
            page.get_admin_display_title()


def test_members_are_looked_up_by_those_who_write_for_the_club(closed, editor, member, client, news, own):
    addresses = [
        "/cms/club_members/",
        "/cms/club_members/results/?q=rose",
        f"/cms/club_members/chosen/{member.pk}/",
        f"/cms/club_members/chosen-multiple/?id={member.pk}",
    ]
    client.force_login(editor)
    for address in addresses:
        assert client.get(address).status_code == 200  # ``own`` is a page of the club
    own.delete()
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 302, address
        assert member.last_name not in response.content.decode()


def test_a_member_of_another_site_is_not_named(closed, editor, member, client, own, programme):
    from django.contrib.sites.models import Site

    programme.site = Site.objects.create(domain="other.example", name="Other")
    programme.save()
    client.force_login(editor)
    assert client.get(f"/cms/club_members/chosen/{member.pk}/").status_code == 404
    answer = json.loads(client.get(f"/cms/club_members/chosen-multiple/?id={member.pk}").content)
    assert answer["result"] == []


def test_install_wraps_once():
    before = Page.get_admin_display_title
    editors.install()
    assert Page.get_admin_display_title is before


def test_wagtails_question_for_public_pages_has_the_same_answer(site, section, club, article, tiers, news):
    """Ours in one condition, beside Wagtail's own words: below each restricted page nothing is public."""
    page = article(section, "silver")
    page.add_child(instance=Page(title="Below", slug="below"))
    article(club, slug="open")
    staff = site.root_page.add_child(instance=Page(title="Staff", slug="staff"))
    staff.add_child(instance=Page(title="Rota", slug="rota"))
    PageViewRestriction.objects.create(page=staff, restriction_type="login")
    expected = Page.objects.all()
    for restriction in PageViewRestriction.objects.select_related("page"):
        expected = expected.exclude(path__startswith=restriction.page.path)
    assert set(Page.objects.public()) == set(expected)
    assert set(Page.objects.private()) == set(Page.objects.not_public()) == set(Page.objects.all()) - set(expected)
    assert set(ClubArticlePage.objects.public()) == {ClubArticlePage.objects.get(slug="open")}
    assert list(Page.objects.public().search("Below")) == []
    PageViewRestriction.objects.all().delete()
    assert Page.objects.public().count() == Page.objects.count()


@pytest.fixture
def thousand(section, tiers):
    """More closed pages than a database takes clauses, without the club's rows: ``.public()`` trusts nobody."""
    section = ClubSectionPage.objects.get(pk=section.pk)
    rows = Page.objects.bulk_create(
        Page(
            title=f"Closed {n}",
            slug=f"closed-{n}",
            path=Page._get_path(section.path, section.depth + 1, n + 1),
            depth=section.depth + 1,
            url_path=f"{section.url_path}closed-{n}/",
            locale=section.locale,
            content_type_id=section.content_type_id,
        )
        for n in range(1100)
    )
    closed = [PageViewRestriction(page=page, restriction_type="groups") for page in rows]
    few = PageViewRestriction.objects.bulk_create(closed[:3])
    PageAccess.objects.bulk_create(PageAccess(page=one.page, closed=True, restriction=one) for one in few)
    with connection.cursor() as cursor:
        # So the database believes that there are few.
        cursor.execute("ANALYZE")
    PageAccess.objects.filter(restriction__in=few).delete()
    PageViewRestriction.objects.bulk_create(closed[3:])
    return rows


def test_wagtails_own_surfaces_bear_a_thousand_closed_pages(thousand, client, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        assert Page.objects.public().count() == Page.objects.count() - 1100
    assert "closed-1" not in client.get("/sitemap.xml").content.decode()
    access.rebuild()
    for restriction in PageViewRestriction.objects.all():
        PageAccess.objects.update_or_create(
            page_id=restriction.page_id, defaults={"closed": True, "restriction": restriction}
        )
    for address in ("/api/v2/pages/?limit=20", "/api/v2/club/?limit=20", "/api/v3/pages/"):
        response = client.get(address)
        assert response.status_code == 200
        assert "Closed 1" not in response.content.decode()
