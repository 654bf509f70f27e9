"""The same key is the same request: run once, its answer kept for a day and given again.

See docs.stripe.com/api/idempotent_requests.
"""

import hashlib
import json
import threading
from contextlib import contextmanager
from typing import NamedTuple

from .errors import IdempotencyError, InvalidRequest, StripeError

KEPT_SECONDS = 24 * 3600
LONGEST_KEY = 255


class Kept(NamedTuple):
    status: int
    body: str
    request: str


class KeyInUse(StripeError):
    status = 409


def fingerprint(method, path, values):
    return hashlib.sha256(json.dumps([method, path, values], sort_keys=True).encode()).hexdigest()


class Idempotency:
    """Keys belong to an account and mode."""

    def __init__(self, store, clock):
        self.store, self.clock = store, clock
        self.lock = threading.Lock()
        #: Keys whose first request runs now; a killed process forgets them, as it should.
        self.running = set()

    @contextmanager
    def claim(self, scope, key, method, path, values):
        """Yield the answer kept for this key, or None when this request is to run; nobody else runs it meanwhile."""
        if key is None:
            yield None
            return
        if not 0 < len(key) <= LONGEST_KEY:
            raise InvalidRequest(f"Idempotency keys must be at most {LONGEST_KEY} characters long.")
        mine = (scope, key)
        with self.lock:
            if mine in self.running:
                raise KeyInUse(
                    "There is currently another in-progress request using this Idempotent Key (that probably means you "
                    f"submitted twice, and the other request is still going through): {key}. Please try again later.",
                    code="idempotency_key_in_use",
                )
            self.running.add(mine)
        try:
            yield self._kept(scope, key, method, path, values)
        finally:
            with self.lock:
                self.running.discard(mine)

    def _kept(self, scope, key, method, path, values):
        found = self.store.one("SELECT * FROM replays WHERE account = ? AND livemode = ? AND key = ?", *scope, key)
        if found is None or found["created"] <= self.clock.now() - KEPT_SECONDS:
            return None
        first_path, first = found["fingerprint"].rsplit(" ", 1)
        tail = f"Try using a key other than '{key}' if you meant to execute a different request."
        if first_path != path:
            raise IdempotencyError(
                "Keys for idempotent requests can only be used for the same endpoint they were first used for "
                f"('{path}' vs '{first_path}'). {tail}"
            )
        if first != fingerprint(method, path, values):
            raise IdempotencyError(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"{tail}"
            )
        return Kept(found["status"], found["body"], found["request"])

    def keep(self, scope, key, method, path, values, status, body, request_id):
        """In the transaction of what was done: both are there, or neither."""
        if key is None:
            return
        self.store.execute(
            "INSERT OR REPLACE INTO replays VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *scope,
            key,
            f"{path} {fingerprint(method, path, values)}",
            request_id,
            status,
            body,
            self.clock.now(),
        )
