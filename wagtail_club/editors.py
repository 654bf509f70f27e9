"""What Wagtail's admin shows to an editor who has nothing to do with a closed page: neither its title nor its files.

Wagtail's lists follow what an editor may work on. Here are the ways beside them, where a number is enough: windows for
choosing, confirmations, reports, and forms into which a number is typed.
"""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from django.apps import apps
from django.contrib import messages
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.db.models import Model, ProtectedError, Q, QuerySet
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.log_actions import get_active_log_context
from wagtail.models import Page

from oscar_loyalty import keys
from wagtail_club import access, files
from wagtail_club.wrapping import narrow


def install() -> None:
    """Close these ways; called once all models are there."""
    narrow(import_module("wagtail.admin.auth"), "get_localized_response", _answer)
    narrow(Page, "get_admin_display_title", _title)
    narrow(import_module("wagtail.admin.views.bulk_action").BulkAction, "get_actionable_objects", _actionable)
    pages = import_module("wagtail.admin.views.chooser")
    narrow(pages.BrowseView, "get", _browse)
    narrow(pages.ChosenMultipleView, "get", _chosen_pages)
    pictures = import_module("wagtail.images.views.chooser")
    documents = import_module("wagtail.documents.views.chooser")
    for view in (pictures.ImageChosenView, pictures.ImageSelectFormatView, documents.DocumentChosenView):
        narrow(view, "get_object", _chosen_file)
    for view in (pictures.ImageChosenMultipleView, documents.DocumentChosenMultipleView):
        narrow(view, "get_objects", _chosen_files)
    narrow(import_module("wagtail.images.fields").WagtailImageField, "check_image_pixel_size", _check_pixels)
    narrow(import_module("wagtail.admin.forms.models").WagtailAdminModelForm, "_post_clean", _check_choices)
    narrow(import_module("wagtail.admin.widgets.chooser").BaseChooser, "get_value_data", _value_data)
    if apps.is_installed("wagtail.users"):
        groups = import_module("wagtail.users.views.groups")
        for view in (groups.IndexView, groups.EditView, groups.DeleteView):
            narrow(view, "get_queryset", _groups)
        narrow(groups.DeleteView, "form_valid", _delete_group)


def _answer(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Let a template that is written out later know for whom, as the view before it did."""
    context, response = get_active_log_context(), original(*args, **kwargs)
    if hasattr(response, "render"):
        later = response.render

        def render() -> Any:
            with context:
                return later()

        response.render = render
    return response


# Pages


def known(pages: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """Return those of ``pages`` that ``user`` reads, works on, or passes on the way to what they work on."""
    if access.sees_all(user):
        return pages
    from wagtail.permission_policies.pages import PagePermissionPolicy

    own = PagePermissionPolicy().explorable_instances(user).order_by().values("pk")
    return pages.filter(access.condition(user) | Q(pk__in=own))


def write_for_the_club(user: Any) -> bool:
    """Whether ``user`` writes pages of the club, or may make them where there are none yet."""
    from wagtail.permission_policies.pages import PagePermissionPolicy

    if access.sees_all(user):
        return True
    own = PagePermissionPolicy().instances_user_has_any_permission_for(user, files.EDITING)
    written = own.filter(content_type__in=ContentType.objects.get_for_models(*access.club_models()).values())
    return written.exists() or (own.exists() and not access._model("PageAccess").objects.exists())


def _hidden(context: Any) -> set[int]:
    """The closed pages whose titles the editor must not see, asked once for each request to the admin."""
    if not hasattr(context, "club_hidden"):
        rows = access.closed(Page.objects.order_by())
        context.club_hidden = set(rows.values_list("pk", flat=True)) - set(
            known(rows, context.user).values_list("pk", flat=True)
        )
    return context.club_hidden


def _title(original: Callable[..., Any], page: Any) -> str:
    context = get_active_log_context()
    if context.user is None or access.sees_all(context.user) or page.pk not in _hidden(context):
        return original(page)
    # Whoever is asked to approve a page in a workflow may open it without any other permission.
    return original(page) if page.permissions_for_user(context.user).can_edit() else _("A closed page")


def _browse(original: Callable[..., Any], view: Any, request: Any, parent_page_id: Any = None) -> Any:
    if parent_page_id and not known(Page.objects.filter(pk=parent_page_id), request.user).exists():
        raise Http404
    return original(view, request, parent_page_id)


def _chosen_pages(original: Callable[..., Any], view: Any, request: Any) -> Any:
    asked = {pk for pk in map(keys.number, request.GET.getlist("id")) if pk is not None}
    if known(Page.objects.filter(pk__in=asked), request.user).count() < len(asked):
        raise Http404
    return original(view, request)


# Groups


def _groups(original: Callable[..., Any], view: Any, *args: Any) -> Any:
    """Leave out the groups that the club keeps itself, a page's guests in each: the page says who they are."""
    return original(view, *args).exclude(access.own_groups())


def _delete_group(original: Callable[..., Any], view: Any, form: Any) -> Any:
    try:
        return original(view, form)
    except ProtectedError:
        messages.error(
            view.request, _("“%(group)s” cannot be deleted: a tier or a page needs it.") % {"group": view.object}
        )
        return redirect(view.get_success_url())


# Pictures and documents


def _chosen_file(original: Callable[..., Any], view: Any, pk: Any) -> Any:
    file = original(view, pk)
    if not files.choosable(type(file).objects.filter(pk=file.pk), view.request.user).exists():
        raise PermissionDenied
    return file


def _chosen_files(original: Callable[..., Any], view: Any, pks: Any) -> Any:
    return files.choosable(original(view, pks), view.request.user)


def _actionable(original: Callable[..., Any], action: Any) -> Any:
    """Name no picture and no document that the editor may not act on, unless they may choose it."""
    objects, rest = original(action)
    refused = rest.get("items_with_no_access", ())
    if refused and issubclass(action.model, (get_image_model(), get_document_model())):
        may = files.choosable(
            action.model._default_manager.filter(pk__in=[row.pk for row in refused]), action.request.user
        )
        keys = set(may.values_list("pk", flat=True))
        rest["items_with_no_access"] = [row for row in refused if row.pk in keys]
    return objects, rest


def _check_pixels(original: Callable[..., Any], field: Any, upload: Any) -> None:
    """Count a picture's points by its head: Wagtail unpacks it whole to count them, and breaks where it is cut off.

    :raises ValidationError: as Wagtail does, for too many points or for no picture.
    """
    most = field.max_image_pixels
    try:
        width, height = Image.open(upload.image.f).size
    except (UnidentifiedImageError, Image.DecompressionBombError):
        width = height = 0  # a drawing, or more than Pillow opens: Wagtail knows
    finally:
        upload.image.f.seek(0)
    if most is not None and width * height > most:
        numbers = {"num_pixels": width * height, "max_pixels_count": most}
        raise ValidationError(field.error_messages["file_too_many_pixels"] % numbers, code="file_too_many_pixels")
    try:
        original(field, upload)
    except OSError as error:
        raise ValidationError(field.error_messages["invalid_image"], code="invalid_image") from error


def _check_choices(original: Callable[..., Any], form: Any) -> None:
    """Refuse a picture or a document that the windows would not have offered: its number was typed."""
    user = getattr(form, "for_user", None)
    if user is not None and not access.sees_all(user):
        for name, value in list(form.cleaned_data.items()):
            if _typed(form, name, value, user):
                form.add_error(name, _("There is a picture or a document among these that you cannot choose."))
    original(form)


def _typed(form: Any, name: str, value: Any, user: Any) -> bool:
    try:
        field = form._meta.model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    found = False
    for model, wanted in _references(field, value).items():
        if wanted and (wanted := wanted - _references(field, _before(form.instance, field)).get(model, set())):
            may = files.choosable(model._default_manager.filter(pk__in=wanted), user)
            refused = wanted - {str(pk) for pk in may.values_list("pk", flat=True)}
            if refused:
                found = True
                _refused().update((model, pk) for pk in refused)
    return found


def _before(instance: Any, field: Any) -> Any:
    if field.many_to_many:
        return getattr(instance, field.name).all() if instance.pk else ()
    return getattr(instance, field.name, None)


def _references(field: Any, value: Any) -> dict[type[Model], set[str]]:
    """Return the keys of the pictures and of the documents that ``value`` of a field names."""
    if value is None:
        pairs: Iterable[tuple[Any, Any]] = ()
    elif hasattr(field, "extract_references"):
        pairs = [(model, pk) for model, pk, *_path in field.extract_references(value)]
    elif isinstance(value, Model):
        pairs = [(type(value), value.pk)]
    elif field.many_to_many:
        pairs = [(type(row), row.pk) for row in value]
    else:
        pairs = ()
    found: dict[type[Model], set[str]] = {get_image_model(): set(), get_document_model(): set()}
    for model, pk in pairs:
        if model in found:
            found[model].add(str(pk))
    return found


def _refused() -> set[tuple[Any, str]]:
    """What this request was refused: the form that comes back with the message must not name it."""
    context = get_active_log_context()
    if context.user is None:
        return set()
    if not hasattr(context, "club_refused"):
        context.club_refused = set()
    return context.club_refused


def _value_data(original: Callable[..., Any], widget: Any, value: Any) -> Any:
    data = original(widget, value)
    return None if data and (widget.model_class, str(data.get("id"))) in _refused() else data
