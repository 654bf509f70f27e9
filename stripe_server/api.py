"""``/v1``: who asks, what for, whether it was asked before; then the doing and the answer."""

import base64
import json
import re
from collections.abc import Callable
from typing import NamedTuple

from . import errors, shapes
from .books import balance
from .desk import Desk
from .params import EXPAND, PAGE, clean, list_of, parse, string
from .resources import intents, refunds, sessions
from .store import new_id


class Answer(NamedTuple):
    status: int
    body: str
    headers: dict


class Cut(Exception):
    """The connection closes without an answer."""


class Route(NamedTuple):
    method: str
    pattern: str
    #: Raw values to clean parameters; raises InvalidRequest.
    check: Callable
    #: (desk, params, *ids) to a Row or a finished body.
    run: Callable


def _schema(schema):
    return lambda values: clean(values, schema)


def _retrieve(kind, param, label=None):
    return lambda desk, params, id: desk.find(kind, id, param=param, label=label)


def _list(kind, url, *filters):
    def run(desk, params):
        rows = [
            row
            for row in desk.many(kind)
            if all(params.get(name, row.body.get(name)) == row.body.get(name) for name in filters)
        ]
        return shapes.page(desk, rows, params, url)

    return run


def _intent(what):
    return lambda desk, params, id: what(desk, desk.find("payment_intent", id, param="intent"), params)


def _expire(desk, params, id):
    return sessions.expire(desk, desk.find("checkout.session", id, param="session"))


def _line_items(desk, params, id):
    session = desk.find("checkout.session", id, param="session")
    return shapes.as_list(session.private["line_items"], f"/v1/checkout/sessions/{id}/line_items")


def _events(desk, params):
    types = params.get("types") or ([params["type"]] if "type" in params else [])
    patterns = [re.compile(re.escape(one).replace(r"\*", ".*")) for one in types]
    rows = [row for row in desk.many("event") if not types or any(one.fullmatch(row["type"]) for one in patterns)]
    return shapes.page(desk, rows, params, "/v1/events")


def _by(*names):
    return _schema({**{name: string() for name in names}, **PAGE})


ONLY_EXPAND = _schema(EXPAND)
ROUTES = (
    Route("POST", "/v1/checkout/sessions", sessions.check, sessions.create),
    Route(
        "GET",
        "/v1/checkout/sessions",
        _by("payment_intent"),
        _list("checkout.session", "/v1/checkout/sessions", "payment_intent"),
    ),
    Route(
        "GET",
        "/v1/checkout/sessions/([^/]+)",
        ONLY_EXPAND,
        _retrieve("checkout.session", "session", "checkout.session"),
    ),
    Route("GET", "/v1/checkout/sessions/([^/]+)/line_items", _schema(PAGE), _line_items),
    Route("POST", "/v1/checkout/sessions/([^/]+)/expire", ONLY_EXPAND, _expire),
    Route("POST", "/v1/payment_intents", intents.check_create, intents.create),
    Route("GET", "/v1/payment_intents", _schema(PAGE), _list("payment_intent", "/v1/payment_intents")),
    Route("GET", "/v1/payment_intents/([^/]+)", ONLY_EXPAND, _retrieve("payment_intent", "intent")),
    Route("POST", "/v1/payment_intents/([^/]+)/capture", _schema(intents.CAPTURE), _intent(intents.capture)),
    Route("POST", "/v1/payment_intents/([^/]+)/cancel", _schema(intents.CANCEL), _intent(intents.cancel)),
    Route("GET", "/v1/charges", _by("payment_intent"), _list("charge", "/v1/charges", "payment_intent")),
    Route("GET", "/v1/charges/([^/]+)", ONLY_EXPAND, _retrieve("charge", "id")),
    Route("POST", "/v1/refunds", refunds.check, refunds.create),
    Route(
        "GET",
        "/v1/refunds",
        _by("payment_intent", "charge"),
        _list("refund", "/v1/refunds", "payment_intent", "charge"),
    ),
    Route("GET", "/v1/refunds/([^/]+)", ONLY_EXPAND, _retrieve("refund", "id")),
    Route(
        "GET",
        "/v1/disputes",
        _by("payment_intent", "charge"),
        _list("dispute", "/v1/disputes", "payment_intent", "charge"),
    ),
    Route("GET", "/v1/disputes/([^/]+)", ONLY_EXPAND, _retrieve("dispute", "dispute")),
    Route("GET", "/v1/events", _schema({"type": string(), "types": list_of(string(), 20), **PAGE}), _events),
    Route("GET", "/v1/events/([^/]+)", ONLY_EXPAND, _retrieve("event", "id")),
    Route("GET", "/v1/balance", ONLY_EXPAND, lambda desk, params: balance(desk.store, desk.scope)),
)


class _Undone(Exception):
    """Rolls the transaction back and carries the answer out of it."""


class Api:
    def __init__(self, server):
        self.server = server

    def call(self, method, path, text, headers):
        """Answer a request. ``text`` is the query of a GET or the body of a POST. Raises Cut."""
        request_id = new_id("req", 14)
        shown = {"Request-Id": request_id}
        if headers.get("Stripe-Version"):
            shown["Stripe-Version"] = headers["Stripe-Version"]
        key = headers.get("Idempotency-Key") if method == "POST" else None
        if key:
            shown["Idempotency-Key"] = key
        try:
            scope = self.who(headers.get("Authorization"))
            fault = self.server.faults.take(method, path)
            answer = self._meet(fault, method, path, text, scope, key, request_id)
        except errors.StripeError as error:
            retry = {"Stripe-Should-Retry": "true"} if error.status == 409 else {}
            answer = Answer(error.status, json.dumps(error.body(), indent=2), retry)
        return answer._replace(headers={**shown, **answer.headers})

    def who(self, authorization):
        """The account and mode of a secret key."""
        word, _, key = (authorization or "").partition(" ")
        if word == "Basic":
            key = base64.b64decode(key.strip() or "Og==").decode("utf-8", "replace").partition(":")[0]
        if not key.strip():
            raise errors.AuthenticationError(
                "You did not provide an API key. You need to provide your API key in the Authorization header, using "
                "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
            )
        scope = self.server.keys.get(key.strip())
        if scope is None:
            raise errors.AuthenticationError(f"Invalid API Key provided: {key[:8]}{'*' * 12}{key[-4:]}")
        return scope

    def _meet(self, fault, method, path, text, scope, key, request_id):
        """Before and after the doing, what may go wrong on the way."""
        kind = fault.kind if fault else None
        broken = errors.ApiError("An unknown error occurred. (This is a fault that was asked for.)")
        if kind == "500_before":
            raise broken
        if kind == "429":
            raise errors.StripeError("Too many requests hit the API too quickly.", code="rate_limit", status=429)
        if kind == "lock_timeout":
            raise errors.StripeError(
                "This object cannot be accessed right now because another API request or Stripe process is currently "
                "accessing it.",
                code="lock_timeout",
                status=429,
            )
        if kind == "401":
            raise errors.AuthenticationError("Expired API Key provided: sk_test_************")
        if kind == "cut_before":
            raise Cut
        if kind == "timeout_before":
            self.server.pause(fault.seconds)
            raise Cut
        answer = self._once(fault, method, path, text, scope, key, request_id)
        self.server.webhooks.nudge()
        if kind == "timeout_after":
            self.server.pause(fault.seconds)
        if kind in ("timeout_after", "cut_after"):
            raise Cut
        if kind == "502_after":
            return Answer(502, "<html><body><h1>502 Bad Gateway</h1></body></html>", {"Content-Type": "text/html"})
        return answer

    def _once(self, fault, method, path, text, scope, key, request_id):
        route, ids = self._route(method, path)
        values = parse(text)
        with self.server.idempotency.claim(scope, key, method, path, values) as kept:
            if kept:
                again = {
                    "Idempotent-Replayed": "true",
                    "Original-Request": kept.request,
                    "Stripe-Should-Retry": "false",
                }
                return Answer(kept.status, kept.body, again)
            self.server.sweep()
            params = route.check(values)
            if fault and fault.kind == "slow":
                self.server.pause(fault.seconds)
            status, body = self._do(fault, route, ids, params, scope, (method, path, values), key, request_id)
        headers = {"Stripe-Should-Retry": "false"} if key and status >= 400 else {}
        return Answer(status, body, headers)

    def _route(self, method, path):
        for route in ROUTES:
            found = re.fullmatch(route.pattern, path)
            if found and route.method == method:
                return route, found.groups()
        raise errors.InvalidRequest(
            f"Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the trailing "
            "slash. If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier.",
            status=404,
        )

    def _do(self, fault, route, ids, params, scope, asked, key, request_id):
        """Run it and keep its answer in one transaction; a refusal undoes what was begun, and is kept as well."""
        kind = fault.kind if fault else None
        store, keep = self.server.store, self.server.idempotency.keep
        desk = Desk(self.server, scope, request_id=request_id, key=key)
        try:
            with store.transaction():
                try:
                    if kind == "500_stored":
                        raise errors.ApiError("An unknown error occurred. (This is a fault that was asked for.)")
                    if kind == "402":
                        raise errors.CardError(
                            "Your card was declined.", code="card_declined", decline_code="generic_decline"
                        )
                    found = route.run(desk, params, *ids)
                    body = found if isinstance(found, dict) else shapes.shown(desk, found, params.get("expand", ()))
                    status = 200
                except errors.InvalidRequest:
                    raise
                except errors.StripeError as error:
                    status, body = error.status, error.body()
                    if not error.keep:
                        raise _Undone from error
                if kind == "500_after":
                    status, body = 500, errors.ApiError("An unknown error occurred. (It was done all the same.)").body()
                text = json.dumps(body, indent=2)
                keep(scope, key, *asked, status, text, request_id)
        except _Undone:
            text = json.dumps(body, indent=2)
            with store.transaction():
                keep(scope, key, *asked, status, text, request_id)
        return status, text
