"""What Stripe tells us: verified, stored, and left to be handled."""

import json
import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from oscar_loyalty import clock
from oscar_loyalty.defaults import conf
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model
from oscar_loyalty.payments.stripe.client import is_live

log = logging.getLogger("oscar_loyalty")

#: How old a signature may be, in seconds; Stripe signs each delivery anew.
TOLERANCE = 300
#: For how long what an event says is kept; it names the customer.
KEPT = timedelta(days=90)
#: The longest name of an event or of what it is about.
LONGEST = 255
_ZERO = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
#: Kind of the due rows that handle what was stored.
EVENT = "payments.stripe_event"


class NotFromStripe(Exception):
    """The signature is missing, wrong or old, or what it signs is no event."""


def receive(*, payload: bytes, signature: str) -> Any:
    """Store the event of a webhook and leave the row that handles it; return it. Told again, it is stored once.

    An event of another account, or of test mode in a live shop, is stored as ignored: it says nothing about this
    shop, and Stripe need not send it again.

    :raises NotFromStripe: when it is not certainly from Stripe, and new; nothing is stored then.
    """
    return _store(_verified(payload, signature))


def _verified(payload: bytes, signature: str) -> dict[str, Any]:
    import stripe

    for secret in conf.STRIPE_WEBHOOK_SECRET if signature.isascii() else ():
        try:
            stripe.WebhookSignature.verify_header(payload, signature, secret, TOLERANCE)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            continue
        event = _event(payload)
        if event is not None:
            return event
        break
    raise NotFromStripe


def _event(payload: bytes) -> dict[str, Any] | None:
    """Return the event that ``payload`` is, with all that is read of it later as it must be; or nothing."""
    try:
        # PostgreSQL keeps no zero sign, nor half a sign of two.
        event = json.loads(_ZERO.sub(rb"\1", payload), parse_constant=_no_number)
        json.dumps(event, ensure_ascii=False).encode()
        if not isinstance(event, dict) or event.get("object") != "event":
            return None
        datetime.fromtimestamp(int(event.setdefault("created", 0)), UTC)
        about = event["data"]["object"]
    except (ValueError, TypeError, LookupError, OverflowError, OSError, RecursionError):
        return None
    named = isinstance(event.get("id"), str) and 0 < len(event["id"]) <= LONGEST
    return event if named and isinstance(about, dict) else None


def _no_number(word: str) -> None:
    raise ValueError(word)


@transaction.atomic
def _store(event: dict[str, Any]) -> Any:
    about = event["data"]["object"]
    why_not = _not_for_us(event)
    row, created = get_model("loyalty_payments", "StripeEvent").objects.get_or_create(
        event_id=event["id"],
        defaults={
            "kind": str(event.get("type", ""))[:64],
            "object_id": str(about.get("id") or "")[:LONGEST],
            "account": str(event.get("account") or "")[:LONGEST],
            "livemode": bool(event.get("livemode")),
            "happened_at": datetime.fromtimestamp(int(event["created"]), UTC),
            "received_at": clock.now(),
            "state": "ignored" if why_not else "waiting",
            "note": why_not,
            "payload": {} if why_not else event,
        },
    )
    if created and not why_not:
        due.leave(kind=EVENT, key=row.event_id, payload={"event": row.pk})
    if why_not:
        log.warning("A Stripe event that is not for this shop: %s, %s", event["id"], why_not)
    return row


def _not_for_us(event: dict[str, Any]) -> str:
    if bool(event.get("livemode")) != is_live():
        return "live mode, and the shop's key is for tests" if event.get("livemode") else "test mode"
    if str(event.get("account") or "") != conf.STRIPE_ACCOUNT:
        return "another account"
    return ""


def forget() -> int:
    """Forget what the events of long ago say; return how many."""
    rows = get_model("loyalty_payments", "StripeEvent").objects.filter(received_at__lt=clock.now() - KEPT)
    old = rows.filter(state__in=["done", "ignored"]).exclude(payload={}).order_by("pk").values_list("pk", flat=True)
    return int(get_model("loyalty_payments", "StripeEvent").objects.filter(pk__in=list(old[:1000])).update(payload={}))
