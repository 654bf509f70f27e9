"""Checkout Sessions in payment mode: a hosted page for one payment, open until it is paid or expires."""

from ..errors import InvalidRequest, Refused
from ..money import check_charge
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
from . import intents
from .charges import NO_ADDRESS

LONGEST, SHORTEST = 24 * 3600, 30 * 60
#: Those of Stripe's page that this one has words for; others are read as English.
LOCALES = (
    *(
        "auto",
        "bg",
        "cs",
        "da",
        "de",
        "el",
        "en",
        "en-GB",
        "es",
        "es-419",
        "et",
        "fi",
        "fil",
        "fr",
        "fr-CA",
        "hr",
        "hu",
    ),
    *("id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv"),
    *("th", "tr", "vi", "zh", "zh-HK", "zh-TW"),
)

PRODUCT = {"name": required(string(5000)), "description": string(), "images": list_of(url, 8), "metadata": metadata}
PRICE = {
    "currency": required(currency),
    "product_data": required(hash_of(PRODUCT)),
    "tax_behavior": string(choices=("exclusive", "inclusive", "unspecified")),
    "unit_amount": required(integer(0)),
}
ITEM = {"price_data": required(hash_of(PRICE)), "quantity": required(integer(1, 999_999))}
INTENT_DATA = {
    "capture_method": string(choices=intents.CAPTURE_METHODS),
    "description": string(1000),
    "metadata": metadata,
    "receipt_email": email,
    "statement_descriptor_suffix": string(22),
}
CREATE = {
    "cancel_url": url,
    "client_reference_id": string(200),
    "customer_creation": string(choices=("always", "if_required")),
    "customer_email": email,
    "expires_at": integer(0),
    "line_items": required(list_of(hash_of(ITEM))),
    "locale": string(choices=LOCALES),
    "metadata": metadata,
    "mode": required(string(choices=("payment", "setup", "subscription"))),
    "payment_intent_data": hash_of(INTENT_DATA),
    "payment_method_types": list_of(string()),
    "submit_type": string(choices=("auto", "book", "donate", "pay")),
    "success_url": required(url),
    "allow_promotion_codes": boolean,
    **EXPAND,
}


def check(values):
    params = clean(values, CREATE)
    if params["mode"] != "payment":
        raise InvalidRequest("This server has sessions in `payment` mode only.", param="mode")
    if not params["line_items"]:
        raise InvalidRequest("Missing required param: line_items.", code="parameter_missing", param="line_items")
    prices = [item["price_data"] for item in params["line_items"]]
    if len({price["currency"] for price in prices}) > 1:
        raise InvalidRequest("All line items must have the same currency.", param="line_items")
    total = sum(item["quantity"] * item["price_data"]["unit_amount"] for item in params["line_items"])
    check_charge(total, prices[0]["currency"], param="line_items", what="The Checkout Session's total amount due")
    types = params.get("payment_method_types", [])
    manual = params.get("payment_intent_data", {}).get("capture_method") == "manual"
    if manual and types and "card" not in types:
        raise InvalidRequest(
            f"The payment method `{types[0]}` cannot be used with capture_method `manual`.",
            param="payment_method_types",
        )
    params["payment_method_types"] = intents.check_types(types, "payment_method_types")
    return params


def check_expiry(desk, expires):
    """Against the server's own clock."""
    if expires < desk.now + SHORTEST:
        raise InvalidRequest(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", param="expires_at"
        )
    if expires >= desk.now + LONGEST:
        raise InvalidRequest(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", param="expires_at"
        )


def _line_item(item):
    price = item["price_data"]
    total = item["quantity"] * price["unit_amount"]
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": price["currency"],
        "description": price["product_data"]["name"],
        "price": {
            "id": new_id("price"),
            "object": "price",
            "active": False,
            "currency": price["currency"],
            "metadata": {},
            "product": new_id("prod", 14),
            "type": "one_time",
            "unit_amount": price["unit_amount"],
            "unit_amount_decimal": str(price["unit_amount"]),
        },
        "quantity": item["quantity"],
    }


def _customer(address):
    return {
        "address": NO_ADDRESS,
        "business_name": None,
        "email": address,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def create(desk, params):
    if "expires_at" in params:
        check_expiry(desk, params["expires_at"])
    items = [_line_item(item) for item in params["line_items"]]
    total = sum(item["amount_total"] for item in items)
    mode = "live" if desk.livemode else "test"
    id = new_id(f"cs_{mode}", 58)
    address = params.get("customer_email")
    body = {
        "id": id,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": desk.now,
        "currency": items[0]["currency"],
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": None,
        "customer_account": None,
        "customer_creation": params.get("customer_creation", "if_required"),
        "customer_details": _customer(address) if address else None,
        "customer_email": address,
        "discounts": [],
        "expires_at": params.get("expires_at", desk.now + LONGEST),
        "invoice": None,
        "invoice_creation": None,
        "livemode": desk.livemode,
        "locale": params.get("locale"),
        "metadata": params.get("metadata", {}),
        "mode": "payment",
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": params["payment_method_types"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{desk.server.url}/c/pay/{id}",
        "wallet_options": None,
    }
    private = {"line_items": items, "intent": params.get("payment_intent_data", {})}
    return desk.add(body, private, body["expires_at"])


def pay(desk, session, card, address=None):
    """The customer tries a card on the page. A session that is paid already stays as it is: pressed twice, paid once.

    Raises CardError when the card is declined (the session stays open), Refused when the session is over.
    """
    if session["status"] == "complete":
        return session
    if session["status"] != "open":
        raise Refused("This Checkout Session has expired.", code="checkout_session_expired")
    intent = desk.get("payment_intent", session["payment_intent"]) or _intent(desk, session)
    if address:
        session.private["address"] = address
        desk.save(session)
    intents.confirm(desk, intent, card, customer_email=_address(session))
    return _finish(desk, session, intent)


def authenticate(desk, session, *, passed):
    """3-D Secure is over; as :func:`pay`."""
    if session["status"] == "complete":
        return session
    intent = desk.get("payment_intent", session["payment_intent"])
    if session["status"] != "open" or intent is None:
        raise Refused("This Checkout Session has expired.", code="checkout_session_expired")
    intents.authenticate(desk, intent, passed=passed, customer_email=_address(session))
    return _finish(desk, session, intent)


def _address(session):
    return session.private.get("address") or session["customer_email"]


def _intent(desk, session):
    """As since API version 2022-08-01: only now, when somebody pays."""
    intent = intents.make(
        desk,
        amount=session["amount_total"],
        currency=session["currency"],
        session=session.id,
        payment_method_types=session["payment_method_types"],
        **session.private["intent"],
    )
    session["payment_intent"] = intent.id
    desk.save(session)
    return intent


def _finish(desk, session, intent):
    if intent["status"] in ("succeeded", "requires_capture"):
        session["status"], session["url"] = "complete", None
        session["customer_details"] = _customer(_address(session))
        session.due = None
        desk.save(session)
        desk.emit("checkout.session.completed", shown(desk, session))
    return session


def expire(desk, session):
    if session["status"] != "open":
        raise Refused(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"{session['status']}."
        )
    session["status"], session["url"], session.due = "expired", None, None
    desk.save(session)
    intent = desk.get("payment_intent", session["payment_intent"])
    if intent and intent["status"] in intents.CANCELABLE:
        intents.end(desk, intent, "automatic")
    desk.emit("checkout.session.expired", session)
    return session


def shown(desk, session):
    """``payment_status`` follows the intent: "unpaid" while money is only held, "paid" once it is captured."""
    intent = desk.get("payment_intent", session["payment_intent"])
    session["payment_status"] = "paid" if intent and intent["status"] == "succeeded" else "unpaid"
    return session
