"""How a test speaks to the server: over HTTP, so that it works the same in this process and in another."""

import json
import urllib.error
import urllib.request
from contextlib import contextmanager

from .server import KEYS, LIVE_KEY, OTHER_KEY, TEST_KEY, WEBHOOK_SECRET, Server


class ControlError(Exception):
    """``status`` and ``body`` are what the server answered."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body

    @property
    def code(self):
        error = self.body.get("error")
        return error.get("code") if isinstance(error, dict) else None


class Control:
    """Every control call as a method: ``control.pay(session=…, card=…)``; see docs/ref/stripe-server.md."""

    def __init__(self, url):
        self.url = url

    def call(self, name, **values):
        request = urllib.request.Request(  # noqa: S310 (the server's own address)
            f"{self.url}/_control/{name}",
            json.dumps(values).encode(),
            {"Content-Type": "application/json"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # nosec B310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ControlError(error.code, json.load(error)) from None

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda **values: self.call(name, **values)

    # The ones that are used most, with the names a test reads well

    def pay(self, session, card="4242424242424242", **more):
        """Pay a session as a customer would; raises ControlError when the card is declined (``code`` says why)."""
        return self.call("pay", session=session, card=card, **more)

    def fault(self, match, kind, times=1, seconds=None):
        """The next ``times`` requests like "POST /v1/payment_intents/*/capture" go wrong in this way."""
        return self.call("faults", match=match, kind=kind, times=times, seconds=seconds)

    def advance(self, seconds):
        return self.call("clock", advance=seconds)["now"]

    def now(self):
        return self.call("clock")["now"]

    def events(self, type="*", **more):
        return self.call("events", type=type, **more)["data"]

    def books(self, **more):
        return self.call("books", **more)

    def hold(self, match="*"):
        """Keep events of these types back until :meth:`release`."""
        return self.call("webhooks", hold=True, match=match)

    def release(self, order="created", match="*", wait=10):
        """Send what was held back: as "created", "reversed", "shuffled" or "together"; and wait until it arrived."""
        return self.call("webhooks", release=order, match=match, wait=wait)

    def bend(self, match, kind, times=1, seconds=1):
        """The next events of these types are sent late, double, dropped, with a wrong secret …"""
        return self.call("webhooks", match=match, bend=kind, times=times, seconds=seconds)

    def settle(self, seconds=10):
        """Wait until every event that is not held back was sent or given up; True when it was."""
        return self.call("webhooks", wait=seconds)["settled"]

    def deliveries(self):
        return self.call("webhooks")["deliveries"]

    def signed(self, event, secret=WEBHOOK_SECRET, kind=None, **more):
        """``(payload, signature)`` of an event, for a test that posts it to the shop itself."""
        found = self.call("signed", event=event, secret=secret, kind=kind, **more)
        return found["payload"], found["signature"]


class Running:
    """A server that runs: its address, the keys for it, and the control over it."""

    test_key, live_key, other_key, keys = TEST_KEY, LIVE_KEY, OTHER_KEY, KEYS

    def __init__(self, url, webhook_secret=WEBHOOK_SECRET):
        self.url, self.webhook_secret = url, webhook_secret
        self.control = Control(url)

    def client(self, key=TEST_KEY, **options):
        """Stripe's own client, speaking to this server; it tries once unless ``max_network_retries`` says more."""
        import stripe

        options = {"max_network_retries": 0, **options}
        return stripe.StripeClient(key, base_addresses={"api": self.url}, **options)


@contextmanager
def running(*, webhook_url=None, webhook_secret=WEBHOOK_SECRET, state=None, **options):
    """A server in this process, on a free port, until the block ends; ``options`` are those of :class:`Server`."""
    server = Server(webhook_url=webhook_url, webhook_secret=webhook_secret, state=state, **options)
    server.start()
    try:
        yield Running(server.url, webhook_secret)
    finally:
        server.stop()
