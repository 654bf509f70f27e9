"""What paid for which line of an order, written when it is placed; and what Oscar's own payment models show of it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from oscar_loyalty.giftcards import selectors as giftcards
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import from_hundredths, hundredths, to_hundredths
from oscar_loyalty.payments import exceptions, planning, tenders


def allot(
    attempt: Any, order: Any, rows: Sequence[Any], products: Mapping[int, Any] = MappingProxyType({})
) -> list[Any]:
    """Store which part of each tender of ``attempt``, ``rows`` in their order, paid for which line of ``order``; return
    its lines. ``products`` are known ones by their keys."""
    Allotment = get_model("loyalty_payments", "Allotment")
    order_lines = _in_basket_order(attempt, order, products)
    lines = [
        planning.PlanLine(index, line.line_price_incl_tax, is_giftcard=giftcards.is_giftcard(line.product))
        for index, line in enumerate(order_lines)
    ]
    rest = attempt.total - sum((line.amount for line in lines), Decimal(0))
    plan = [
        planning.PlanTender(t.kind, t.amount, t.units if t.kind in planning.IN_POINTS else 0, t.line_index, t.card_id)
        for t in rows
    ]
    made = []
    # In hundredths, as Oscar stores amounts, so that the parts sum to the total whatever a discount leaves of a yen.
    shares = planning.allot(
        tenders=plan, lines=lines, rest=to_hundredths(rest), minor=100, step=hundredths(attempt.currency)
    )
    for tender, parts in zip(rows, shares, strict=True):
        # A tender's units are shared as its amount is: all points of a line, the cents of a card.
        units = planning.largest_remainder(tender.units, list(parts.values()))
        for (place, part), share in zip(parts.items(), units, strict=True):
            made.append(
                Allotment(
                    tender=tender,
                    order_line=None if place is None else order_lines[place],
                    amount=from_hundredths(part),
                    units=share,
                )
            )
    Allotment.objects.bulk_create(made)
    return order_lines


def _in_basket_order(attempt: Any, order: Any, products: Mapping[int, Any]) -> list[Any]:
    """Return the order's lines in the order of the snapshot, which the tenders' ``line_index`` counts in.

    Oscar creates them in that order; a shop's own ``OrderCreator`` might not.
    """
    left = list(order.lines.order_by("pk"))
    for line in left:
        if line.product_id in products:
            line.product = products[line.product_id]
    strange = [line for line in left if line.product_id and line.product_id not in products]
    prefetch_related_objects(strange, "product__product_class", "product__parent__product_class")
    found = []
    for wanted in attempt.snapshot["lines"]:
        alike = [line for line in left if (line.product_id, line.quantity) == (wanted["product"], wanted["quantity"])]
        if not alike:
            raise exceptions.PaymentProblem(_("The total of the order has changed. Please check it and try again."))
        # Two lines of one product differ by what was chosen for them, such as paying with points.
        if len(alike) > 1:
            prefetch_related_objects(alike, "attributes")
        chosen = {option["option"]: option["value"] for option in wanted["options"]}
        match = next((line for line in alike if len(alike) == 1 or _chosen(line) == chosen), alike[0])
        left.remove(match)
        found.append(match)
    return found + left


def _chosen(line: Any) -> dict[str, Any]:
    return {attribute.type: attribute.value for attribute in line.attributes.all()}


def record_sources(order: Any, rows: Sequence[Any]) -> None:
    """Show the tenders, ``rows``, among the order's payment sources; the shop's own payment records its own."""
    SourceType, Source = get_model("payment", "SourceType"), get_model("payment", "Source")
    for tender in rows:
        kind = tenders.of(tender.kind)
        if not kind.source:
            continue
        Source.objects.create(
            order=order,
            source_type=SourceType.objects.get_or_create(name=kind.source)[0],
            currency=order.currency,
            amount_allocated=tender.amount,
            amount_debited=kind.debited(tender=tender),
            reference=source_reference(tender),
            label=str(tender.units) if tender.kind in planning.IN_POINTS else "",
        )


def source_reference(tender: Any) -> str:
    """Return how Oscar's payment source of a tender is known."""
    return f"{tender.attempt.uuid}:{tender.number}"
