"""What follows from Stripe's events. None is believed: each only says where to look."""

import logging
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.due.registry import handler
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments import sending, settling
from oscar_loyalty.payments.exceptions import ProviderRefused
from oscar_loyalty.payments.stripe.client import asking
from oscar_loyalty.payments.stripe.webhooks import EVENT

log = logging.getLogger("oscar_loyalty")

#: What changes how a payment stands.
REFUNDS = ("refund.", "charge.refund.updated")
PAYMENTS = ("checkout.session.", "payment_intent.", "charge.captured", "charge.expired", "charge.failed")


@handler(EVENT, atomic=False)
def handle_due(row: Any) -> None:
    """Handle the event of a due row; if that fails, the row tries again later."""
    event = get_model("loyalty_payments", "StripeEvent").objects.get(pk=row.payload["event"])
    try:
        handle(event=event)
    except Exception as error:
        rows = get_model("loyalty_payments", "StripeEvent").objects.filter(pk=event.pk, state__in=["waiting", "failed"])
        rows.update(state="failed", note=f"{type(error).__name__}: {error}"[:255])
        raise


def handle(*, event: Any) -> Any:
    """Do what follows from a stored event, once it has not been done; return the event.

    :raises ProviderDown: when Stripe could not be asked.
    """
    if event.state not in ("waiting", "failed"):
        return event
    attempt = find_attempt(event)
    if attempt is None:
        return _close(event, "ignored", "not a payment of this shop")
    event.attempt = attempt
    if event.kind == "charge.dispute.created":
        note = _dispute(event, attempt)
    elif event.kind.startswith(REFUNDS):
        note = _refund(event, attempt)
    elif event.kind.startswith(PAYMENTS):
        note = settling.settle(attempt=attempt, at_once=True)
    else:
        return _close(event, "ignored", "nothing follows from it")
    return _close(event, "done", note)


def find_attempt(event: Any) -> Any:
    """Return the attempt that an event is about, by what we stored ourselves, or ``None``."""
    about = event.payload["data"]["object"]
    names = {name for name in (about.get("id"), about.get("payment_intent")) if isinstance(name, str) and name}
    Tender = get_model("loyalty_payments", "Tender")
    tenders = Tender.objects.filter(kind="stripe").select_related("attempt")
    found = tenders.filter(session__in=names).first() or tenders.filter(reference__in=names).first()
    if found is None:
        # Before we have looked, the payment is known by the attempt that we had it carry.
        carried = about.get("metadata")
        uuid = _uuid(carried.get("attempt")) if isinstance(carried, dict) else None
        found = tenders.filter(attempt__uuid=uuid).first() if uuid is not None else None
    return found.attempt if found is not None else None


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


def _dispute(event: Any, attempt: Any) -> str:
    """The customer's bank takes the money back: so do we with what it paid for, once."""
    from oscar_loyalty.payments import refunds

    with asking() as stripe:
        dispute = stripe.disputes.retrieve(event.object_id)
    tender = attempt.tenders.filter(kind="stripe", reference=dispute.payment_intent or "?").first()
    if tender is None:
        raise ProviderRefused("The dispute is about another payment.", code="other_payment")
    if attempt.order is None:
        return "disputed, without an order"
    with transaction.atomic():
        refunds.give_all_back(
            order=attempt.order, key=f"dispute:{dispute.id}", kind="dispute", reason=str(dispute.reason or "")
        )
        attempt.order.notes.get_or_create(
            note_type="System",
            message=_(
                "The customer disputed the card payment (%(reason)s). Points and gift cards of this order were taken "
                "back; answer the dispute at Stripe."
            )
            % {"reason": dispute.reason or "?"},
        )
    log.error("The payment of order %s is disputed", attempt.order.number)
    return "disputed"


def _refund(event: Any, attempt: Any) -> str:
    """A refund that was on its way may bounce at the customer's bank, days later."""
    with asking() as stripe:
        refund = stripe.refunds.retrieve(event.object_id)
    if refund.status not in ("failed", "canceled"):
        return str(refund.status)
    reason = getattr(refund, "failure_reason", None) or refund.status
    return f"refund {refund.status}" if sending.bounced(reference=refund.id, error=str(reason)) else "nothing to do"


def _close(event: Any, state: str, note: str) -> Any:
    event.state, event.note, event.handled_at = state, note[:255], clock.now()
    event.save(update_fields=["state", "note", "handled_at", "attempt"])
    return event
