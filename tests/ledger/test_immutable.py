"""Entries are for ever: the ORM, the admin and the database itself refuse to change or delete one."""

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from oscar_loyalty.ledger import audit, books, triggers
from oscar_loyalty.ledger.exceptions import ImmutableEntry
from oscar_loyalty.loading import get_model


@pytest.fixture
def entry(account, time):
    return books.earn(account=account, units=10, key="a", usable_from=time.at)


def test_the_orm_refuses(entry):
    entries = get_model("loyalty_ledger", "Entry").objects
    entry.units = 1000
    for change in (
        entry.save,
        entry.delete,
        lambda: entries.update(units=5),
        lambda: entries.all().delete(),
        lambda: entries.bulk_update([entry], ["units"]),
    ):
        with pytest.raises(ImmutableEntry):
            change()


@pytest.mark.parametrize("statement", ["UPDATE {} SET units = 1000", "DELETE FROM {}"])
def test_the_database_refuses(entry, statement):
    refused = pytest.raises(DatabaseError, match="never changed or deleted")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(entry._meta.db_table))
    entry.refresh_from_db()
    assert entry.units == 10


def test_the_admin_refuses(entry, admin_client, settings):
    Entry = type(entry)
    if not admin.site.is_registered(Entry):
        admin.site.register(Entry)
    try:
        model_admin = admin.site.get_model_admin(Entry)
        with pytest.raises(ImmutableEntry):
            model_admin.delete_queryset(None, Entry.objects.all())
        with pytest.raises(ImmutableEntry):
            model_admin.save_model(None, entry, None, change=True)
        with pytest.raises(ImmutableEntry):
            model_admin.delete_model(None, entry)
    finally:
        admin.site.unregister(Entry)


def test_the_audit_misses_a_trigger_that_was_taken_away(entry):
    assert list(audit.audit()) == []
    triggers.remove()
    try:
        assert {finding.check for finding in audit.audit()} == {"triggers"}
    finally:
        triggers.install()


def test_an_account_with_entries_cannot_be_deleted(entry):
    from django.db.models import ProtectedError

    with pytest.raises(ProtectedError):
        entry.account.delete()


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("UPDATE loyalty_ledger_account SET balance = balance + 1", "balance"),
        ("UPDATE loyalty_ledger_lot SET remaining = remaining - 1", "lot"),
        ("UPDATE loyalty_ledger_account SET sequence = sequence + 1", "sequence"),
        ("DELETE FROM loyalty_ledger_lotuse", "lot"),
    ],
)
def test_the_audit_finds_what_somebody_changed_behind_its_back(entry, account, statement, check, time):
    books.spend(account=account, units=4, key="s")
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert check in {finding.check for finding in audit.audit()}


@pytest.mark.django_db(transaction=True)
def test_a_shops_own_test_that_commits_can_end(time):
    """Django empties the database after it by ``flush``; the guard is there again for the next."""
    account = books.open_account(unit="points:1", owner=books.Ref("member", "1"))
    books.earn(account=account, units=10, key="a", usable_from=time.at)
    call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
    entries = get_model("loyalty_ledger", "Entry").objects
    assert not entries.exists()
    assert triggers.missing() == []


@pytest.mark.django_db(transaction=True)
def test_a_flush_that_is_called_off_leaves_the_guard(time, monkeypatch):
    account = books.open_account(unit="points:1", owner=books.Ref("member", "1"))
    books.earn(account=account, units=10, key="a", usable_from=time.at)
    monkeypatch.setattr("builtins.input", lambda question: "no")
    call_command("flush", verbosity=0)
    assert get_model("loyalty_ledger", "Entry").objects.count() == 1
    assert triggers.missing() == []
