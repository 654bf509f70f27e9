"""Asking for many rows by their keys."""

import json
from typing import Any

from django.db.models import F
from django.db.models.lookups import In, Lookup

#: The rest of a condition in SQLite: an array as one parameter.
OF_JSON = " IN (SELECT value FROM json_each(%s))"


class Among(Lookup):
    """``rows.filter(Among(F("pk"), keys))``: as ``pk__in``, but the keys are one parameter, not a thousand.

    Preparing each by itself costs more than reading its row. For bulk reads; the keys are all numbers, or all text.
    """

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        sql, params = compiler.compile(In(self.lhs, list(self.rhs)))
        return sql, tuple(params)

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, params = self.process_lhs(compiler, connection)
        keys = list(self.rhs)
        if all(type(key) is int for key in keys):
            # Written out by ourselves: psycopg looks at each by itself.
            return f"{left} = ANY(CAST(%s AS bigint[]))", (*params, f"{{{','.join(map(str, keys))}}}")
        return f"{left} = ANY(%s)", (*params, keys)

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, params = self.process_lhs(compiler, connection)
        return left + OF_JSON, (*params, json.dumps(list(self.rhs)))


def among(field: str, keys: Any) -> Among:
    """Return the condition that ``field`` is one of ``keys``."""
    return Among(F(field), keys)
