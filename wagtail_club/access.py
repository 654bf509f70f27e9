"""Who may see a page: decided here, once.

What an editor chose (the fields of :class:`wagtail_club.models.ClubPageMixin`) is the wish. :func:`settle` turns it
into the decision, a permission of guardian for each group that may see the page, and into its mirror, Wagtail's own
view restriction with the same groups. It runs in the transaction that saves the page, and goes on to the pages
below and to the aliases. Everything that shows pages asks :func:`may_see` or :func:`visible`.

* A page never opens to more tiers than the pages above it. Who is named on the page itself comes in all the same.
* An alias is never more open than its source, nor than its place.
* A page that was closed by its place and is copied, moved or turned from an alias to where it would be open, is kept
  closed to everybody until an editor publishes it there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q, QuerySet
from wagtail.models import Page, PageViewRestriction

from oscar_loyalty.loading import get_model
from wagtail_club import restrictions

#: guardian's permission to see a closed page; on Wagtail's base page.
SEE = "see_closed_page"
#: What a page remembers of its place: closed by the page above; and taken out of such a place, where it stays closed
#: until an editor publishes it.
INHERITED, HELD = "inherited", "held"
STEP = Page.steplen


def _model(name: str) -> Any:
    return get_model("wagtail_club", name)


@dataclass(frozen=True)
class Audience:
    """For whom a page is: everybody, or the users in ``groups``. ``tier`` is the one that opens it, if any does."""

    closed: bool = False
    tier: Any = None
    groups: frozenset[int] = frozenset()


EVERYBODY = Audience()


@dataclass(frozen=True)
class Wish:
    """What the editor chose for a page; ``place`` remembers that the page above has closed it."""

    audience: str = "same"
    tier: Any = None
    members: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()
    place: str = ""
    teased: bool = False
    #: The model that holds the wish; ``None`` for a page that is not of the club.
    model: Any = None


NO_WISH = Wish()


@dataclass(frozen=True)
class Onlooker:
    """Asks for lists in the place of a user, in a preview: somebody in ``groups`` (``None``: in all), who sees no page
    that ``editor`` must not know."""

    editor: Any
    groups: frozenset[int] | None = None
    is_authenticated = is_active = True

    @property
    def is_superuser(self) -> bool:
        return self.groups is None and sees_all(self.editor)


def permission() -> Permission:
    """Return the permission to see a closed page, made where it is missing."""
    kind = ContentType.objects.get_for_model(Page)
    return Permission.objects.get_or_create(
        content_type=kind, codename=SEE, defaults={"name": "Can see this page of the club"}
    )[0]


# Asking


def may_see(user: Any, page: Any) -> bool:
    """Return whether ``user`` may see ``page`` by themselves, in at most two queries; see :func:`is_guest` as well."""
    if not _model("PageAccess").objects.filter(page=page.pk, closed=True).exists():
        return True
    if user is None or not user.is_authenticated or not user.is_active:
        return False
    return user.is_superuser or _permitted(user).filter(content_object=page.pk).exists()


def is_guest(request: Any, page: Any) -> bool:
    """Return whether the visitor behind ``request`` may see ``page`` as a friend of a member who sees it: as somebody
    named on that page, and on none below it."""
    from wagtail_club import guests

    return page.pk in guests.admitted(request, [page.pk])


def _permitted(user: Any) -> QuerySet[Any]:
    rows = _model("PageGroupPermission").objects.filter(permission__codename=SEE)
    if not isinstance(user, Onlooker):
        return rows.filter(group__user=user.pk)
    from wagtail_club import editors

    if user.groups is not None:
        rows = rows.filter(group__in=user.groups)
    return rows.filter(content_object__in=editors.known(Page.objects.order_by(), user.editor).values("pk"))


def sees_all(user: Any) -> bool:
    return user is not None and user.is_active and user.is_superuser


def hidden(user: Any = None) -> QuerySet[Any]:
    """Return the keys of the pages that are closed to ``user`` (``None``: a stranger). Of a thousand closed pages in a
    site of ten thousand, these are the fewest rows that a list can be asked with."""
    rows = _model("PageAccess").objects.filter(closed=True)
    if user is not None and user.is_authenticated and user.is_active:
        # Two lists of keys: a subquery for each page would cost PostgreSQL half a second.
        rows = rows.exclude(page__in=_permitted(user).values("content_object"))
    return rows.values("page")


def condition(user: Any = None) -> Q:
    """Return the condition on pages that they are open, or that a group of ``user`` may see them."""
    # A list of keys, which Wagtail's search takes as well.
    return ~Q(id__in=hidden(user))


def visible(pages: QuerySet[Any], user: Any = None) -> QuerySet[Any]:
    """Return those of ``pages`` that ``user`` (``None``: a stranger) may see, by one condition on indexed tables.

    Sections that somebody closed with Wagtail's own privacy settings stay hidden, unless they ask for no more than a
    login. For a stranger it is Wagtail's ``.public()``.
    """
    if sees_all(user):
        return pages
    return outside_foreign(pages.filter(condition(user)), user)


def outside_foreign(pages: QuerySet[Any], user: Any = None) -> QuerySet[Any]:
    """Return ``pages`` without what somebody closed with Wagtail's own privacy settings."""
    if sees_all(user):
        return pages
    rows = PageViewRestriction.objects.filter(club_access__isnull=True)
    if user is not None and user.is_authenticated:
        rows = rows.exclude(restriction_type=PageViewRestriction.LOGIN)
    for path in rows.values_list("page__path", flat=True):
        pages = pages.exclude(path__startswith=path)
    return pages


def closed(pages: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of ``pages`` that a stranger may not see: what :func:`visible` leaves out for one."""
    found = Q(pk__in=_model("PageAccess").objects.filter(closed=True).values("page"))
    for path in PageViewRestriction.objects.filter(club_access__isnull=True).values_list("page__path", flat=True):
        found |= Q(path__startswith=path)
    return pages.filter(found)


def readable(pages: QuerySet[Any], request: Any) -> QuerySet[Any]:
    """Return those of ``pages`` that the visitor behind ``request`` may see: with passwords that were given, and as a
    guest, too."""
    from wagtail_club import guests

    user = getattr(request, "user", None)
    if sees_all(user):
        return pages
    pages = pages.filter(condition(user) | Q(pk__in=guests.admitted(request)))
    for restriction in PageViewRestriction.objects.filter(club_access__isnull=True).select_related("page"):
        if not restriction.accept_request(request):
            pages = pages.exclude(path__startswith=restriction.page.path)
    return pages


def announced(user: Any = None) -> Q:
    """Return the condition on pages that are closed to ``user`` that they are named to them all the same: they are
    announced, and so is each page above them that is closed to ``user``."""
    unsaid = hidden(user).filter(teased=False, page__numchild__gt=0)
    return Q(club_access__teased=True) & ~restrictions.below(unsaid)


def tier_of(page: Any) -> Any:
    """Return the tier that opens a closed page, or ``None``."""
    row = _model("PageAccess").objects.filter(page=page.pk).select_related("tier").first()
    return row.tier if row else None


def choosable(pages: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """Return the pages that an editor may pick for a link: those they may edit, and those they may see."""
    if sees_all(user):
        return pages
    from wagtail.permission_policies.pages import PagePermissionPolicy

    own = PagePermissionPolicy().instances_user_has_any_permission_for(user, {"add", "change", "publish"})
    allowed = Page.objects.filter(condition(user) | Q(pk__in=own.values("pk")))
    return pages.filter(id__in=allowed.values("id"))


# Deciding


def higher(one: Any, other: Any) -> Any:
    """Return the higher of two tiers; ``None`` where they cannot be compared, which admits nobody."""
    if one is None or other is None or one.programme_id != other.programme_id:
        return None
    return one if one.rank >= other.rank else other


def decide(wish: Wish, *, place: Audience, source: Audience | None = None, guest_group: int | None = None) -> Audience:
    """Return for whom a page is, from its wish, the page above it (``place``) and, for an alias, its ``source``."""
    if source is not None:
        return _alias(source, place)
    own = wish.groups | ({guest_group} if guest_group else set())
    if wish.audience == "same":
        if place.closed:
            return replace(place, groups=place.groups | own)
        return Audience(closed=True, groups=frozenset(own)) if wish.place == HELD else EVERYBODY
    tier = wish.tier if wish.audience == "tier" else None
    if place.closed and tier is not None:
        tier = higher(tier, place.tier)
    return Audience(closed=True, tier=tier, groups=frozenset(own | ({tier.group_id} if tier else set())))


def _alias(source: Audience, place: Audience) -> Audience:
    if not source.closed or not place.closed:
        return source if source.closed else place
    tier = higher(source.tier, place.tier)
    return Audience(closed=True, tier=tier, groups=frozenset({tier.group_id} if tier else source.groups & place.groups))


def wish_of(page: Any) -> Wish:
    """Return the wish that stands on ``page`` as it is in memory, saved or not."""
    from wagtail_club.abstract_models import ClubPageMixin

    if not isinstance(page, ClubPageMixin):
        return NO_WISH
    members, groups = named(page.guests.get_prep_value())
    tier = page.minimum_tier if page.audience == "tier" else None
    if tier is not None and tier.removed_at is not None:
        tier = None
    return Wish(page.audience, tier, members, groups, page.closed_by_place, page.teased, type(page))


def named(guests: Iterable[Any]) -> tuple[frozenset[int], frozenset[int]]:
    """Return the keys of the members and of the groups in the stored value of a page's guest list."""
    rows = [(row["type"], row["value"]) for row in guests if row.get("value")]
    return (
        frozenset(value for kind, value in rows if kind == "member"),
        frozenset(value for kind, value in rows if kind == "group"),
    )


def audience_of(page: Any) -> Audience:
    """Return for whom ``page`` as it is in memory would be; for previews of what is not saved."""
    parent = page.get_parent()
    return decide(wish_of(page), place=stored([parent.pk]).get(parent.pk, EVERYBODY) if parent else EVERYBODY)


def stored(pages: Iterable[int]) -> dict[int, Audience]:
    """Return what was decided of these pages; open ones may be missing."""
    keys = list(pages)
    rows = _model("PageAccess").objects.filter(page__in=keys, closed=True).select_related("tier")
    found = {row.page_id: Audience(True, row.tier) for row in rows}
    given: dict[int, set[int]] = {}
    permissions = _model("PageGroupPermission").objects.filter(permission__codename=SEE, content_object__in=keys)
    for page, group in permissions.values_list("content_object", "group"):
        given.setdefault(page, set()).add(group)
    return {page: replace(row, groups=frozenset(given.get(page, ()))) for page, row in found.items()}


def club_models() -> list[Any]:
    """Return the page types of the club, the shop's own included."""
    from wagtail_club.abstract_models import ClubPageMixin

    return [model for model in apps.get_models() if issubclass(model, ClubPageMixin) and not model._meta.proxy]


def page_group(name_of: Any) -> str:
    return f"Club: guests of page {name_of}"


def own_groups() -> Q:
    """The groups that the club keeps itself, by page: no picker offers them."""
    return Q(club_page__isnull=False)


def drop_group(group: int) -> None:
    """Delete the group of a page's guests, once the page is gone."""
    get_model("auth", "Group").objects.filter(pk=group).delete()


@transaction.atomic
def settle(*, page: Any, words: str | None = None, copied_from: int | None = None) -> None:
    """Decide of ``page`` as it is in the database, and of all that hangs on it; called whenever a page is saved.

    ``copied_from`` is the key of the page of which this is a new copy.
    """
    from wagtail_club.settling import Settling

    Settling().settle(page_pk=page.pk, words=words, copied_from=copied_from)


@transaction.atomic
def release(*, page: Any) -> None:
    """Open a page that is not of the club, and was held where it stands: an editor has published it there."""
    from wagtail_club.settling import Settling

    Settling().settle(page_pk=page.pk, release=True)


@transaction.atomic
def rebuild() -> int:
    """Decide of all pages anew, and return of how many. For a shop that had pages before, and after bulk writes."""
    from wagtail_club.settling import Settling

    return Settling().rebuild()


def differences() -> Iterator[tuple[int, str]]:
    """Compare wish, decision and mirror of all pages; yield the page and what is wrong with it."""
    from wagtail_club.settling import Settling

    yield from Settling().differences()
