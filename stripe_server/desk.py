"""One operation on the books: whose they are, what time it is, who asked; and the events it leaves."""

from . import errors
from .store import new_id

#: The one whose shapes the objects have.
API_VERSION = "2026-10-28.endive"


class Desk:
    """Made for one request, control call or turn of the sweep, and used inside one transaction."""

    def __init__(self, server, scope, *, request_id=None, key=None):
        self.server, self.store, self.scope = server, server.store, scope
        self.now = server.clock.now()
        self.request_id, self.key = request_id, key

    @property
    def livemode(self):
        return self.scope.livemode

    def find(self, kind, id, *, param, label=None):
        """The object in these books; another account's or mode's is "No such …", as if it did not exist."""
        row = self.store.get(kind, id)
        if row and row.scope == self.scope:
            return row
        same_account = row is not None and row.scope.account == self.scope.account
        mode = ("live" if row.scope.livemode else "test") if same_account else None
        raise errors.no_such(label or kind, id, param, other_mode=mode)

    def get(self, kind, id):
        """The object of an id that is known to be in these books, or None for no id."""
        return self.store.get(kind, id) if id else None

    def add(self, body, private=None, due=None):
        return self.store.add(self.scope, body, private, due)

    def save(self, row):
        self.store.save(row)

    def many(self, kind):
        return self.store.many(kind, self.scope)

    def emit(self, type, row, previous=None):
        """Leave an event with the object as it is now, and a delivery to each endpoint that listens."""
        data = {"object": row.body}
        if previous:
            data["previous_attributes"] = previous
        endpoints = self.server.webhooks.listening(self.scope, type)
        body = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": data,
            "livemode": self.livemode,
            "pending_webhooks": len(endpoints),
            "request": {"id": self.request_id, "idempotency_key": self.key},
            "type": type,
        }
        event = self.add(body)
        self.server.webhooks.leave(event, endpoints)
        return event
