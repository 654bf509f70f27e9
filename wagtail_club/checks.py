"""System checks of the club."""

from pathlib import Path

from django.conf import settings
from django.core.checks import Error, Warning, register
from django.urls import NoReverseMatch, resolve, reverse


@register()
def guardian_anonymous_user(app_configs, **kwargs):
    """guardian's migration creates an active user for anonymous visitors, who must never become a member."""
    if "guardian" in settings.INSTALLED_APPS and getattr(settings, "ANONYMOUS_USER_NAME", "") is not None:
        return [
            Error(
                "guardian creates an active user account for anonymous visitors.",
                hint="Set ANONYMOUS_USER_NAME = None: the club asks for no anonymous user.",
                id="wagtail_club.E001",
            )
        ]
    return []


@register()
def guardian_content_type(app_configs, **kwargs):
    """A permission on a page must be found on the page of its own type and on the base page alike."""
    if getattr(settings, "GUARDIAN_GET_CONTENT_TYPE", "") == "wagtail_club.guardian.get_content_type":
        return []
    return [
        Error(
            "guardian does not know that all page types share their permissions.",
            hint='Set GUARDIAN_GET_CONTENT_TYPE = "wagtail_club.guardian.get_content_type".',
            id="wagtail_club.E002",
        )
    ]


@register()
def guardian_backend(app_configs, **kwargs):
    """Without guardian's backend, ``user.has_perm`` says nothing of a page."""
    if "guardian.backends.ObjectPermissionBackend" in settings.AUTHENTICATION_BACKENDS:
        return []
    return [
        Warning(
            "guardian's backend is not among AUTHENTICATION_BACKENDS.",
            hint='Add "guardian.backends.ObjectPermissionBackend".',
            id="wagtail_club.W001",
        )
    ]


def _guarded():
    """Return the shop's models of pictures and documents, and whether each keeps its files in private."""
    from wagtail.documents import get_document_model
    from wagtail.images import get_image_model

    from wagtail_club.abstract_files import ClubDocumentMixin, ClubImageMixin

    Image, Document = get_image_model(), get_document_model()
    return Image, issubclass(Image, ClubImageMixin), Document, issubclass(Document, ClubDocumentMixin)


@register()
def private_pictures(app_configs, **kwargs):
    """A picture in the public media folder is everybody's, whatever page it is on."""
    from wagtail_club.abstract_files import ClubRenditionMixin

    Image, guarded, _document, _ = _guarded()
    if not guarded:
        return [
            Warning(
                f"{Image._meta.label} lacks ClubImageMixin: pictures of closed pages can be opened by their address.",
                hint='Give the shop a model with the mixin: see "Keep pictures and documents private" in the manual.',
                id="wagtail_club.W002",
            )
        ]
    Rendition = Image.get_rendition_model()
    if not issubclass(Rendition, ClubRenditionMixin):
        return [
            Error(
                f"{Rendition._meta.label} lacks ClubRenditionMixin: the renditions of closed pictures are public.",
                hint="Put ClubRenditionMixin before AbstractRendition in its bases.",
                id="wagtail_club.E003",
            )
        ]
    return []


@register()
def private_documents(app_configs, **kwargs):
    """Wagtail asks before it serves a document, but not where its file lies in the public media folder."""
    _image, _, Document, guarded = _guarded()
    if guarded:
        return []
    return [
        Warning(
            f"{Document._meta.label} lacks ClubDocumentMixin: files of closed documents lie in the media folder.",
            hint='Give the shop a model with the mixin: see "Keep pictures and documents private" in the manual.',
            id="wagtail_club.W003",
        )
    ]


@register()
def file_addresses(app_configs, **kwargs):
    """Private files have the club's addresses; Wagtail's own view for pictures asks nobody."""
    _image, pictures, _document, documents = _guarded()
    found = []
    try:
        reverse("wagtail_club_files:picture", args=[1, "a.jpg"])
    except NoReverseMatch:
        if pictures or documents:
            found.append(
                Error(
                    "Pictures and documents have no address.",
                    hint='Add path("club-files/", include("wagtail_club.urls")) to the addresses of the project.',
                    id="wagtail_club.E004",
                )
            )
    try:
        view = resolve(reverse("wagtailimages_serve", args=["a", 1, "original"])).func
    except NoReverseMatch:
        return found
    if pictures and view.__module__.startswith("wagtail.images"):
        found.append(
            Warning(
                "Wagtail's view that makes pictures by signed addresses asks nobody.",
                hint="Take wagtail.images.urls out of the addresses of the project: the club's serve all renditions.",
                id="wagtail_club.W004",
            )
        )
    return found


@register()
def private_folder(app_configs, **kwargs):
    """The private folder must not lie where the web server serves everything."""
    from wagtail_club import storage

    _image, pictures, _document, documents = _guarded()
    kept = storage.private_storage()
    if not (pictures or documents) or not isinstance(kept, storage.PrivateStorage):
        return []
    folder = Path(kept.location).resolve()
    for name in ("MEDIA_ROOT", "STATIC_ROOT"):
        root = getattr(settings, name, None)
        if root and folder.is_relative_to(Path(root).resolve()):
            return [
                Error(
                    f"The folder for private files, {folder}, lies within {name}.",
                    hint="Set WAGTAIL_CLUB_FILES to a folder that no web server serves.",
                    id="wagtail_club.E005",
                )
            ]
    return []
