"""Reads of the owner's pages from a replica of the database, where the shop has one.

    DATABASES["replica"] = {...}
    DATABASE_ROUTERS = ["oscar_loyalty.replicas.ReplicaRouter"]
    OSCAR_LOYALTY_REPLICA = "replica"

Only what a page or a file says it only reads goes there (:func:`reading`): the owner's overview and lists, and files.
Whatever is written, locked, or read in a transaction stays with the first database: a replica is a moment behind, and
what is about to be changed, or was just changed, must be true.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from oscar_loyalty.defaults import conf

_reading: ContextVar[bool] = ContextVar("oscar_loyalty_reading", default=False)


@contextmanager
def reading() -> Iterator[None]:
    """Let what is read of the programme in this block come from the replica."""
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


class ReplicaRouter:
    """Sends reads of the plugin's own tables in a :func:`reading` block to ``OSCAR_LOYALTY_REPLICA``.

    Sessions and accounts of whoever is signed in come from the first database always.
    """

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        if not _reading.get() or not conf.REPLICA or not model._meta.app_label.startswith("loyalty_"):
            return None
        return None if connections[DEFAULT_DB_ALIAS].in_atomic_block else conf.REPLICA

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        # Without this, a row that was read from the replica would be saved there. The rest is for other routers.
        instance = hints.get("instance")
        return (
            DEFAULT_DB_ALIAS if instance is not None and conf.REPLICA and instance._state.db == conf.REPLICA else None
        )

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool | None:
        both = {one._state.db, other._state.db}
        return True if both <= {DEFAULT_DB_ALIAS, conf.REPLICA} else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if conf.REPLICA and db == conf.REPLICA else None
