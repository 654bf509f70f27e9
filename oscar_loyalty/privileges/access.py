"""Who may see and buy what, now: decided here, once. Strategies, lists, search, pages and tags only ask.

A :class:`Viewer` is somebody who looks: a user, the visitor behind a request, or a stranger. It asks the database at
most once for the windows that are not over, once for memberships, once for guest passes and once for each range in a
window, however many products it is asked about.

* Where windows are open on a product, one must be in each of them: by tier, or by a guest pass to it.
* Where none is open, and one that is to come keeps the product closed until then, nobody has it.
* Staff see everything, as Oscar lets them see products that are not public. To buy, they need what others need.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import cached_property

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.privileges import passes
from oscar_loyalty.sql import Database

#: The kind of guest passes to a window.
EARLY = "early"


@dataclass(frozen=True)
class Gate:
    """Whether somebody may have a thing now.

    ``window``: the one that matters: of those closed to them the most secret, else one that they are in. ``None``:
    the thing is everybody's. ``is_open``: whether anybody has it yet. ``free_at``: from when on everybody has it, once
    all that follow without a gap are over, too; ``None`` where they have it now.
    """

    allowed: bool = True
    window: Any = None
    is_open: bool = True
    free_at: datetime | None = None

    @property
    def others(self) -> str:
        """What whoever may not have it finds: one of ``EarlyAccess.OTHERS``; nothing for those who may."""
        return "" if self.allowed or self.window is None else str(self.window.others)

    @property
    def listed(self) -> bool:
        """Whether it is in lists."""
        return self.others not in ("hidden", "teased")

    @property
    def priced(self) -> bool:
        return self.others in ("", "shown")


OPEN = Gate()


@dataclass(frozen=True)
class Reach:
    """The products of a range: these, or all but these."""

    products: frozenset[int]
    all_but: bool = False

    def __contains__(self, pk: int) -> bool:
        return (pk in self.products) != self.all_but


class Viewer:
    """Somebody who looks at the shop; see the module. Kept for no longer than a request."""

    def __init__(self, user: Any = None, *, request: Any = None) -> None:
        if user is None and request is not None:
            user = getattr(request, "user", None)
        self.user = user if user is not None and user.is_authenticated and user.is_active else None
        self.request = request
        self._reaches: dict[int, Reach] = {}

    @property
    def sees_all(self) -> bool:
        return self.user is not None and bool(self.user.is_staff)

    @cached_property
    def windows(self) -> list[Any]:
        """All windows that are not over yet."""
        rows = get_model("loyalty_privileges", "EarlyAccess").objects.filter(ended_at__isnull=True)
        rows = rows.filter(ends_at__gt=clock.now())
        return list(rows.select_related("tier", "range", "programme"))

    @cached_property
    def is_anything_early(self) -> bool:
        """Whether there is a window that is not over: what an order asks first, and most have to ask no more."""
        if "windows" in self.__dict__:
            return bool(self.windows)
        model = get_model("loyalty_privileges", "EarlyAccess")
        db = Database(model, reading=True)
        text = "SELECT EXISTS (SELECT 1 FROM $windows WHERE ended_at IS NULL AND ends_at > %s)"
        ((found,),) = db.rows(text, [db.moment(clock.now())], windows=db.table(model))
        return bool(found)

    @cached_property
    def ranks(self) -> dict[int, int]:
        """The rank of the viewer's tier in each running programme of which they are an active member."""
        if self.user is None:
            return {}
        rows = get_model("loyalty_members", "Member").objects.filter(
            user=self.user.pk, status="active", programme__is_active=True, tier__isnull=False
        )
        return dict(rows.values_list("programme", "tier__rank"))

    @cached_property
    def invited(self) -> frozenset[int]:
        """The windows to which the viewer has a guest pass."""
        shared = {str(window.pk): window for window in self.windows if window.passes}
        if not shared:
            return frozenset()
        held = passes.held(kind=EARLY, user=self.user, request=self.request, subjects=shared)
        return frozenset(int(row.subject) for row in held if gives(row.member, shared[row.subject]))

    def belongs(self, window: Any) -> bool:
        """Whether the viewer is in ``window`` by their own tier."""
        return bool(self.ranks.get(window.programme_id, -1) >= window.tier.rank)

    def meets(self, window: Any) -> bool:
        """Whether the viewer is in ``window``, by tier or as a friend."""
        return self.belongs(window) or window.pk in self.invited

    def gate(self, product: Any) -> Gate:
        """Return the gate of ``product``; what holds for a parent holds for its variants."""
        return self._decide(self._covering(product))

    def gate_of_offer(self, offer: Any) -> Gate:
        return self._decide([window for window in self.windows if window.offer_id == offer.pk])

    def free_at(self, window: Any) -> datetime:
        """Return from when on everybody has what ``window``, which is open, is about."""
        if window.product_id is not None:
            return _free_at(self._covering(window.product), clock.now())
        same = f"{window.kind}_id"
        return _free_at([row for row in self.windows if getattr(row, same) == getattr(window, same)], clock.now())

    def _decide(self, windows: Iterable[Any]) -> Gate:
        now = clock.now()
        windows = [window for window in windows if not window.is_over(now)]
        running = [window for window in windows if window.is_open(now)]
        free = _free_at(windows, now)
        if running:
            closed = [window for window in running if not self.meets(window)]
            if not closed:
                return Gate(True, max(running, key=_last), free_at=free)
            return Gate(False, min(closed, key=_secret), free_at=free)
        coming = [window for window in windows if window.closed_before]
        if coming:
            return Gate(False, min(coming, key=_secret), is_open=False, free_at=free)
        return OPEN

    def _covering(self, product: Any) -> list[Any]:
        keys = {product.pk, product.parent_id} - {None}
        return [window for window in self.windows if self._covers(window, keys)]

    def _covers(self, window: Any, keys: set[int]) -> bool:
        if window.product_id is not None:
            return window.product_id in keys
        return window.range_id is not None and any(key in self._reach(window) for key in keys)

    def _reach(self, window: Any) -> Reach:
        if window.range_id not in self._reaches:
            products = window.range.all_products()
            if window.range.includes_all_products and not window.range.proxy_class:
                rest = get_model("catalogue", "Product").objects.exclude(pk__in=products.values("pk"))
                self._reaches[window.range_id] = Reach(frozenset(rest.values_list("pk", flat=True)), all_but=True)
            else:
                self._reaches[window.range_id] = Reach(frozenset(products.values_list("pk", flat=True)))
        return self._reaches[window.range_id]

    # Lists

    def hidden(self) -> Q | None:
        """Return the condition on products that are in no list for this viewer; ``None``: there are none."""
        if self.sees_all:
            return None
        now = clock.now()
        windows = [window for window in self.windows if window.offer_id is None and not window.is_over(now)]
        running = [window for window in windows if window.is_open(now)]
        found = _inside(window for window in running if _unlists(window) and not self.meets(window))
        coming = [window for window in windows if window not in running and window.closed_before]
        # What has not begun counts where nothing else is open, as in a gate.
        ahead = _inside(window for window in coming if _unlists(window))
        if ahead:
            found |= ahead & ~_inside(running) if running else ahead
        return found or None

    def hidden_keys(self) -> set[int]:
        """Return the keys of the products that :meth:`hidden` means, for a search index."""
        condition = self.hidden()
        if condition is None:
            return set()
        rows = get_model("catalogue", "Product").objects.filter(condition)
        return set(rows.order_by().values_list("pk", flat=True).distinct())

    def hidden_offers(self) -> set[int]:
        """Return the keys of the offers that are not this viewer's."""
        if self.sees_all:
            return set()
        by_offer: dict[int, list[Any]] = {}
        for window in self.windows:
            if window.offer_id is not None:
                by_offer.setdefault(window.offer_id, []).append(window)
        return {key for key, windows in by_offer.items() if not self._decide(windows).allowed}

    def visible(self, products: QuerySet[Any]) -> QuerySet[Any]:
        """Return those of ``products`` that this viewer may find in a list, by one condition."""
        condition = self.hidden()
        if condition is None:
            return products
        hidden = get_model("catalogue", "Product").objects.filter(condition).order_by().values("pk")
        return products.exclude(pk__in=hidden)

    @property
    def is_concerned(self) -> bool:
        """Whether what this viewer was shown may not be what others are shown, so that no cache may share it."""
        return bool(self.__dict__.get("windows"))


def _free_at(windows: Sequence[Any], now: datetime) -> datetime:
    """Return when all of ``windows`` are over that follow without a gap from ``now`` on.

    One that keeps a thing closed until it opens leaves no gap before it.
    """
    free = now
    while ends := [w.ends_at for w in windows if w.ends_at > free and (w.closed_before or w.opens_at <= free)]:
        free = max(ends)
    return free


def _last(window: Any) -> tuple[Any, ...]:
    return window.ends_at, window.pk


def _secret(window: Any) -> tuple[Any, ...]:
    """The most secret first; of those the one that lasts longest."""
    order = [value for value, _label in type(window).OTHERS]
    return order.index(window.others), -window.ends_at.timestamp(), window.pk


def _unlists(window: Any) -> bool:
    return window.others in ("hidden", "teased")


def _inside(windows: Iterable[Any]) -> Q:
    """Return the condition on products that one of ``windows`` is about."""
    keys: set[int] = set()
    found = Q()
    for window in windows:
        if window.product_id is not None:
            keys.add(window.product_id)
        else:
            inside = window.range.all_products().order_by().values("pk")
            found |= Q(pk__in=inside) | Q(parent__in=inside)
    return found | Q(pk__in=keys) | Q(parent__in=keys) if keys else found


def gives(member: Any, window: Any) -> bool:
    """Whether ``member`` is in ``window`` by the own tier, and so may bring friends, and goes on bringing them."""
    return (
        member.status == "active"
        and member.tier is not None
        and member.programme_id == window.programme_id
        and member.tier.rank >= window.tier.rank
    )


# Who looks now


def viewer_of(request: Any) -> Viewer:
    """Return the visitor behind ``request``; the same one as long as nobody logs in or out."""
    user = getattr(request, "user", None)
    key = getattr(user, "pk", None), passes.browser_of(request)
    known = getattr(request, "_loyalty_viewer", None)
    if known is None or known[0] != key:
        known = (key, Viewer(user, request=request))
        request._loyalty_viewer = known
    return known[1]


def viewer(user: Any = None, *, request: Any = None) -> Viewer:
    """Return who looks: the visitor behind ``request``, else ``user``, else a stranger."""
    return viewer_of(request) if request is not None else Viewer(user)


_looking: ContextVar[Any] = ContextVar("loyalty_request", default=None)


@contextmanager
def looking(request: Any) -> Iterator[None]:
    """Within the block, lists of products are for the visitor behind ``request``; a middleware opens it."""
    token = _looking.set(request)
    try:
        yield
    finally:
        _looking.reset(token)


def looker() -> Viewer | None:
    """Return who looks now, or ``None`` outside of a request, where nothing is kept back."""
    request = _looking.get()
    return viewer_of(request) if request is not None else None


def unlisted(products: Iterable[Any], who: Viewer | None = None) -> list[Any]:
    """Return ``products`` in their order, without those that whoever looks finds in no list."""
    who = who or looker()
    if who is None or who.sees_all:
        return list(products)
    return [product for product in products if who.gate(product).listed]
