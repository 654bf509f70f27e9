"""Where pictures and documents stand, by Wagtail's reference index, as conditions on its rows.

A use is *closed* on a published page that is not for everybody, and within a part of a page that is for a tier.
It is *open* on a published page for everybody, and on whatever is no page. A picture that an editor chose "for others"
is *announced*: everybody may see it. What stands on drafts and on unpublished pages is none of the three.
"""

from functools import lru_cache
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import CharField, IntegerField, Model, Q, QuerySet
from django.db.models.functions import Cast
from wagtail import blocks
from wagtail.fields import StreamField
from wagtail.models import DraftStateMixin, Page, ReferenceIndex

from wagtail_club import access

#: The field of :class:`wagtail_club.models.ClubPageMixin` for the picture that others see.
TEASER = "teaser_image"


def base_type(model: type[Model]) -> ContentType:
    """Return the content type by which the reference index knows objects of ``model``."""
    parents = model._meta.get_parent_list()
    return ContentType.objects.get_for_model(parents[-1] if parents else model, for_concrete_model=False)


def of(model: type[Model]) -> QuerySet[ReferenceIndex]:
    """Return all uses of objects of ``model``."""
    return ReferenceIndex.objects.filter(to_content_type=base_type(model))


def of_file(file: Model) -> QuerySet[ReferenceIndex]:
    return of(type(file)).filter(to_object_id=str(file.pk))


def on_pages() -> Q:
    return Q(base_content_type=base_type(Page))


def on(pages: QuerySet[Any]) -> Q:
    """The uses on ``pages``; the index keeps keys as words."""
    return on_pages() & Q(object_id__in=pages.order_by().annotate(_key=Cast("pk", CharField())).values("_key"))


def chosen_for_others() -> Q:
    kinds = ContentType.objects.get_for_models(*access.club_models(), for_concrete_models=False).values()
    return Q(model_path=TEASER, content_type__in=[kind.pk for kind in kinds])


def for_tiers() -> Q:
    """The uses within a part of a page that is for a tier."""
    found = Q(pk__in=[])
    for model, path in tier_paths():
        kind = ContentType.objects.get_for_model(model, for_concrete_model=False)
        found |= Q(content_type=kind, model_path__startswith=f"{path}.")
    return found


class Standing:
    """The kinds of uses as conditions, among all pages or among those on which ``file`` stands."""

    def __init__(self, file: Model | None = None) -> None:
        self.pages = Page.objects.order_by()
        if file is not None:
            rows = of_file(file).filter(on_pages()).annotate(_page=Cast("object_id", IntegerField()))
            self.pages = self.pages.filter(pk__in=rows.values("_page"))
        self.live = self.pages.live()
        self.closed_pages = access.closed(self.live)

    @property
    def announced(self) -> Q:
        return chosen_for_others() & on(self.live)

    @property
    def closed(self) -> Q:
        in_part = for_tiers() & (on(self.live) | ~on_pages())
        return ~chosen_for_others() & (on(self.closed_pages) | in_part)

    @property
    def opened(self) -> Q:
        elsewhere = ~on_pages() & ~drafts()
        return ~chosen_for_others() & ~for_tiers() & ((on(self.live) & ~on(self.closed_pages)) | elsewhere)


def drafts() -> Q:
    """The uses on what is no page, but can be unpublished, and is."""
    found = Q(pk__in=[])
    for model in ReferenceIndex.indexed_models:
        if issubclass(model, DraftStateMixin) and not issubclass(model, Page):
            keys = model._default_manager.filter(live=False).annotate(_key=Cast("pk", CharField()))
            found |= Q(base_content_type=base_type(model), object_id__in=keys.order_by().values("_key"))
    return found


# Parts for a tier


@lru_cache(maxsize=1)
def tier_paths() -> tuple[tuple[type[Model], str], ...]:
    """Return where parts for a tier can stand: the model, and the path of the block in it."""
    found = []
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if isinstance(field, StreamField):
                found += [(model, path) for path in _parts(field.stream_block, field.name, ())]
    return tuple(found)


def _parts(block: blocks.Block, path: str, above: tuple[int, ...]) -> list[str]:
    from wagtail_club.blocks import ForTierBlock

    if isinstance(block, ForTierBlock):
        return [path]
    if id(block) in above:
        return []
    above = (*above, id(block))
    if isinstance(block, blocks.ListBlock):
        return _parts(block.child_block, f"{path}.item", above)
    children = getattr(block, "child_blocks", {})
    return [found for name, child in children.items() for found in _parts(child, f"{path}.{name}", above)]


def tiers(uses: QuerySet[ReferenceIndex]) -> list[Any]:
    """Return the tier of each of ``uses`` within such a part; ``None`` where it cannot be told."""
    by_field: dict[tuple[int, str], list[ReferenceIndex]] = {}
    for use in uses:
        by_field.setdefault((use.content_type_id, use.model_path.partition(".")[0]), []).append(use)
    found = []
    for (kind, name), rows in by_field.items():
        model = ContentType.objects.get_for_id(kind).model_class()
        values = dict(model._base_manager.filter(pk__in={use.object_id for use in rows}).values_list("pk", name))
        block = model._meta.get_field(name).stream_block
        by_key = {str(pk): value for pk, value in values.items()}
        found += [_tier(block, by_key.get(use.object_id), use.content_path.split(".")[1:]) for use in rows]
    return found


def _tier(block: blocks.Block, value: Any, path: list[str]) -> Any:
    """Follow ``path`` down from ``value`` and return the tier of the first part for a tier on the way."""
    from wagtail_club.blocks import ForTierBlock

    while value is not None and path:
        if isinstance(block, ForTierBlock):
            return value["tier"]
        step, *path = path
        if isinstance(block, blocks.StructBlock):
            block, value = block.child_blocks[step], value.get(step)
            continue
        children = value.bound_blocks if isinstance(block, blocks.ListBlock) else value
        child = next((child for child in children if child.id == step), None)
        block, value = (child.block, child.value) if child else (block, None)
    return None
