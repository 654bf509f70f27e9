"""Stripe, answering in this very thread."""

from contextlib import contextmanager
from urllib.parse import urlsplit

import stripe
from requests.structures import CaseInsensitiveDict

from oscar_loyalty.payments.stripe import client as stripe_client
from stripe_server.api import Cut
from stripe_server.server import Server
from stripe_server.webhooks import message

WEBHOOK = "http://shop.example/stripe/webhook/"
#: At Stripe, before and after it does what it was asked; none of them waits.
STRIPE = ("500_before", "500_stored", "500_after", "502_after", "cut_before", "cut_after", "429", "402")


class Bank:
    """Stripe, answering in this very thread."""

    def __init__(self, process):
        self.server, self.process = Server(webhook_url=WEBHOOK, public_url="http://stripe.example"), process
        self.server.listener.server_close()
        self.scope = next(iter(self.server.keys.values()))
        self.control = self.server.control

    def close(self):
        self.server.store.close()

    def at(self, moment):
        self.control.clock(self.scope, to=int(moment.timestamp()), freeze=True)

    def fail(self, kind):
        self.control.faults(self.scope, match="*", kind=kind)

    def forgive(self):
        self.control.faults(self.scope, clear=True)

    def books(self):
        return self.control.books(self.scope)

    def letters(self):
        """The events that were not delivered yet, by delivery, oldest first."""
        return self._letters("pending")

    def old_letters(self):
        """Those that were delivered; Stripe may send them once more."""
        return self._letters("delivered")

    def _letters(self, state):
        found = self.server.store.all("SELECT id, event FROM deliveries WHERE state = ? ORDER BY id", state)
        return [(each["id"], each["event"]) for each in found]

    def letter(self, event):
        return message(self.server.store.get("event", event).body, self.server.webhooks.secret(WEBHOOK))

    def delivered(self, delivery):
        self.server.store.execute("UPDATE deliveries SET state = 'delivered' WHERE id = ?", delivery)

    @contextmanager
    def opens(self):
        """Let the shop's own client speak to this bank."""
        made = stripe.StripeClient(
            next(iter(self.server.keys)),
            stripe_version=stripe_client.API_VERSION,
            max_network_retries=0,
            http_client=_Wire(self),
        )
        real = stripe_client._client
        stripe_client._client = lambda *_: made
        try:
            yield self
        finally:
            stripe_client._client = real


class _Wire(stripe.HTTPClient):
    name = "simulation"

    def __init__(self, bank):
        super().__init__()
        self.bank = bank

    def request(self, method, url, headers, post_data=None):
        self.bank.process.speak()
        parts = urlsplit(url)
        text = post_data or "" if method.upper() == "POST" else parts.query
        try:
            found = self.bank.server.api.call(method.upper(), parts.path, text, CaseInsensitiveDict(headers))
        except Cut:
            raise stripe.APIConnectionError("The line is dead.") from None
        self.bank.process.speak()
        return found.body, found.status, found.headers
