"""What Oscar's own payment models show of what was given back.

They check nothing and lock nothing: each is written once, under its lock, after our own rows have said that it is so.
"""

from typing import Any

from django.db import transaction
from oscar.core.loading import get_model as oscar_model

from oscar_loyalty.defaults import conf
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments import allotting


def record_return(part: Any) -> None:
    """Show a ``TenderReturn`` that is done at its tender's payment source, as far as the source was paid."""
    source = _source(part)
    if source is not None and source.amount_available_for_refund >= part.amount > 0:
        source.refund(part.amount, reference=_reference(part), status=part.state)


def unrecord_return(part: Any) -> None:
    """The money of a part that was done has not arrived: its source has not refunded it."""
    source = _source(part)
    if source is None:
        return
    # Parts that were given back in one go share their reference: one of that amount stands for this one.
    shown = source.transactions.filter(reference=_reference(part), txn_type="Refund", amount=part.amount)
    row = shown.exclude(status="failed").order_by("pk").first()
    if row is not None:
        row.status = "failed"
        row.save(update_fields=["status"])
        source.amount_refunded -= part.amount
        source.save(update_fields=["amount_refunded"])


def _reference(part: Any) -> str:
    return str(part.reference or part.key)[:100]


def _source(part: Any) -> Any:
    tender = part.allotment.tender
    sources = oscar_model("payment", "Source").objects.select_for_update(of=("self",))
    sources = sources.filter(order=tender.attempt.order_id)
    if tender.kind != "shop":
        return sources.filter(reference=allotting.source_reference(tender)).first()
    # The shop's payment recorded its own; where it recorded several, only the shop knows which.
    found = list(sources.exclude(reference__startswith=f"{tender.attempt.uuid}:").order_by("pk"))
    return found[0] if len(found) == 1 else None


def record_event(refund: Any, event: Any = None) -> None:
    """Show ``refund`` among the order's payment events; ``event`` is it where the shop has made one already."""
    if event is not None:
        if event.amount != refund.amount:
            type(event).objects.filter(pk=event.pk).update(amount=refund.amount)
        return
    kinds = oscar_model("order", "PaymentEventType").objects
    kind = kinds.filter(name__in=conf.REFUND_EVENT_TYPES).order_by("pk").first()
    if kind is None:
        kind = kinds.get_or_create(name=conf.REFUND_EVENT_TYPES[0])[0]
    with transaction.atomic():
        made = refund.order.payment_events.create(event_type=kind, amount=refund.amount, reference=str(refund.uuid))
    quantities = oscar_model("order", "PaymentEventQuantity")
    # Not through its ``save``, which refuses what events of before us leave no room for: ours counts by itself.
    quantities.objects.bulk_create(
        quantities(event=made, line_id=line.order_line_id, quantity=line.quantity)
        for line in get_model("loyalty_payments", "RefundLine").objects.filter(refund=refund, quantity__gt=0)
    )
