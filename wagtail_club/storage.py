"""Where files that may be closed are kept: outside the folder that the web server serves to everybody.

An address of a picture or a document leads to :mod:`wagtail_club.file_views`, which asks before it sends the file.
"""

import posixpath
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, InvalidStorageError, Storage, storages
from django.db import models
from django.db.models.fields.files import FieldFile
from django.urls import reverse
from django.utils.deconstruct import deconstructible
from django.utils.functional import cached_property
from wagtail.images.models import WagtailImageField, WagtailImageFieldFile

#: The alias in Django's ``STORAGES`` by which a shop keeps the files elsewhere.
ALIAS = "wagtail_club"


def folder() -> Path:
    """Return the private folder: ``WAGTAIL_CLUB_FILES``, or one beside the media folder."""
    chosen = getattr(settings, "WAGTAIL_CLUB_FILES", None)
    if chosen:
        return Path(chosen)
    media = Path(settings.MEDIA_ROOT).absolute()
    return media.with_name(f"{media.name}-private")


@deconstructible(path="wagtail_club.storage.PrivateStorage")
class PrivateStorage(FileSystemStorage):
    """Files in the private folder. No file has an address here: its model knows one."""

    @cached_property
    def base_location(self) -> str:
        return str(self._location or folder())

    def url(self, name: str | None) -> str:
        raise NotImplementedError("A file of the club has no public address.")


def private_storage() -> Storage:
    """Return where files that may be closed are kept; fields name this function, so that no path is in a migration."""
    try:
        return storages[ALIAS]
    except InvalidStorageError:
        return PrivateStorage()


def picture_url(image_id: Any, name: str) -> str:
    return reverse("wagtail_club_files:picture", args=[image_id, posixpath.basename(name)])


def document_url(document_id: Any, name: str) -> str:
    return reverse("wagtail_club_files:document", args=[document_id, posixpath.basename(name)])


class ClubImageFieldFile(WagtailImageFieldFile):
    @property
    def url(self) -> str:
        self._require_file()
        # A rendition goes by the number of its image: made with others at once, it may not know its own.
        return picture_url(getattr(self.instance, "image_id", None) or self.instance.pk, self.name)


class ClubImageField(WagtailImageField):
    """A picture's file, in the private folder, behind an address that asks."""

    attr_class = ClubImageFieldFile

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"storage": private_storage, **options})


class ClubDocumentFieldFile(FieldFile):
    @property
    def url(self) -> str:
        # Wagtail knows this answer: it then sends the file itself, whatever WAGTAILDOCS_SERVE_METHOD says.
        raise NotImplementedError("Ask the document for its address: its file has none.")


class ClubDocumentField(models.FileField):
    """A document's file, in the private folder."""

    attr_class = ClubDocumentFieldFile

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"storage": private_storage, **options})
