"""What editors are told of a page's pictures and documents, where they choose who may see the page."""

from typing import Any

from wagtail.admin.panels import Panel
from wagtail.documents import get_document_model
from wagtail.images import get_image_model

from wagtail_club import access, files
from wagtail_club.abstract_files import ClubDocumentMixin, ClubImageMixin


def unguarded() -> tuple[bool, bool]:
    """Return whether the shop's pictures, and its documents, can be opened by anybody who knows their address."""
    return not issubclass(get_image_model(), ClubImageMixin), not issubclass(get_document_model(), ClubDocumentMixin)


class FilesPanel(Panel):
    """Warns of files that anybody can open, and of those that readers of an open page do not see; else it is hidden."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_club/panels/files.html"

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            page = self.instance
            closed = page.pk is None or access.stored([page.pk])
            self.pictures, self.documents = unguarded() if closed else (False, False)
            self.twice = files.in_two_places(page) if page.pk else []

        def is_shown(self) -> bool:
            return super().is_shown() and bool(self.pictures or self.documents or self.twice)

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            return context | {"pictures": self.pictures, "documents": self.documents, "twice": self.twice}
