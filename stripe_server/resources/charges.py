"""A try of a card: authorised or declined, captured once, refunded in parts."""

from ..store import new_id

#: For how long a customer's own authorisation holds.
HOLD_SECONDS = 7 * 24 * 3600
NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


def _outcome(card):
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": "05" if card.decline else None,
        "network_status": "declined_by_network" if card.decline else "approved_by_network",
        "reason": card.decline,
        "seller_message": "The bank did not return any further details with this decline."
        if card.decline
        else "Payment complete.",
        "type": "issuer_declined" if card.decline else "authorized",
    }


def _card(card, intent, authenticated, now):
    held = intent["capture_method"] == "manual" and not card.decline
    return {
        "amount_authorized": None if card.decline else intent["amount"],
        "authorization_code": None,
        "brand": card.brand,
        **({"capture_before": now + HOLD_SECONDS} if held else {}),
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "extended_authorization": {"status": "disabled"},
        "fingerprint": card.fingerprint,
        "funding": "credit",
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": {
            "authentication_flow": "challenge",
            "electronic_commerce_indicator": "05",
            "exemption_indicator": None,
            "result": "authenticated",
            "result_reason": None,
            "transaction_id": new_id("3ds"),
            "version": "2.2.0",
        }
        if authenticated
        else None,
        "wallet": None,
    }


def make(desk, intent, card, *, authenticated=False, email=None):
    """Try the card for the intent's amount. With manual capture the charge is only authorised."""
    automatic = intent["capture_method"] != "manual" and not card.decline
    body = {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if automatic else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": new_id("txn") if automatic else None,
        "billing_details": {"address": NO_ADDRESS, "email": email, "name": None, "phone": None, "tax_id": None},
        "calculated_statement_descriptor": None,
        "captured": automatic,
        "created": desk.now,
        "currency": intent["currency"],
        "customer": None,
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": card.error().code if card.decline else None,
        "failure_message": card.error().message if card.decline else None,
        "fraud_details": {},
        "livemode": desk.livemode,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _outcome(card),
        "paid": not card.decline,
        "payment_intent": intent.id,
        "payment_method": intent["payment_method"],
        "payment_method_details": {"card": _card(card, intent, authenticated, desk.now), "type": "card"},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "failed" if card.decline else "succeeded",
        "transfer_data": None,
        "transfer_group": None,
    }
    due = body["payment_method_details"]["card"].get("capture_before")
    return desk.add(body, {"card": card.number}, due)


def capture(desk, charge, amount):
    """Take ``amount`` of what is held; the rest is let go, which Stripe shows as a refund of that part."""
    charge["amount_captured"], charge["captured"] = amount, True
    charge["balance_transaction"] = new_id("txn")
    charge.due = None
    desk.save(charge)


def refundable(charge):
    return charge["amount"] - charge["amount_refunded"]
