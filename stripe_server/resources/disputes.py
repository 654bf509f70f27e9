"""Disputes: a customer's bank takes the money back; made and closed by a control call or by a test card."""

from ..errors import Refused
from ..store import new_id

EVIDENCE = (
    *("access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure"),
    *("cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name"),
    *("customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation"),
    *("duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure"),
    *("refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier"),
    *(
        "shipping_date",
        "shipping_documentation",
        "shipping_tracking_number",
        "uncategorized_file",
        "uncategorized_text",
    ),
)
ANSWER_SECONDS = 7 * 24 * 3600
#: How an inquiry begins and ends that does not become a dispute: no money moves.
INQUIRY, INQUIRY_CLOSED = "warning_needs_response", "warning_closed"


def has_the_money(dispute):
    """Whether the disputed money is gone from the balance."""
    return dispute["status"] != "won" and not dispute["status"].startswith("warning_")


def create(desk, charge, *, amount=None, reason="fraudulent", inquiry=False):
    """The disputed money leaves the balance at once; of an ``inquiry``, in which the bank only asks, none does."""
    left = _left(charge)
    amount = left if amount is None else amount
    if not charge["captured"] or not 0 < amount <= left or charge["disputed"]:
        raise Refused(f"Charge {charge.id} has nothing to dispute.", param="charge")
    body = {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge.id,
        "created": desk.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": desk.now + ANSWER_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": desk.livemode,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": charge["payment_method_details"]["card"]["brand"],
                "case_type": "inquiry" if inquiry else "chargeback",
                "network": charge["payment_method_details"]["card"]["network"],
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": reason,
        "status": INQUIRY if inquiry else "needs_response",
    }
    dispute = desk.add(body)
    charge["disputed"], charge.private["dispute_open_or_lost"] = True, not inquiry
    desk.save(charge)
    desk.emit("charge.dispute.created", dispute)
    if not inquiry:
        desk.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _left(charge):
    return charge["amount_captured"] - charge["amount_refunded"] + _released(charge)


def _released(charge):
    return charge["amount"] - charge["amount_captured"] if charge["captured"] else 0


def escalate(desk, dispute):
    """An inquiry becomes a dispute: the same object, of which no second ``created`` tells, and the money leaves."""
    charge = desk.get("charge", dispute["charge"])
    if dispute["status"] != INQUIRY or dispute["amount"] > _left(charge):
        raise Refused(f"Dispute {dispute.id} is no inquiry that could be escalated.", param="dispute")
    previous = {"status": dispute["status"], "is_charge_refundable": dispute["is_charge_refundable"]}
    dispute["status"], dispute["is_charge_refundable"] = "needs_response", False
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    charge.private["dispute_open_or_lost"] = True
    desk.save(dispute)
    desk.save(charge)
    desk.emit("charge.dispute.updated", dispute, previous)
    desk.emit("charge.dispute.funds_withdrawn", dispute)
    return dispute


def close(desk, dispute, status):
    """``won``: the money comes back; ``lost``: it does not; ``warning_closed``: an inquiry came to nothing."""
    if dispute["status"] in ("won", "lost", INQUIRY_CLOSED):
        raise Refused(f"Dispute {dispute.id} is already closed.", param="dispute")
    if (dispute["status"] == INQUIRY) != (status == INQUIRY_CLOSED):
        raise Refused(f"Dispute {dispute.id} cannot end as {status}.", param="dispute")
    dispute["status"] = status
    desk.save(dispute)
    charge = desk.get("charge", dispute["charge"])
    charge.private["dispute_open_or_lost"] = status == "lost"
    desk.save(charge)
    if status == "won":
        desk.emit("charge.dispute.funds_reinstated", dispute)
    desk.emit("charge.dispute.closed", dispute)
    return dispute
