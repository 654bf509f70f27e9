"""What goes wrong: processes that are killed, providers that do not answer, mail that comes back."""

import random
import secrets
import uuid
from contextlib import contextmanager
from urllib.parse import urlsplit

import stripe
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from requests.structures import CaseInsensitiveDict

from oscar_loyalty.payments.stripe import client as stripe_client
from stripe_server.api import Cut
from stripe_server.server import Server
from stripe_server.webhooks import message
from tests.simulation.database import hang_up

WEBHOOK = "http://shop.example/stripe/webhook/"
#: At Stripe, before and after it does what it was asked; none of them waits.
STRIPE = ("500_before", "500_stored", "500_after", "502_after", "cut_before", "cut_after", "429", "402")


class Killed(BaseException):
    """The process is gone. Nobody can catch that."""


class Chance:
    """All that is random, from one seed: also what the shop itself draws, so that a world can be seen again."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    @contextmanager
    def governs(self):
        drawn = random.Random(self.random.random())
        real = secrets.choice, secrets.token_bytes, secrets.token_hex, secrets.token_urlsafe, uuid.uuid4
        state = random.getstate()
        random.seed(drawn.random())
        secrets.choice = drawn.choice
        secrets.token_bytes = lambda size=32: drawn.randbytes(size)
        secrets.token_hex = lambda size=32: drawn.randbytes(size).hex()
        secrets.token_urlsafe = lambda size=32: drawn.randbytes(size).hex()
        uuid.uuid4 = lambda: uuid.UUID(bytes=drawn.randbytes(16), version=4)
        try:
            yield
        finally:
            secrets.choice, secrets.token_bytes, secrets.token_hex, secrets.token_urlsafe, uuid.uuid4 = real
            random.setstate(state)


class Process:
    """The web server's or worker's process, which dies after so many more words with the database or with Stripe."""

    def __init__(self):
        self.words, self.dead = None, False

    def speak(self):
        """Called before each statement, and before and after each request to Stripe and each mail."""
        if self.dead:
            raise Killed
        if self.words is not None:
            self.words -= 1
            if self.words < 0:
                self.dead = True
                raise Killed

    def __call__(self, execute, sql, params, many, context):
        self.speak()
        return execute(sql, params, many, context)

    @contextmanager
    def runs(self, words=None):
        """Let what is in the block be done by a process that dies after ``words``: :class:`Killed` comes out then."""
        self.words, self.dead = words, False
        try:
            with connection.execute_wrapper(self):
                yield
        except Killed:
            hang_up()
            raise
        finally:
            self.words, self.dead = None, False


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
        found = self.server.store.all("SELECT id, event FROM deliveries WHERE state = 'pending' ORDER BY id")
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


class Post:
    """The mail server: ``fails`` is None, "before" (it takes nothing) or "after" (it takes it, and says it did not)."""

    def __init__(self, process):
        self.process, self.fails, self.taken = process, None, []


class Mail(BaseEmailBackend):
    post = None

    def send_messages(self, messages):
        post = self.post
        for each in messages:
            post.process.speak()
            if post.fails == "before":
                raise OSError("The mail server is away.")
            post.taken.append((tuple(each.to), each.subject, each.body))
            post.process.speak()
            if post.fails == "after":
                raise OSError("The line was cut after the mail had been taken.")
        return len(messages)
