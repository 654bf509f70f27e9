"""Events are sent to the endpoints that listen, signed, until they answer 2xx; or held back, or bent, on demand."""

import fnmatch
import hashlib
import hmac
import json
import random
import threading
import time
import urllib.error
import urllib.request

from .store import new_id

#: Between tries, in seconds of the world's own time; Stripe takes hours over it.
RETRY_SECONDS = (0.2, 1, 5, 30, 120, 600)
TIMEOUT_SECONDS = 10
#: What can be done to the next event of a type.
KINDS = ("late", "double", "drop", "wrong_secret", "unsigned", "old", "tampered", "livemode", "other_account")
STRANGER = "acct_1Stranger"


def sign(payload, secret, timestamp):
    """The header ``Stripe-Signature`` (docs.stripe.com/webhooks, "Verify webhook signatures manually")."""
    signed = hmac.new(secret.encode(), f"{timestamp}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={signed}"


def message(body, secret, kind=None):
    """The text of an event and its signature, bent as ``kind`` says."""
    body = dict(body)
    if kind == "livemode":
        body["livemode"] = not body["livemode"]
    if kind == "other_account":
        body |= {"account": STRANGER, "id": new_id("evt")}
    payload = json.dumps(body, indent=2)
    # The receiver compares with its own clock, which this server's never moves.
    timestamp = int(time.time()) - (3600 if kind == "old" else 0)
    signature = sign(payload, "whsec_wrong" if kind == "wrong_secret" else secret, timestamp)
    if kind == "tampered":
        payload = payload.replace('"object": "event"', '"object":  "event"', 1)
    return payload, None if kind == "unsigned" else signature


class Webhooks:
    def __init__(self, store, retry_seconds=RETRY_SECONDS):
        self.store, self.retry_seconds = store, retry_seconds
        self.wake = threading.Condition()
        self.stopped = False
        self.bends = []
        self.thread = threading.Thread(target=self._work, name="stripe-webhooks", daemon=True)

    # Endpoints

    def endpoints(self):
        return self.store.meta("endpoints", [])

    def listen(self, url, secret, *, account, livemode=False, events=("*",)):
        others = [one for one in self.endpoints() if one["url"] != url or one["account"] != account]
        new = {"url": url, "secret": secret, "account": account, "livemode": livemode, "events": list(events)}
        self.store.set_meta("endpoints", [*others, new])

    def forget(self, url):
        self.store.set_meta("endpoints", [one for one in self.endpoints() if one["url"] != url])

    def listening(self, scope, type):
        return [
            one
            for one in self.endpoints()
            if (one["account"], one["livemode"]) == tuple(scope)
            and any(fnmatch.fnmatchcase(type, pattern) for pattern in one["events"])
        ]

    def secret(self, url):
        return next((one["secret"] for one in self.endpoints() if one["url"] == url), "whsec_unknown")

    # Leaving, holding, releasing

    def bend(self, match, kind, times=1, seconds=1):
        if kind not in KINDS:
            raise ValueError(f"No such kind: {kind!r}; there are {', '.join(KINDS)}.")
        self.bends.append({"match": match, "kind": kind, "times": times, "seconds": seconds})

    def _bent(self, type):
        for bend in self.bends:
            if bend["times"] > 0 and fnmatch.fnmatchcase(type, bend["match"]):
                bend["times"] -= 1
                return bend
        return None

    def leave(self, event, endpoints):
        """In the transaction of what the event tells of."""
        for endpoint in endpoints:
            bend = self._bent(event["type"]) or {"kind": None}
            kind, due, state = bend["kind"], time.time(), "pending"
            if any(fnmatch.fnmatchcase(event["type"], pattern) for pattern in self.store.meta("hold", [])):
                state = "held"
            if kind == "drop":
                state = "dropped"
            if kind == "late":
                due += bend["seconds"]
            for _ in range(2 if kind == "double" else 1):
                self._add(event.id, endpoint["url"], kind, state, due)

    def _add(self, event, url, kind, state, due):
        self.store.execute(
            "INSERT INTO deliveries (event, url, kind, state, due) VALUES (?, ?, ?, ?, ?)", event, url, kind, state, due
        )

    def hold(self, match="*"):
        """Events of these types wait until :meth:`release`."""
        self.store.set_meta("hold", [*self.store.meta("hold", []), match])

    def release(self, *, match="*", order="created", keep_holding=False):
        """Let held ones go: as "created", "reversed" or "shuffled". Returns how many."""
        with self.store.transaction():
            if not keep_holding:
                self.store.set_meta("hold", [])
            held = self.store.all(
                "SELECT d.id, json_extract(o.body, '$.type') AS type FROM deliveries d "
                "JOIN objects o ON o.id = d.event WHERE d.state = 'held' ORDER BY d.id"
            )
            ids = [one["id"] for one in held if fnmatch.fnmatchcase(one["type"], match)]
            if order == "reversed":
                ids.reverse()
            elif order == "shuffled":
                random.shuffle(ids)
            now = time.time()
            for place, id in enumerate(ids):
                due = now + place / 1_000_000
                self.store.execute("UPDATE deliveries SET state = 'pending', due = ? WHERE id = ?", due, id)
        self.nudge()
        return len(ids)

    def send_again(self, event, kind=None):
        """One more delivery of an event to every endpoint of its books."""
        for endpoint in self.listening(event.scope, event["type"]):
            for _ in range(2 if kind == "double" else 1):
                self._add(event.id, endpoint["url"], kind, "pending", time.time())
        self.nudge()

    # Sending

    def start(self):
        self.thread.start()

    def stop(self):
        with self.wake:
            self.stopped = True
            self.wake.notify_all()
        if self.thread.is_alive():
            self.thread.join(TIMEOUT_SECONDS + 1)

    def nudge(self):
        with self.wake:
            self.wake.notify_all()

    def _work(self):
        while not self.stopped:
            delivery = self.store.one(
                "SELECT * FROM deliveries WHERE state = 'pending' AND due <= ? ORDER BY due, id LIMIT 1", time.time()
            )
            if delivery is None:
                with self.wake:
                    if not self.stopped:
                        self.wake.wait(self._pause())
                continue
            self._send(delivery)

    def _pause(self):
        due = self.store.one("SELECT MIN(due) AS due FROM deliveries WHERE state = 'pending'")["due"]
        return 0.5 if due is None else min(0.5, max(0.001, due - time.time()))

    def _send(self, delivery):
        event = self.store.get("event", delivery["event"])
        if event is None:  # The books were cleared meanwhile.
            return
        payload, signature = message(event.body, self.secret(delivery["url"]), delivery["kind"])
        status = post(delivery["url"], payload, signature)
        attempts = delivery["attempts"] + 1
        if status is not None and 200 <= status < 300:
            state, due = "delivered", delivery["due"]
        elif attempts > len(self.retry_seconds):
            state, due = "failed", delivery["due"]
        else:
            state, due = "pending", time.time() + self.retry_seconds[attempts - 1]
        self.store.execute(
            "UPDATE deliveries SET state = ?, due = ?, attempts = ?, status = ? WHERE id = ?",
            *(state, due, attempts, status, delivery["id"]),
        )
        with self.wake:
            self.wake.notify_all()

    def settled(self, timeout=10):
        """Wait until nothing waits to be sent; False when it still does after ``timeout`` seconds."""
        end = time.monotonic() + timeout
        while self.store.one("SELECT 1 FROM deliveries WHERE state = 'pending' LIMIT 1"):
            if time.monotonic() > end:
                return False
            with self.wake:
                self.wake.wait(0.02)
        return True

    def log(self):
        """What was and is to be sent, oldest first."""
        return [
            dict(one)
            for one in self.store.all(
                "SELECT d.id, d.event, json_extract(o.body, '$.type') AS type, d.url, d.kind, d.state, d.attempts, "
                "d.status FROM deliveries d JOIN objects o ON o.id = d.event ORDER BY d.id"
            )
        ]


def post(url, payload, signature):
    """The status the endpoint answered with, or None when it did not answer. Redirections are not followed."""
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Stripe/1.0 (demonstration)"}
    if signature:
        headers["Stripe-Signature"] = signature
    request = urllib.request.Request(url, payload.encode(), headers, method="POST")  # noqa: S310 (configured by hand)
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
