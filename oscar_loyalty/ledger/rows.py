"""Rows of the ledger in few and plain statements, each one's text made once for a table.

For what is read and written with every award and payment, where Django would build each statement anew. Tables,
columns, defaults and converters are the models' own, so a shop's fork may add fields. Texts are templates
(``$remaining``: the column of that field), never made of anything that somebody has typed.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from string import Template
from typing import Any

from django.db import connections, router
from django.db.models import NOT_PROVIDED, BigIntegerField, CharField, ForeignKey, PositiveBigIntegerField, TextField

#: Rows, or primary keys, that one statement carries, and up to how many its text is kept.
MOST, KEPT = 500, 20


#: Of these fields, and none derived from them, a whole number, a text and nothing go to the database as they are.
PLAIN_FIELDS = {BigIntegerField, CharField, ForeignKey, PositiveBigIntegerField, TextField}
PLAIN = {int, str, type(None)}


def database(model: Any) -> Any:
    """Return the connection that the rows of ``model`` are written by."""
    return connections[router.db_for_write(model)]


def reading(model: Any) -> Any:
    """Return the connection that the rows of ``model`` are read by where nothing is written of them."""
    return connections[router.db_for_read(model)]


def slices(values: Sequence[Any], columns: int = 1, connection: Any = None) -> Iterator[Sequence[Any]]:
    """Cut values into parts that a statement can carry, with so many parameters for each."""
    most = connection.features.max_query_params if connection is not None else None
    size = min(MOST, max(1, most // columns)) if most else MOST
    for start in range(0, len(values), size):
        yield values[start : start + size]


def marks(number: int) -> str:
    return ", ".join(["%s"] * number)


def execute(cursor: Any, text: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Execute a statement that answers with rows, and return them."""
    cursor.execute(text, params)
    return list(cursor.fetchall())


@cache
def names(model: Any, vendor: str, alias: str = "") -> dict[str, str]:
    """Return the quoted columns of a table by its fields' names, and the table itself as ``<model>_``.

    With ``alias`` they are the columns of what the statement calls so.
    """
    quote, table = database(model).ops.quote_name, alias or model._meta.db_table
    found = {field.name: f"{quote(table)}.{quote(field.column)}" for field in model._meta.concrete_fields}
    return {**found, "id": found[model._meta.pk.name], f"{model._meta.model_name}_": quote(table)}


@lru_cache(maxsize=1000)
def fill(text: str, model: Any, vendor: str) -> str:
    return Template(text).substitute(names(model, vendor))


# Reading


@cache
def _read(model: Any, vendor: str, alias: str = "") -> tuple[str, list[str], list[tuple[int, list[Any], Any]]]:
    """Return the columns to select, the attributes they become, and what converts which of them on the way."""
    connection = database(model)
    known = names(model, vendor, alias)
    fields = list(model._meta.concrete_fields)
    converters = []
    for number, field in enumerate(fields):
        column = field.get_col(model._meta.db_table)
        found = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
        if found:
            converters.append((number, found, column))
    return ", ".join(known[field.name] for field in fields), [field.attname for field in fields], converters


def columns(model: Any, vendor: str, alias: str = "") -> str:
    """Return what has to be selected for :func:`made`."""
    return _read(model, vendor, alias)[0]


def made(model: Any, connection: Any, row: Sequence[Any], start: int) -> tuple[Any, int]:
    """Return the object whose cells stand in ``row`` from ``start`` on (``None``, where an outer join found none), and
    where they end."""
    _columns, attributes, converters = _read(model, connection.vendor)
    end = start + len(attributes)
    values = list(row[start:end])
    for number, functions, column in converters:
        for function in functions:
            values[number] = function(values[number], column, connection)
    found = model.from_db(connection.alias, attributes, values)
    return (found if found.pk is not None else None), end


@cache
def position_of_key(model: Any, vendor: str) -> int:
    """Return which of the :func:`columns` is the primary key."""
    return _read(model, vendor)[1].index(model._meta.pk.attname)


def load(cursor: Any, models: Sequence[Any], text: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Return objects of these models, side by side, for each row of ``FROM …`` (which is ``text``)."""
    connection = cursor.db
    selected = ", ".join(columns(model, connection.vendor) for model in models)
    result = []
    for row in execute(cursor, f"SELECT {selected} {text}", params):
        objects, start = [], 0
        for model in models:
            found, start = made(model, connection, row, start)
            objects.append(found)
        result.append(tuple(objects))
    return result


# Writing


def prepared(fields: Sequence[Any], row: Any, connection: Any, *, new: bool) -> list[Any]:
    """Return the values of these fields of a row, as parameters."""
    values = []
    for field in fields:
        plain = type(field) in PLAIN_FIELDS
        value = field.pre_save(row, True) if new and not plain else getattr(row, field.attname)
        if not plain or type(value) not in PLAIN:
            value = field.get_db_prep_save(value, connection=connection)
        values.append(value)
    return values


@cache
def insertable(model: Any) -> list[Any] | None:
    """Return the fields that an INSERT names: not what the database makes itself. None: this one is for Django."""
    fields = [
        field
        for field in model._meta.concrete_fields
        if not (field.primary_key and field.remote_field is None)
        and field.db_default is NOT_PROVIDED
        and not getattr(field, "generated", False)
    ]
    return None if own_sql(model) else fields


def own_sql(model: Any) -> bool:
    """Return whether values of this model are written by SQL of its own, or in several tables."""
    return bool(model._meta.parents) or any(hasattr(field, "get_placeholder") for field in model._meta.concrete_fields)


@lru_cache(maxsize=1000)
def _insert(model: Any, vendor: str, values: str, keys: bool) -> str:
    quote, fields = database(model).ops.quote_name, insertable(model) or []
    columns = ", ".join(quote(field.column) for field in fields)
    back = f" RETURNING {quote(model._meta.pk.column)}" if keys else ""
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES {values}{back}"  # noqa: S608  # nosec B608


def insert(cursor: Any, model: Any, objects: Sequence[Any], *, keys: bool = True) -> None:
    """Write new rows, and give the objects their primary keys unless nobody needs those."""
    if not objects:
        return
    connection, fields = cursor.db, insertable(model)
    if fields is None:
        model._base_manager.bulk_create(objects, batch_size=MOST)
        return
    for part in slices(objects, len(fields), connection):
        marks_of, params = [], []
        for row in part:
            values = prepared(fields, row, connection, new=True)
            # What is empty, as much of it is, stands in the text: passing a parameter costs more.
            cells = ["NULL" if value is None else "''" if value == "" else "%s" for value in values]
            params += [value for value, cell in zip(values, cells, strict=True) if cell == "%s"]
            marks_of.append(f"({', '.join(cells)})")
        text = _insert if len(part) <= KEPT else _insert.__wrapped__
        cursor.execute(text(model, connection.vendor, ", ".join(marks_of), keys), params)
        if not keys:
            continue
        for row, (key,) in zip(part, cursor.fetchall(), strict=True):
            row.pk = key
            row._state.adding, row._state.db = False, connection.alias


@lru_cache(maxsize=1000)
def _update(model: Any, vendor: str, number: int, written: tuple[str, ...]) -> str:
    connection = database(model)
    quote, table, key = connection.ops.quote_name, model._meta.db_table, model._meta.pk
    fields = [model._meta.get_field(name) for name in written]
    if number == 1:
        cells = ", ".join(f"{quote(field.column)} = %s" for field in fields)
        return f"UPDATE {quote(table)} SET {cells} WHERE {quote(key.column)} = %s"  # noqa: S608  # nosec B608
    # PostgreSQL must be told what a NULL is; SQLite must not be told what a moment is.
    all_fields = [*fields, key]
    cast = vendor == "postgresql"
    row = ", ".join(f"CAST(%s AS {field.cast_db_type(connection)})" if cast else "%s" for field in all_fields)
    cells = ", ".join(f"{quote(field.column)} = new.column{n}" for n, field in enumerate(fields, 1))
    values = ", ".join([f"({row})"] * number)
    found = f"{quote(table)}.{quote(key.column)} = new.column{len(all_fields)}"
    source = f"(VALUES {values}) AS new"
    return f"UPDATE {quote(table)} SET {cells} FROM {source} WHERE {found}"  # noqa: S608  # nosec B608


def update(cursor: Any, model: Any, objects: Iterable[Any], *written: str) -> None:
    """Write these fields of rows that exist, and that their account's lock keeps for us."""
    objects = list(objects)
    if not objects:
        return
    connection = cursor.db
    fields = [model._meta.get_field(name) for name in written]
    for part in slices(objects, len(fields) + 1, connection):
        values = [value for row in part for value in (*prepared(fields, row, connection, new=False), row.pk)]
        text = _update if len(part) <= KEPT else _update.__wrapped__
        cursor.execute(text(model, connection.vendor, len(part), written), values)
