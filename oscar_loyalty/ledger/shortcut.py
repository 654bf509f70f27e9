"""The usual writes in one call each: functions in PostgreSQL that do what the books do, where there is nothing special.

Private to :mod:`oscar_loyalty.ledger.books`. One statement instead of five to seven, and PostgreSQL keeps the plans of
what stands in a function, which Django's connection by default lets it do of nothing else. Each function locks the
account first, and sees after that what others have written, as the books do. Where the account owes, rests, was merged
or has something due, where the key is known, the lots do not reach (or not the first of them), or the hold is not open,
it writes nothing, and the books go their own way, with the account locked already. So they do in other databases, where
the functions are missing, and where a shop's models have other fields than ours.

A function's name holds a digest of its text: code and functions of different versions never meet. They are installed
with the triggers, after every ``migrate``.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from string import Template
from typing import Any, NamedTuple

from django.db import connections
from django.db.backends.utils import CursorWrapper

from oscar_loyalty.ledger import rows
from oscar_loyalty.loading import get_model

FIELDS = {
    "Account": "id unit owner_type owner_id sequence balance debt merged_into opened_at paused_at",
    "Entry": "id account sequence key digest kind units balance_after explanation source_type source_id actor_type"
    " actor_id effective_at recorded_at reverses",
    "Lot": "id account entry units remaining held usable_from expires_at life_left origin",
    "LotUse": "id entry lot units",
    "Hold": "id account key digest units until state source_type source_id created_at closed_at entry",
    "HoldUse": "id hold lot units",
}
#: What is passed of an entry, and of a hold, in the order of the arguments.
ENTRY = {
    "account": "bigint",
    "key": "text",
    "digest": "text",
    "kind": "text",
    "units": "bigint",
    "explanation": "jsonb",
    "source_type": "text",
    "source_id": "text",
    "actor_type": "text",
    "actor_id": "text",
    "effective_at": "timestamptz",
    "recorded_at": "timestamptz",
}
HOLD = {
    "account": "bigint",
    "key": "text",
    "digest": "text",
    "units": "bigint",
    "until": "timestamptz",
    "source_type": "text",
    "source_id": "text",
    "created_at": "timestamptz",
}
#: What comes back of the account, after what was written.
FIGURES = {
    "sequence": "bigint",
    "balance": "bigint",
    "unit": "text",
    "owner_type": "text",
    "owner_id": "text",
    "opened_at": "timestamptz",
}

#: All begin with this; ``at`` is the moment that the write is about.
OPEN = """
    SELECT * INTO mine FROM ${account} WHERE id = account_ FOR UPDATE;
    IF NOT FOUND OR mine.debt > 0 OR mine.merged_into_id IS NOT NULL OR mine.paused_at IS NOT NULL
        OR EXISTS (SELECT 1 FROM ${lot} WHERE account_id = account_ AND remaining > 0 AND expires_at <= ${at})
        OR EXISTS (SELECT 1 FROM ${hold} WHERE account_id = account_ AND state = 'open' AND until <= ${at})
    THEN RETURN; END IF;
    sequence_ := mine.sequence; balance_ := mine.balance;
    unit_ := mine.unit; owner_type_ := mine.owner_type; owner_id_ := mine.owner_id; opened_at_ := mine.opened_at;
"""
#: Chooses lots for what is ``wanted_``, first-expiring first. Who has many small ones goes the books' own way.
PICK = """
    FOR lot_, part_ IN
        SELECT id, remaining - held FROM ${lot} WHERE account_id = account_ AND remaining > 0 AND remaining > held
            AND usable_from <= ${at} AND (expires_at IS NULL OR expires_at > ${at})
        ORDER BY expires_at ASC NULLS LAST, usable_from ASC NULLS LAST, id LIMIT 20
    LOOP
        part_ := LEAST(part_, wanted_);
        wanted_ := wanted_ - part_;
        lots_ := lots_ || lot_;
        parts_ := parts_ || part_;
        EXIT WHEN wanted_ = 0;
    END LOOP;
    IF wanted_ > 0 THEN RETURN; END IF;
"""
CHOSEN = "unnest(lots_, parts_) WITH ORDINALITY chosen (lot_id, units, place)"
#: Writes the entry, whose ``sequence_`` and ``balance_`` are those before it, and moves the account by it.
POST = """
    sequence_ := sequence_ + 1;
    balance_ := balance_ + units_;
    INSERT INTO ${entry} (account_id, sequence, key, digest, kind, units, balance_after, explanation, source_type,
        source_id, actor_type, actor_id, effective_at, recorded_at)
    VALUES (account_, sequence_, key_, digest_, kind_, units_, balance_, explanation_, source_type_,
        source_id_, actor_type_, actor_id_, effective_at_, recorded_at_)
    ON CONFLICT (key) DO NOTHING RETURNING id INTO written_;
    IF written_ IS NULL THEN RETURN; END IF;
    UPDATE ${account} SET sequence = sequence_, balance = balance_ WHERE id = account_;
"""
EARN = """
DECLARE mine ${account}%ROWTYPE;
BEGIN ${open} ${post}
    INSERT INTO ${lot} (account_id, entry_id, units, remaining, held, usable_from, expires_at)
    VALUES (account_, written_, units_, units_, 0, usable_from_, expires_at_);
END
"""
SPEND = """
DECLARE mine ${account}%ROWTYPE; wanted_ bigint := -units_;
    lot_ bigint; part_ bigint; lots_ bigint[]; parts_ bigint[];
BEGIN ${open} ${pick} ${post}
    INSERT INTO ${lotuse} (entry_id, lot_id, units) SELECT written_, lot_id, units FROM ${chosen} ORDER BY place;
    UPDATE ${lot} SET remaining = remaining - chosen.units FROM ${chosen} WHERE id = chosen.lot_id;
END
"""
SET_ASIDE = """
DECLARE mine ${account}%ROWTYPE; wanted_ bigint := units_;
    lot_ bigint; part_ bigint; lots_ bigint[]; parts_ bigint[];
BEGIN ${open} ${pick}
    ends_ := until_;
    IF within_life_ THEN
        ends_ := LEAST(until_, (SELECT MIN(expires_at) FROM ${lot} WHERE id = ANY(lots_)));
    END IF;
    INSERT INTO ${hold} (account_id, key, digest, units, until, state, source_type, source_id, created_at)
    VALUES (account_, key_, digest_, units_, ends_, 'open', source_type_, source_id_, created_at_)
    ON CONFLICT (key) DO NOTHING RETURNING id INTO written_;
    IF written_ IS NULL THEN RETURN; END IF;
    INSERT INTO ${holduse} (hold_id, lot_id, units) SELECT written_, lot_id, units FROM ${chosen} ORDER BY place;
    UPDATE ${lot} SET held = held + chosen.units FROM ${chosen} WHERE id = chosen.lot_id;
END
"""
CAPTURE = """
DECLARE mine ${account}%ROWTYPE;
BEGIN ${open}
    PERFORM 1 FROM ${hold} WHERE id = hold_ AND account_id = account_ AND units = -units_ AND state = 'open';
    IF NOT FOUND THEN RETURN; END IF;
    ${post}
    INSERT INTO ${lotuse} (entry_id, lot_id, units)
        SELECT written_, lot_id, units FROM ${holduse} WHERE hold_id = hold_ ORDER BY id;
    UPDATE ${lot} lot SET remaining = lot.remaining - part.units, held = lot.held - part.units
        FROM (SELECT lot_id, SUM(units) units FROM ${holduse} WHERE hold_id = hold_ GROUP BY lot_id) part
        WHERE lot.id = part.lot_id;
    UPDATE ${hold} SET state = 'captured', closed_at = effective_at_, entry_id = written_ WHERE id = hold_;
END
"""
BLOCKS = {"open": OPEN, "pick": PICK, "post": POST, "chosen": CHOSEN}


class Function(NamedTuple):
    """What it is given and what it answers beside :data:`FIGURES`, by name and type; its body; the moment it is about.

    The first that it answers is the primary key of what was written: ``NULL`` where nothing was.
    """

    takes: dict[str, str]
    answers: dict[str, str]
    body: str
    at: str = "effective_at_"


FUNCTIONS = {
    "earn": Function({**ENTRY, "usable_from": "timestamptz", "expires_at": "timestamptz"}, {"written": "bigint"}, EARN),
    "spend": Function(ENTRY, {"written": "bigint"}, SPEND),
    "hold": Function(
        {**HOLD, "within_life": "boolean"}, {"written": "bigint", "ends": "timestamptz"}, SET_ASIDE, at="created_at_"
    ),
    "capture": Function({**ENTRY, "hold": "bigint"}, {"written": "bigint"}, CAPTURE),
}


def _model(name: str) -> Any:
    return get_model("loyalty_ledger", name)


@cache
def _ours() -> bool:
    """Return whether the models have the fields that the functions know of, and no others."""
    for name, expected in FIELDS.items():
        fields = _model(name)._meta.concrete_fields
        if [field.name for field in fields] != expected.split() or rows.own_sql(_model(name)):
            return False
        if any(field.column != field.attname for field in fields):
            return False
    return True


@cache
def text(what: str) -> tuple[str, str] | None:
    """Return a function's name and its text; None where the models have other fields than it knows of."""
    if not _ours():
        return None
    function = FUNCTIONS[what]
    tables = {name: str(_model(name)._meta.db_table).replace('"', '""') for name in FIELDS}
    names = {"at": function.at, **{name.lower(): f'"{table}"' for name, table in tables.items()}}
    body = Template(Template(function.body).safe_substitute(BLOCKS)).substitute(names)
    taken = [f"{name}_ {kind}" for name, kind in function.takes.items()]
    given = [f"OUT {name}_ {kind}" for name, kind in {**function.answers, **FIGURES}.items()]
    arguments = ", ".join([*taken, *given])
    name = f"loyalty_{what}_{hashlib.sha256((arguments + body).encode()).hexdigest()[:12]}"
    return name, f"CREATE OR REPLACE FUNCTION {name}({arguments}) AS $body${body}$body$ LANGUAGE plpgsql"


def install(using: str) -> None:
    """Put the functions in place, where the database is PostgreSQL."""
    connection = connections[using]
    if connection.vendor == "postgresql" and _ours():
        with connection.cursor() as cursor:
            for made in map(text, FUNCTIONS):
                if made is not None:
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
def call(what: str) -> str:
    """Return the statement that calls a function; its parameters are those that the function takes."""
    name, _text = text(what) or ("", "")
    marks = rows.marks(len(FUNCTIONS[what].takes))
    return f"SELECT * FROM {name}({marks})"  # noqa: S608  # nosec B608


def _write(what: str, row: Any, passed: Iterable[str], more: Sequence[Any] = ()) -> tuple[Any, ...] | None:
    """Let the function write ``row``, which is new, with its account's figures as they are then.

    Return what it answers beside them, after the primary key; None if nothing has been written.
    """
    connection, made, function = rows.database(type(row)), text(what), FUNCTIONS[what]
    if connection.vendor != "postgresql" or made is None or not _there(connection.alias, made[0]):
        return None
    values = rows.prepared([type(row)._meta.get_field(name) for name in passed], row, connection, new=True)
    with connection.cursor() as cursor:
        [found] = rows.execute(cursor, call(what), [*values, *more])
    if found[0] is None:
        return None
    answered = len(function.answers)
    figures = dict(zip(FIGURES, found[answered:], strict=True))
    account = _model("Account")(id=row.account_id, debt=0, **figures)
    row.pk, row.account = found[0], account
    for new in (row, account):
        new._state.adding, new._state.db = False, connection.alias
    return tuple(found[1:answered])


def _post(what: str, entry: Any, *more: Any) -> bool:
    if _write(what, entry, ENTRY, more) is None:
        return False
    entry.sequence, entry.balance_after = entry.account.sequence, entry.account.balance
    return True


def earn(entry: Any, usable_from: datetime | None, expires_at: datetime | None) -> bool:
    """Write ``entry``, which is new, with its lot and the figures of its account, and give it what it lacks.

    Return whether this could be done; if not, nothing has been written. So do the others.
    """
    return _post("earn", entry, usable_from, expires_at)


def spend(entry: Any) -> bool:
    """Write ``entry``, which takes units (it has less than none), with what it takes of which lot."""
    return _post("spend", entry)


def hold(row: Any, *, within_life: bool) -> bool:
    """Write a hold, which is new, with what it sets aside of which lot; it may end earlier than it was to."""
    answer = _write("hold", row, HOLD, [within_life])
    if answer is None:
        return False
    [row.until] = answer
    return True


def capture(entry: Any, hold: int) -> bool:
    """Write ``entry``, which takes what this hold has set aside, and close the hold."""
    return _post("capture", entry, hold)
