"""Pictures and documents of the salon: Wagtail's, with files that follow the pages of the club."""

from django.db import models
from wagtail.documents.models import AbstractDocument, Document
from wagtail.images.models import AbstractImage, AbstractRendition, Image

from wagtail_club.abstract_files import ClubDocumentMixin, ClubImageMixin, ClubRenditionMixin


class Picture(ClubImageMixin, AbstractImage):
    admin_form_fields = Image.admin_form_fields

    class Meta(AbstractImage.Meta):
        pass


class PictureRendition(ClubRenditionMixin, AbstractRendition):
    image = models.ForeignKey(Picture, related_name="renditions", on_delete=models.CASCADE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["image", "filter_spec", "focal_point_key"], name="gallery_rendition")
        ]

    def __str__(self):
        return f"{self.image_id}: {self.filter_spec}"


class Paper(ClubDocumentMixin, AbstractDocument):
    admin_form_fields = Document.admin_form_fields

    class Meta(AbstractDocument.Meta):
        pass
