"""What follows from Stripe's events. None is believed: each only says where to look."""

import logging
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.due.registry import handler
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import format_money
from oscar_loyalty.payments import refunds, sending, settling
from oscar_loyalty.payments.exceptions import ProviderRefused, RefundRefused
from oscar_loyalty.payments.stripe import minimums
from oscar_loyalty.payments.stripe.client import asking
from oscar_loyalty.payments.stripe.webhooks import EVENT

log = logging.getLogger("oscar_loyalty")

#: What changes how a payment stands.
DISPUTES = "charge.dispute."
REFUNDS = ("refund.", "charge.refund.updated")
PAYMENTS = ("checkout.session.", "payment_intent.", "charge.captured", "charge.expired", "charge.failed")
#: How a dispute stands while the disputed money is gone. A ``warning_…`` is an inquiry, in which the bank only asks.
WITHDRAWN = ("needs_response", "under_review", "lost")
#: Noted at the event by which a dispute was booked.
DISPUTED = "disputed"


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
    if event.kind.startswith(DISPUTES):
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
    """The customer's bank takes money back: so do we with what it paid for, once. As long as it only asks, nothing
    follows."""
    with asking() as stripe:
        dispute = stripe.disputes.retrieve(event.object_id)
    tender = attempt.tenders.filter(kind="stripe", reference=dispute.payment_intent or "?").first()
    if tender is None:
        raise ProviderRefused("The dispute is about another payment.", code="other_payment")
    if attempt.order is None:
        return "disputed, without an order"
    if dispute.status == "warning_closed":
        return str(dispute.status)
    if dispute.status.startswith("warning_"):
        return _inquiry(attempt.order, dispute)
    if dispute.status not in WITHDRAWN:
        return _not_withdrawn(attempt.order, dispute)
    return _withdrawn(attempt, tender, dispute)


@transaction.atomic
def _inquiry(order: Any, dispute: Any) -> str:
    # Of several events of one dispute, handled at once, one tells it.
    refunds.lock_order(order)
    text = _(
        "The customer’s bank asks about the card payment (%(reason)s). No money has been taken back. Answer it at "
        "Stripe, or refund the order: an inquiry that is not answered becomes a dispute."
    )
    _tell(order, text, dispute)
    return "an inquiry"


@transaction.atomic
def _not_withdrawn(order: Any, dispute: Any) -> str:
    refunds.lock_order(order)
    if dispute.status == "won" and _is_booked(dispute):
        text = _(
            "The dispute of the card payment (%(reason)s) was won, and the money is back at Stripe. What was taken "
            "back of this order for it stays so: give back by an adjustment what the customer is to have again."
        )
        _tell(order, text, dispute)
    return str(dispute.status)


@transaction.atomic
def _withdrawn(attempt: Any, tender: Any, dispute: Any) -> str:
    order, reason = attempt.order, str(dispute.reason or "")
    refunds.lock_order(order)
    # What was decided when the first of its events came is not decided again by what has happened since.
    told = get_model("loyalty_payments", "StripeEvent").objects.filter(object_id=dispute.id, state="done")
    if _is_booked(dispute) or told.filter(note=DISPUTED).exists():
        return "nothing new"
    currency = dispute.currency.upper()
    amount, known = minimums.from_stripe(dispute.amount, currency), currency == attempt.currency
    if known and amount >= tender.amount - _given_back(tender):
        # All that is left of the payment: what waited to be given back has been given by the bank.
        sending.close(tender=tender, reference=sending.BY_THE_BANK)
        refunds.give_all_back(order=order, key=_refund_key(dispute), kind="dispute", reason=reason)
        text = _(
            "The customer disputed the card payment (%(reason)s). Points and gift cards of this order were taken "
            "back; answer the dispute at Stripe."
        )
    elif known and _book(order, tender, amount, key=_refund_key(dispute), reason=reason):
        text = _(
            "The customer disputed %(amount)s of the card payment (%(reason)s). They count as given back; answer the "
            "dispute at Stripe."
        )
    else:
        text = _(
            "The customer disputed %(amount)s of the card payment (%(reason)s), and the bank has taken them back. "
            "Points and gift cards are as they were: decide which of them the customer is to lose, and take those "
            "back by an adjustment. Refund nothing for it here, and answer the dispute at Stripe."
        )
    _tell(order, text, dispute, amount=format_money(amount, currency))
    log.error("The payment of order %s is disputed", order.number)
    return DISPUTED


def _given_back(tender: Any) -> Decimal:
    parts = get_model("loyalty_payments", "TenderReturn").objects.filter(allotment__tender=tender, state="done")
    return parts.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)


def _book(order: Any, tender: Any, amount: Decimal, *, key: str, reason: str) -> bool:
    """Count ``amount`` as given back by the card alone; return whether that can be.

    An amount is shared over all that paid for an order, so where that was more than the card, or gift cards were bought
    with it, only a person can tell what the disputed part was for.
    """
    cards = [place for place in refunds.left_of(order).values() if place.is_cards]
    if any(allotment.tender_id == tender.pk for place in cards for allotment in place.allotments):
        return False
    wish: dict[str, Any] = {"order": order, "amount": amount, "kind": "dispute"}
    try:
        parts = refunds.preview(**wish).parts
    except RefundRefused:
        return False
    if any(part.allotment.tender_id != tender.pk for part in parts):
        return False
    refunds.refund(**wish, key=key, reason=reason, force=True)
    return True


def _is_booked(dispute: Any) -> bool:
    return bool(get_model("loyalty_payments", "Refund").objects.filter(key=_refund_key(dispute)).exists())


def _refund_key(dispute: Any) -> str:
    return f"dispute:{dispute.id}"


def _tell(order: Any, text: str, dispute: Any, **words: str) -> None:
    order.notes.get_or_create(note_type="System", message=text % {"reason": dispute.reason or "?", **words})


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
