"""SQL of our own, for rows by the hundred thousand that are written from other rows and never pass through Python.

It runs on PostgreSQL and SQLite. Texts are templates (``$member``), filled with quoted names of tables and with other
such texts, never with anything that somebody has typed; values go as parameters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from string import Template
from typing import Any

from django.db import connections, router
from django.db.models import NOT_PROVIDED
from django.utils.dateparse import parse_datetime


@dataclass(frozen=True)
class Value:
    """A value in the place of a column's SQL."""

    value: Any


class Database:
    """The connection that the rows of ``model`` are written (or read) by, and what its dialect calls things."""

    def __init__(self, model: Any, *, reading: bool = False) -> None:
        self.using = router.db_for_read(model) if reading else router.db_for_write(model)
        self.connection = connections[self.using]
        self.is_postgresql = self.connection.vendor == "postgresql"
        self.names = {
            "moment": "timestamp with time zone" if self.is_postgresql else "datetime",
            "json": "jsonb_build_object" if self.is_postgresql else "json_object",
            "same": "IS NOT DISTINCT FROM" if self.is_postgresql else "IS",
        }

    def table(self, model: Any) -> str:
        return str(self.connection.ops.quote_name(model._meta.db_table))

    def run(self, text: str, params: Sequence[Any] = (), **names: Any) -> int:
        """Execute a statement; return how many rows it wrote."""
        with self.connection.cursor() as cursor:
            cursor.execute(self._fill(text, names), list(params))
            return int(cursor.rowcount)

    def rows(self, text: str, params: Sequence[Any] = (), **names: Any) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(self._fill(text, names), list(params))
            return list(cursor.fetchall())

    def _fill(self, text: str, names: Mapping[str, Any]) -> str:
        known = {**self.names, **names}
        # What was put in may name tables too.
        return Template(Template(text).substitute(known)).substitute(known)

    def compiled(self, queryset: Any) -> tuple[str, list[Any]]:
        """Return the SQL of a queryset with its parameters, to be a part of another statement."""
        text, params = queryset.query.get_compiler(using=self.using).as_sql()
        return text.replace("$", "$$"), list(params)

    def moment(self, value: datetime | None) -> Any:
        """Return a moment as a parameter."""
        return self.connection.ops.adapt_datetimefield_value(value)

    def as_moment(self, value: Any) -> datetime | None:
        """Return what :meth:`rows` has found in a column of moments."""
        found = parse_datetime(value) if isinstance(value, str) else value
        return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found

    def make_table(self, name: str, columns: str) -> None:
        """Make a table that only this connection sees, empty, for the transaction that is under way."""
        self.run("DROP TABLE IF EXISTS $name", name=name)
        after = "ON COMMIT DROP" if self.is_postgresql else ""
        self.run("CREATE TEMPORARY TABLE $name ($columns) $after", name=name, columns=columns, after=after)

    def fill(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows, some hundred, into such a table."""
        self._load(name, [], rows)

    def analyse(self, name: str) -> None:
        """Tell PostgreSQL what it cannot know of a table that was just filled."""
        if self.is_postgresql:
            self.run("ANALYZE $name", name=name)

    def insert(
        self, model: Any, columns: Mapping[str, str | Value], source: str, params: Sequence[Any] = (), **names: Any
    ) -> int:
        """Insert a row of ``model`` for each row of ``source`` (what follows the ``SELECT …``, with its ``params``).

        ``columns`` are SQL or values, by the columns' names; what is not named gets the default of its field, also
        fields that a shop has added. Return how many were written.
        """
        given: dict[str, str | Value] = dict(columns)
        given |= {column: Value(value) for column, value in self._defaults(model, given).items()}
        quoted = ", ".join(self.connection.ops.quote_name(column) for column in given)
        cells = ", ".join("%s" if isinstance(cell, Value) else cell for cell in given.values())
        values = [cell.value for cell in given.values() if isinstance(cell, Value)]
        known = {"into": self.table(model), "quoted": quoted, "cells": cells, "source": source}
        return self.run("INSERT INTO $into ($quoted) SELECT $cells $source", [*values, *params], **names, **known)

    def keys(self, model: Any, number: int) -> list[int]:
        """Return primary keys that nobody else gets, for rows that :meth:`load` will write in this transaction."""
        if not number:
            return []
        table, column = model._meta.db_table, model._meta.pk.column
        if self.is_postgresql:
            # As an INSERT does: whoever counts rows by their keys sees by this lock that some are still to come.
            self.run("LOCK TABLE $table IN ROW EXCLUSIVE MODE", table=self.table(model))
            # Asked once for the name, not for every key.
            sequence = "SELECT CAST(pg_get_serial_sequence(%s, %s) AS regclass) AS name OFFSET 0"
            found = f"SELECT nextval(mine.name) FROM ({sequence}) mine, generate_series(1, %s)"  # noqa: S608  # nosec B608
            return [key for (key,) in self.rows(found, [self.connection.ops.quote_name(table), column, number])]
        # SQLite has one writer at a time.
        found = self.rows("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = int(found[0][0]) if found else 0
        return list(range(last + 1, last + number + 1))

    def load(self, model: Any, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write rows with these columns as fast as the database takes them; what is not named gets its default.

        Moments must have gone through :meth:`moment`, and JSON be text. PostgreSQL takes in rows while the next ones
        are still being made, where ``rows`` is a generator.
        """
        more = {column: value for column, value in self._defaults(model, columns).items() if value is not None}
        rest = tuple(more.values())
        self._load(self.table(model), [*columns, *more], ((*row, *rest) for row in rows) if rest else rows)

    def _load(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        coming = iter(rows)
        first = next(coming, None)
        if first is None:
            return
        rows = chain([first], coming)
        names = ", ".join(self.connection.ops.quote_name(column) for column in columns)
        into = f"{table} ({names})" if columns else table
        with self.connection.cursor() as cursor:
            if self.is_postgresql:
                with cursor.copy(f"COPY {into} FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                return
            marks = ", ".join(["%s"] * len(first))
            cursor.executemany(f"INSERT INTO {into} VALUES ({marks})", rows)  # noqa: S608  # nosec B608

    def _defaults(self, model: Any, given: Iterable[str]) -> dict[str, Any]:
        """Return, by column, what a new row has where nothing is given, in fields that a shop has added, too."""
        known, found = set(given), {}
        for field in model._meta.concrete_fields:
            if field.column not in known and not (field.primary_key and field.remote_field is None):
                if field.default is NOT_PROVIDED and field.null:
                    continue
                found[field.column] = field.get_db_prep_save(field.get_default(), self.connection)
        return found
