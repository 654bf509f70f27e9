"""Rows under lock, as they are once the lock is there."""

from typing import TypeVar

from django.db.models import Model

M = TypeVar("M", bound=Model)


def as_locked(row: M) -> M:
    """Forget what was joined to ``row`` and is not its own any more, so that it is read anew; return the row.

    PostgreSQL answers whoever has waited for a lock with the row as it is now, but joined to what it was joined to
    before: where a key has changed meanwhile an outer join gives nothing
    (postgresql.org/docs/current/transaction-iso.html, "Read Committed Isolation Level"). An inner join would give no
    row at all: what may change must not be joined by one.
    """
    known = row._state.fields_cache
    for field in row._meta.concrete_fields:
        if field.is_relation and field.name in known:
            key = getattr(known[field.name], field.target_field.attname, None)
            if key != getattr(row, field.attname):
                del known[field.name]
    return row
