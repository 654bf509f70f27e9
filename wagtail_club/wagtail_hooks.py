"""How the club joins Wagtail: it is asked before a page is served, and editors pick only what they may see."""

from django.templatetags.static import static
from django.utils.html import format_html
from wagtail import hooks

from wagtail_club import access, choosers, file_views, files, views


@hooks.register("before_serve_page", order=-100)
def ask_the_club(page, request, serve_args, serve_kwargs):
    return views.refuse(page, request)


@hooks.register("before_serve_document", order=100)
def ask_the_club_for_a_document(document, request):
    return file_views.refuse_document(document, request)


@hooks.register("register_admin_viewset")
def product_chooser():
    return choosers.products


@hooks.register("register_admin_viewset")
def member_chooser():
    return choosers.members


@hooks.register("construct_page_chooser_queryset")
def hide_closed_pages(pages, request):
    """An editor of another section finds no closed page in the chooser, unless as a reader of it."""
    return access.choosable(pages, request.user)


@hooks.register("construct_image_chooser_queryset")
@hooks.register("construct_document_chooser_queryset")
def hide_closed_files(rows, request):
    """The same for pictures and documents of closed pages."""
    return files.choosable(rows, request.user)


@hooks.register("insert_editor_js")
def keep_the_chosen_preview():
    """The preview of a page is always the one that is chosen."""
    return format_html('<script src="{}"></script>', static("wagtail_club/admin/preview.js"))
