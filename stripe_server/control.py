"""``/_control``: what a test does to this server that nobody can do to Stripe. JSON in, JSON out."""

import fnmatch
import json

from . import cards, errors, webhooks
from .books import books
from .desk import Desk
from .resources import disputes, intents, refunds, sessions
from .shapes import shown
from .store import Scope


class Control:
    """Each public method is an address; its keywords are the JSON of the request."""

    def __init__(self, server):
        self.server = server

    def call(self, name, query, text):
        """The status and body of ``/_control/<name>``."""
        act = getattr(self, name, None)
        if name.startswith("_") or name == "call" or act is None:
            return 404, {"error": f"No such control: {name}"}
        try:
            values = query | (json.loads(text) if text.strip() else {})
            scope = Scope(values.pop("account", self.server.account), values.pop("livemode", False))
            return 200, act(scope, **values)
        except errors.StripeError as error:
            return error.status, error.body()
        except (TypeError, ValueError, KeyError) as error:
            return 400, {"error": f"{type(error).__name__}: {error}"}

    def _desk(self, scope):
        self.server.sweep()
        return Desk(self.server, scope)

    def _kept(self, desk, act, *arguments, **keywords):
        """Run it in a transaction; a declined card leaves its trace."""
        failure = None
        with self.server.store.transaction():
            try:
                row = act(desk, *arguments, **keywords)
            except errors.StripeError as error:
                if not error.keep:
                    raise
                failure = error
        self.server.webhooks.nudge()
        if failure:
            raise failure
        return shown(desk, row)

    # Customers and banks

    def pay(self, scope, session, card="4242424242424242", email=None, three_d_secure="complete"):
        """Pay a session without a browser; when the card asks for 3-D Secure, complete, fail or leave that."""
        desk = self._desk(scope)
        paid = self._kept(
            desk, sessions.pay, desk.find("checkout.session", session, param="session"), cards.find(card), email
        )
        if paid["status"] == "open" and three_d_secure != "leave":
            row = desk.find("checkout.session", session, param="session")
            paid = self._kept(desk, sessions.authenticate, row, passed=three_d_secure == "complete")
        return paid

    def dispute(
        self,
        scope,
        charge=None,
        payment_intent=None,
        dispute=None,
        status=None,
        amount=None,
        reason="fraudulent",
        inquiry=False,
    ):
        """Dispute a charge, or begin an ``inquiry`` about it; close a dispute as ``status`` "won" or "lost", an inquiry
        as "warning_closed", or let the bank make a dispute of it: "needs_response"."""
        desk = self._desk(scope)
        if dispute:
            row = desk.find("dispute", dispute, param="dispute")
            if status == "needs_response":
                return self._kept(desk, disputes.escalate, row)
            return self._kept(desk, disputes.close, row, status)
        if payment_intent:
            charge = desk.find("payment_intent", payment_intent, param="payment_intent")["latest_charge"]
        row = desk.find("charge", charge, param="charge")
        return self._kept(desk, disputes.create, row, amount=amount, reason=reason, inquiry=inquiry)

    def refund(self, scope, refund, status="failed", failure_reason="unknown"):
        """The bank's later word on a refund: "failed", or "succeeded" for a pending one."""
        desk = self._desk(scope)
        return self._kept(desk, refunds.settle, desk.find("refund", refund, param="refund"), status, failure_reason)

    def dashboard_refund(self, scope, payment_intent, amount=None):
        """Somebody refunds in Stripe's own dashboard, past the shop."""
        params = {"payment_intent": payment_intent, **({"amount": amount} if amount else {})}
        return self._kept(self._desk(scope), refunds.create, params)

    def dashboard_cancel(self, scope, payment_intent):
        """Somebody lets an authorisation go in Stripe's own dashboard."""
        desk = self._desk(scope)
        return self._kept(desk, intents.cancel, desk.find("payment_intent", payment_intent, param="payment_intent"), {})

    def dashboard_capture(self, scope, payment_intent, amount=None):
        """Somebody captures in Stripe's own dashboard."""
        desk = self._desk(scope)
        params = {"amount_to_capture": amount} if amount else {}
        return self._kept(
            desk, intents.capture, desk.find("payment_intent", payment_intent, param="payment_intent"), params
        )

    # Time and trouble

    def clock(self, scope, advance=0, to=None, freeze=None):
        """Move the clock; what falls due on the way happens, in its order. Without arguments: what time it is."""
        with self.server.store.transaction():
            if advance or to is not None or freeze is not None:
                self.server.clock.move(advance=advance, to=to, freeze=freeze)
        self.server.sweep()
        return {"now": self.server.clock.now(), "frozen": self.server.clock.frozen_at is not None}

    def faults(self, scope, match=None, kind=None, times=1, seconds=None, clear=False):
        """Ask for a fault (see :mod:`stripe_server.faults`); ``clear`` forgets those still waiting."""
        if clear:
            self.server.faults.clear()
        if match:
            self.server.faults.add(match, kind, times, seconds)
        return {"faults": self.server.faults.shown()}

    def reset(self, scope):
        """Forget everything but the endpoints."""
        endpoints = self.server.webhooks.endpoints()
        with self.server.store.transaction():
            self.server.store.forget_all()
            self.server.store.set_meta("endpoints", endpoints)
            self.server.clock.move(to=None, advance=-self.server.clock.offset, freeze=False)
        self.server.faults.clear()
        self.server.webhooks.bends.clear()
        return {"reset": True}

    # Looking in

    def books(self, scope):
        self.server.sweep()
        return books(self.server.store, scope)

    def events(self, scope, type="*"):
        """All events in these books, oldest first."""
        rows = reversed(self.server.store.many("event", scope))
        return {"data": [row.body for row in rows if fnmatch.fnmatchcase(row["type"], type)]}

    def keys(self, scope):
        """The API keys of this server, by account and mode."""
        return {key: {"account": found.account, "livemode": found.livemode} for key, found in self.server.keys.items()}

    # Webhooks

    def endpoint(self, scope, url, secret=None, events=("*",), forget=False):
        """From now on events of these books go there as well; or no longer."""
        if forget:
            self.server.webhooks.forget(url)
        else:
            self.server.webhooks.listen(url, secret, account=scope.account, livemode=scope.livemode, events=events)
        return {"endpoints": self.server.webhooks.endpoints()}

    def webhooks(self, scope, match="*", bend=None, times=1, seconds=1, hold=None, release=None, wait=None):
        """Hold events back, release them, bend the next ones, wait until all are sent."""
        answer = {}
        if bend:
            self.server.webhooks.bend(match, bend, times, seconds)
        if hold:
            self.server.webhooks.hold(match)
        if release:
            answer["released"] = self.server.webhooks.release(match=match, order=release)
        if wait:
            answer["settled"] = self.server.webhooks.settled(wait)
        return {**answer, "deliveries": self.server.webhooks.log()}

    def resend(self, scope, event, kind=None):
        """Deliver an event once more, as it is or bent."""
        self.server.webhooks.send_again(Desk(self.server, scope).find("event", event, param="event"), kind)
        return {"resent": event}

    def signed(self, scope, event, secret, kind=None):
        """The text and signature of an event, for a test that posts it itself."""
        row = Desk(self.server, scope).find("event", event, param="event")
        payload, signature = webhooks.message(row.body, secret, kind)
        return {"payload": payload, "signature": signature}
