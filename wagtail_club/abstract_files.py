"""What a shop's own models of pictures and documents build on, so that closed pages' files are closed as well."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.images.models import get_rendition_upload_to, get_upload_to

from wagtail_club.storage import ClubDocumentField, ClubImageField, document_url


class PrivateFileMixin(models.Model):
    """Files of this model are for editors only, until something open shows them; see :mod:`wagtail_club.files`."""

    class Meta:
        abstract = True


class ClubImageMixin(PrivateFileMixin):
    """Keeps pictures in the private folder. It comes before ``AbstractImage`` in the bases.

    The model's renditions need :class:`ClubRenditionMixin` in the same way.
    """

    file = ClubImageField(verbose_name=_("file"), upload_to=get_upload_to, width_field="width", height_field="height")

    class Meta:
        abstract = True


class ClubRenditionMixin(models.Model):
    """Keeps renditions in the private folder. It comes before ``AbstractRendition`` in the bases."""

    file = ClubImageField(upload_to=get_rendition_upload_to, width_field="width", height_field="height")

    class Meta:
        abstract = True


class ClubDocumentMixin(PrivateFileMixin):
    """Keeps documents in the private folder. It comes before ``AbstractDocument`` in the bases."""

    file = ClubDocumentField(upload_to="documents", verbose_name=_("file"))

    class Meta:
        abstract = True

    @property
    def url(self) -> str:
        return document_url(self.pk, self.file.name)


__all__ = ["ClubDocumentMixin", "ClubImageMixin", "ClubRenditionMixin", "PrivateFileMixin"]
