"""The suite itself runs without migrations: here they run for real, in a database of their own."""

import os
import subprocess
import sys

import pytest
from django.db import connection

from tests.processes import environment

WORK = """
import django
django.setup()
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction
from oscar_loyalty import clock
from oscar_loyalty.due import services
from oscar_loyalty.ledger import audit, books, shortcut, triggers
from oscar_loyalty.loading import get_model

def refused(statement):
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError as error:
        assert "never changed or deleted" in str(error), error
        return True
    return False

def guarded():
    return [refused("UPDATE loyalty_ledger_entry SET units = 9"), refused("DELETE FROM loyalty_ledger_entry")]

for app in ("loyalty_ledger", "loyalty_due"):
    call_command("migrate", app, verbosity=0)
assert triggers.missing() == [], triggers.missing()

account = books.open_account(unit="points:1", owner=books.Ref("member", "1"))
books.earn(account=account, units=10, key="a", usable_from=clock.now())
assert guarded() == [True, True]
if connection.vendor == "postgresql":
    for name in shortcut.FUNCTIONS:
        assert shortcut._there(connection.alias, shortcut.text(name)[0]), f"What is to {name} takes more than one call."
services.leave(kind="test", key="1")
assert get_model("loyalty_due", "Due").objects.count() == 1
print("migrated: guarded")

# What a later AlterField does: on SQLite it makes the table anew, and the triggers are gone with the old one.
Entry = get_model("loyalty_ledger", "Entry")
before, after = Entry._meta.get_field("kind"), models.CharField(max_length=64)
after.set_attributes_from_name("kind")
after.model = Entry
with connection.schema_editor() as editor:
    editor.alter_field(Entry, before, after)
if connection.vendor == "sqlite":
    assert len(triggers.missing()) == 2, "SQLite keeps them: then this test proves nothing"
    assert {finding.check for finding in audit.audit()} == {"triggers"}
call_command("migrate", "loyalty_ledger", verbosity=0)
assert triggers.missing() == [], triggers.missing()
assert guarded() == [True, True]
assert list(audit.audit()) == []
print("altered: guarded")

with triggers.lifted():
    with connection.cursor() as cursor:
        cursor.execute("UPDATE loyalty_ledger_entry SET units = 10")
assert guarded() == [True, True]
print("lifted and back: guarded")

call_command("makemigrations", "loyalty_ledger", "loyalty_due", check=True, dry_run=True, verbosity=0)
print("no migration is missing")
"""


@pytest.fixture
def empty_database(db, tmp_path):
    """The name of a new database of the kind that the suite runs on."""
    if connection.vendor == "sqlite":
        yield tmp_path / "migrated.sqlite3"
        return
    name = f"{connection.settings_dict['NAME']}_migrated_{os.getpid()}"
    quoted = connection.ops.quote_name(name)
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {quoted}")
    try:
        yield name
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {quoted} WITH (FORCE)")


def test_the_migrated_schema_refuses_changes_and_goes_on_refusing(empty_database):
    run = subprocess.run(
        [sys.executable, "-c", WORK], env=environment(empty_database), capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stdout.splitlines()[-4:] == [
        "migrated: guarded",
        "altered: guarded",
        "lifted and back: guarded",
        "no migration is missing",
    ]
