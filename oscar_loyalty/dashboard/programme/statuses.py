"""What the statuses of the shop's orders mean: told by their names, and what the owner has not said yet."""

import re
from collections.abc import Iterable
from typing import Any

from django.conf import settings

from oscar_loyalty.checkout import money
from oscar_loyalty.defaults import conf
from oscar_loyalty.loading import get_model

ORDERS, LINES = "OSCAR_ORDER_STATUS_PIPELINE", "OSCAR_LINE_STATUS_PIPELINE"
#: How a status begins a word that means cancelled, in the languages of Oscar's shops.
CANCELLED = re.compile(
    r"\b(abge(brochen|lehnt)|annul|anulad|cancel|declin|refus|reject|rechaz|storn|void)", re.IGNORECASE
)
#: Statuses that say that an order is paid, and those that say so of an order paid when it is fetched or carried out.
PAID = ["bezahlt", "betaald", "pagada", "pagado", "pagata", "pagato", "paid", "payé", "payée", "réglé", "réglée"]
COMPLETE = ["abgeschlossen", "complete", "completed", "completada", "completado", "terminé", "terminée"]


def statuses(setting: str, chosen: Iterable[str] = ()) -> list[str]:
    """Return the statuses of a pipeline, also those that only follow others, and those ``chosen`` that are gone."""
    pipeline = getattr(settings, setting, {})
    following = [status for others in pipeline.values() for status in others]
    return list(dict.fromkeys([*pipeline, *following, *(status for status in chosen if status)]))


def suggested() -> dict[str, list[str]]:
    """Return what the names of the statuses say, by the programme's fields: cancelled is what nothing follows."""
    return {
        "cancelled_order_statuses": _cancelled(ORDERS),
        "cancelled_line_statuses": _cancelled(LINES),
        "paid_statuses": _named(PAID) or _named(COMPLETE),
    }


def unsaid(programme: Any) -> list[str]:
    """Return what no status of the shop means, though it should: ``"cancelled"``, and ``"paid"`` where gift cards wait
    for it; at most two queries."""
    if not statuses(ORDERS):
        return []
    found = []
    if not programme.cancelled_order_statuses and not programme.cancelled_line_statuses:
        found.append("cancelled")
    if not programme.paid_statuses and _cards_wait(programme):
        found.append("paid")
    return found


def _cards_wait(programme: Any) -> bool:
    """Whether gift cards can be bought that are paid later, or some wait that were."""
    sold = get_model("loyalty_giftcards", "GiftCard").objects.filter(site=programme.site_id, order__isnull=False)
    if sold.filter(state="waiting").exists():
        return True
    cards = get_model("catalogue", "Product").objects.filter(product_class__slug=conf.GIFTCARD_CLASS_SLUG)
    return "on_site" in money.offered() and bool(cards.filter(is_public=True).exists())


def _cancelled(setting: str) -> list[str]:
    pipeline = getattr(settings, setting, {})
    return [status for status in statuses(setting) if CANCELLED.search(status) and not pipeline.get(status)]


def _named(names: list[str]) -> list[str]:
    return [status for status in statuses(ORDERS) if status.casefold() in names]
