"""All reads of the outbox."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from oscar_loyalty.loading import get_model


def _rows(site: Any) -> QuerySet[Any]:
    rows = get_model("loyalty_messaging", "Message").objects.all()
    return rows if site is None else rows.filter(Q(site=site.pk) | Q(site__isnull=True))


def outbox(*, state: str = "", words: str = "", member: Any = None, site: Any = None) -> QuerySet[Any]:
    """Return messages, newest first; of ``site``, with those that are about all Sites, if one is given."""
    rows = _rows(site)
    if state:
        rows = rows.filter(state=state)
    if member is not None:
        rows = rows.filter(member=member)
    for word in words.split():
        rows = rows.filter(Q(to__icontains=word) | Q(kind__icontains=word))
    return rows.select_related("member").order_by("-created_at", "-pk")


def undelivered(site: Any = None) -> int:
    """Return how many messages could not be sent; of ``site``, as with :func:`outbox`."""
    return _rows(site).filter(state__in=["failed", "dead"]).count()


def of_card(card: Any) -> QuerySet[Any]:
    """Return the messages about a gift card, newest first."""
    rows = get_model("loyalty_messaging", "Message").objects.filter(
        kind__in=["giftcard", "giftcard_sent", "giftcard_ends"]
    )
    return rows.filter(context__card=card.pk).order_by("-created_at", "-pk")


def of_guest_links(links: Iterable[Any]) -> dict[int, Any]:
    """Return the messages with which links for single guest orders were sent, by the links' primary keys."""
    keys = {f"guest_order:{link.pk}": link.pk for link in links}
    rows = get_model("loyalty_messaging", "Message").objects.filter(key__in=keys)
    return {keys[row.key]: row for row in rows}
