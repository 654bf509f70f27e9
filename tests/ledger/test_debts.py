"""Who owes has nothing free: what comes, comes back, or comes free pays first, in whatever order it all happened."""

from datetime import timedelta

import pytest

from oscar_loyalty.ledger import audit, books, selectors
from oscar_loyalty.loading import get_model

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _books_agree(db):
    yield
    assert list(audit.audit()) == []


def earn(account, units, key, time, *, days=None, start=timedelta(0)):
    return books.earn(
        account=account,
        units=units,
        key=key,
        usable_from=None if start is None else time.at + start,
        expires_at=time.at + days * DAY if days else None,
    )


def figures(account):
    found = selectors.balance(account)
    return found.usable, found.debt, found.book


def kinds(account):
    return [entry.kind for entry in selectors.entries(account)][::-1]


@pytest.fixture
def owing(account, time):
    """Twelve that were earned are set aside for a checkout, and taken back from who has nothing else."""
    earned = earn(account, 12, "e", time, days=30)
    hold = books.hold(account=account, units=12, key="h", until=time.at + DAY)
    books.reverse(entry=earned, key="r")
    assert figures(account) == (0, 12, 0)
    return hold


@pytest.mark.parametrize("first", ["earning", "spend"])
@pytest.mark.parametrize("part", [None, 5])
def test_whichever_is_undone_first_the_points_are_lost_once(account, time, first, part):
    earned = earn(account, 12, "e", time, days=30)
    spent = books.spend(account=account, units=12, key="s")
    undone = [("re", earned), ("rs", spent)]
    for key, entry in undone if first == "earning" else reversed(undone):
        books.reverse(entry=entry, key=key, units=part, grace=30 * DAY)
    assert figures(account) == (0, 0, 0)
    time.advance(days=31)
    books.expire_due()
    earn(account, 12, "next", time)
    assert figures(account) == (12, 0, 12)


def test_what_comes_back_beyond_the_debt_is_there_again(account, time):
    earned = earn(account, 12, "e", time, days=30)
    earn(account, 8, "other", time, days=60)
    spent = books.spend(account=account, units=20, key="s")
    books.reverse(entry=earned, key="re")
    books.reverse(entry=spent, key="rs")
    assert figures(account) == (8, 0, 8)
    assert sum(use.units for use in get_model("loyalty_ledger", "LotUse").objects.filter(entry__key="rs")) == -8


def test_what_comes_back_to_a_lot_that_has_ended_pays_before_it_is_gone(account, time):
    earned = earn(account, 12, "e", time, days=3)
    spent = books.spend(account=account, units=12, key="s")
    books.reverse(entry=earned, key="re")
    time.advance(days=4)
    books.reverse(entry=spent, key="rs")
    books.expire_due()
    assert figures(account) == (0, 0, 0)


@pytest.mark.parametrize("how", ["release", "next write", "sweep"])
def test_what_was_set_aside_pays_once_it_is_free(account, owing, time, how):
    if how == "release":
        books.release(hold=owing)
    time.advance(days=2)
    if how == "sweep":
        books.expire_due()
    next_one = earn(account, 5, "next", time)
    assert figures(account) == (5, 0, 5) and next_one.balance_after == 5
    assert kinds(account) == ["earn", "clawback", "repaid", "earn"]
    repaid = account.entries.get(kind="repaid")
    assert (repaid.units, repaid.balance_after, repaid.explanation) == (0, 0, {"why": "repaid", "units": 12})
    assert [use.units for use in repaid.uses.all()] == [12]


def test_what_ended_while_it_was_set_aside_pays_too(account, time):
    earned = earn(account, 12, "e", time, days=1)
    hold = books.hold(account=account, units=12, key="h", until=time.at + 3 * DAY)
    books.reverse(entry=earned, key="r")
    time.advance(days=2)
    books.release(hold=hold)
    assert figures(account) == (0, 0, 0)
    assert "expire" not in kinds(account)


def test_what_is_left_of_a_hold_once_the_debt_is_paid_expires(account, time):
    earn(account, 30, "other", time, days=1)
    earned = earn(account, 12, "e", time, days=20)
    books.hold(account=account, units=42, key="h", until=time.at + 3 * DAY)
    books.reverse(entry=earned, key="r")
    time.advance(days=4)
    books.expire_due()
    assert figures(account) == (12, 0, 12)
    assert kinds(account)[-2:] == ["repaid", "expire"] and account.entries.get(kind="expire").units == -18


def test_an_account_at_rest_pays_as_well(account, owing, time):
    books.pause(account=account, key="p")
    books.release(hold=owing)
    assert figures(account) == (0, 0, 0)


def test_a_debt_that_comes_with_a_merge_is_paid_there(account, other, time):
    earned = earn(account, 12, "e", time)
    books.spend(account=account, units=12, key="s")
    books.reverse(entry=earned, key="r")
    earn(other, 5, "late", time, days=30)
    earn(other, 4, "soon", time, days=10)
    earn(other, 20, "pending", time, start=None)
    books.merge(source=account, target=other, key="m")
    assert figures(other) == (0, 0, 17)
    left = {lot.entry.key: lot.remaining for lot in selectors.lots_open(other)}
    assert left == {"pending": 17}
    books.merge(source=account, target=other, key="m")
    assert figures(other) == (0, 0, 17)


def test_a_merge_into_an_account_that_owes_pays_there(account, other, time):
    earned = earn(account, 12, "e", time)
    books.spend(account=account, units=12, key="s")
    books.reverse(entry=earned, key="r")
    earn(other, 20, "o", time)
    books.merge(source=other, target=account, key="m")
    assert figures(account) == (8, 0, 8)


# What was written before


@pytest.fixture
def unpaid(account, time):
    """An account that owes twelve, while twelve that came back lie there."""
    earned = earn(account, 12, "e", time, days=30)
    spent = books.spend(account=account, units=12, key="s")
    books.reverse(entry=earned, key="r")
    account.refresh_from_db()
    entry = account.entries.create(
        sequence=4, key="rs", digest="d", kind="return", units=12, balance_after=0, effective_at=time.at,
        recorded_at=time.at, reverses=spent,
    )  # fmt: skip
    lot = account.lots.get()
    entry.uses.create(lot=lot, units=-12)
    account.lots.update(remaining=12)
    type(account).objects.filter(pk=account.pk).update(balance=0, sequence=4)
    assert [found.check for found in audit.audit()] == ["debt"]
    return account


def test_a_debt_that_was_left_is_paid_by_the_next_write(unpaid, time):
    earn(unpaid, 5, "next", time)
    assert figures(unpaid) == (5, 0, 5)
    assert kinds(unpaid)[-2:] == ["repaid", "earn"]


def test_the_next_merge_pays_a_debt_that_was_left(unpaid, other, time):
    books.merge(source=unpaid, target=other, key="m")
    assert figures(other) == (0, 0, 0)


@pytest.mark.parametrize("days", [0, 31])
def test_the_sweep_pays_a_debt_that_was_left_though_the_points_have_ended(unpaid, time, days):
    time.advance(days=days)
    assert books.expire_due() == 1
    assert figures(unpaid) == (0, 0, 0) and kinds(unpaid)[-1] == "repaid"
    assert books.expire_due() == 0
