"""The ledger's writes beside the plain SQL that does the least for the same promises.

The floor works on the ledger's own tables, so it pays for the same constraints, indexes and triggers; and at the end
the audit must find the books in order that both have written. It locks the account, looks after that whether the key is
known and whether anything has fallen due, writes what must be written, one statement for each table, and commits. It
knows the columns by heart, has no explanation, reference or note, and is lost where there is debt, a merged account or
one that rests. psycopg prepares its statements.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from benchmarks.side_by_side import Path

HOUR, YEAR = timedelta(hours=1), timedelta(days=365)
LOCK = "SELECT sequence, balance, debt, merged_into_id, paused_at FROM loyalty_ledger_account WHERE id = %s FOR UPDATE"
LOOK = (
    "SELECT 1 FROM loyalty_ledger_entry WHERE key = %s"
    " UNION ALL SELECT 1 FROM loyalty_ledger_lot WHERE account_id = %s AND remaining > 0 AND expires_at <= %s"
    " UNION ALL SELECT 1 FROM loyalty_ledger_hold WHERE account_id = %s AND state = 'open' AND until <= %s"
)
LOOK_HOLD = LOOK.replace("loyalty_ledger_entry", "loyalty_ledger_hold")
ENTRY = (
    "INSERT INTO loyalty_ledger_entry (account_id, sequence, key, digest, kind, units, balance_after, explanation,"
    " source_type, source_id, actor_type, actor_id, effective_at, recorded_at)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, '{}', '', '', '', '', %s, %s) RETURNING id"
)
USE = "INSERT INTO loyalty_ledger_lotuse (entry_id, lot_id, units) VALUES "
MOVE = "UPDATE loyalty_ledger_account SET sequence = %s, balance = %s WHERE id = %s"
PICK = (
    "SELECT id, remaining, held FROM loyalty_ledger_lot WHERE account_id = %s AND remaining > 0 AND remaining > held"
    " AND usable_from <= %s AND (expires_at IS NULL OR expires_at > %s)"
    " ORDER BY expires_at ASC NULLS LAST, usable_from ASC NULLS LAST, id LIMIT 5"
)
TAKE = "UPDATE loyalty_ledger_lot SET remaining = v.remaining, held = v.held FROM (VALUES {}) v (id, remaining, held)"
TAKE += " WHERE loyalty_ledger_lot.id = v.id"
HOLD = (
    "INSERT INTO loyalty_ledger_hold (account_id, key, digest, units, until, state, source_type, source_id, created_at)"
    " VALUES (%s, %s, %s, %s, %s, 'open', '', '', %s) RETURNING id"
)
HOLD_USE = "INSERT INTO loyalty_ledger_holduse (hold_id, lot_id, units) VALUES (%s, %s, %s)"
HELD = (
    "SELECT hold.digest, hold.state, hold.until, hold.units, lot.id, lot.remaining, lot.held, part.units"
    " FROM loyalty_ledger_hold hold JOIN loyalty_ledger_holduse part ON part.hold_id = hold.id"
    " JOIN loyalty_ledger_lot lot ON lot.id = part.lot_id WHERE hold.id = %s"
)
CLOSE = "UPDATE loyalty_ledger_hold SET state = 'captured', closed_at = %s, entry_id = %s WHERE id = %s"

BALANCE = (
    "SELECT balance, debt, sums.*, held.units FROM loyalty_ledger_account,"
    " (SELECT SUM(remaining - held) FILTER (WHERE usable_from <= %s) usable,"
    " SUM(remaining - held) FILTER (WHERE usable_from IS NULL OR usable_from > %s) pending, MIN(expires_at) ends,"
    " MIN(usable_from) FILTER (WHERE usable_from > %s) starts FROM loyalty_ledger_lot WHERE account_id = %s"
    " AND remaining > 0 AND (expires_at IS NULL OR expires_at > %s)) sums,"
    " (SELECT SUM(units) units FROM loyalty_ledger_hold WHERE account_id = %s AND state = 'open') held WHERE id = %s"
)


def now():
    return datetime.now(UTC)


class Floor:
    """One transaction of plain SQL on one account."""

    def __init__(self, connection, account, key, operation, units, *, look=LOOK):
        self.connection, self.account, self.key = connection, account, key
        self.cursor, self.at = connection.cursor(), now()
        self.digest = hashlib.sha256(f"{operation}:{account}:{units}".encode()).hexdigest()
        self.sequence, self.balance, debt, merged, paused = self.one(LOCK, account)
        assert not debt and merged is None and paused is None  # noqa: S101
        found = self.cursor.execute(look, (key, account, self.at, account, self.at)).fetchall()
        assert not found  # noqa: S101

    def one(self, statement, *values):
        return self.cursor.execute(statement, values).fetchone()

    def entry(self, kind, units):
        at, sequence, balance = self.at, self.sequence + 1, self.balance + units
        values = (self.account, sequence, self.key, self.digest, kind, units, balance, at, at)
        (made,) = self.one(ENTRY, *values)
        self.cursor.execute(MOVE, (sequence, balance, self.account))
        return made

    def pick(self, units):
        chosen = []
        for lot, remaining, held in self.cursor.execute(PICK, (self.account, self.at, self.at)).fetchall():
            part = min(remaining - held, units)
            chosen.append((lot, remaining, held, part))
            units -= part
            if not units:
                return chosen
        raise AssertionError("There are not enough.")

    def use(self, entry, parts):
        marks = ", ".join(["(%s, %s, %s)"] * len(parts))
        self.cursor.execute(USE + marks, [value for lot, part in parts for value in (entry, lot, part)])

    def rewrite(self, lots):
        marks = ", ".join(["(%s, %s, %s)"] * len(lots))
        self.cursor.execute(TAKE.format(marks), [value for lot in lots for value in lot])

    def end(self):
        self.connection.commit()


class Writing(Path):
    """What needs so many lots of ten for each call."""

    lots = 0
    serial = count()

    def prepare(self, accounts):
        from oscar_loyalty.ledger import books

        at, made = now(), []
        for account in accounts:
            for _lot in range(self.lots):
                ends = at + YEAR + timedelta(microseconds=next(self.serial))
                key = f"stock:{at.timestamp()}:{account}:{len(made)}"
                made.append(books.Earning(account=account, units=10, key=key, usable_from=at - HOUR, expires_at=ends))
        books.earn_many(made)


class Earn(Writing):
    name = "earn one award"

    def ours(self, account, key):
        from oscar_loyalty.ledger import books

        at = now()
        books.earn(account=account, units=10, key=key, usable_from=at, expires_at=at + YEAR)

    def floor(self, connection, account, key):
        # By the function that we use too: nothing that we have found does it in less.
        from oscar_loyalty.ledger import shortcut

        at = now()
        digest = hashlib.sha256(f"earn:{account}:10".encode()).hexdigest()
        values = (account, key, digest, "earn", 10, "{}", "", "", "", "", at, at, at, at + YEAR)
        (made, *_figures) = connection.cursor().execute(shortcut.call(), values).fetchone()
        assert made  # noqa: S101
        connection.commit()


class Spend(Writing):
    name = "spend over three lots"
    lots = 3

    def ours(self, account, key):
        from oscar_loyalty.ledger import books

        books.spend(account=account, units=30, key=key)

    def floor(self, connection, account, key):
        floor = Floor(connection, account, key, "spend", 30)
        chosen = floor.pick(30)
        made = floor.entry("spend", -30)
        floor.use(made, [(lot, part) for lot, _remaining, _held, part in chosen])
        floor.rewrite([(lot, remaining - part, held) for lot, remaining, held, part in chosen])
        floor.end()


class HoldAndCapture(Writing):
    name = "hold and capture"
    lots = 1

    def ours(self, account, key):
        from oscar_loyalty.ledger import books

        hold = books.hold(account=account, units=10, key=key, until=now() + HOUR)
        books.capture(hold=hold, key=key)

    def floor(self, connection, account, key):
        floor = Floor(connection, account, key, "hold", 10, look=LOOK_HOLD)
        [(lot, remaining, held, part)] = floor.pick(10)
        (hold,) = floor.one(HOLD, account, key, floor.digest, 10, floor.at + HOUR, floor.at)
        floor.cursor.execute(HOLD_USE, (hold, lot, part))
        floor.rewrite([(lot, remaining, held + part)])
        floor.end()
        floor = Floor(connection, account, key, "capture", 10)
        uses = floor.cursor.execute(HELD, (hold,)).fetchall()
        (_digest, state, until, units) = uses[0][:4]
        assert state == "open" and until > floor.at  # noqa: S101
        made = floor.entry("spend", -units)
        floor.use(made, [(lot, part) for *_, lot, _remaining, _held, part in uses])
        floor.rewrite([(lot, remaining - part, held - part) for *_, lot, remaining, held, part in uses])
        floor.cursor.execute(CLOSE, (floor.at, made, hold))
        floor.end()


class Balance(Path):
    """What is usable, pending, held and owed, and the next dates. The floor knows of no hold past its limit."""

    name = "read of a balance"
    #: It is bound by its queries, which are counted by themselves.
    bound = None

    def ours(self, account, key):
        from oscar_loyalty.ledger import selectors

        selectors.balances([_Named(account)])

    def floor(self, connection, account, key):
        at = now()
        values = (at, at, at, account, at, account, account)
        connection.cursor().execute(BALANCE, values).fetchone()
        connection.commit()


@dataclass(frozen=True)
class _Named:
    pk: int
    balance: int = 0
    debt: int = 0


WRITES = [Earn(), Spend(), HoldAndCapture()]
READS = [Balance()]


def accounts(number, history):
    """Open so many accounts with so many entries behind each, every second of which spent what the first had earned."""
    from django.db import connection

    from oscar_loyalty.ledger import books

    history -= history % 2
    made = [
        books.open_account(unit="points:1", owner=books.Ref.of(f"bench{history}:{number}", n)).pk for n in range(number)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loyalty_ledger_entry (account_id, sequence, key, digest, kind, units, balance_after,"
            " explanation, source_type, source_id, actor_type, actor_id, effective_at, recorded_at)"
            " SELECT a, n, 'history:' || a || ':' || n, '', CASE n %% 2 WHEN 1 THEN 'earn' ELSE 'spend' END,"
            " CASE n %% 2 WHEN 1 THEN 10 ELSE -10 END, n %% 2 * 10, '{}', '', '', '', '', moment, moment"
            " FROM unnest(%s) a, generate_series(1, %s) n, (SELECT now() - INTERVAL '1 year' moment) m",
            [made, history],
        )
        cursor.execute(
            "INSERT INTO loyalty_ledger_lot (account_id, entry_id, units, remaining, held, usable_from, expires_at)"
            " SELECT account_id, id, 10, 0, 0, effective_at, effective_at + INTERVAL '2 years'"
            " FROM loyalty_ledger_entry WHERE kind = 'earn' AND account_id = ANY(%s)",
            [made],
        )
        cursor.execute(
            "INSERT INTO loyalty_ledger_lotuse (entry_id, lot_id, units) SELECT spent.id, lot.id, 10"
            " FROM loyalty_ledger_lot lot JOIN loyalty_ledger_entry earned ON earned.id = lot.entry_id"
            " JOIN loyalty_ledger_entry spent ON spent.account_id = earned.account_id"
            " AND spent.sequence = earned.sequence + 1 WHERE lot.account_id = ANY(%s)",
            [made],
        )
        cursor.execute("UPDATE loyalty_ledger_account SET sequence = %s WHERE id = ANY(%s)", [history, made])
    return made
