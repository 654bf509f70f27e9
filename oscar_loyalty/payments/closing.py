"""The end of an attempt that is placed: what paid for what, the gift cards bought, and the order's confirmation."""

from collections.abc import Sequence
from typing import Any

from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.giftcards import services as giftcard_services
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments import allotting, tenders

#: Kind of the due rows that look after an order placed outside an attempt, and of those that confirm an order.
ELSEWHERE, CONFIRM = "payments.order_placed", "payments.order_mail"


def close(attempt: Any, order: Any, rows: Sequence[Any], *, basket: Any = None) -> None:
    """Record which of the tenders, ``rows``, paid for what, make the gift cards bought, and have the order confirmed.

    The last steps of an attempt that is placed, in the transaction of its order.
    """
    products = {line.product_id: line.product for line in basket.all_lines()} if basket is not None else {}
    lines = allotting.allot(attempt, order, rows, products)
    allotting.record_sources(order, rows)
    if any(giftcards.is_giftcard(line.product) for line in lines):
        issue_cards(order, attempt, lines)
    # It is not one that was placed elsewhere.
    due.drop(kind=ELSEWHERE, key=str(order.pk))
    if attempt.snapshot.get("mail"):
        due.gather(kind=CONFIRM, key=str(order.pk), payload={"order": order.pk})


def issue_cards(order: Any, attempt: Any = None, lines: Sequence[Any] | None = None) -> None:
    """Make the gift cards that ``order`` bought; those that are paid work at once."""
    language = attempt.snapshot.get("language") or "" if attempt is not None else ""
    cards = giftcard_services.issue_for_lines(order, language=language, lines=lines)
    if not cards or attempt is None:
        return
    later = [row for row in attempt.tenders.all() if not tenders.of(row.kind).paid_when_placed]
    owed = get_model("loyalty_payments", "Allotment").objects.filter(tender__in=later, amount__gt=0)
    unpaid = set(owed.values_list("order_line_id", flat=True)) if later else set()
    for card in cards:
        if card.order_line_id not in unpaid:
            giftcard_services.activate(card=card, key=f"order:{order.pk}")
