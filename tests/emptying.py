"""Emptying the database after a test that committed: only the tables that hold something.

Django's own way, ``flush``, empties some two hundred tables and then makes all content types and permissions anew,
which took longer than most of the tests. What every test finds (content types, permissions, the site) is looked at,
and only where a test changed that does Django do it all again.
"""

from contextlib import nullcontext

from django.core.management import call_command
from django.db import connections, transaction

#: SQLite takes no more than 500 parts in one query.
AT_ONCE = 400


class Emptying:
    """One database: what was in it before the first test that commits, and how it gets back to that."""

    def __init__(self, using):
        self.using = using
        self.found = self.contents()

    @property
    def connection(self):
        """The one of this moment: once Playwright's event loop runs in this thread, it is another."""
        return connections[self.using]

    def quoted(self, table):
        return self.connection.ops.quote_name(table)

    def filled(self):
        """The tables that have rows."""
        tables = self.connection.introspection.django_table_names(only_existing=True, include_views=False)
        full = set()
        with self.connection.cursor() as cursor:
            for start in range(0, len(tables), AT_ONCE):
                part = enumerate(tables[start : start + AT_ONCE], start)
                asked = "SELECT {} WHERE EXISTS (SELECT 1 FROM {})"
                cursor.execute(" UNION ALL ".join(asked.format(number, self.quoted(table)) for number, table in part))
                full |= {tables[number] for (number,) in cursor.fetchall()}
        return full

    def rows(self, table):
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {self.quoted(table)}")  # noqa: S608
            return sorted(map(repr, cursor.fetchall()))

    def contents(self):
        return {table: self.rows(table) for table in self.filled()}

    def empty(self):
        """Take away what the test left."""
        from oscar_loyalty.ledger import triggers
        from oscar_loyalty.loading import get_model

        filled = self.filled()
        # The database refuses to delete entries; only here may it be done.
        entries = get_model("loyalty_ledger", "Entry")._meta.db_table in filled
        with triggers.lifted(self.using) if entries else nullcontext():
            # In one transaction, at whose end the foreign keys are checked: the order does not matter.
            with transaction.atomic(self.using), self.connection.cursor() as cursor:
                for table in sorted(filled - set(self.found)):
                    cursor.execute(f"DELETE FROM {self.quoted(table)}")  # noqa: S608
            if any(self.rows(table) != rows for table, rows in self.found.items()):
                call_command("flush", verbosity=0, interactive=False, database=self.using, reset_sequences=False)
                self.found = self.contents()


def install(patch):
    """Let every transactional test end in this way, for as long as the patch holds."""
    from django.test import TransactionTestCase

    setup, ways = TransactionTestCase._fixture_setup, {}

    def fixture_setup(cls):
        for using in cls._databases_names(include_mirrors=False):
            if using not in ways:
                ways[using] = Emptying(using)
        setup.__func__(cls)

    def fixture_teardown(self):
        if self.available_apps is not None or self.serialized_rollback:
            raise NotImplementedError("A test that asks for this needs Django's own way; no test does.")
        for using in self._databases_names(include_mirrors=False):
            ways[using].empty()

    patch.setattr(TransactionTestCase, "_fixture_setup", classmethod(fixture_setup))
    patch.setattr(TransactionTestCase, "_fixture_teardown", fixture_teardown)
