"""All that anybody owns, weighed after each step: what has changed can be told row by row."""

import re
from contextlib import closing
from functools import lru_cache, wraps

from django.db import connection
from django.db.backends.signals import connection_created

from oscar_loyalty.ledger import shortcut

#: What waits, what was tried, and what was looked at: not what anybody owns.
NOT_OWNED = {
    "loyalty_due_due",
    "loyalty_due_heartbeat",
    "loyalty_giftcards_codeattempt",
    "loyalty_giftcards_guessingalert",
    "loyalty_payments_stripeevent",
    "loyalty_reports_auditrun",
    # How far it was counted, which on PostgreSQL is a number of the database's own.
    "loyalty_reports_counting",
}
OTHERS = {
    "appointment_appointment",
    "appointment_appointmentrequest",
    "order_order",
    "order_line",
    "order_orderstatuschange",
    "partner_stockrecord",
    "voucher_voucher",
}
#: What a statement begins with that writes nothing.
READS = ("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "PRAGMA", "SET", "SHOW")

#: What a call of the ledger's own functions in PostgreSQL begins with, and where they write.
FUNCTION = tuple(f"SELECT * FROM loyalty_{name}_" for name in shortcut.FUNCTIONS)  # noqa: S608
WRITTEN = {f"loyalty_ledger_{name.lower()}" for name in shortcut.FIELDS}


@lru_cache(maxsize=20_000)
def words(sql):
    if sql.startswith(FUNCTION):
        return frozenset(WRITTEN)
    return frozenset(re.findall(r"\w+", sql.lower()))


class Scales:
    """Weighs all tables of worth, and reads only those again that a statement since then may have written to.

    It hears each statement itself, so that nobody has to tell it; :meth:`afresh` reads everything.
    """

    def __init__(self):
        self.all = frozenset(connection.introspection.table_names())
        owned = {name for name in self.all if name.startswith("loyalty_")} - NOT_OWNED
        self.tables = tuple(sorted(owned | OTHERS))
        self.names, self.kept, self.touched = {}, {}, set()
        #: How many statements were written so far, and the number of the last one that named a table.
        self.statements, self.last = 0, {}

    def __enter__(self):
        connection_created.connect(self._listen, weak=False, dispatch_uid="scales")
        self._listen(connection=connection)
        return self

    def __exit__(self, *_):
        connection_created.disconnect(dispatch_uid="scales")
        if self._hear in connection.execute_wrappers:
            connection.execute_wrappers.remove(self._hear)

    def _listen(self, *, connection, **_):
        if self._hear not in connection.execute_wrappers:
            # First: a process that is under way takes itself out again from the end.
            connection.execute_wrappers.insert(0, self._hear)

    def _hear(self, execute, sql, params, many, context):
        try:
            return execute(sql, params, many, context)
        finally:
            # Afterwards: others may have come by, and been weighed, before it was written.
            if not sql.startswith(READS) or sql.startswith(FUNCTION):
                self.touched.add(sql)
                self.statements += 1
                self.last.update(dict.fromkeys(words(sql) & self.all, self.statements))

    def heard(self, some, since):
        """Whether a statement after so many others may have written to a table that is one of ``some`` words."""
        return any(number > since and table in some for table, number in self.last.items())

    def weigh(self):
        """All rows of all tables of worth, as tuples, by table."""
        said = frozenset().union(*map(words, self.touched))
        wanted = [table for table in self.tables if table in said or table not in self.kept]
        if wanted:
            connection.ensure_connection()
            # Past the wrappers: looking is no word of the process that is looked at.
            with closing(connection.connection.cursor()) as cursor:
                self.kept.update({table: self._rows(cursor, table) for table in wanted})
        self.touched = set()
        return dict(self.kept)

    def afresh(self):
        self.kept = {}
        return self.weigh()

    def _rows(self, cursor, table):
        cursor.execute(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608
        if table not in self.names:
            self.names[table] = [column[0] for column in cursor.description]
        return cursor.fetchall()

    def dicts(self, found, table):
        """The rows of ``table`` in a weighing, a dict for each."""
        names = self.names[table]
        return [dict(zip(names, row, strict=True)) for row in found[table]]


def remembered(check):
    """Let a check that asks for nothing but rows (:meth:`World.rows`) look again only once they are others."""

    @wraps(check)
    def look(world):
        rows, found = world.looked.get(check, ({}, None))
        if found is None or any(world.found[table] is not row for table, row in rows.items()):
            world.asked = set()
            found = check(world)
            world.looked[check] = {table: world.found[table] for table in world.asked}, found
        return found

    return look


def difference(before, after):
    """The tables, with rows gone and come, in which two weighings differ."""
    found = {}
    for table, rows in before.items():
        if rows is not after[table] and rows != after[table]:
            old, new = set(map(repr, rows)), set(map(repr, after[table]))
            found[table] = {"gone": sorted(old - new)[:3], "come": sorted(new - old)[:3]}
    return found
