"""Money back to the card: never more than was captured and is not back yet."""

from .. import cards, errors
from ..errors import InvalidRequest, Refused
from ..money import plain
from ..params import EXPAND, clean, integer, metadata, string
from ..store import new_id
from . import charges

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
#: How long "some time later" is, for the test cards whose refunds change by themselves.
LATER_SECONDS = 3600

CREATE = {
    "payment_intent": string(),
    "charge": string(),
    "amount": integer(1),
    "reason": string(choices=REASONS),
    "metadata": metadata,
    **EXPAND,
}


def check(values):
    params = clean(values, CREATE)
    if "payment_intent" not in params and "charge" not in params:
        raise InvalidRequest(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    return params


def make(desk, charge, amount, *, reason=None, metadata=None, release=False, status="succeeded"):
    """A refund on the books and on its charge. A release gives back what was held and never captured."""
    body = {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None if release else new_id("txn"),
        "charge": charge.id,
        "created": desk.now,
        "currency": charge["currency"],
        "destination_details": {"card": {"type": "reversal" if release else "refund"}, "type": "card"},
        "metadata": metadata or {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }
    later = None if release else cards.BY_NUMBER[charge.private["card"]].refund
    if later == "succeeded":
        body["status"] = "pending"
    private = {"release": release, "later": later}
    refund = desk.add(body, private, desk.now + LATER_SECONDS if later else None)
    _count(desk, charge, amount)
    return refund


def _count(desk, charge, amount):
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    desk.save(charge)


def create(desk, params):
    if "payment_intent" in params:
        intent = desk.find("payment_intent", params["payment_intent"], param="payment_intent")
        charge = desk.get("charge", intent["latest_charge"])
        if charge is None or charge["status"] != "succeeded":
            raise Refused(
                f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.",
                code="payment_intent_unexpected_state",
                param="payment_intent",
            )
    if "charge" in params:
        named = desk.find("charge", params["charge"], param="charge")
        if "payment_intent" in params and named.id != charge.id:
            raise Refused("The charge does not belong to the PaymentIntent.", param="charge")
        charge = named
    amount = params.get("amount", charges.refundable(charge))
    _allowed(charge, amount)
    previous = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    refund = make(desk, charge, amount, reason=params.get("reason"), metadata=params.get("metadata"))
    desk.emit("refund.created", refund)
    desk.emit("charge.refunded", charge, previous)
    return refund


def _allowed(charge, amount):
    if charge["status"] != "succeeded":
        raise Refused(f"Charge {charge.id} has a status of failed and cannot be refunded.", param="charge")
    if charge["refunded"]:
        raise Refused(f"Charge {charge.id} has already been refunded.", code="charge_already_refunded", param="charge")
    if not charge["captured"]:
        raise Refused(
            f"This uncaptured Charge was created by a PaymentIntent ({charge['payment_intent']}). You must cancel the "
            "PaymentIntent to reverse the authorization instead of refunding the Charge directly.",
            param="charge",
        )
    if charge["disputed"] and charge.private.get("dispute_open_or_lost"):
        raise Refused(
            f"Charge {charge.id} has been charged back; cannot issue a refund.", code="charge_disputed", param="charge"
        )
    left = charges.refundable(charge)
    if amount > left:
        # Stripe gives this one no code: the parameter and the sentence are all there is.
        raise Refused(
            f"Refund amount ({plain(amount, charge['currency'])}) is greater than unrefunded amount on charge "
            f"({plain(left, charge['currency'])})",
            param="amount",
        )


def settle(desk, refund, status, failure_reason="unknown"):
    """A pending refund succeeds, or a refund fails and its money is the shop's again."""
    previous = {"status": refund["status"]}
    if refund["status"] not in ("pending", "succeeded") or status == refund["status"]:
        raise errors.Refused(f"Refund {refund.id} has a status of {refund['status']}.", param="refund")
    refund["status"], refund.due, refund.private["later"] = status, None, None
    charge = desk.get("charge", refund["charge"])
    if status == "failed":
        refund["failure_reason"] = failure_reason
        refund["failure_balance_transaction"] = new_id("txn")
        _count(desk, charge, -refund["amount"])
    desk.save(refund)
    desk.emit("refund.updated", refund, previous)
    desk.emit("charge.refund.updated", refund, previous)
    if status == "failed":
        desk.emit("refund.failed", refund, previous)
    return refund


def fall_due(desk, refund):
    settle(desk, refund, refund.private["later"])
