"""A tender paid by card or wallet on Stripe's own page.

One hosted Checkout Session for the remainder, with ``capture_method=manual``: the money is set aside when the customer
pays, and taken once the order is written. iDEAL, Bancontact and their like cannot be captured later, so they are not
offered.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.money import as_stored, format_money
from oscar_loyalty.payments.exceptions import ProviderRefused
from oscar_loyalty.payments.stripe import minimums
from oscar_loyalty.payments.stripe.client import asking
from oscar_loyalty.payments.tenders.base import Asked, Look, Provider, Ways

#: How long the customer may take on Stripe's page: a minute more than Stripe's shortest, for clocks that differ.
SESSION = timedelta(minutes=31)
#: States of a PaymentIntent in which the customer is still at it.
UNDER_WAY = ("requires_payment_method", "requires_confirmation", "requires_action", "processing")


class Stripe(Provider):
    """Cards and wallets through Stripe."""

    kind, source = "stripe", "Stripe"

    def minimum(self, currency: str) -> Decimal:
        return minimums.minimum(currency)

    def unit(self, currency: str) -> Decimal:
        return minimums.unit(currency)

    def authorise(self, *, tender: Any, ways: Ways) -> Asked:
        attempt = tender.attempt
        names = {"attempt": str(attempt.uuid), "order": attempt.order_number}
        until = clock.now() + SESSION
        params: dict[str, Any] = {
            "mode": "payment",
            "client_reference_id": str(attempt.uuid),
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": attempt.currency.lower(),
                        "unit_amount": minimums.to_stripe(tender.amount, attempt.currency),
                        "product_data": {"name": ways.text},
                    },
                }
            ],
            "payment_method_types": ["card"],
            "payment_intent_data": {"capture_method": "manual", "description": ways.text, "metadata": names},
            "metadata": names,
            "expires_at": int(until.timestamp()),
            "success_url": ways.paid,
            "cancel_url": ways.back,
            "locale": ways.language if ways.language in ("en", "fr") else "auto",
        }
        if ways.email:
            params["customer_email"] = ways.email
        with asking() as stripe:
            session = stripe.checkout.sessions.create(params, {"idempotency_key": _key(tender, "session")})
        return Asked(session.id, session.url, until)

    def look(self, *, tender: Any) -> Look:
        if not tender.session:
            # Whoever has no address cannot pay: the request that asked for one did not come back with it.
            return Look("gone")
        with asking() as stripe:
            if tender.reference:
                intent = stripe.payment_intents.retrieve(tender.reference, {"expand": ["latest_charge"]})
                return _read(intent)
            session = stripe.checkout.sessions.retrieve(
                tender.session, {"expand": ["payment_intent", "payment_intent.latest_charge"]}
            )
        if session.client_reference_id != str(tender.attempt.uuid):
            raise ProviderRefused("The session belongs to another attempt.", code="other_attempt")
        if session.payment_intent is not None and session.status == "complete":
            return _read(session.payment_intent)
        return Look("pending" if session.status == "open" else "gone", detail={"status": session.status})

    def close(self, *, tender: Any) -> Look:
        if tender.session and not tender.reference:
            try:
                with asking() as stripe:
                    stripe.checkout.sessions.expire(tender.session)
            except ProviderRefused:
                pass  # it is over already: paid, or expired
        return self.look(tender=tender)

    def withdraw(self, *, tender: Any) -> Look:
        look = self.look(tender=tender)
        if look.state == "captured" and look.detail.get("refunded"):
            return replace(look, state="gone")
        try:
            with asking() as stripe:
                if look.state == "captured":
                    # Somebody took it by hand, for an order that will never be.
                    params = {"payment_intent": tender.reference, "metadata": {"attempt": str(tender.attempt.uuid)}}
                    stripe.refunds.create(params, {"idempotency_key": _key(tender, f"undo:{_tries(tender)}")})
                elif look.state != "gone":
                    stripe.payment_intents.cancel(tender.reference, {"cancellation_reason": "abandoned"})
        except ProviderRefused:
            pass  # it changed meanwhile: look what it is now
        if look.state == "gone":
            return look
        look = self.look(tender=tender)
        return replace(look, state="gone") if look.detail.get("refunded") else look

    def take(self, *, tender: Any) -> Look:
        # Looking first: an answer that got lost is found, and a stored failure is not asked for again under its key.
        look = self.look(tender=tender)
        if look.state != "authorised":
            return look
        try:
            with asking() as stripe:
                params = {"amount_to_capture": minimums.to_stripe(tender.amount, tender.attempt.currency)}
                key = _key(tender, f"capture:{_tries(tender)}")
                stripe.payment_intents.capture(tender.reference, params, {"idempotency_key": key})
        except ProviderRefused:
            pass  # captured by somebody else at this moment, or let go
        return self.look(tender=tender)

    def give_back(self, *, part: Any) -> str:
        tender = part.allotment.tender
        units = _to_give_back(part)
        if not units:
            return ""
        with asking() as stripe:
            # What was asked for before and got no answer is found, however long ago: parts are not once by themselves.
            for refund in stripe.refunds.list({"payment_intent": tender.reference, "limit": 100}).auto_paging_iter():
                if getattr(refund.metadata, "return", None) == part.key:
                    break
            else:
                params = {
                    "payment_intent": tender.reference,
                    "amount": units,
                    "metadata": {"attempt": str(tender.attempt.uuid), "return": part.key},
                }
                refund = stripe.refunds.create(params, {"idempotency_key": _key(tender, f"return:{part.key}")[:255]})
        if refund.status in ("failed", "canceled"):
            raise ProviderRefused(refund.failure_reason or refund.status, code=refund.failure_reason or "")
        if refund.amount != units:
            text = _("Stripe has given back %(given)s of %(owed)s. Do not try again: give back the rest otherwise.")
            words = {"given": _said(refund.amount, tender), "owed": _said(units, tender)}
            raise ProviderRefused(text % words, code="other_amount")
        return str(refund.id)


def _key(tender: Any, what: str) -> str:
    return f"attempt:{tender.attempt.uuid}:{what}"


def _to_give_back(part: Any) -> int:
    """Return what goes back to the card for ``part``, in Stripe's units.

    What lines cost of a yen goes back with the refund that makes it a whole one, so that all refunds sum to the charge.
    """
    tender = part.allotment.tender
    currency, unit = tender.attempt.currency, minimums.unit(tender.attempt.currency)
    returns = get_model("loyalty_payments", "TenderReturn").objects.filter(allotment__tender=tender)
    earlier = returns.filter(refund__lt=part.refund.pk).aggregate(amount=Sum("amount"))["amount"]
    before = as_stored(earlier or Decimal(0))
    return minimums.to_stripe((before + part.amount) // unit * unit - before // unit * unit, currency)


def _said(units: int, tender: Any) -> str:
    currency = tender.attempt.currency
    return format_money(minimums.from_stripe(units, currency), currency)


def _tries(tender: Any) -> int:
    """Count the tries that failed: Stripe answers one key with one answer, were it an error of its own.

    Capturing and giving all back are done once there, whatever the keys.
    """
    return int(tender.detail.get("tries", 0))


def _read(intent: Any) -> Look:
    """Return how a PaymentIntent stands; a session's ``payment_status`` says nothing about a manual capture."""
    currency = intent.currency.upper()
    charge = intent.latest_charge if not isinstance(intent.latest_charge, str) else None
    details = getattr(charge, "payment_method_details", None)
    card = getattr(details, "card", None)
    detail: dict[str, Any] = {"status": intent.status}
    before = None
    if card is not None:
        wallet = getattr(card, "wallet", None)
        detail |= {"brand": card.brand or "", "last4": card.last4 or "", "wallet": wallet.type if wallet else ""}
        if getattr(card, "fingerprint", None):
            # Only to tell the same card again: what Stripe calls it is not kept.
            detail["card"] = salted_hmac("oscar_loyalty.card", card.fingerprint, algorithm="sha256").hexdigest()
        seconds = getattr(card, "capture_before", None)
        before = datetime.fromtimestamp(seconds, UTC) if seconds else None
    if charge is not None and charge.refunded:
        detail["refunded"] = True
    if intent.status == "requires_capture":
        amount = minimums.from_stripe(intent.amount_capturable, currency)
        return Look("authorised", intent.id, amount, before, {**detail, "currency": currency})
    if intent.status == "succeeded":
        amount = minimums.from_stripe(intent.amount_received, currency)
        return Look("captured", intent.id, amount, None, {**detail, "currency": currency})
    return Look("pending" if intent.status in UNDER_WAY else "gone", intent.id, detail=detail)
