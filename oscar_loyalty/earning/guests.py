"""All reads of guest orders: what waits for whom, and what it would bring."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core import signing
from django.db.models import Count, Prefetch, Q, QuerySet
from django.db.models.functions import Lower

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.earning import clawback, facts
from oscar_loyalty.earning.allowance import Allowance
from oscar_loyalty.earning.awarding import reference_of_order, tiers_of
from oscar_loyalty.earning.circumstances import Circumstances
from oscar_loyalty.earning.engine import evaluate
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members.sites import site_id_of

SALT = "oscar_loyalty.earning.guests"


def _model(name: str) -> Any:
    return get_model("loyalty_earning", name)


# Links


def token_of(link: Any) -> str:
    """Return what the address of ``link`` ends with; it works for ``OSCAR_LOYALTY_GUEST_LINK_DAYS`` from now on.

    It names the link's row, which knows order and e-mail: nobody's address stands in the logs of a web server.
    """
    return signing.dumps(link.nonce, salt=SALT)


def read_token(token: str, programme: Any) -> Any:
    """Return the link of a token with its order, used or not, or ``None``.

    ``None`` where the token is wrong or too old, where it is another programme's, and where the order's address is
    no longer the one that the link was sent to.
    """
    try:
        nonce = signing.loads(token, salt=SALT, max_age=timedelta(days=conf.GUEST_LINK_DAYS))
    except signing.BadSignature:
        return None
    links = _model("GuestLink").objects.filter(nonce=nonce, programme=programme)
    link = links.select_related("order__user", "programme").first()
    if link is not None and link.order_id is not None and not is_of(link.order, link.email, programme):
        return None
    return link


def is_of(order: Any, email: str, programme: Any) -> bool:
    """Whether ``order`` was placed in the programme's shop with this address."""
    return bool(site_id_of(order) == programme.site_id and (order.guest_email or "").strip().lower() == email)


def proven(user: Any, programme: Any) -> set[str]:
    """Return the addresses that ``user`` has shown to be theirs lately: by opening a link that was sent there.

    The address of the account alone shows nothing: Oscar lets everybody write any address there.
    """
    since = clock.now() - timedelta(days=conf.GUEST_LINK_DAYS)
    rows = _model("GuestLink").objects.filter(programme=programme, used_by=user, used_at__gt=since)
    return set(rows.values_list("email", flat=True))


# Orders


def placed_with(emails: Iterable[str], programme: Any) -> QuerySet[Any]:
    """Return the shop's orders without a user that were placed with one of these addresses."""
    orders = members.orders_of(programme).filter(user__isnull=True)
    orders = orders.annotate(guest_address=Lower("guest_email"))
    return orders.filter(guest_address__in=[email.lower() for email in emails if email])


def guest_orders(emails: Iterable[str], programme: Any) -> QuerySet[Any]:
    """Return the orders that were placed as a guest with one of these addresses and wait to be taken, newest first."""
    return placed_with(emails, programme).filter(loyalty_claim__isnull=True).order_by("-date_placed", "-pk")


@dataclass(frozen=True)
class Waiting:
    """A guest order with what it would bring: whole points, and how many gift cards it bought."""

    order: Any
    points: int
    cards: int
    cancelled: bool

    def __bool__(self) -> bool:
        return bool(self.points or self.cards)


def waiting(orders: Iterable[Any], programme: Any, *, member: Any = None) -> list[Waiting]:
    """Return what each order would bring ``member``, or somebody who joins; the same queries however many they are."""
    rows = list(orders)
    cards = _cards(rows)
    gone = {order.pk for order in rows if order.status in programme.cancelled_order_statuses}
    counted = [order for order in rows if order.pk not in gone and order.date_placed >= programme.started_at]
    points = _points(counted, programme, member) if counted else {}
    return [Waiting(order, points.get(order.pk, 0), cards.get(order.pk, 0), order.pk in gone) for order in rows]


def _cards(orders: Sequence[Any]) -> dict[int, int]:
    cards = get_model("loyalty_giftcards", "GiftCard").objects.filter(order__in=[order.pk for order in orders])
    found = cards.exclude(state="disabled").order_by().values_list("order").annotate(number=Count("pk"))
    return dict(found)


def _points(orders: Sequence[Any], programme: Any, member: Any) -> dict[int, int]:
    Order = get_model("order", "Order")
    rows = list(Order.objects.filter(pk__in=[order.pk for order in orders]).prefetch_related("lines"))
    moments = [order.date_placed for order in rows]
    book = facts.RuleBook(programme, since=min(moments), until=max(moments))
    refunded = clawback.refunded([order.pk for order in rows])
    cancelled: dict[int, int] = {}
    for order in rows:
        cancelled |= clawback.left_out(clawback.cancelled_quantities(order, programme), refunded.get(order.pk, {}))
    purchases = facts.order_purchases(rows, book, without=cancelled)
    tier_at = tiers_of([member]) if member is not None else None
    lowest = facts.lowest_tier(programme)
    policy = facts.policy_of(programme)
    asked = [] if member is None else [member]
    circumstances = Circumstances(book, asked)
    allowance = Allowance(book, members=asked, moments=moments, lock=False)
    found = {}
    for order in rows:
        at = order.date_placed
        tier = tier_at(member, at) if tier_at else lowest
        purchase = circumstances.of(purchases[order.pk], member=member, tier=tier, at=at, order=order.pk)
        outcome = evaluate(policy, book.at(at, purchase.lines), purchase, allowance.room(member, at))
        allowance.note(member, at, outcome)
        found[order.pk] = outcome.points
    return found


def awarded(orders: Iterable[Any]) -> dict[int, int]:
    """Return what each order has brought and kept, by its primary key, where it has been awarded."""
    keys = {reference_of_order(order.pk): order.pk for order in orders}
    awards = _model("Award").objects.filter(reference__in=keys)
    return {keys[award.reference]: award.points - award.clawed_back for award in awards}


def membership_for(user: Any, email: str, programme: Any) -> Any:
    """Return the membership that guest orders of ``email`` come to when ``user`` takes them; ``None``: a new one.

    Who has opened a link sent to ``email`` also has the membership that was opened with it, without an account.
    """
    own = members.member_for(user, programme)
    if own is not None or user is None or not user.pk:
        return own
    alone = members.by_email(email, programme)
    return alone if alone is not None and alone.can_earn else None


# What the owner sees


def search(programme: Any, words: str = "", *, state: str = "") -> QuerySet[Any]:
    """Return the shop's orders that were placed as a guest, newest first, with claim and links.

    Every word is in the order's number or in the address; ``state`` is ``open``, ``claimed`` or empty.
    """
    orders = members.orders_of(programme).exclude(guest_email="")
    orders = orders.filter(Q(user__isnull=True) | Q(loyalty_claim__isnull=False))
    for word in words.split():
        orders = orders.filter(Q(number__icontains=word) | Q(guest_email__icontains=word))
    if state:
        orders = orders.filter(loyalty_claim__isnull=state == "open")
    links = _model("GuestLink").objects.order_by("pk")
    orders = orders.select_related("loyalty_claim__member").prefetch_related(Prefetch("loyalty_guest_links", links))
    return orders.order_by("-date_placed", "-pk")
