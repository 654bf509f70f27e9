"""What is decided about a provider's money, carried out and written down."""

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments import allotting, exceptions, services, tenders, watching

log = logging.getLogger("oscar_loyalty")

#: The longest pause between two tries to take, or to let go.
LONGEST = timedelta(hours=1)


def authorised(attempt: Any, look: tenders.Look) -> Any:
    """The provider has set the money aside: write it down, under the attempt's locks, and return the tender."""
    tender = services.provider_tender(attempt, lock=True)
    tender.state, tender.reference, tender.capture_before = "authorised", look.reference, look.capture_before
    tender.error = ""
    tender.detail = {"authorised_at": clock.now().isoformat(), **tender.detail, **look.detail}
    tender.save(update_fields=["state", "reference", "capture_before", "error", "detail"])
    return tender


def carry_out(*, attempt: Any) -> None:
    """Take the money of a placed attempt, or let that of a cancelled one go; nothing when that is done.

    :raises ProviderDown: when the provider gave no answer; the sweep asks again.
    """
    tender = services.provider_tender(attempt)
    if tender is None or tender.state != "authorised":
        return
    kind, placed = tenders.provider(tender.kind), attempt.state == "placed"
    try:
        look = kind.take(tender=tender) if placed else kind.withdraw(tender=tender)
    except exceptions.PaymentProblem as problem:
        _note(attempt, str(problem))
        raise
    if placed and look.state == "captured":
        _captured(attempt, look)
    elif placed and look.state == "gone":
        _lost(attempt, _("The card was not charged: the amount set aside is gone."))
    elif not placed and look.state == "gone":
        _released(attempt)
    else:
        _note(attempt, f"the payment is {look.detail.get('status') or look.state}")
        raise exceptions.ProviderDown(_("The payment is neither taken nor let go yet."))


@transaction.atomic
def _note(attempt: Any, error: str) -> None:
    """Remember what went wrong and that it did, and look again after a while that grows."""
    row = services.locked(attempt)
    tender = services.provider_tender(row, lock=True)
    if tender.state != "authorised":
        # Somebody else has had the answer meanwhile, and written it down: nothing went wrong.
        return
    tries = int(tender.detail.get("tries", 0)) + 1
    tender.detail, tender.error = {**tender.detail, "tries": tries}, error[:255]
    tender.save(update_fields=["detail", "error"])
    row.leased_until = clock.now() + min(timedelta(minutes=2 ** min(tries, 10) // 2), LONGEST)
    row.save(update_fields=["leased_until"])


def _still_authorised(attempt: Any) -> Any:
    """Return the tender under its locks, or ``None`` when somebody else has written down what became of it."""
    services.locked(attempt)
    tender = services.provider_tender(attempt, lock=True)
    return tender if tender.state == "authorised" else None


@transaction.atomic
def _captured(attempt: Any, look: tenders.Look) -> None:
    tender = _still_authorised(attempt)
    if tender is None:
        return
    taken = tender.amount if look.amount is None else look.amount
    tender.state, tender.error, tender.capture_before = "captured", "", None
    tender.detail = {**tender.detail, **look.detail, "captured_at": clock.now().isoformat()}
    if taken != tender.amount:
        # Somebody took less by hand, and let the rest go.
        tender.short, tender.detail = True, {**tender.detail, "taken": str(taken)}
        due.leave(kind=watching.TELL, key=f"{tender.pk}:short", payload={"tender": tender.pk})
        log.error("Order %s: only %s of %s was charged", attempt.order_number, taken, tender.amount)
    tender.save(update_fields=["state", "error", "short", "capture_before", "detail"])
    source = get_model("payment", "Source").objects.filter(
        order=attempt.order_id, reference=allotting.source_reference(tender)
    )
    for row in source:
        row.debit(taken, reference=tender.reference, status="captured")
    services.mark_paid(order=attempt.order)


@transaction.atomic
def _released(attempt: Any) -> None:
    tender = _still_authorised(attempt)
    if tender is None:
        return
    tender.state, tender.error, tender.capture_before = "cancelled", "", None
    tender.save(update_fields=["state", "error", "capture_before"])
    # Whoever writes to people tells the customer.
    due.leave(kind="payments.released", key=str(attempt.pk), payload={"attempt": attempt.pk})


@transaction.atomic
def _lost(attempt: Any, reason: str) -> None:
    """The money cannot be had any more: what else was paid goes back, and the order says so."""
    from oscar_loyalty.payments import refunds, sending

    tender = _still_authorised(attempt)
    if tender is None:
        return
    tender.state, tender.error, tender.capture_before = "failed", reason[:255], None
    tender.save(update_fields=["state", "error", "capture_before"])
    # What was refunded while the charge was still to come.
    sending.close(tender=tender, reference=sending.NEVER_TAKEN)
    order = attempt.order
    refunds.give_all_back(order=order, key=f"capture_failed:{tender.pk}", kind="capture_failed", reason=reason)
    _set_failed_status(attempt, order)
    log.error("The payment of order %s failed for good: %s", order.number, reason)


def _set_failed_status(attempt: Any, order: Any) -> None:
    programme = get_model("loyalty_members", "Programme").objects.filter(site=attempt.site_id).first()
    status = programme.payment_failed_status if programme is not None else ""
    if not status or order.status == status:
        return
    if status in order.available_statuses():
        order.set_status(status)
    else:
        log.error("Order %s goes from %r to %r, which is not in the pipeline", order.number, order.status, status)
        before, order.status = order.status, status
        order.save(update_fields=["status"])
        order.status_changes.create(old_status=before, new_status=status)
