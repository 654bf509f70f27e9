from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from oscar_loyalty.loading import get_model
from oscar_loyalty.payments.planning import IN_POINTS


@dataclass(frozen=True)
class Paid:
    """One way in which an order was paid: ``kind``, ``label`` in the reader's language, ``amount``, ``points``, and
    the label of a gift ``card``."""

    kind: str
    label: str
    amount: Decimal
    points: int
    returned: Decimal
    returned_points: int
    card: str = ""


def paid_with(order: Any) -> list[Paid]:
    """Return how ``order`` was paid, in two queries; nothing for an order placed outside an attempt."""
    tenders = get_model("loyalty_payments", "Tender").objects.filter(attempt__order=order, attempt__state="placed")
    result = []
    for tender in tenders.select_related("card").prefetch_related("allotments"):
        parts = list(tender.allotments.all())
        points = tender.units if tender.kind in IN_POINTS else 0
        result.append(
            Paid(
                kind=tender.kind,
                label=tender.get_kind_display(),
                amount=tender.amount,
                points=points,
                returned=sum((part.returned_amount for part in parts), Decimal(0)),
                returned_points=sum(part.returned_units for part in parts) if points else 0,
                card=tender.card.label if tender.card is not None else "",
            )
        )
    return result


def live_attempt(basket: Any) -> Any:
    """Return the open attempt of ``basket``, or ``None``."""
    return get_model("loyalty_payments", "PaymentAttempt").objects.filter(basket=basket, state="open").first()
