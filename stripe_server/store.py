"""Where everything is kept: SQLite, in memory or in a file, one transaction at a time.

What is answered has been written before: in WAL a commit outlives a kill of the process.
"""

import hashlib
import json
import secrets
import sqlite3
import string
import threading
from contextlib import contextmanager
from typing import NamedTuple

ALPHABET = string.ascii_letters + string.digits
TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, account TEXT NOT NULL,
    livemode INTEGER NOT NULL, body TEXT NOT NULL, private TEXT NOT NULL, due INTEGER
);
CREATE INDEX IF NOT EXISTS objects_kind ON objects (kind, account, livemode, seq);
CREATE INDEX IF NOT EXISTS objects_due ON objects (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS replays (
    account TEXT NOT NULL, livemode INTEGER NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL,
    request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL, created INTEGER NOT NULL,
    PRIMARY KEY (account, livemode, key)
);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, url TEXT NOT NULL, kind TEXT, state TEXT NOT NULL,
    due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, status INTEGER, together INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS deliveries_state ON deliveries (state, due);
"""


class Scope(NamedTuple):
    """Whose books: an account, in test or live mode. Nothing is seen from another."""

    account: str
    livemode: bool


def new_id(prefix, length=24):
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(length))}"


def letters(text, length):
    """Letters and digits that are always the same for the same text."""
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:length])


class Row:
    """An object: ``body`` is what the API shows, ``private`` this server only knows; at ``due`` it changes itself."""

    def __init__(self, body, private, due, scope):
        self.body, self.private, self.due, self.scope = body, private, due, scope

    @property
    def id(self):
        return self.body["id"]

    def __getitem__(self, name):
        return self.body[name]

    def __setitem__(self, name, value):
        self.body[name] = value


class Store:
    def __init__(self, path=None):
        self.lock = threading.RLock()
        self.connection = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.executescript(TABLES)
        self.depth = 0

    def close(self):
        with self.lock:
            self.connection.close()

    @contextmanager
    def transaction(self):
        """All or nothing, one at a time. Within another it is part of it."""
        with self.lock:
            if self.depth:
                yield
                return
            self.connection.execute("BEGIN IMMEDIATE")
            self.depth = 1
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            else:
                self.connection.execute("COMMIT")
            finally:
                self.depth = 0

    def execute(self, sql, *values):
        with self.lock:
            return self.connection.execute(sql, values)

    def all(self, sql, *values):
        with self.lock:
            return self.connection.execute(sql, values).fetchall()

    def one(self, sql, *values):
        with self.lock:
            return self.connection.execute(sql, values).fetchone()

    def forget_all(self):
        with self.transaction():
            for table in ("meta", "objects", "replays", "deliveries"):
                self.execute(f"DELETE FROM {table}")  # noqa: S608  # nosec B608

    # Small things by name

    def meta(self, name, default):
        found = self.one("SELECT value FROM meta WHERE name = ?", name)
        return json.loads(found["value"]) if found else default

    def set_meta(self, name, value):
        self.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", name, json.dumps(value))

    # Objects

    def add(self, scope, body, private=None, due=None):
        self.execute(
            "INSERT INTO objects (id, kind, account, livemode, body, private, due) VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(body["id"], body["object"], *scope, json.dumps(body), json.dumps(private or {}), due),
        )
        return Row(body, private or {}, due, scope)

    def save(self, row):
        self.execute(
            "UPDATE objects SET body = ?, private = ?, due = ? WHERE id = ?",
            *(json.dumps(row.body), json.dumps(row.private), row.due, row.id),
        )

    def read(self, found):
        return Row(
            json.loads(found["body"]),
            json.loads(found["private"]),
            found["due"],
            Scope(found["account"], bool(found["livemode"])),
        )

    def get(self, kind, id):
        """The object of this id in any books, or None."""
        found = self.one("SELECT * FROM objects WHERE id = ? AND kind = ?", id, kind)
        return self.read(found) if found else None

    def many(self, kind, scope):
        """All of a kind in these books, newest first."""
        found = self.all(
            "SELECT * FROM objects WHERE kind = ? AND account = ? AND livemode = ? ORDER BY seq DESC", kind, *scope
        )
        return [self.read(one) for one in found]

    def due(self, now):
        """All that has something to happen until now, in the order of time."""
        return [self.read(one) for one in self.all("SELECT * FROM objects WHERE due <= ? ORDER BY due, seq", now)]
