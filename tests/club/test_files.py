"""Pictures and documents of closed pages: every way to a file, times everybody who may come along."""

import json
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from oscar.test.factories import create_product
from wagtail.models import (
    CollectionViewRestriction,
    GroupPagePermission,
    PageViewRestriction,
    ReferenceIndex,
)

from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services
from sandbox.gallery.models import Picture
from tests.club.conftest import INSIDE, SECRET
from wagtail_club import files, uses
from wagtail_club.models import ClubArticlePage

pytestmark = pytest.mark.usefixtures("root")


@pytest.fixture
def as_reader(people, client):
    def as_reader(name):
        client.logout()
        if people.get(name) is not None:
            client.force_login(people[name])
        return client

    return as_reader


def content(response):
    return b"".join(response.streaming_content) if response.streaming else response.content


def sees(client, url):
    """Whether the file comes. Whatever is closed must be kept by no cache, sent or refused."""
    response = client.get(url)
    assert response.status_code in (200, 403, 404), response.status_code
    if response.status_code != 200:
        # The address that was typed is on the page again, for coming back after a login.
        assert SECRET not in content(response).decode().replace(url, "")
        assert private(response)
    else:
        assert private(response) or files.open_to_all(Picture.objects.filter(pk=pk_of(url))).exists()
    return response.status_code == 200


def private(response):
    return {"private", "no-store"} <= set(response["Cache-Control"].split(", "))


def pk_of(url):
    return int(url.split("/")[-2])


def addresses(image):
    return [image.file.url, image.get_rendition("fill-20x20").url, image.get_rendition("original").url]


def test_a_picture_of_a_closed_page(section, article, picture, body, guest_list, reader, client):
    image, second = picture(), picture("second")
    article(section, "silver", guests=guest_list, picture=image, body=body(second))
    for url in [*addresses(image), *addresses(second)]:
        assert sees(client, url) == (reader in INSIDE), url


def test_a_document_of_a_closed_page(section, article, paper, body, guest_list, reader, client):
    document = paper()
    page = article(section, "silver", guests=guest_list, body=body(paper=document))
    assert sees(client, document.url) == (reader in INSIDE)
    for other in ("", "other.txt"):
        assert client.get(f"/documents/{document.pk}/{other}").status_code == 404
        assert client.get(f"/club-files/documents/{document.pk}/{other}").status_code == 404
    response = client.get(f"/documents/{document.pk}/{document.filename}")  # Wagtail's own address
    assert private(response)
    if reader in INSIDE:
        assert response["Location"] == document.url
    else:
        assert response.status_code == 403
    etag = {"headers": {"If-None-Match": f'"{document.get_file_hash()}"'}}
    response = client.get(document.url, **etag)
    assert response.status_code == (304 if reader in INSIDE else 403)
    assert "no-store" in response["Cache-Control"]
    if reader not in INSIDE:
        assert "A guide for the hair" in response.content.decode()
        page.teased = False
        page.save_revision().publish()
        assert client.get(document.url, **etag).status_code == 404


PARTS = [
    ("bytes=0-1", 206, b"mo", "bytes 0-1/10"),
    ("bytes=0-0", 206, b"m", "bytes 0-0/10"),
    ("bytes=4-", 206, b"flower", "bytes 4-9/10"),
    ("bytes=8-99", 206, b"er", "bytes 8-9/10"),
    ("bytes=-3", 206, b"wer", "bytes 7-9/10"),
    ("bytes=-99", 206, b"moonflower", "bytes 0-9/10"),
    ("bytes=10-", 416, b"", "bytes */10"),
    ("bytes=-0", 416, b"", "bytes */10"),
    ("bytes=5-2", 200, b"moonflower", None),
    ("bytes=0-1,4-5", 200, b"moonflower", None),
    ("bytes=-", 200, b"moonflower", None),
    ("seconds=0-1", 200, b"moonflower", None),
    ("bytes=0-" + "9" * 5000, 200, b"moonflower", None),
]


def test_a_film_is_sent_in_parts_to_who_may_have_it(section, article, paper, body, client, as_reader):
    document = paper()
    article(section, tier="silver", body=body(paper=document))
    as_reader("exact")
    whole = client.get(document.url)
    assert (whole.status_code, whole["Accept-Ranges"]) == (200, "bytes")
    for asked, status, part, place in PARTS:
        response = client.get(document.url, headers={"Range": asked})
        assert (response.status_code, content(response)) == (status, part), asked
        assert (response.get("Content-Range"), response["Content-Length"]) == (place, str(len(part))), asked
        assert private(response) and response["Content-Type"] == whole["Content-Type"]
    head = client.head(document.url, headers={"Range": "bytes=0-1"})
    assert (head.status_code, head["Accept-Ranges"], head["Content-Length"]) == (200, "bytes", "10")
    same, other = {"Range": "bytes=4-", "If-None-Match": whole["ETag"]}, '"another"'
    assert client.get(document.url, headers=same).status_code == 304
    for known, status in (
        (whole["ETag"], 206),
        (whole["Last-Modified"], 206),
        (other, 200),
        (f"W/{whole['ETag']}", 200),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 200),
    ):
        response = client.get(document.url, headers={"Range": "bytes=4-", "If-Range": known})
        assert response.status_code == status, known
    for name in ("anonymous", "low"):
        as_reader(name)
        response = client.get(document.url, headers={"Range": "bytes=0-1"})
        assert (response.status_code, "Accept-Ranges" in response) == (403, False)


@pytest.mark.parametrize("method", ["direct", "redirect", "serve_view"])
def test_a_document_has_no_other_address(section, article, paper, body, as_reader, settings, method):
    settings.WAGTAILDOCS_SERVE_METHOD = method
    document = paper()
    article(section, "silver", body=body(paper=document))
    assert document.url == f"/club-files/documents/{document.pk}/{document.filename}"
    with pytest.raises(NotImplementedError):
        _ = document.file.url
    assert not sees(as_reader("low"), document.url)
    assert sees(as_reader("exact"), document.url)


def test_no_file_is_in_the_media_folder(section, article, picture, paper, body, client):
    image, document = picture(), paper()
    article(section, "silver", picture=image, body=body(image, document))
    for stored in (image.file, image.get_rendition("fill-20x20").file, document.file):
        assert not default_storage.exists(stored.name)
        assert client.get(f"{settings.MEDIA_URL}{stored.name}").status_code == 404
        assert str(stored.path).startswith(str(settings.WAGTAIL_CLUB_FILES))
    for name in (f"..{image.file.name}", "%2e%2e/secret", f"{image.pk}/../{SECRET}.jpg"):
        assert client.get(f"/club-files/pictures/{image.pk}/{name}").status_code == 404


def test_the_shops_other_media_are_as_before(client):
    name = default_storage.save("products/rose.jpg", ContentFile(b"a rose"))
    assert content(client.get(f"/media/{name}")) == b"a rose"


@pytest.mark.parametrize("who", ["anonymous", "low", "exact"])
def test_a_picture_that_stands_openly_is_for_everybody(section, article, picture, body, as_reader, who):
    image = picture()
    article(section, slug="open", body=body(image))
    client = as_reader(who)
    for url in addresses(image):
        response = client.get(url)
        assert response.status_code == 200
        assert response["Cache-Control"] == "public, max-age=300"
        assert response["Content-Type"] == "image/jpeg"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert content(response)
        again = client.get(url, headers={"If-None-Match": response["ETag"]})
        assert again.status_code == 304
        assert not again.content


def test_a_document_that_stands_openly_is_for_everybody(section, article, paper, body, client):
    document = paper()
    article(section, slug="open", body=body(paper=document))
    response = client.get(document.url)
    assert content(response) == SECRET.encode()
    assert response["Cache-Control"] == "public, max-age=300"
    assert client.get(f"/documents/{document.pk}/{document.filename}").status_code == 200


def test_the_safe_side_wins_where_a_picture_stands_in_two_places(section, article, picture, paper, body, as_reader):
    image, document = picture(), paper()
    opened = article(section, slug="open", body=body(image, document))
    article(section, "silver", slug="closed", body=body(image, document))
    for url in (image.file.url, document.url):
        assert not sees(as_reader("anonymous"), url)
        assert not sees(as_reader("low"), url)
        assert sees(as_reader("exact"), url)
    assert set(files.in_two_places(opened)) == {image, document}


def test_a_picture_for_others_is_for_everybody(section, article, picture, as_reader):
    image = picture()
    page = article(section, "silver", teaser_image=image, picture=image)
    assert sees(as_reader("anonymous"), image.file.url)
    page.unpublish()
    assert not sees(as_reader("anonymous"), image.file.url)


def test_what_stands_nowhere_is_for_editors(section, article, picture, paper, as_reader, editor, client, settings):
    image, document = picture(), paper()
    for who in ("anonymous", "low", "higher"):
        assert not sees(as_reader(who), image.file.url)
        assert not sees(as_reader(who), document.url)
    client.force_login(editor)
    assert sees(client, image.file.url)
    assert sees(client, document.url)
    settings.WAGTAIL_CLUB_PUBLIC_COLLECTIONS = ["Root"]
    assert sees(as_reader("anonymous"), image.file.url)
    article(section, "silver", picture=image)
    assert not sees(as_reader("anonymous"), image.file.url)


def test_it_is_decided_when_it_is_asked_for(section, article, picture, body, tiers, as_reader):
    image, url = picture(), None
    page = article(section, slug="one", body=body(image))
    url = image.get_rendition("fill-20x20").url
    assert sees(as_reader("anonymous"), url)
    section.audience, section.minimum_tier = "tier", tiers["gold"]  # the section above closes it
    section.save_revision().publish()
    assert not sees(as_reader("anonymous"), url)
    assert not sees(as_reader("exact"), url)
    assert sees(as_reader("higher"), url)
    section.audience = "same"
    section.save_revision().publish()
    assert sees(as_reader("anonymous"), url)
    page.body = []
    page.save_revision().publish()  # taken off the page
    assert not sees(as_reader("anonymous"), url)
    article(section, "silver", slug="two", picture=image)  # and put on a closed one
    assert not sees(as_reader("low"), url)
    assert sees(as_reader("exact"), url)


def test_a_draft_opens_nothing(section, article, picture, body, as_reader, editor):
    image = picture()
    section.add_child(instance=ClubArticlePage(title="Draft", slug="draft", live=False, picture=image))
    assert not sees(as_reader("anonymous"), image.file.url)
    assert not sees(as_reader("higher"), image.file.url)
    client = as_reader("anonymous")
    client.force_login(editor)
    assert not sees(client, image.file.url)
    article(section, slug="open", body=body(image))
    assert sees(as_reader("anonymous"), image.file.url)


@pytest.mark.parametrize("tier", ["silver", None], ids=["on a closed page", "on an open page"])
def test_a_part_for_a_tier_keeps_its_files(section, article, picture, paper, body, tiers, tier, reader, client):
    image, document = picture(), paper()
    part = {"tier": tiers["gold"], "invitation": "More", "content": body(image, document)}
    article(section, tier, body=[("for_tier", part)])
    for url in (*addresses(image), document.url):
        assert sees(client, url) == (reader == "higher")


def test_a_document_in_a_text_follows_the_page(section, article, paper, as_reader):
    document = paper()
    link = f'<p><a linktype="document" id="{document.pk}">Here</a></p>'
    article(section, "silver", body=[("tip", {"title": "", "text": link})])
    assert not sees(as_reader("low"), document.url)
    assert sees(as_reader("exact"), document.url)


def test_an_alias_and_a_copy(section, club, article, picture, as_reader):
    image = picture()
    page = article(section, "silver", picture=image)
    page.create_alias(parent=club, update_slug="alias")
    page.copy(to=club, update_attrs={"slug": "copy"})
    assert not sees(as_reader("low"), image.file.url)
    assert sees(as_reader("exact"), image.file.url)


def test_wagtails_own_privacy_of_pages_and_collections_counts(
    site, section, article, picture, paper, root, tiers, as_reader
):
    private = site.root_page.add_child(instance=ClubArticlePage(title="Team", slug="team"))
    image = picture()
    private.picture = image
    private.save()
    PageViewRestriction.objects.create(page=private, restriction_type="login")
    assert not sees(as_reader("anonymous"), image.file.url)
    assert sees(as_reader("customer"), image.file.url)
    silver = root.add_child(name="Silver")
    restriction = CollectionViewRestriction.objects.create(collection=silver, restriction_type="groups")
    restriction.groups.add(tiers["silver"].group)
    kept = picture("kept", collection=silver)
    article(section, slug="open", picture=kept)
    for file in (kept, picture("unused", collection=silver)):
        assert not sees(as_reader("low"), file.file.url)
        assert sees(as_reader("exact"), file.file.url)


def test_the_apis_list_what_is_open(section, article, picture, paper, body, guest_list, reader, client):
    image, document = picture(), paper()
    article(section, "silver", guests=guest_list, picture=image, body=body(paper=document))
    shown, free = picture("shown"), paper("free")
    article(section, slug="open", teaser_title="Open", body=body(shown, free))
    picture("unused")
    for kind, file, one in (("images", image, shown), ("documents", document, free)):
        lists = [
            f"/api/v2/{kind}/?fields=*",
            f"/api/v2/{kind}/?search={SECRET}",
            f"/api/v2/{kind}/?title={SECRET}+scene",
            f"/api/v2/{kind}/?id={file.pk}",
            f"/api/v2/{kind}/?order=-id",
            f"/api/v3/{kind}/",
        ]
        for address in lists:
            response = client.get(address, follow=True)
            assert response.status_code == 200, (address, response.content)
            assert SECRET not in response.content.decode().replace(f"search={SECRET}", ""), address
        for version in ("v2", "v3"):
            assert client.get(f"/api/{version}/{kind}/{file.pk}/").status_code == 404
            assert one.title in client.get(f"/api/{version}/{kind}/{one.pk}/").content.decode()
        assert json.loads(client.get(f"/api/v2/{kind}/").content)["meta"]["total_count"] == 1
    answer = json.loads(client.get(f"/api/v2/images/{shown.pk}/").content)
    assert answer["meta"]["download_url"] == shown.file.url


def test_an_editor_of_another_section_finds_it_in_no_chooser(section, article, picture, paper, body, editor, client):
    image, document = picture(), paper()
    page = article(section, "silver", picture=image, body=body(paper=document))
    picture("free", uploaded_by_user=editor)
    client.force_login(editor)
    for file in (image, document):
        assert not sees(client, file.file.url if file is image else file.url)
    for address in (
        "/cms/images/chooser/",
        "/cms/images/chooser/results/",
        f"/cms/images/chooser/results/?q={SECRET}",
        "/cms/documents/chooser/",
        f"/cms/documents/chooser/results/?q={SECRET}",
        "/cms/api/main/images/",
        "/cms/api/main/documents/",
    ):
        response = client.get(address)
        assert response.status_code == 200, address
        text = response.content.decode()
        assert f"{SECRET} s" not in text, address
        assert f"{SECRET}." not in text, address
    assert "free scene" in client.get("/cms/images/chooser/results/").content.decode()
    permission = Permission.objects.get(content_type__app_label="wagtailcore", codename="change_page")
    GroupPagePermission.objects.create(group=editor.groups.get(), page=page, permission=permission)
    assert sees(client, image.file.url)
    assert f"{SECRET} scene" in client.get("/cms/images/chooser/results/").content.decode()


def test_no_page_or_list_names_a_file_that_it_does_not_show(
    section, club, article, picture, reader, client, guest_list
):
    image, teaser = picture(), picture("teaser")
    page = article(section, "silver", guests=guest_list, picture=image, teaser_image=teaser)
    for address in (page.url, section.url, club.url, f"{club.url}?q={SECRET}", "/sitemap.xml"):
        text = client.get(address).content.decode()
        named = f"/pictures/{image.pk}/" in text
        assert not named or reader in INSIDE, address
        assert reader in INSIDE or "og:image" not in text


@pytest.mark.parametrize("number", [2, 30])
def test_asking_costs_a_bounded_number_of_queries(
    number, section, article, picture, body, people, client, django_assert_max_num_queries
):
    image = picture()
    for index in range(number):
        article(section, ["gold", "silver"][index % 2], slug=f"guide-{index}", body=body(image))
    url = image.get_rendition("fill-20x20").url
    client.get(url)
    with django_assert_max_num_queries(12):
        assert not sees(client, url)
    client.force_login(people["exact"])
    sees(client, url)
    with django_assert_max_num_queries(12):
        assert sees(client, url)
    with django_assert_max_num_queries(4):
        list(files.open_to_all(Picture.objects.all()))
    with django_assert_max_num_queries(8):
        list(files.choosable(Picture.objects.all(), people["exact"]))


def test_a_web_server_may_send_what_django_names(section, article, picture, as_reader, settings):
    settings.SENDFILE_BACKEND = "wagtail.utils.sendfile_streaming_backend"
    image = picture()
    article(section, "silver", picture=image)
    assert not sees(as_reader("low"), image.file.url)
    response = as_reader("exact").get(image.file.url)
    assert private(response)
    assert SECRET.encode() in content(response)
    assert response["Content-Type"] == "image/jpeg"
    assert "Content-Encoding" not in response


def test_a_file_that_is_gone_is_not_found(section, article, picture, as_reader):
    image = picture()
    article(section, slug="open", picture=image)
    image.file.storage.delete(image.file.name)
    response = as_reader("anonymous").get(image.file.url)
    assert response.status_code == 404
    assert private(response)


def test_what_stands_on_something_that_is_no_page_is_for_everybody(section, article, picture, as_reader):
    image = picture()
    product = create_product(title="Candle")
    kind = uses.base_type(type(product))
    ReferenceIndex.objects.create(
        content_type=kind,
        base_content_type=kind,
        object_id=str(product.pk),
        to_content_type=uses.base_type(Picture),
        to_object_id=str(image.pk),
        model_path="portrait",
        content_path="portrait",
        content_path_hash=uuid4(),
    )
    assert sees(as_reader("anonymous"), image.file.url)
    article(section, "silver", picture=image)
    assert not sees(as_reader("anonymous"), image.file.url)
    assert sees(as_reader("exact"), image.file.url)


def test_a_password_that_was_given_opens_the_pictures(site, picture, client):
    image = picture()
    page = site.root_page.add_child(instance=ClubArticlePage(title="Press", slug="press", picture=image))
    restriction = PageViewRestriction.objects.create(page=page, restriction_type="password", password="peony")
    assert not sees(client, image.file.url)
    client.post(
        f"/_util/authenticate_with_password/{restriction.pk}/{page.pk}/", {"password": "peony", "return_url": page.url}
    )
    assert sees(client, image.file.url)


def test_on_hold_a_part_for_a_tier_is_closed_with_its_files(
    section, article, picture, body, tiers, people, programme, client
):
    image = picture()
    part = {"tier": tiers["silver"], "invitation": "More for Silver", "content": body(image)}
    page = article(section, title="Open", slug="open", introduction="", body=[("for_tier", part)])
    member = members.member_for(people["higher"], programme)
    client.force_login(people["higher"])
    for status, reached in (("active", True), ("frozen", False), ("active", True)):
        services.set_status(member=member, status=status)
        assert sees(client, image.file.url) == reached
        assert ("More for Silver" in client.get(page.url).content.decode()) == (not reached)


def test_a_document_below_a_section_that_is_not_announced_leads_to_no_words(
    section, article, paper, body, tiers, client
):
    document = paper()
    article(section, body=body(paper=document))
    section.audience, section.minimum_tier = "tier", tiers["silver"]
    section.save_revision().publish()
    assert client.get(document.url).status_code == 403
    section.teased = False
    section.save_revision().publish()
    assert client.get(document.url).status_code == 404
