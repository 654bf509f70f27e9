from django.core.files import File
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand
from wagtail.documents import get_document_model
from wagtail.images import get_image_model

from wagtail_club.abstract_files import ClubDocumentMixin, ClubImageMixin


class Command(BaseCommand):
    help = (
        "Move files of pictures and documents out of the public media folder. For a shop that had them before its "
        "models got the club's mixins; it can be stopped and run again."
    )

    def handle(self, **options):
        Image, Document = get_image_model(), get_document_model()
        models = [Image, Image.get_rendition_model()] if issubclass(Image, ClubImageMixin) else []
        models += [Document] if issubclass(Document, ClubDocumentMixin) else []
        moved = missing = 0
        for model in models:
            storage = model._meta.get_field("file").storage
            for name in model._default_manager.order_by("pk").values_list("file", flat=True).iterator():
                if not name or not default_storage.exists(name):
                    missing += not name or not storage.exists(name)
                    continue
                if not storage.exists(name):
                    with default_storage.open(name, "rb") as stored:
                        kept = storage.save(name, File(stored))
                    if kept != name:
                        # Somebody else took the name in this moment: the next run looks again.
                        storage.delete(kept)
                        continue
                default_storage.delete(name)
                moved += 1
        self.stdout.write(f"{moved} files moved, {missing} not found.")
