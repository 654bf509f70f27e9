"""Who may see a picture or a document: decided when it is asked for, from the pages it stands on.

1. Who may not enter its collection, by Wagtail's own privacy settings, does not see it.
2. A picture that an editor chose for others ("picture for others") is for everybody.
3. A file with a closed use is for those who may see one such page, and, within a part for a tier, reach that tier.
   That it stands on an open page as well changes nothing: the safe side wins.
4. A file with open uses only is for everybody.
5. A file that stands nowhere is for editors, until something open shows it; so is one on drafts only. A restricted
   collection says who may see it all the same, and the collections of ``WAGTAIL_CLUB_PUBLIC_COLLECTIONS`` are open.
6. Those who may edit a page see what stands on it; who uploaded a file sees it.

A model without :class:`wagtail_club.abstract_files.PrivateFileMixin` is that of a shop that has not chosen this:
there, files that stand nowhere stay open.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import CharField, Count, Model, Q, QuerySet
from django.db.models.functions import Cast
from wagtail.models import Collection, CollectionViewRestriction
from wagtail.permission_policies.pages import PagePermissionPolicy

from wagtail_club import access, selectors, uses
from wagtail_club.abstract_files import PrivateFileMixin

EDITING = {"add", "change", "publish"}


@dataclass(frozen=True)
class Answer:
    """Whether this visitor may have the file, and whether everybody may, so that caches may keep it."""

    allowed: bool
    everybody: bool = False


def answer(request: Any, file: Any) -> Answer:
    """Decide whether the visitor behind ``request`` may have ``file``, in a bounded number of queries."""
    standing = uses.Standing(file)
    restrictions = list(file.collection.get_view_restrictions())
    found = uses.of_file(file).aggregate(
        all=Count("pk"),
        announced=Count("pk", filter=standing.announced),
        closed=Count("pk", filter=standing.closed),
        opened=Count("pk", filter=standing.opened),
    )
    is_open = bool(found["announced"] or (not found["closed"] and (found["opened"] or _shown(file))))
    if is_open and not restrictions:
        return Answer(True, everybody=True)
    if all(restriction.accept_request(request) for restriction in restrictions):
        unused = restrictions and not found["all"]
        if is_open or unused or (found["closed"] and _reads(request, file, standing)):
            return Answer(True)
    return Answer(_edits(getattr(request, "user", None), file, standing))


def open_to_all(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Return those pictures or documents that everybody may see. It can be searched, as all of these can."""
    rows = _open(queryset.model, uses.Standing()).exclude(
        collection__in=_below(CollectionViewRestriction.objects.values("collection"))
    )
    return queryset.filter(id__in=rows.values("pk"))


def choosable(queryset: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """Return what an editor may pick: all but what stands on closed pages and drafts that they neither see nor edit."""
    if access.sees_all(user):
        return queryset
    model, standing, in_parts = queryset.model, uses.Standing(), uses.for_tiers()
    guarded = uses.on(standing.closed_pages) | uses.on(standing.pages.filter(live=False)) | in_parts
    seen = uses.on(_edited(user)) | (~in_parts & uses.on(access.visible(standing.live, user)))
    rows = _keyed(model).filter(
        ~_used(model, guarded & ~uses.chosen_for_others())
        | _used(model, seen)
        | Q(uploaded_by_user=user)
        | Q(pk__in=_open(model, standing).values("pk"))
    )
    return queryset.filter(id__in=rows.values("pk"))


def page_for_others(document: Any, user: Any) -> Any:
    """Return a closed page on which ``document`` stands and which is announced to ``user``, or ``None``."""
    pages = uses.Standing(document).closed_pages.filter(access.announced(user), club_access__closed=True)
    return pages.order_by("path").specific().first()


def in_two_places(page: Any) -> list[Any]:
    """Return the pictures and documents that stand on ``page`` and on closed pages and, openly, elsewhere as well.

    Who reads only the open page does not see them: its editor should know.
    """
    from wagtail.documents import get_document_model
    from wagtail.images import get_image_model

    found, standing = [], uses.Standing()
    for model in (get_image_model(), get_document_model()):
        here = _used(model, uses.on_pages() & Q(object_id=str(page.pk)) & ~uses.chosen_for_others())
        twice = _used(model, standing.closed) & _used(model, standing.opened) & ~_used(model, standing.announced)
        found += list(_keyed(model).filter(here & twice)[:10])
    return found


def _keyed(model: type[Model]) -> QuerySet[Any]:
    return model._default_manager.order_by().annotate(_key=Cast("pk", CharField()))


def _used(model: type[Model], condition: Q) -> Q:
    """The objects of ``model``, with their key as a word, that have such a use."""
    return Q(_key__in=uses.of(model).filter(condition).values("to_object_id"))


def _open(model: type[Model], standing: uses.Standing) -> QuerySet[Any]:
    """Return the files that everybody may see, by where they stand."""
    shown = _used(model, standing.opened) | Q(collection__in=_public()) if _guarded(model) else Q()
    return _keyed(model).filter(_used(model, standing.announced) | (shown & ~_used(model, standing.closed)))


def _shown(file: Any) -> bool:
    """Whether everybody may see ``file`` though it stands nowhere."""
    return not _guarded(type(file)) or file.collection_id in _public()


def _guarded(model: type[Model]) -> bool:
    return issubclass(model, PrivateFileMixin)


def _public() -> list[int]:
    names = getattr(settings, "WAGTAIL_CLUB_PUBLIC_COLLECTIONS", [])
    return _below(Collection.objects.filter(name__in=names).values("pk")) if names else []


def _below(collections: QuerySet[Any]) -> list[int]:
    """Return the keys of these collections and of all below them."""
    below = Q(pk__in=[])
    for path in Collection.objects.filter(pk__in=collections).values_list("path", flat=True):
        below |= Q(path__startswith=path)
    return list(Collection.objects.filter(below).values_list("pk", flat=True))


def _reads(request: Any, file: Any, standing: uses.Standing) -> bool:
    """Whether the visitor may see a page on which the file is closed, and the part of it that shows the file."""
    closed, pages = uses.of_file(file).filter(standing.closed), uses.on(access.readable(standing.live, request))
    if closed.filter(pages & ~uses.for_tiers()).exists():
        return True
    return _reached(request, uses.tiers(closed.filter(uses.for_tiers() & (pages | ~uses.on_pages()))[:200]))


def _reached(request: Any, tiers: Iterable[Any]) -> bool:
    return any(tier is not None and selectors.visitor(request).reaches(tier) for tier in tiers)


def _edited(user: Any) -> QuerySet[Any]:
    return PagePermissionPolicy().instances_user_has_any_permission_for(user, EDITING)


def _edits(user: Any, file: Any, standing: uses.Standing) -> bool:
    """Whether ``user`` works on a page with this file, or brought it; what stands nowhere follows its collection."""
    if user is None or not user.is_active:
        return False
    if user.is_superuser:
        return True
    if not user.has_perm("wagtailadmin.access_admin"):
        return False
    if file.uploaded_by_user_id == user.pk or standing.pages.filter(pk__in=_edited(user).values("pk")).exists():
        return True
    return not standing.pages.exists() and _policy(type(file)).user_has_any_permission_for_instance(
        user, ["add", "change", "choose"], file
    )


def _policy(model: type[Model]) -> Any:
    """Return what Wagtail permits with files of ``model``, by their collections."""
    from wagtail.permission_policies.collections import CollectionOwnershipPermissionPolicy

    return CollectionOwnershipPermissionPolicy(model, auth_model=_first(model), owner_field_name="uploaded_by_user")


def _first(model: type[Model]) -> type[Model]:
    """Wagtail's own model of the same kind: its permissions are what editors' groups have."""
    from wagtail.documents.models import AbstractDocument, Document
    from wagtail.images.models import Image

    return Document if issubclass(model, AbstractDocument) else Image
