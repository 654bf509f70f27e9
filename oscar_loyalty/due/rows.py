"""Due rows written by one plain statement, whose text is made once for a table.

A row is left with every order, message and award: looking whether it is there, and a savepoint around writing it, would
be four statements. Columns, defaults and converters are the model's own, so a shop's fork may add fields.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connections, router

#: What waking a row up that was there before writes anew: all but what it is known by.
WOKEN = ("payload", "state", "due_at", "leased_until", "tries", "last_error", "done_at")
#: Rows that one statement carries.
MOST = 50


def write(rows: Sequence[Any], *, wake: bool) -> dict[tuple[str, str], int]:
    """Insert due rows, no two with the same kind and key; return the primary keys of those written, by kind and key.

    One that is there already is woken up, with what the new one says, or (``wake=False``) stays as it is and is not
    among the answer.
    """
    found: dict[tuple[str, str], int] = {}
    if not rows:
        return found
    model: Any = type(rows[0])
    connection = connections[router.db_for_write(model)]
    insert, mark, conflict = _texts(model, connection.vendor)
    fields = _fields(model)
    for start in range(0, len(rows), MOST):
        some = rows[start : start + MOST]
        values = [field.get_db_prep_save(field.pre_save(row, True), connection) for row in some for field in fields]
        with connection.cursor() as cursor:
            cursor.execute(f"{insert} {', '.join([mark] * len(some))} {conflict[wake]}", values)
            found |= {(kind, key): pk for pk, kind, key in cursor.fetchall()}
    return found


def _fields(model: Any) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not field.primary_key]


def _insert(model: Any) -> tuple[str, str, dict[str, str]]:
    """Return how a statement begins that writes rows, the marks of a row, and the columns by their fields."""
    quote = connections[router.db_for_write(model)].ops.quote_name
    column = {field.name: quote(field.column) for field in _fields(model)}
    into = ", ".join(column.values())
    marks = ", ".join(["%s"] * len(column))
    return f"INSERT INTO {quote(model._meta.db_table)} ({into}) VALUES", f"({marks})", column


@cache
def _texts(model: Any, vendor: str) -> tuple[str, str, dict[bool, str]]:
    quote = connections[router.db_for_write(model)].ops.quote_name
    insert, mark, column = _insert(model)
    answer = f"RETURNING {quote(model._meta.pk.column)}, {column['kind']}, {column['key']}"
    news = ", ".join(f"{column[name]} = EXCLUDED.{column[name]}" for name in WOKEN)
    on = f"ON CONFLICT ({column['kind']}, {column['key']}) DO"
    return insert, mark, {True: f"{on} UPDATE SET {news} {answer}", False: f"{on} NOTHING {answer}"}  # nosec B608


def beat(heartbeat: Any) -> None:
    """Write when a sweep last came by, over what its name had before."""
    model: Any = type(heartbeat)
    connection = connections[router.db_for_write(model)]
    values = [field.get_db_prep_save(field.pre_save(heartbeat, True), connection) for field in _fields(model)]
    insert, mark, conflict = _beat(model, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(f"{insert} {mark} {conflict}", values)


@cache
def _beat(model: Any, vendor: str) -> tuple[str, str, str]:
    insert, mark, columns = _insert(model)
    news = ", ".join(f"{each} = EXCLUDED.{each}" for name, each in columns.items() if name != "name")
    return insert, mark, f"ON CONFLICT ({columns['name']}) DO UPDATE SET {news}"  # nosec B608
