"""The usual earning in one call: a function in PostgreSQL that does what the books do, where there is nothing special.

Private to :mod:`oscar_loyalty.ledger.books`. One statement instead of five, and PostgreSQL keeps the plans of what
stands in a function, which Django's connection by default lets it do of nothing else. The function locks the account
first, and sees after that what others have written, as the books do. Where the account owes, rests, was merged or has
something due, or the key is known, it writes nothing, and the books go their own way, with the account locked already.
So they do in other databases, where the function is missing, and where a shop's models have other fields than ours.

Its name holds a digest of its text: code and function of different versions never meet. It is installed with the
triggers, after every ``migrate``.
"""

import hashlib
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connections
from django.db.backends.utils import CursorWrapper

from oscar_loyalty.ledger import rows
from oscar_loyalty.loading import get_model

FIELDS = {
    "Account": "id unit owner_type owner_id sequence balance debt merged_into opened_at paused_at",
    "Entry": "id account sequence key digest kind units balance_after explanation source_type source_id actor_type"
    " actor_id effective_at recorded_at reverses",
    "Lot": "id account entry units remaining held usable_from expires_at life_left origin",
}
ARGUMENTS = (
    "account_ bigint, key_ text, digest_ text, kind_ text, units_ bigint, explanation_ jsonb, source_type_ text,"
    " source_id_ text, actor_type_ text, actor_id_ text, effective_at_ timestamptz, recorded_at_ timestamptz,"
    " usable_from_ timestamptz, expires_at_ timestamptz, OUT entry_ bigint, OUT sequence_ bigint, OUT balance_ bigint,"
    " OUT unit_ text, OUT owner_type_ text, OUT owner_id_ text, OUT opened_at_ timestamptz"
)
#: What is passed of an entry, in the order of the arguments. The moments of the lot follow.
PASSED = [
    "account",
    "key",
    "digest",
    "kind",
    "units",
    "explanation",
    "source_type",
    "source_id",
    "actor_type",
    "actor_id",
    "effective_at",
    "recorded_at",
]
BODY = """
DECLARE mine ${account}%ROWTYPE;
BEGIN
    SELECT * INTO mine FROM ${account} WHERE id = account_ FOR UPDATE;
    IF NOT FOUND OR mine.debt > 0 OR mine.merged_into_id IS NOT NULL OR mine.paused_at IS NOT NULL
        OR EXISTS (SELECT 1 FROM ${lot} WHERE account_id = account_ AND remaining > 0 AND expires_at <= effective_at_)
        OR EXISTS (SELECT 1 FROM ${hold} WHERE account_id = account_ AND state = 'open' AND until <= effective_at_)
    THEN RETURN; END IF;
    sequence_ := mine.sequence + 1;
    balance_ := mine.balance + units_;
    INSERT INTO ${entry} (account_id, sequence, key, digest, kind, units, balance_after, explanation, source_type,
        source_id, actor_type, actor_id, effective_at, recorded_at)
    VALUES (account_, sequence_, key_, digest_, kind_, units_, balance_, explanation_, source_type_,
        source_id_, actor_type_, actor_id_, effective_at_, recorded_at_)
    ON CONFLICT (key) DO NOTHING RETURNING id INTO entry_;
    IF entry_ IS NULL THEN RETURN; END IF;
    INSERT INTO ${lot} (account_id, entry_id, units, remaining, held, usable_from, expires_at)
    VALUES (account_, entry_, units_, units_, 0, usable_from_, expires_at_);
    UPDATE ${account} SET sequence = sequence_, balance = balance_ WHERE id = account_;
    unit_ := mine.unit; owner_type_ := mine.owner_type; owner_id_ := mine.owner_id; opened_at_ := mine.opened_at;
END
"""


def _model(name: str) -> Any:
    return get_model("loyalty_ledger", name)


@cache
def text() -> tuple[str, str] | None:
    """Return the function's name and its text; None where the models have other fields than it knows of."""
    for name, expected in FIELDS.items():
        fields = _model(name)._meta.concrete_fields
        if [field.name for field in fields] != expected.split() or rows.own_sql(_model(name)):
            return None
        if any(field.column != field.attname for field in fields):
            return None
    body = BODY
    for name in ("Account", "Entry", "Lot", "Hold"):
        table = _model(name)._meta.db_table
        body = body.replace(f"${{{name.lower()}}}", '"{}"'.format(table.replace('"', '""')))
    name = f"loyalty_earn_{hashlib.sha256((ARGUMENTS + body).encode()).hexdigest()[:12]}"
    return name, f"CREATE OR REPLACE FUNCTION {name}({ARGUMENTS}) AS $body${body}$body$ LANGUAGE plpgsql"


def install(using: str) -> None:
    """Put the function in place, where the database is PostgreSQL."""
    connection, made = connections[using], text()
    if connection.vendor == "postgresql" and made is not None:
        with connection.cursor() as cursor:
            cursor.execute(made[1])
        _there.cache_clear()


@cache
def _there(alias: str, name: str) -> bool:
    """Return whether the function is in the database: asked once in a process, and of no account."""
    connection = connections[alias]
    with CursorWrapper(connection.create_cursor(), connection) as cursor:
        cursor.execute("SELECT 1 FROM pg_proc WHERE proname = %s AND pg_function_is_visible(oid)", [name])
        return cursor.fetchone() is not None


@cache
def call() -> str:
    """Return the statement that calls the function; its parameters are those of :data:`ARGUMENTS`."""
    name, _text = text() or ("", "")
    marks = rows.marks(len(PASSED) + 2)
    return f"SELECT * FROM {name}({marks})"  # noqa: S608  # nosec B608


def earn(account: int, entry: Any, usable_from: datetime | None, expires_at: datetime | None) -> bool:
    """Write ``entry``, which is new, with its lot and the figures of its account, and give it what it lacks.

    Return whether this could be done; if not, nothing has been written.
    """
    connection, made = rows.database(type(entry)), text()
    if connection.vendor != "postgresql" or made is None or not _there(connection.alias, made[0]):
        return False
    meta = type(entry)._meta
    entry.account_id = account
    values = rows.prepared([meta.get_field(name) for name in PASSED], entry, connection, new=True)
    with connection.cursor() as cursor:
        [found] = rows.execute(cursor, call(), [*values, usable_from, expires_at])
    pk, sequence, balance, *others = found
    if pk is None:
        return False
    entry.pk, entry.sequence, entry.balance_after = pk, sequence, balance
    entry._state.adding, entry._state.db = False, connection.alias
    names = ("unit", "owner_type", "owner_id", "opened_at")
    figures = {
        "id": account,
        "sequence": sequence,
        "balance": balance,
        "debt": 0,
        **dict(zip(names, others, strict=True)),
    }
    entry.account = _model("Account")(**figures)
    entry.account._state.adding, entry.account._state.db = False, connection.alias
    return True
