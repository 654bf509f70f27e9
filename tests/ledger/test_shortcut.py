"""The usual writes are made by the database's own functions (PostgreSQL), as the books would have made them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oscar_loyalty.ledger import audit, books, selectors, shortcut
from oscar_loyalty.ledger.exceptions import HoldClosed, InsufficientUnits, KeyConflict
from oscar_loyalty.loading import get_model

DAY = timedelta(days=1)
#: What differs from one account to the next, or from one try to the next.
OWN = {
    "id",
    "account",
    "account_id",
    "entry_id",
    "hold_id",
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
    return told(name, account, other, heir)


def told(name, *accounts):
    """Everything that is written of these accounts, without what is each one's own."""
    found = []
    for model, path in [
        ("Account", "pk"),
        ("Entry", "account"),
        ("Lot", "account"),
        ("LotUse", "entry__account"),
        ("Hold", "account"),
        ("HoldUse", "hold__account"),
        ("EntryNote", "entry__account"),
    ]:
        for each in accounts:
            rows = get_model("loyalty_ledger", model).objects.filter(**{path: each.pk}).order_by("pk").values()
            found += [{key: value for key, value in row.items() if key not in OWN} for row in rows]
    return [{key: str(value).replace(name, "") for key, value in row.items() if key != "ends"} for row in found]


def spending(name, time):
    """All that a spend, a hold and a capture may meet, on accounts of this name; return everything that is written."""
    account, other = (books.open_account(unit="points:1", owner=books.Ref(f"{name}{part}", "1")) for part in ("", "o"))
    hour, order = timedelta(hours=1), books.Ref.of("order", 7)
    for number, (units, ends) in enumerate([(10, 9), (20, 5), (30, None), (40, 5)]):
        expires_at = time.at + ends * DAY if ends else None
        earn(account, units, f"{name}:{number}", time, expires_at=expires_at, happened_at=time.at - number * hour)
    earn(account, 500, f"{name}:pending", time, usable_from=time.at + 3 * DAY)

    def spend(units, key, **fields):
        return books.spend(account=account, units=units, key=f"{name}:{key}", **fields)

    # Over two lots that end together, and a part of a third.
    first = spend(63, "first", note="for Rose", explanation={"a": 1}, source=order, actor=books.Ref("u", "1"))
    assert (first.balance_after, first.account.balance, first.sequence) == (537, 537, first.account.sequence)
    fresh = type(first).objects.get(pk=first.pk)
    assert (fresh.balance_after, fresh.sequence, fresh.digest) == (first.balance_after, first.sequence, first.digest)
    assert spend(63, "first") == first
    for units, of in [(62, account), (63, other)]:
        with pytest.raises(KeyConflict):
            books.spend(account=of, units=units, key=f"{name}:first")
    with pytest.raises(InsufficientUnits) as missing:
        spend(38, "more")
    assert missing.value.missing == 1

    def hold(units, key, until, **fields):
        return books.hold(account=account, units=units, key=f"{name}:{key}", until=until, source=order, **fields)

    held = hold(5, "held", time.at + hour)
    assert hold(5, "held", time.at + 2 * hour) == held
    with pytest.raises(KeyConflict):
        hold(6, "held", time.at + hour)
    living, outliving = (
        hold(4, f"for ever {within}", time.at + 99 * DAY, within_life=within) for within in (True, False)
    )
    assert (living.until - time.at, outliving.until - time.at) == (9 * DAY, 99 * DAY)
    with pytest.raises(InsufficientUnits):
        hold(25, "too much", time.at + hour)
    taken = books.capture(hold=held, key=f"{name}:taken")
    assert (taken.source_type, taken.units, taken.account_id) == ("order", -5, account.pk)
    assert books.capture(hold=held, key=f"{name}:taken") == taken
    for key, error in [("again", HoldClosed), ("first", KeyConflict)]:
        with pytest.raises(error):
            books.capture(hold=held, key=f"{name}:{key}")
    with pytest.raises(KeyConflict):
        books.capture(hold=outliving, key=f"{name}:first")
    books.release(hold=living)
    late = hold(1, "late", time.at + hour)
    time.advance(days=4)
    # A hold is past its limit, and what was pending is not any more.
    with pytest.raises(HoldClosed):
        books.capture(hold=late, key=f"{name}:too late")
    spend(400, "much")
    books.capture(hold=outliving, key=f"{name}:outlived", kind="reward", source=books.Ref.of("claim", 3))
    # What is spent in the past is spent as of then, and who rests or owes goes on.
    spend(3, "then", happened_at=time.at - DAY)
    rest = books.pause(account=account, key=f"{name}:rests")
    spend(2, "resting")
    books.capture(hold=hold(2, "resting hold", time.at + hour), key=f"{name}:resting capture")
    time.advance(days=1)
    books.resume(paused=rest, key=f"{name}:wakes")
    time.advance(days=30)
    spend(1, "after the end of some")
    # More and smaller lots than a function looks at.
    for number in range(30):
        earn(other, 2, f"{name}:small:{number}", time)
    books.spend(account=other, units=55, key=f"{name}:crumbs")
    assert books.spend(account=other, units=5, key=f"{name}:last crumbs").balance_after == 0
    return told(name, account, other)


def without_rows(told):
    """What was paused names its lots by their primary keys, what was merged its account."""
    told = [{**row, "explanation": ""} if "paused" in row.get("explanation", "") else row for row in told]
    return [{**row, "source_id": ""} if row.get("source_type") == "account" else row for row in told]


@pytest.mark.parametrize("live", [story, spending])
def test_the_functions_write_what_the_books_write(db, time, monkeypatch, live):
    began = time.at
    ours = live("quinces", time)
    time.move_to(began)
    for name in shortcut.FUNCTIONS:
        monkeypatch.setattr(shortcut, name, lambda *args, **fields: False)
    assert without_rows(ours) == without_rows(live("medlars", time))
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


def test_so_is_what_is_spent_held_and_captured(account, time):
    many = {"spend": 7, "hold": 6, "capture": 8}
    for number in range(3):
        earn(account, 10, f"lot {number}", time, expires_at=time.at + DAY)
    books.spend(account=account, units=1, key="warm")
    with CaptureQueriesContext(connection) as spent:
        books.spend(account=account, units=15, key="a")
    with CaptureQueriesContext(connection) as held:
        hold = books.hold(account=account, units=6, key="b", until=time.at + DAY)
    with CaptureQueriesContext(connection) as captured:
        books.capture(hold=hold, key="c")
    found = {"spend": len(statements(spent)), "hold": len(statements(held)), "capture": len(statements(captured))}
    assert found == (dict.fromkeys(many, 1) if connection.vendor == "postgresql" else many)
    assert selectors.balance(account).usable == 8


@pytest.fixture
def _asked_anew():
    caches = [shortcut._ours, shortcut.text, shortcut.call, shortcut._there]
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.mark.usefixtures("_asked_anew")
def test_where_the_functions_are_missing_the_books_go_their_own_way(account, time):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for name in shortcut.FUNCTIONS:
                cursor.execute(f"DROP FUNCTION {shortcut.text(name)[0]}")
    earn(account, 10, "a", time)
    books.spend(account=account, units=1, key="b")
    books.capture(hold=books.hold(account=account, units=2, key="c", until=time.at + DAY), key="d")
    assert selectors.balance(account).usable == 7


@pytest.mark.usefixtures("_asked_anew")
@pytest.mark.parametrize("field", ["campaign", ""])
def test_a_shop_with_other_fields_has_no_function(account, time, monkeypatch, field):
    if field:
        monkeypatch.setitem(shortcut.FIELDS, "Entry", f"{shortcut.FIELDS['Entry']} {field}")
    else:
        monkeypatch.setattr(shortcut.rows, "own_sql", lambda model: True)
    assert [shortcut.text(name) for name in shortcut.FUNCTIONS] == [None] * 4
    shortcut.install(connection.alias)
    earn(account, 10, "a", time)
    assert selectors.balance(account).usable == 10
