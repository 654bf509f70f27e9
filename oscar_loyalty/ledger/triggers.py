"""The database's own guard: entries can be neither changed nor deleted, whoever asks.

Installed after every ``migrate``, since SQLite drops a table's triggers when a migration rebuilds it. :func:`lifted` is
the one way around, for a database that is being emptied.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from oscar_loyalty.ledger import shortcut
from oscar_loyalty.loading import get_model

NAMES = {"loyalty_entry_no_update": "UPDATE", "loyalty_entry_no_delete": "DELETE"}
MESSAGE = "entries of the ledger are never changed or deleted"


def _table() -> str:
    return str(get_model("loyalty_ledger", "Entry")._meta.db_table)


def install(using: str = DEFAULT_DB_ALIAS) -> None:
    """Put the triggers in place; installing them again changes nothing. Other databases have none."""
    connection = connections[using]
    table = connection.ops.quote_name(_table())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE OR REPLACE FUNCTION loyalty_entry_immutable() RETURNS trigger AS $$ "
                f"BEGIN RAISE EXCEPTION '{MESSAGE}'; END $$ LANGUAGE plpgsql"
            )
            for name, event in NAMES.items():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
                cursor.execute(
                    f"CREATE TRIGGER {name} BEFORE {event} ON {table} "
                    "FOR EACH ROW EXECUTE FUNCTION loyalty_entry_immutable()"
                )
        elif connection.vendor == "sqlite":
            for name, event in NAMES.items():
                cursor.execute(
                    f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {event} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
                )


def remove(using: str = DEFAULT_DB_ALIAS) -> None:
    """Take the triggers away."""
    connection = connections[using]
    table = connection.ops.quote_name(_table())
    on = f" ON {table}" if connection.vendor == "postgresql" else ""
    if connection.vendor in ("postgresql", "sqlite"):
        with connection.cursor() as cursor:
            for name in NAMES:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def missing(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Return the names of the triggers that ought to be there and are not."""
    connection = connections[using]
    if connection.vendor == "postgresql":
        query = "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgenabled <> 'D'"
        parameters = [_table()]
    elif connection.vendor == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s"
        parameters = [_table()]
    else:
        return []
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        there = {row[0] for row in cursor.fetchall()}
    return [name for name in NAMES if name not in there]


@contextmanager
def lifted(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Let entries be deleted within the block. Only for emptying a database: in tests, and for ``flush``."""
    remove(using)
    try:
        yield
    finally:
        install(using)


def after_migrate(sender: Any, using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Receiver of ``post_migrate``."""
    connection = connections[using]
    if _table() in connection.introspection.table_names():
        install(using)
        shortcut.install(using)
