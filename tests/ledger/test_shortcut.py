"""The usual earning is written by the database's own function (PostgreSQL), as the books would have written it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oscar_loyalty.ledger import audit, books, selectors, shortcut
from oscar_loyalty.ledger.exceptions import KeyConflict
from oscar_loyalty.loading import get_model

DAY = timedelta(days=1)
#: What differs from one account to the next, or from one try to the next.
OWN = {
    "id",
    "account",
    "account_id",
    "entry_id",
    "lot_id",
    "origin_id",
    "reverses_id",
    "merged_into_id",
    "key",
    "digest",
}


def earn(account, units, key, time, **fields):
    return books.earn(account=account, units=units, key=key, **({"usable_from": time.at} | fields))


def story(name, time):
    """All that an earning may meet, on accounts of this name; return everything that is written then."""
    account, other, heir = (
        books.open_account(unit="points:1", owner=books.Ref(f"{name}{part}", "1")) for part in ("", "other", "heir")
    )
    first = earn(account, 50, f"{name}:first", time, expires_at=time.at + DAY, note="for Rose", explanation={"a": 1})
    earn(
        account,
        5,
        f"{name}:pending",
        time,
        usable_from=None,
        source=books.Ref.of("order", 7),
        actor=books.Ref("u", "1"),
    )
    assert earn(account, 50, f"{name}:first", time, expires_at=time.at + 2 * DAY) == first
    with pytest.raises(KeyConflict):
        earn(account, 51, f"{name}:first", time)
    with pytest.raises(KeyConflict):
        earn(other, 50, f"{name}:first", time)
    # What was spent is owed once it is taken back; the next earning pays it.
    books.spend(account=account, units=50, key=f"{name}:spent")
    books.reverse(entry=first, key=f"{name}:back")
    earn(account, 60, f"{name}:pays", time, expires_at=time.at + DAY)
    books.hold(account=account, units=5, key=f"{name}:held", until=time.at + timedelta(hours=1))
    time.advance(days=2)
    # A hold and a lot are due; then, in an account that rests, nothing ends.
    earn(account, 3, f"{name}:after", time, expires_at=time.at + DAY)
    rest = books.pause(account=account, key=f"{name}:rests")
    earn(account, 4, f"{name}:resting", time, expires_at=time.at + DAY)
    time.advance(days=9)
    books.resume(paused=rest, key=f"{name}:wakes")
    books.merge(source=account, target=heir, key=f"{name}:merged")
    entry = earn(account, 8, f"{name}:follows", time, happened_at=time.at - DAY)
    assert entry.account_id == heir.pk
    plain = earn(other, 9, f"{name}:plain", time)
    assert (plain.account.balance, plain.account.sequence, plain.balance_after, plain.sequence) == (9, 1, 9, 1)
    plain.refresh_from_db()
    plain.account.refresh_from_db()
    found = []
    for model, path in [("Account", "pk"), ("Entry", "account"), ("Lot", "account"), ("EntryNote", "entry__account")]:
        for each in (account, other, heir):
            rows = get_model("loyalty_ledger", model).objects.filter(**{path: each.pk}).order_by("pk").values()
            found += [{key: value for key, value in row.items() if key not in OWN} for row in rows]
    return [{key: str(value).replace(name, "") for key, value in row.items() if key != "ends"} for row in found]


def without_rows(told):
    """What was paused names its lots by their primary keys, what was merged its account."""
    told = [{**row, "explanation": ""} if "paused" in row.get("explanation", "") else row for row in told]
    return [{**row, "source_id": ""} if row.get("source_type") == "account" else row for row in told]


def test_the_function_writes_what_the_books_write(db, time, monkeypatch):
    began = time.at
    ours = story("quinces", time)
    time.move_to(began)
    monkeypatch.setattr(shortcut, "earn", lambda *args: False)
    assert without_rows(ours) == without_rows(story("medlars", time))
    assert len(ours) > 20
    assert list(audit.audit()) == []


def statements(queries):
    return [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]


def test_the_usual_earning_is_one_statement(account, time):
    earn(account, 1, "warm", time)
    with CaptureQueriesContext(connection) as queries:
        earn(account, 10, "a", time, expires_at=time.at + DAY)
    assert len(statements(queries)) == (1 if connection.vendor == "postgresql" else 5)
    assert selectors.balance(account).usable == 11


@pytest.fixture
def _asked_anew():
    caches = [shortcut.text, shortcut.call, shortcut._there]
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.mark.usefixtures("_asked_anew")
def test_where_the_function_is_missing_the_books_go_their_own_way(account, time):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"DROP FUNCTION {shortcut.text()[0]}")
    earn(account, 10, "a", time)
    assert selectors.balance(account).usable == 10


@pytest.mark.usefixtures("_asked_anew")
@pytest.mark.parametrize("field", ["campaign", ""])
def test_a_shop_with_other_fields_has_no_function(account, time, monkeypatch, field):
    if field:
        monkeypatch.setitem(shortcut.FIELDS, "Entry", f"{shortcut.FIELDS['Entry']} {field}")
    else:
        monkeypatch.setattr(shortcut.rows, "own_sql", lambda model: True)
    assert shortcut.text() is None
    shortcut.install(connection.alias)
    earn(account, 10, "a", time)
    assert selectors.balance(account).usable == 10
