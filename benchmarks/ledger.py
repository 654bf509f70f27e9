"""The ledger's writes beside the plain SQL that does the least for the same promises.

The floor works on the ledger's own tables, so it pays for the same constraints, indexes and triggers; and at the end
the audit must find the books in order that both have written. It is one statement and a commit: a call of the function
in the database that the books call too (``ledger/shortcut.py``), which locks the account, looks after that whether the
key is known and whether anything has fallen due, and writes what must be written, by plans that PostgreSQL keeps.
Nothing that we have found does it in less: one statement for each table would flatter us. It has no explanation,
reference or note, and is lost where there is debt, a merged account or one that rests. psycopg prepares its statements.
"""

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from benchmarks.side_by_side import Path

HOUR, YEAR = timedelta(hours=1), timedelta(days=365)
#: Of an entry: no explanation, source or actor.
NOTHING = ("{}", "", "", "", "")
SERIAL = count()

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


def digest(*content):
    return hashlib.sha256(":".join(map(str, content)).encode()).hexdigest()


def called(connection, what, *values):
    """Call one of the ledger's functions in the database, and return the primary key of what it has written."""
    from oscar_loyalty.ledger import shortcut

    made, *_figures = connection.cursor().execute(shortcut.call(what), values).fetchone()
    assert made  # noqa: S101
    return made


class Writing(Path):
    """What needs so many lots of ten for each call."""

    lots = 0

    def prepare(self, accounts):
        if self.lots:
            stock(accounts, self.lots, now() + YEAR)


class Earn(Writing):
    name = "earn one award"

    def ours(self, account, key):
        from oscar_loyalty.ledger import books

        at = now()
        books.earn(account=account, units=10, key=key, usable_from=at, expires_at=at + YEAR)

    def floor(self, connection, account, key):
        at, told = now(), digest("earn", account, 10)
        called(connection, "earn", account, key, told, "earn", 10, *NOTHING, at, at, at, at + YEAR)
        connection.commit()


class Spend(Writing):
    name = "spend over three lots"
    lots = 3

    def ours(self, account, key):
        from oscar_loyalty.ledger import books

        books.spend(account=account, units=30, key=key)

    def floor(self, connection, account, key):
        at = now()
        called(connection, "spend", account, key, digest("spend", account, 30), "spend", -30, *NOTHING, at, at)
        connection.commit()


class HoldAndCapture(Writing):
    name = "hold and capture"
    lots = 1

    def ours(self, account, key):
        from oscar_loyalty.ledger import books

        hold = books.hold(account=account, units=10, key=key, until=now() + HOUR)
        books.capture(hold=hold, key=key)

    def floor(self, connection, account, key):
        at = now()
        told = digest("hold", account, 10)
        hold = called(connection, "hold", account, key, told, 10, at + HOUR, "", "", at, False)
        connection.commit()
        at, told = now(), digest("capture", account, 10, hold)
        called(connection, "capture", account, key, told, "spend", -10, *NOTHING, at, at, hold)
        connection.commit()


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
    """Open so many accounts with so many entries behind each, every second of which spent what the first had earned,
    and with three lots that stay: the database's statistics then know that accounts have some, as those of a shop do.
    """
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
    # They end after all others, so nothing is taken of them.
    stock(made, 3, now() + 2 * YEAR)
    return made


def stock(accounts, lots, ends):
    """Give each account so many lots of ten, which end one after the other from ``ends`` on."""
    from oscar_loyalty.ledger import books

    at, made = now(), []
    for account in accounts:
        for _lot in range(lots):
            number = next(SERIAL)
            expires_at = ends + timedelta(microseconds=number)
            made.append(
                books.Earning(
                    account, 10, f"stock:{at.timestamp()}:{os.getpid()}:{number}", at - HOUR, expires_at=expires_at
                )
            )
    books.earn_many(made)
