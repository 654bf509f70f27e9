"""The matrix of what must not leak: each surface is one line, and everybody who may come along reads all of them."""

from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.utils import timezone
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Locale, Page, Task, Workflow, WorkflowPage, WorkflowTask

from tests.club.conftest import EVERYBODY, INSIDE, SECRET
from wagtail_club import access
from wagtail_club.models import ClubArticlePage, ClubSectionPage

NOBODY: set[str] = set()


@dataclass(frozen=True)
class Surface:
    """A way to the closed page, and which ``readers`` may read its secret there."""

    address: str
    readers: set = field(default_factory=lambda: INSIDE)
    method: str = "get"
    headers: dict = field(default_factory=dict)


S = Surface
#: For visitors of the site. The places in braces are those of the fixture ``world``.
SURFACES = [
    S("{page}"),
    S("{page}?page=2&format=json&mode=draft&preview=1"),
    S("{page}", NOBODY, "head"),
    S("{page}", NOBODY, "options"),
    S("{page}", INSIDE, "post"),
    S("{page}", INSIDE, "get", {"Range": "bytes=0-10"}),
    S("{page}", INSIDE, "get", {"If-Modified-Since": "Wed, 01 Jan 2070 00:00:00 GMT", "If-None-Match": "*"}),
    S("{page}", INSIDE, "get", {"X-Requested-With": "XMLHttpRequest", "Accept": "application/json"}),
    S("{page}index.json", NOBODY),
    S("{alias_before}"),
    S("{alias_after}"),
    S("{copy}"),
    S("{copy_below}"),
    S("{moved_in}"),
    S("{moved_out}", NOBODY),
    S("{below}", {"exact", "higher"} | INSIDE),
    S("{translation}"),
    S("{translated_alias}"),
    S("{hidden}", NOBODY),
    S("{expired}", NOBODY),
    S("{planned}", NOBODY),
    S("{deleted}", NOBODY),
    S("{part}", {"exact", "higher"}),
    S("{linking}", NOBODY),
    S("{section}"),
    S("{section}?page=9"),
    S("{club}"),
    S("{club}?q=guide"),
    S("{club}?q=seo", NOBODY),
    S("{club}feed/", NOBODY),
    S("{root}", NOBODY),
    S("/old/"),
    S("/sitemap.xml", NOBODY),
    S("/_util/authenticate_with_password/{restriction}/{pk}/", NOBODY),
    S("/_util/authenticate_with_password/{restriction}/{pk}/", NOBODY, "post"),
    *(
        S(address, NOBODY)
        for api in ("/api/v2/pages/", "/api/v2/club/", "/api/v3/pages/")
        for address in (
            f"{api}?limit=20",
            f"{api}?fields=*",
            f"{api}?fields=_,title,body,url",
            f"{api}{{pk}}/",
            f"{api}{{pk}}/?fields=*&version=draft",
            f"{api}?search={SECRET}",
            f"{api}?search={SECRET}&search_operator=or&order=-title",
            f"{api}?title=The+{SECRET}+guide",
            f"{api}?slug=guide",
            f"{api}?id={{pk}}",
            f"{api}?order=-title",
            f"{api}?order=random",
            f"{api}?child_of={{section_pk}}",
            f"{api}?child_of={{pk}}",
            f"{api}?descendant_of={{club_pk}}",
            f"{api}?ancestor_of={{below_pk}}",
            f"{api}?translation_of={{pk}}",
            f"{api}?translation_of={{translation_pk}}&locale=en",
            f"{api}?locale=fr",
            f"{api}?site=testserver",
            f"{api}?type=wagtail_club.ClubArticlePage&fields=*",
            f"{api}find/?html_path={{page}}",
            f"{api}find/?id={{pk}}",
            f"{api}{{pk}}/revisions/",
        )
    ),
    *(
        S(address, NOBODY)
        for kind, key in (("images", "picture_pk"), ("documents", "paper_pk"))
        for version in ("v2", "v3")
        for address in (
            f"/api/{version}/{kind}/",
            f"/api/{version}/{kind}/?fields=*",
            f"/api/{version}/{kind}/?search={SECRET}",
            f"/api/{version}/{kind}/?order=-id",
            f"/api/{version}/{kind}/{{{key}}}/",
            f"/api/{version}/{kind}/find/?id={{{key}}}",
        )
    ),
    S("/api/v3/redirects/", NOBODY),
    S("/api/v3/locales/", NOBODY),
    S("{picture}"),
    S("{rendition}"),
    S("{picture}", INSIDE, "get", {"Range": "bytes=0-10"}),
    S("{picture}", INSIDE, "get", {"If-None-Match": "*"}),
    S("{picture}", NOBODY, "head"),
    S("/media/{picture_file}", NOBODY),
    S("/media/original_images/{picture_name}", NOBODY),
    S("{paper}"),
    S("{paper}", INSIDE, "get", {"If-None-Match": "{paper_hash}", "Range": "bytes=0-10"}),
    S("{paper}", NOBODY, "head"),
    S("/documents/{paper_pk}/{paper_name}"),
    S("/documents/{paper_hash}/{paper_name}", NOBODY),
    S("/media/documents/{paper_name}", NOBODY),
    S("/documents/authenticate_with_password/{restriction}/", NOBODY),
    # Wagtail's admin, for those who have nothing to do there.
    *(
        S(f"/cms/{address}", NOBODY)
        for address in (
            "pages/{pk}/edit/",
            "pages/{pk}/view_draft/",
            "pages/{pk}/edit/preview/",
            "pages/{pk}/history/",
            "pages/{pk}/revisions/{revision}/view/",
            "pages/{pk}/revisions/compare/earliest...latest/",
            "api/main/pages/{pk}/",
            "choose-page/{section_pk}/",
            "club_members/results/",
            "images/{picture_pk}/",
            "images/{picture_pk}/preview/width-100/",
            "documents/edit/{paper_pk}/",
        )
    ),
]
#: For an editor of another section, in Wagtail's admin.
FOR_EDITORS = [
    S(f"/cms/{address}", NOBODY)
    for address in (
        "",
        "pages/",
        "pages/{pk}/",
        "pages/{section_pk}/",
        "pages/{section_pk}/results/",
        "pages/{pk}/edit/",
        "pages/{pk}/edit/preview/",
        "pages/{pk}/view_draft/",
        "pages/{pk}/history/",
        "pages/{pk}/usage/",
        "pages/{pk}/copy/",
        "pages/{pk}/move/",
        "pages/{pk}/delete/",
        "pages/{pk}/unpublish/",
        "pages/{pk}/privacy/",
        "pages/{pk}/set_position/",
        "pages/{pk}/workflow/status/",
        "pages/{pk}/convert_alias/",
        "pages/{pk}/revisions/{revision}/view/",
        "pages/{pk}/revisions/{revision}/revert/",
        "pages/{pk}/revisions/compare/earliest...latest/",
        "pages/{own}/move/",
        "pages/{own}/move/{pk}/confirm/",
        "pages/{own}/copy/",
        "pages/add/wagtail_club/clubarticlepage/{pk}/",
        "pages/search/?q={word}",
        "pages/search/results/?q=guide",
        "pages/usage/wagtail_club/clubarticlepage/",
        "choose-page/",
        "choose-page/?page_type=wagtail_club.ClubArticlePage",
        "choose-page/?multiple=1",
        "choose-page/{pk}/",
        "choose-page/{section_pk}/",
        "choose-page/{below_pk}/",
        "choose-page/{section_pk}/?page_type=wagtail_club.ClubArticlePage",
        "choose-page/search/?q={word}",
        "choose-page/search/?q=guide",
        "choose-page/chosen-multiple/?id={pk}",
        "choose-page/chosen-multiple/?id={own}&id={pk}",
        "bulk/wagtailcore/page/delete/?id={pk}",
        "bulk/wagtailcore/page/move/?id={pk}",
        "bulk/wagtailcore/page/publish/?id={pk}&id={own}",
        "bulk/wagtailcore/page/unpublish/?id={pk}",
        "bulk/wagtailcore/page/unpublish/?id=all&childOf={section_pk}",
        "bulk/gallery/picture/delete/?id={picture_pk}",
        "bulk/gallery/picture/add_tags/?id={picture_pk}",
        "bulk/gallery/picture/add_to_collection/?id={picture_pk}",
        "bulk/gallery/paper/delete/?id={paper_pk}",
        "bulk/gallery/paper/add_to_collection/?id={paper_pk}",
        "images/",
        "images/results/?q={word}",
        "images/{picture_pk}/",
        "images/usage/{picture_pk}/",
        "images/{picture_pk}/delete/",
        "images/{picture_pk}/preview/width-100/",
        "images/chooser/",
        "images/chooser/results/?q={word}",
        "images/chooser/chosen/{picture_pk}/",
        "images/chooser/chosen-multiple/?id={picture_pk}",
        "images/chooser/{picture_pk}/select_format/",
        "documents/",
        "documents/results/?q={word}",
        "documents/edit/{paper_pk}/",
        "documents/usage/{paper_pk}/",
        "documents/delete/{paper_pk}/",
        "documents/chooser/",
        "documents/chooser/results/?q={word}",
        "documents/chooser/chosen/{paper_pk}/",
        "documents/chooser/chosen-multiple/?id={paper_pk}",
        "api/main/pages/",
        "api/main/pages/{pk}/",
        "api/main/pages/{own}/",
        "api/main/pages/?search={word}",
        "api/main/pages/?for_explorer=1&child_of={section_pk}",
        "api/main/images/",
        "api/main/images/{picture_pk}/",
        "api/main/documents/{paper_pk}/",
        "reports/locked/",
        "reports/workflow/",
        "reports/workflow_tasks/",
        "reports/site-history/",
        "reports/aging-pages/",
        "reports/page-types-usage/",
        "reports/page-types-usage/results/",
        "redirects/",
        "redirects/results/?q=guide",
        "redirects/{redirect}/",
        "workflows/usage/{workflow}/",
        "club_members/",
        "club_members/results/?q={word}",
        "club_members/chosen/{member}/",
        "club_members/chosen-multiple/?id={member}",
    )
] + [S(address, NOBODY) for address in ("{page}", "{picture}", "{paper}", "/api/v3/pages/{pk}/?version=draft")]


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def world(site, club, section, article, guest_list, tiers, picture, paper, body, editor, committed):
    """One closed page with all that hangs on it, and every other way by which it might be reached."""
    image, document, silver = picture("scene"), paper("sheet"), {"audience": "tier", "minimum_tier": tiers["silver"]}
    for file in (image, document):
        file.title = f"{SECRET} {file.title}"
        file.save()
    text = ("text", f"<p>{SECRET}</p>")
    with committed():
        page = article(section, guests=guest_list, picture=image, body=[*body(image, document), text])
        before = page.create_alias(parent=club, update_slug="alias-before")
        page.audience, page.minimum_tier = "tier", tiers["silver"]
        page.save_revision().publish()
        page = ClubArticlePage.objects.get(pk=page.pk)
        below = page.add_child(instance=Page(title=f"{SECRET} below", slug="below"))
        after = page.create_alias(parent=club, update_slug="alias-after")
        copy = page.copy(to=club, recursive=True, update_attrs={"slug": "copy"})
        shelf = club.add_child(instance=ClubSectionPage(title="Shelf", slug="shelf", **silver, guests=guest_list))
        inside = article(shelf, slug="inside")
        moved_in = article(section, slug="moving")
        moved_in.move(shelf, pos="last-child")
        inside.move(section, pos="last-child")
        french = Locale.objects.get(language_code="fr")
        for above in (site.root_page, club, section):
            above.copy_for_translation(french).save_revision().publish()
        translation = page.copy_for_translation(french)
        translation.save_revision().publish()
        translated_alias = after.copy_for_translation(french, copy_parents=True, alias=True)
        hidden = article(section, "silver", slug="hidden", teased=False)
        hidden.unpublish()
        expired = article(section, "silver", slug="expired", expire_at=timezone.now() + timedelta(minutes=1))
        ClubArticlePage.objects.filter(pk=expired.pk).update(expire_at=timezone.now() - timedelta(minutes=1))
        tomorrow = timezone.now() + timedelta(days=1)
        planned = ClubArticlePage(title=SECRET, slug="planned", live=False, go_live_at=tomorrow, **silver)
        section.add_child(instance=planned)
        planned.save_revision().publish()
        call_command("publish_scheduled", verbosity=0)
        gone = article(section, "silver", slug="gone")
        deleted = gone.url
        gone.delete()
        open_page = {"introduction": "", "seo_title": "", "search_description": "", "title": "Open"}
        link = ("text", f'<p><a linktype="page" id="{page.pk}">There</a></p>')
        # Beside no closed page: those who may read one find it under "Read on".
        away = club.add_child(instance=ClubSectionPage(title="Away", slug="away"))
        linking = article(away, slug="linking", body=[link], **open_page)
        part = ("for_tier", {"tier": tiers["silver"], "invitation": "", "content": [text]})
        parted = article(away, slug="part", body=[part], **open_page)
        news = editor.groups.get().page_permissions.first().page
        own = news.add_child(instance=ClubArticlePage(title="Own", slug="own"))
    call_command("wagtail_update_index", verbosity=0)
    redirect = Redirect.objects.create(old_path="/old", redirect_page=page, is_permanent=False)
    workflow, task = Workflow.objects.create(name="Look"), Task.objects.create(name="Look")
    WorkflowTask.objects.create(workflow=workflow, task=task)
    WorkflowPage.objects.create(workflow=workflow, page=page)
    return SimpleNamespace(
        page=page.url,
        pk=page.pk,
        revision=page.latest_revision_id,
        restriction=page.view_restrictions.get().pk,
        alias_before=before.url,
        alias_after=after.url,
        copy=copy.url,
        copy_below=copy.get_children().get().url,
        moved_in=ClubArticlePage.objects.get(pk=moved_in.pk).url,
        moved_out=ClubArticlePage.objects.get(pk=inside.pk).url,
        below=below.url,
        below_pk=below.pk,
        translation=translation.url,
        translation_pk=translation.pk,
        translated_alias=Page.objects.get(pk=translated_alias.pk).url,
        hidden=f"{section.url}hidden/",
        expired=expired.url,
        planned=f"{section.url}planned/",
        deleted=deleted,
        part=parted.url,
        linking=linking.url,
        section=section.url,
        section_pk=section.pk,
        club=club.url,
        club_pk=club.pk,
        root="/",
        word=SECRET,
        picture=image.file.url,
        rendition=image.get_rendition("width-640|format-jpeg").url,
        picture_pk=image.pk,
        picture_file=image.file.name,
        picture_name=image.filename,
        paper=document.url,
        paper_pk=document.pk,
        paper_hash=document.get_file_hash(),
        paper_name=document.filename,
        own=own.pk,
        redirect=redirect.pk,
        workflow=workflow.pk,
        member=guest_list[0][1].pk,
    )


def read(client, surface, world):
    """Return what the surface tells: its body and its headers, without the words that were asked for."""
    address = surface.address.format(**vars(world))
    headers = {name: value.format(**vars(world)) for name, value in surface.headers.items()}
    response = getattr(client, surface.method)(address, headers=headers, follow=surface.method == "get")
    assert response.status_code < 500, (address, response.status_code)
    body = b"".join(response.streaming_content) if response.streaming else response.content
    text = body.decode("utf-8", "replace") + str(response.headers)
    for echo in (f"={SECRET}", f'value="{SECRET}"', f"<em>{SECRET}</em>"):
        text = text.replace(echo, "")
    return text


def test_what_each_reader_is_told(world, people, client):
    wrong = {}
    for who in EVERYBODY:
        client.logout()
        if people[who] is not None:
            client.force_login(people[who])
        for surface in SURFACES:
            told = SECRET in read(client, surface, world)
            if told != (who in surface.readers):
                wrong[f"{who}: {surface.method} {surface.address} {surface.headers}"] = told
    assert not wrong, str(wrong)
    assert list(access.differences()) == []


def test_what_an_editor_of_another_section_is_told(world, editor, client):
    client.force_login(editor)
    told = {}
    for surface in FOR_EDITORS:
        text = read(client, surface, world)
        if SECRET in text:
            told[surface.address] = " ".join(text[max(0, text.index(SECRET) - 80) :][:160].split())
    assert not told, str(told)
