"""How pictures and documents are sent, to those who may have them."""

import posixpath
from typing import Any

from django.conf import settings
from django.http import FileResponse, Http404, HttpResponse, HttpResponseNotFound
from django.shortcuts import redirect
from django.urls import NoReverseMatch
from django.utils.cache import get_conditional_response, patch_cache_control, quote_etag
from django.views.decorators.http import require_safe
from wagtail.documents.views import serve as documents
from wagtail.images import get_image_model
from wagtail.utils.sendfile import sendfile

from oscar_loyalty import keys
from wagtail_club import access, files, ranges, views
from wagtail_club.abstract_files import ClubImageMixin
from wagtail_club.storage import document_url

#: For how many seconds a cache may keep a file that everybody may see; its page may be closed any moment.
KEPT = 300
TYPES = {
    "avif": "image/avif",
    "gif": "image/gif",
    "ico": "image/x-icon",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webp": "image/webp",
}


def private(response: Any) -> Any:
    """Forbid every cache to keep ``response``."""
    patch_cache_control(response, private=True, no_store=True)
    return response


def nothing() -> HttpResponse:
    """Answer for a picture that is not there and for one that is not for this visitor: nobody can tell which."""
    return private(HttpResponseNotFound("Not found", content_type="text/plain"))


@require_safe
def picture(request: Any, image_id: int, filename: str) -> Any:
    """Send a picture or one of its renditions to a visitor who may see the picture; 404 to others."""
    Image = get_image_model()
    image = Image.objects.filter(pk=image_id).first() if issubclass(Image, ClubImageMixin) else None
    if image is None:
        return nothing()
    answer = files.answer(request, image)
    stored = named(image, filename) if answer.allowed else None
    if stored is None:
        return nothing()
    etag = quote_etag(f"{image.file_hash}-{filename}")
    same = get_conditional_response(request, etag=etag) if answer.everybody else None
    response = same or send(request, stored)
    if response is None:
        return nothing()
    if not answer.everybody:
        return private(response)
    response["ETag"] = etag
    patch_cache_control(response, public=True, max_age=KEPT)
    return response


def named(image: Any, filename: str) -> Any:
    """Return the file of ``image``, or of the rendition of it, that is called ``filename``."""
    if posixpath.basename(image.file.name) == filename:
        return image.file
    if not keys.is_text(filename):
        return None
    rendition = image.renditions.filter(file__endswith=f"/{filename}").first()
    return rendition.file if rendition else None


def local(stored: Any) -> str | None:
    """Return the path of a stored file, or ``None`` where its storage has none."""
    try:
        return stored.path
    except NotImplementedError:
        return None


def send(request: Any, stored: Any) -> Any:
    """Send a stored picture, or ``None`` where the file is gone.

    By the web server where ``SENDFILE_BACKEND`` says how, else as a stream.
    """
    kind = TYPES.get(posixpath.splitext(stored.name)[1][1:].lower(), "application/octet-stream")
    try:
        path = local(stored) if getattr(settings, "SENDFILE_BACKEND", None) else None
        if path:
            response = sendfile(request, path, mimetype=kind, attachment_filename=False)
            del response["Content-Encoding"]  # Wagtail writes one, even where it knows none
        else:
            response = FileResponse(stored.storage.open(stored.name, "rb"), content_type=kind)
    except (FileNotFoundError, Http404):
        return None
    # A drawing may hold a script, and a browser may guess a type: neither happens here.
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
def document(request: Any, document_id: int, filename: str) -> Any:
    """Send a document as Wagtail does, or the part of it that is asked for, and forbid caches to keep it unless it is
    for everybody."""
    request.club_sends = document_id
    response = ranges.cut(request, documents.serve(request, document_id, filename))
    if not getattr(request, "club_everybody", False):
        return private(response)
    patch_cache_control(response, public=True, max_age=KEPT)
    return response


def refuse_document(document: Any, request: Any) -> Any:
    """Answer for a document that Wagtail is about to send; ``None`` lets it."""
    answer = files.answer(request, document)
    if not answer.allowed:
        page = files.page_for_others(document, request.user)
        return views.teaser(page, request, tier=access.tier_of(page)) if page else nothing()
    request.club_everybody = answer.everybody
    if answer.everybody or getattr(request, "club_sends", None) == document.pk:
        return None
    try:
        # Wagtail lets nobody touch what it sends: our own address does.
        return private(redirect(document_url(document.pk, document.file.name)))
    except NoReverseMatch:
        return None
