"""What a shop and its editors are told where pictures and documents are not guarded, and how old files get guarded."""

from io import BytesIO, StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.images import ImageFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from PIL import Image as Canvas
from wagtail.models import Collection

from sandbox.gallery.models import Paper, Picture, PictureRendition
from wagtail_club import checks, storage

PLAIN = {"WAGTAILIMAGES_IMAGE_MODEL": "wagtailimages.Image", "WAGTAILDOCS_DOCUMENT_MODEL": "wagtaildocs.Document"}


@pytest.fixture
def root(db):
    return Collection.get_first_root_node() or Collection.add_root(name="Root")


@pytest.fixture
def plain(settings):
    for name, value in PLAIN.items():
        setattr(settings, name, value)


@pytest.fixture
def boss(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("boss", "boss@example.com", "x"))


@pytest.fixture
def image(root):
    out = BytesIO()
    Canvas.new("RGB", (8, 8)).save(out, "PNG")
    return Picture.objects.create(title="Rose", file=ImageFile(BytesIO(out.getvalue()), name="rose.png"))


def ids():
    names = ("private_pictures", "private_documents", "file_addresses", "private_folder")
    return [found.id for name in names for found in getattr(checks, name)(None)]


def test_a_shop_with_the_mixins_is_told_nothing(settings):
    assert ids() == []


def test_a_shop_without_them_is_warned(plain):
    assert ids() == ["wagtail_club.W002", "wagtail_club.W003"]


def test_renditions_need_theirs(monkeypatch):
    from wagtail.images.models import Rendition

    monkeypatch.setattr(Picture, "get_rendition_model", classmethod(lambda cls: Rendition))
    assert ids() == ["wagtail_club.E003"]


def test_addresses_are_missed(settings):
    settings.ROOT_URLCONF = "tests.urls"
    assert ids() == ["wagtail_club.E004"]


def test_wagtails_view_that_asks_nobody_is_found(settings):
    settings.ROOT_URLCONF = "tests.club.open_urls"
    assert ids() == ["wagtail_club.W004"]


@pytest.mark.parametrize("name", ["MEDIA_ROOT", "STATIC_ROOT"])
def test_the_private_folder_is_not_in_a_public_one(settings, tmp_path, name):
    setattr(settings, name, str(tmp_path))
    settings.WAGTAIL_CLUB_FILES = tmp_path / "within"
    assert ids() == ["wagtail_club.E005"]
    settings.WAGTAIL_CLUB_FILES = ""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    assert storage.folder() == tmp_path / "media-private"


def test_an_editor_is_warned_on_closed_pages_only(plain, section, article, boss, client):
    closed, opened = article(section, "silver", slug="closed"), article(section, slug="open")
    words = "can be opened by anybody who knows their address"
    assert words in client.get(f"/cms/pages/{closed.pk}/edit/").content.decode()
    assert words not in client.get(f"/cms/pages/{opened.pk}/edit/").content.decode()
    assert words in client.get(f"/cms/pages/add/wagtail_club/clubarticlepage/{section.pk}/").content.decode()


def test_an_editor_is_told_of_a_picture_in_two_places(section, article, boss, client, image):
    opened = article(section, slug="open", picture=image)
    words = "These stand on a closed page and on an open one"
    assert words not in client.get(f"/cms/pages/{opened.pk}/edit/").content.decode()
    closed = article(section, "silver", slug="closed", picture=image)
    for page in (opened, closed):
        text = client.get(f"/cms/pages/{page.pk}/edit/").content.decode()
        assert words in text
        assert "can be opened by anybody" not in text


def test_files_from_before_are_moved(image, root):
    paper = Paper.objects.create(title="Sheet", file=ContentFile(b"one", name="sheet.txt"))
    rendition = image.get_rendition("fill-4x4")
    kept = {}
    for stored in (image.file, rendition.file, paper.file):
        with stored.storage.open(stored.name) as content:
            kept[stored.name] = content.read()
        stored.storage.delete(stored.name)
        default_storage.save(stored.name, ContentFile(kept[stored.name]))
    gone = Paper.objects.create(title="Gone", file=ContentFile(b"two", name="gone.txt"))
    gone.file.storage.delete(gone.file.name)
    out = StringIO()
    call_command("club_files", stdout=out)
    call_command("club_files", stdout=out)
    assert out.getvalue().split("\n")[:2] == ["3 files moved, 1 not found.", "0 files moved, 1 not found."]
    for model in (Picture, PictureRendition, Paper):
        stored = model.objects.order_by("pk").first().file
        assert not default_storage.exists(stored.name)
        with stored.storage.open(stored.name) as content:
            assert content.read() == kept[stored.name]
