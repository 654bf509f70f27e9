"""The server: its books, its clock, its keys, and the threads that answer, send and keep time."""

import threading

from .api import Api
from .clock import Clock
from .control import Control
from .desk import Desk
from .faults import Faults
from .http import Listener
from .idempotency import Idempotency
from .pages import Pages
from .resources import intents, refunds, sessions
from .store import Scope, Store
from .webhooks import RETRY_SECONDS, Webhooks

#: The shop's own account, and another whose objects the shop must never see.
ACCOUNT, OTHER_ACCOUNT = "acct_1Shop", "acct_1Other"
TEST_KEY, LIVE_KEY = "sk_test_shop", "sk_live_shop"
OTHER_KEY = "sk_test_other"
WEBHOOK_SECRET = "whsec_shop"
KEYS = {
    TEST_KEY: Scope(ACCOUNT, False),
    LIVE_KEY: Scope(ACCOUNT, True),
    OTHER_KEY: Scope(OTHER_ACCOUNT, False),
}
FALLS_DUE = {
    "checkout.session": sessions.expire,
    "charge": intents.authorisation_falls_due,
    "refund": refunds.fall_due,
}


class Server:
    """``state`` is a file that outlives the process; without one everything is in memory.

    ``webhook_url`` is where the shop's test-mode events go, signed with ``webhook_secret``; ``name`` is the shop's line
    on the page; ``public_url`` is the address customers' browsers use, when it is another.
    """

    def __init__(
        self,
        *,
        host="127.0.0.1",
        port=0,
        state=None,
        webhook_url=None,
        webhook_secret=WEBHOOK_SECRET,
        name="Maison Pétale",
        public_url=None,
        retry_seconds=RETRY_SECONDS,
    ):
        self.account, self.keys, self.name = ACCOUNT, dict(KEYS), name
        self.store = Store(state)
        self.clock = Clock(self.store)
        self.idempotency = Idempotency(self.store, self.clock)
        self.faults = Faults()
        self.webhooks = Webhooks(self.store, retry_seconds)
        if webhook_url:
            self.webhooks.listen(webhook_url, webhook_secret, account=ACCOUNT)
        self.api, self.control, self.pages = Api(self), Control(self), Pages(self)
        self.stopping = threading.Event()
        self.listener = Listener((host, port), self)
        self.port = self.listener.server_address[1]
        self.url = (public_url or f"http://{host}:{self.port}").rstrip("/")
        self.threads = [
            threading.Thread(target=self.listener.serve_forever, args=(0.05,), name="stripe-listener", daemon=True),
            threading.Thread(target=self._keep_time, name="stripe-clock", daemon=True),
        ]

    def start(self):
        for thread in self.threads:
            thread.start()
        self.webhooks.start()

    def stop(self):
        self.stopping.set()
        self.listener.shutdown()
        self.listener.server_close()
        self.webhooks.stop()
        for thread in self.threads:
            thread.join(5)
        self.store.close()

    def pause(self, seconds):
        """Let time pass, but not longer than the server lives."""
        self.stopping.wait(seconds)

    def _keep_time(self):
        while not self.stopping.wait(1):
            self.sweep()

    def sweep(self):
        """What falls due happens at its own moment: sessions and authorisations expire, refunds are settled."""
        with self.store.transaction():
            for row in self.store.due(self.clock.now()):
                # One may have settled another: an expired session its intent's charge.
                row = self.store.get(row["object"], row.id)
                if row.due is not None:
                    desk = Desk(self, row.scope)
                    desk.now = max(row.due, row["created"])
                    FALLS_DUE[row["object"]](desk, row)
                    self.webhooks.nudge()
