"""PaymentIntents: what a payment is, from the first try of a card to its capture, cancelling or end."""

from .. import cards, errors
from ..errors import InvalidRequest, Refused
from ..money import check_charge, plain
from ..params import (
    EXPAND,
    boolean,
    clean,
    currency,
    email,
    hash_of,
    integer,
    list_of,
    metadata,
    required,
    string,
    url,
)
from ..store import new_id
from . import charges, disputes, refunds

CANCEL_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
CAPTURE_METHODS = ("automatic", "automatic_async", "manual")

CREATE = {
    "amount": required(integer(1)),
    "currency": required(currency),
    "automatic_payment_methods": hash_of(
        {"enabled": required(boolean), "allow_redirects": string(choices=("always", "never"))}
    ),
    "capture_method": string(choices=CAPTURE_METHODS),
    "confirm": boolean,
    "description": string(1000),
    "metadata": metadata,
    "payment_method": string(),
    "payment_method_types": list_of(string()),
    "receipt_email": email,
    "return_url": url,
    **EXPAND,
}
CAPTURE = {"amount_to_capture": integer(1), "metadata": metadata, **EXPAND}
CANCEL = {"cancellation_reason": string(choices=CANCEL_REASONS), **EXPAND}


def check_types(types, path):
    """Only cards are switched on for these accounts."""
    for place, name in enumerate(types):
        if name != "card":
            raise InvalidRequest(
                f"The payment method type provided: {name} is invalid. Please ensure the provided type is activated in "
                "your dashboard and your account is enabled for any preview features that you are trying to use.",
                param=f"{path}[{place}]",
            )
    return types or ["card"]


def check_create(values):
    params = clean(values, CREATE)
    check_charge(params["amount"], params["currency"], param="amount")
    params["payment_method_types"] = check_types(params.get("payment_method_types", []), "payment_method_types")
    if params.get("confirm") and "payment_method" not in params:
        raise InvalidRequest(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    return params


def make(desk, *, amount, currency, capture_method="automatic", session=None, **given):
    id = new_id("pi")
    body = {
        "id": id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": capture_method,
        "client_secret": f"{id}_secret_{new_id('')[1:]}",
        "confirmation_method": "automatic",
        "created": desk.now,
        "currency": currency,
        "customer": None,
        "customer_account": None,
        "description": given.get("description"),
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": desk.livemode,
        "metadata": given.get("metadata") or {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": given.get("payment_method_types") or ["card"],
        "processing": None,
        "receipt_email": given.get("receipt_email"),
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": given.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }
    intent = desk.add(body, {"session": session})
    desk.emit("payment_intent.created", intent)
    return intent


def create(desk, params):
    """By the API, without a session: ``confirm`` pays at once with a test card's ``pm_card_`` name."""
    name = params.get("payment_method")
    card = cards.BY_NAME.get(name)
    if name and card is None:
        raise errors.no_such("PaymentMethod", name, "payment_method")
    names = ("amount", "currency", "capture_method", "description", "metadata", "receipt_email", "payment_method_types")
    intent = make(desk, **{name: params[name] for name in names if name in params})
    if card:
        intent["status"], intent.private["card"] = "requires_confirmation", card.number
        desk.save(intent)
        if params.get("confirm"):
            confirm(desk, intent, card)
    return intent


def confirm(desk, intent, card, *, authenticated=False, customer_email=None):
    """Try a card. Raises CardError when it is declined; what was tried stays on the books."""
    if intent["status"] not in ("requires_payment_method", "requires_confirmation", "requires_action"):
        raise errors.unexpected_state(
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}.", intent.body
        )
    intent["payment_method"], intent["last_payment_error"], intent["next_action"] = new_id("pm"), None, None
    intent.private["card"] = card.number
    if card.three_d_secure and not authenticated:
        intent["status"] = "requires_action"
        intent["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
        desk.save(intent)
        desk.emit("payment_intent.requires_action", intent)
        return
    charge = charges.make(desk, intent, card, authenticated=authenticated, email=customer_email)
    intent["latest_charge"] = charge.id
    if card.decline:
        desk.emit("charge.failed", charge)
        error = card.error()
        fail(desk, intent, error, charge)
        error.more |= {"charge": charge.id, "payment_intent": intent.body}
        raise error
    if intent["capture_method"] == "manual":
        intent["status"], intent["amount_capturable"] = "requires_capture", intent["amount"]
        after = "payment_intent.amount_capturable_updated"
    else:
        intent["status"], intent["amount_received"] = "succeeded", intent["amount"]
        after = "payment_intent.succeeded"
    desk.save(intent)
    desk.emit("charge.succeeded", charge)
    desk.emit(after, intent)
    if card.disputed and charge["captured"]:
        disputes.create(desk, charge)


def fail(desk, intent, error, charge=None):
    """Back to the start: the customer may try another card."""
    shown = error.body()["error"] | ({"charge": charge.id} if charge else {})
    intent["status"], intent["last_payment_error"] = "requires_payment_method", shown
    intent["payment_method"] = intent["next_action"] = None
    desk.save(intent)
    desk.emit("payment_intent.payment_failed", intent)


def authenticate(desk, intent, *, passed, customer_email=None):
    """The customer is back from the bank's own page."""
    if intent["status"] != "requires_action":
        raise errors.unexpected_state(f"This PaymentIntent has a status of {intent['status']}.", intent.body)
    if passed:
        confirm(
            desk, intent, cards.BY_NUMBER[intent.private["card"]], authenticated=True, customer_email=customer_email
        )
        return
    error = errors.CardError(
        "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
        code="payment_intent_authentication_failure",
        keep=True,
    )
    fail(desk, intent, error)
    raise error


def capture(desk, intent, params):
    if intent["status"] != "requires_capture":
        because = (
            "it has already been captured."
            if intent["status"] == "succeeded"
            else f"it has a status of {intent['status']}. Only a PaymentIntent with one of the following statuses may "
            "be captured: requires_capture."
        )
        raise errors.unexpected_state(f"This PaymentIntent could not be captured because {because}", intent.body)
    amount = params.get("amount_to_capture", intent["amount_capturable"])
    if amount > intent["amount_capturable"]:
        raise Refused(
            f"The amount to capture ({plain(amount, intent['currency'])}) is greater than the amount that can be "
            f"captured ({plain(intent['amount_capturable'], intent['currency'])}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    charge = desk.get("charge", intent["latest_charge"])
    charges.capture(desk, charge, amount)
    released = intent["amount_capturable"] - amount
    if released:
        refund = refunds.make(desk, charge, released, release=True)
    intent["status"], intent["amount_capturable"], intent["amount_received"] = "succeeded", 0, amount
    intent["metadata"] = intent["metadata"] | params.get("metadata", {})
    desk.save(intent)
    desk.emit("charge.captured", charge)
    if released:
        desk.emit("refund.created", refund)
        desk.emit("charge.refunded", charge)
    desk.emit("payment_intent.succeeded", intent)
    if cards.BY_NUMBER[charge.private["card"]].disputed:
        disputes.create(desk, charge)
    return intent


def cancel(desk, intent, params):
    """By the API. A session's intent can be cancelled only while it waits for its capture: else expire the session."""
    if intent["status"] not in CANCELABLE:
        raise errors.unexpected_state(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent "
            f"with one of the following statuses may be canceled: {', '.join(CANCELABLE)}, processing.",
            intent.body,
        )
    if intent.private["session"] and intent["status"] != "requires_capture":
        raise errors.unexpected_state(
            "You cannot cancel this PaymentIntent because it was created by a Checkout Session. Expire the Checkout "
            "Session instead.",
            intent.body,
        )
    end(desk, intent, params.get("cancellation_reason"))
    return intent


def end(desk, intent, reason, charge_event="charge.refunded"):
    """Cancelled for whatever reason; what is held goes back to the customer."""
    held = intent["status"] == "requires_capture"
    if held:
        charge = desk.get("charge", intent["latest_charge"])
        charge.due = None
        refund = refunds.make(desk, charge, charge["amount"], release=True)
    intent["status"], intent["canceled_at"], intent["cancellation_reason"] = "canceled", desk.now, reason
    intent["amount_capturable"], intent["next_action"] = 0, None
    desk.save(intent)
    if held:
        desk.emit("refund.created", refund)
        desk.emit(charge_event, charge)
    desk.emit("payment_intent.canceled", intent)


def authorisation_falls_due(desk, charge):
    """The bank holds the money no longer."""
    intent = desk.get("payment_intent", charge["payment_intent"])
    if intent["status"] == "requires_capture":
        end(desk, intent, "automatic", "charge.expired")
