"""What a club page needs to know of the person who reads it, and of the pages around it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.paginator import Page as Leaf
from django.core.paginator import Paginator
from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber, Substr
from django.utils.translation import gettext as _
from wagtail.images import get_image_model
from wagtail.models import Page, get_page_models

from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members.sites import site_of, site_of_host
from wagtail_club import access

#: Cards on a page of a list, and on a shelf of the home page.
PER_PAGE, PER_SHELF = 24, 4
#: Cards at the end of an article.
BESIDE = 4
#: How cards show their picture; templates use the same words, so that they are found without a query each.
CARD_PICTURE = ("fill-400x250|format-webp", "fill-800x500|format-webp")


@dataclass(frozen=True)
class Visitor:
    """The reader of a club page.

    ``programme`` and ``member`` are ``None`` where there is none; ``balance`` is the member's
    :class:`oscar_loyalty.ledger.selectors.Balance` in whole points; ``tiers`` run from the lowest to the highest.
    ``tier`` is the one whose pages open now, ``None`` while the membership is on hold or closed; ``sees_all`` is true
    for superusers. ``resting`` is their membership where the programme is closed for the moment: then the others are
    ``None``. ``reader`` is whom lists of pages are asked for: a user, ``None`` for a stranger, and in a preview
    somebody like the one who is chosen.
    """

    programme: Any = None
    member: Any = None
    balance: Any = None
    tiers: list[Any] = field(default_factory=list)
    tier: Any = None
    sees_all: bool = False
    resting: Any = None
    reader: Any = None

    def reaches(self, tier: Any) -> bool:
        """Whether the visitor has ``tier`` or a higher one of the same programme."""
        if self.sees_all:
            return True
        return (
            tier is not None
            and self.tier is not None
            and tier.programme_id == self.tier.programme_id
            and self.tier.rank >= tier.rank
        )


@dataclass(frozen=True)
class Card:
    """A page in a list, with what this visitor may read of it: a locked one has its words for others only."""

    url: str
    title: str
    text: str
    image: Any
    locked: bool
    tier: Any
    kind: str
    state: str = ""


def visitor(request) -> Visitor:
    """Return the visitor behind ``request``, in at most four queries and once for each request."""
    if not hasattr(request, "club_visitor"):
        request.club_visitor = _visitor(request)
    return request.club_visitor


def _visitor(request) -> Visitor:
    user = getattr(request, "user", None)
    sees_all = bool(user and user.is_active and user.is_superuser)
    programme = members.programme_for(request=request)
    if programme is None:
        resting = members.member_for(user, members.programme_of(site_of(request)))
        return Visitor(sees_all=sees_all, resting=resting, reader=user)
    member = members.member_of_request(request)
    return Visitor(
        programme=programme,
        member=member,
        balance=members.balance_of_request(request),
        tiers=list(members.tiers(programme)),
        tier=member.tier if member and member.status == "active" else None,
        sees_all=sees_all,
        reader=user,
    )


def own(request) -> Visitor:
    """Return the visitor behind ``request`` for pages of their own: what they have in a programme that is closed for
    the moment stays in sight."""
    club = visitor(request)
    if club.resting is None:
        return club
    member = club.resting
    return replace(club, programme=member.programme, member=member, balance=ledger.balance(member.account))


def programme_of(page: Any) -> Any:
    """Return the programme of the Site on which ``page`` stands, or will stand once it is saved; open or not, ``None``
    where there is none."""
    placed = page if page.url_path else page.club_parent or (page.get_parent() if page.path else None)
    site = placed.get_site() if placed is not None else None
    return members.programme_of(site_of_host(site.hostname) if site is not None else None)


def title_for_others(page: Any, tier: Any) -> str:
    """Return what somebody who may not see ``page`` reads for a title."""
    own = getattr(page, "teaser_title", "")
    if own:
        return own
    if tier is None:
        return _("For invited guests")
    return _("For members from %(tier)s on") % {"tier": tier.name}


def children(page: Any, request: Any, *, per_page: int = PER_PAGE) -> Leaf:
    """Return a leaf of the cards of the pages below ``page``, by ``?page=`` of the request."""
    pages = listed(page.get_children(), visitor(request).reader).order_by("path")
    leaf = Paginator(pages, per_page).get_page(request.GET.get("page"))
    leaf.object_list = cards(leaf.object_list, request)
    return leaf


def beside(page: Any, request: Any) -> list[Card]:
    """Return the cards of a few pages in the place of ``page``: those after it first, then those from the beginning."""
    around = listed(page.get_siblings(inclusive=False), visitor(request).reader)
    found = list(around.filter(path__gt=page.path).order_by("path")[:BESIDE])
    if len(found) < BESIDE:
        found += around.filter(path__lt=page.path).order_by("path")[: BESIDE - len(found)]
    return cards(found, request)


def listed(pages: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """Return the live ones of ``pages`` that ``user`` may see, and those that are announced to them; ``seen`` tells
    which."""
    pages = access.outside_foreign(pages.live(), user)
    seen = Q(pk__gt=0) if access.sees_all(user) else access.condition(user)
    found = pages.alias(_seen=seen).annotate(seen=F("_seen")).filter(Q(seen=True) | access.announced(user))
    return found.only("path")  # cards read the rest, of those that are shown


@dataclass(frozen=True)
class Shelf:
    """A section on the home page, with its first pages."""

    section: Card
    cards: list[Card]


def shelves(home: Any, request: Any, *, per_page: int = PER_PAGE) -> Leaf:
    """Return a leaf of the sections below ``home`` with their first pages, by ``?page=`` of the request, in a bounded
    number of queries."""
    found = listed(home.get_children(), visitor(request).reader).order_by("path")
    leaf = Paginator(found, per_page).get_page(request.GET.get("page"))
    sections = list(leaf.object_list)
    heads = cards(sections, request)
    step = Page.steplen
    below = Page.objects.filter(path__startswith=home.path, depth=home.depth + 2)
    below = below.annotate(_above=Substr("path", 1, len(home.path) + step))
    below = below.filter(_above__in=[section.path for section in sections if section.seen])
    first = listed(below, visitor(request).reader).annotate(
        _place=Window(RowNumber(), partition_by=F("_above"), order_by=F("path").asc())
    )
    pages = list(first.filter(_place__lte=PER_SHELF).order_by("path"))
    by_section: dict[str, list[Card]] = {}
    for page, card in zip(pages, cards(pages, request), strict=True):
        by_section.setdefault(page.path[:-step], []).append(card)
    leaf.object_list = [
        Shelf(head, by_section.get(section.path, [])) for section, head in zip(sections, heads, strict=True)
    ]
    return leaf


def news(home: Any, request: Any, most: int) -> list[tuple[Card, Any]]:
    """Return cards of the newest pages below ``home``, with when each was first published; sections are no news."""
    lists = [model for model in get_page_models() if getattr(model, "lists_pages", False)]
    pages = listed(home.get_descendants().not_type(*lists), visitor(request).reader)
    pages = pages.filter(first_published_at__isnull=False)
    rows = list(pages.only("path", "first_published_at").order_by("-first_published_at", "-pk")[:most])
    return [(card, page.first_published_at) for page, card in zip(rows, cards(rows, request), strict=True)]


def search(home: Any, query: str, request: Any) -> Leaf:
    """Return a leaf of cards of the pages below ``home`` that the visitor may see and that have every word."""
    pages = access.visible(home.get_descendants(inclusive=True).live(), visitor(request).reader)
    for word in query.split()[:8]:
        pages = pages.filter(club_access__words__icontains=word)
    leaf = Paginator(pages.order_by("path").only("path"), PER_PAGE).get_page(request.GET.get("page"))
    found = list(leaf.object_list)
    for page in found:
        page.seen = True
    leaf.object_list = cards(found, request)
    return leaf


def cards(pages: Iterable[Any], request: Any) -> list[Card]:
    """Return a card for each of ``pages``, which know by ``seen`` whether the visitor may see them."""
    rows = list(pages)
    keys = [page.pk for page in rows]
    whole = {page.pk: page for page in Page.objects.filter(pk__in=keys).specific()}
    tiers = dict(_model("PageAccess").objects.filter(page__in=keys).values_list("page", "tier"))
    by_key = {tier.pk: tier for tier in visitor(request).tiers}
    pictures = _pictures(
        [
            getattr(whole[page.pk], "picture_id" if page.seen else "teaser_image_id", None)
            or getattr(whole[page.pk], "teaser_image_id", None)
            for page in rows
        ]
    )
    found = []
    for page in rows:
        own, tier = whole[page.pk], by_key.get(tiers.get(page.pk))
        teaser_image = pictures.get(getattr(own, "teaser_image_id", None))
        found.append(
            Card(
                url=own.get_url(request) or "",
                title=own.title if page.seen else title_for_others(own, tier),
                text=getattr(own, "introduction", "") if page.seen else own.teaser_text,
                image=(pictures.get(getattr(own, "picture_id", None)) or teaser_image) if page.seen else teaser_image,
                locked=not page.seen,
                tier=tier,
                kind=str(own._meta.verbose_name),
                state=getattr(own, "state", "") if page.seen else "",
            )
        )
    return found


def _pictures(keys: Iterable[Any]) -> dict[Any, Any]:
    images = get_image_model().objects.filter(pk__in={key for key in keys if key})
    return {image.pk: image for image in images.prefetch_renditions(*CARD_PICTURE)}


def products(chosen: Iterable[Any]) -> list[Any]:
    """Return those of the chosen products that the shop shows, in the same order, with what their cards need."""
    keys = [product.pk for product in chosen if product is not None]
    shown = get_model("catalogue", "Product").objects.browsable().base_queryset().in_bulk(keys)
    return [shown[key] for key in keys if key in shown]


def _model(name: str) -> Any:
    return get_model("wagtail_club", name)
