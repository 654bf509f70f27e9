from datetime import timedelta

import pytest
from django.db import transaction

from oscar_loyalty.ledger import audit, books, pages, rows, selectors, shortcut
from oscar_loyalty.ledger.exceptions import Blocked, HoldClosed, InsufficientUnits, KeyConflict
from oscar_loyalty.loading import get_model

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _books_agree(account):
    yield
    assert list(audit.audit()) == []


def earn(account, units, key, time, *, start=None, days=None, **fields):
    return books.earn(
        account=account,
        units=units,
        key=key,
        usable_from=time.at + (start if start is not None else timedelta(0)),
        expires_at=time.at + days * DAY if days else None,
        **fields,
    )


def usable(account):
    return selectors.balance(account).usable


def test_an_earning_is_usable_from_its_moment_on(account, time):
    earn(account, 100, "a", time, start=14 * DAY)
    before = selectors.balance(account)
    assert (before.usable, before.pending) == (0, 100)
    assert before.pending_next == (time.at + 14 * DAY, 100)
    time.advance(days=14)
    after = selectors.balance(account)
    assert (after.usable, after.pending) == (100, 0)


def test_the_lot_that_expires_first_is_spent_first(account, time):
    late = earn(account, 50, "late", time, days=90)
    soon = earn(account, 50, "soon", time, days=30)
    never = earn(account, 50, "never", time)
    books.spend(account=account, units=60, key="s")
    left = {lot.entry_id: lot.remaining for lot in selectors.lots_open(account)}
    assert left == {late.pk: 40, never.pk: 50}
    assert soon.pk not in left


def test_expired_units_are_gone_without_any_job(account, time):
    earn(account, 50, "a", time, days=30)
    time.advance(days=30)
    assert usable(account) == 0
    with pytest.raises(InsufficientUnits) as caught:
        books.spend(account=account, units=20, key="s")
    assert caught.value.missing == 20


def test_due_expiries_are_posted_before_the_write(account, time):
    earn(account, 50, "a", time, days=30)
    time.advance(days=40)
    entry = earn(account, 10, "b", time)
    assert entry.balance_after == 10
    assert [e.kind for e in selectors.entries(account)] == ["earn", "expire", "earn"]


def test_the_same_key_writes_once_and_another_content_is_refused(account, time):
    first = earn(account, 50, "a", time)
    assert earn(account, 50, "a", time).pk == first.pk
    with pytest.raises(KeyConflict):
        earn(account, 51, "a", time)
    assert usable(account) == 50


def test_a_key_of_another_account_is_a_conflict(account, other, time):
    earn(account, 50, "a", time)
    with pytest.raises(KeyConflict):
        earn(other, 50, "a", time)
    assert usable(other) == 0


@pytest.mark.parametrize("units", [0, -1, 1.5, True])
def test_units_are_whole_and_above_zero(account, time, units):
    with pytest.raises(ValueError):
        earn(account, units, "a", time)


def test_a_hold_sets_units_aside_and_capturing_spends_them(account, time):
    earn(account, 100, "a", time)
    hold = books.hold(account=account, units=70, key="h", until=time.at + DAY)
    with pytest.raises(InsufficientUnits) as caught:
        books.spend(account=account, units=40, key="s")
    assert caught.value.missing == 10
    entry = books.capture(hold=hold, key="c")
    assert books.capture(hold=hold, key="c").pk == entry.pk
    assert selectors.balance(account).book == 30
    with pytest.raises(HoldClosed):
        books.capture(hold=hold, key="c2")
    with pytest.raises(HoldClosed):
        books.release(hold=hold)


def test_releasing_twice_frees_once(account, time):
    earn(account, 100, "a", time)
    hold = books.hold(account=account, units=70, key="h", until=time.at + DAY)
    books.release(hold=hold)
    books.release(hold=hold)
    assert usable(account) == 100


def test_a_hold_past_its_limit_holds_nothing_though_no_sweep_came_by(account, time):
    earn(account, 100, "a", time)
    hold = books.hold(account=account, units=70, key="h", until=time.at + DAY)
    time.advance(days=2)
    assert usable(account) == 100
    with pytest.raises(HoldClosed):
        books.capture(hold=hold, key="c")
    books.spend(account=account, units=100, key="s")
    assert usable(account) == 0


def test_a_lot_that_expires_while_held_is_honoured_until_the_hold_ends(account, time):
    earn(account, 100, "a", time, days=1)
    hold = books.hold(account=account, units=70, key="h", until=time.at + 3 * DAY)
    time.advance(days=2)
    assert usable(account) == 0
    books.capture(hold=hold, key="c")
    assert selectors.balance(account).book == 0
    assert sorted(e.units for e in selectors.entries(account)) == [-70, -30, 100]


def test_a_lot_that_expired_while_held_is_gone_once_the_hold_is_released(account, time):
    earn(account, 100, "a", time, days=1)
    hold = books.hold(account=account, units=70, key="h", until=time.at + 3 * DAY)
    time.advance(days=2)
    books.release(hold=hold)
    assert selectors.balance(account).book == 0


def test_clawing_back_takes_the_own_lot_first(account, time):
    other = earn(account, 50, "other", time, days=10)
    award = earn(account, 100, "award", time, days=90)
    books.reverse(entry=award, key="r", units=80)
    left = {lot.entry_id: lot.remaining for lot in selectors.lots_open(account)}
    assert left == {other.pk: 50, award.pk: 20}


def test_what_was_spent_becomes_debt_which_the_next_earning_pays(account, time):
    award = earn(account, 100, "award", time)
    books.spend(account=account, units=90, key="s")
    books.reverse(entry=award, key="r")
    now = selectors.balance(account)
    assert (now.usable, now.debt, now.book) == (0, 90, -90)
    earn(account, 120, "next", time)
    now = selectors.balance(account)
    assert (now.usable, now.debt, now.book) == (30, 0, 30)


def test_what_was_spent_is_written_off_or_refused_by_policy(account, time):
    award = earn(account, 100, "award", time)
    books.spend(account=account, units=90, key="s")
    with pytest.raises(Blocked):
        books.reverse(entry=award, key="blocked", policy="block")
    entry = books.reverse(entry=award, key="r", policy="write_off")
    assert entry.units == -10
    assert entry.explanation["written_off"] == 90
    assert selectors.balance(account).book == 0


def test_what_has_expired_is_not_clawed_back(account, time):
    award = earn(account, 100, "award", time, days=10)
    books.spend(account=account, units=40, key="s")
    time.advance(days=20)
    entry = books.reverse(entry=award, key="r")
    assert entry.units == -40
    assert selectors.balance(account).debt == 40


def test_clawing_back_never_takes_what_is_held(account, time):
    award = earn(account, 100, "award", time)
    hold = books.hold(account=account, units=60, key="h", until=time.at + DAY)
    books.reverse(entry=award, key="r")
    assert selectors.balance(account).debt == 60
    books.capture(hold=hold, key="c")
    assert selectors.balance(account).book == -60


def test_more_than_is_left_cannot_be_reversed(account, time):
    award = earn(account, 100, "award", time)
    books.reverse(entry=award, key="r", units=70)
    with pytest.raises(ValueError):
        books.reverse(entry=award, key="r2", units=31)


def test_a_spend_returns_to_its_lots_as_if_less_had_been_spent(account, time):
    soon = earn(account, 50, "soon", time, days=30)
    late = earn(account, 50, "late", time, days=90)
    spent = books.spend(account=account, units=80, key="s")
    books.reverse(entry=spent, key="r1", units=40)
    left = {lot.entry_id: lot.remaining for lot in selectors.lots_open(account)}
    assert left == {late.pk: 50, soon.pk: 10}
    books.reverse(entry=spent, key="r2")
    left = {lot.entry_id: lot.remaining for lot in selectors.lots_open(account)}
    assert left == {late.pk: 50, soon.pk: 50}


def test_what_returns_to_an_expired_lot_lives_the_grace_days(account, time):
    earn(account, 50, "soon", time, days=30)
    spent = books.spend(account=account, units=50, key="s")
    time.advance(days=40)
    books.reverse(entry=spent, key="r", grace=30 * DAY)
    assert usable(account) == 50
    time.advance(days=30)
    assert usable(account) == 0


def test_pending_points_mature_by_a_zero_entry(account, time):
    entry = books.earn(account=account, units=80, key="b", usable_from=None)
    assert selectors.balance(account).pending_next == (None, 80)
    books.mature(entry=entry, key="m", usable_from=time.at + timedelta(hours=4))
    assert usable(account) == 0
    time.advance(hours=4)
    assert usable(account) == 80
    assert selectors.balance(account).book == 80


def test_an_end_can_be_moved(account, time):
    entry = earn(account, 80, "a", time, days=10)
    books.extend(entry=entry, key="x", expires_at=time.at + 30 * DAY)
    time.advance(days=20)
    assert usable(account) == 80


def test_a_transfer_keeps_the_dates(account, other, time):
    earn(account, 80, "a", time, days=10)
    books.transfer(source=account, target=other, units=30, key="t")
    assert (usable(account), usable(other)) == (50, 30)
    assert selectors.balance(other).next_expiry == (time.at + 10 * DAY, 30)


def test_after_a_merge_refunds_and_returns_follow_the_account(account, other, time):
    award = earn(account, 100, "a", time, days=90)
    spent = books.spend(account=account, units=30, key="s")
    pending = books.earn(account=account, units=5, key="p", usable_from=None)
    books.merge(source=account, target=other, key="m")
    account.refresh_from_db()
    assert (account.balance, account.merged_into_id) == (0, other.pk)
    books.reverse(entry=spent, key="r")
    assert usable(other) == 100
    books.mature(entry=pending, key="mp", usable_from=time.at)
    assert usable(other) == 105
    books.reverse(entry=award, key="c")
    assert usable(other) == 5
    earn(account, 7, "later", time)
    assert usable(other) == 12


def test_a_merge_waits_for_open_checkouts(account, other, time):
    earn(account, 100, "a", time)
    books.hold(account=account, units=60, key="h", until=time.at + DAY)
    with pytest.raises(Blocked):
        books.merge(source=account, target=other, key="m")


def test_bulk_earnings_expire_in_the_order_of_time(account, time):
    items = [
        books.Earning(
            account=account,
            units=10,
            key=f"k{day}",
            usable_from=time.at + day * DAY,
            expires_at=time.at + (day + 15) * DAY,
            happened_at=time.at + day * DAY,
        )
        for day in (-20, -10, 0)
    ]
    last = books.earn_many(items)[-1]
    assert last.balance_after == 20
    assert books.earn_many(items)[-1].pk == last.pk


def test_the_sweep_posts_what_is_due(account, time):
    earn(account, 50, "a", time, days=30)
    time.advance(days=31)
    assert books.expire_due() == 1
    account.refresh_from_db()
    assert account.balance == 0
    assert books.expire_due() == 0


def test_a_note_lies_beside_its_entry(account, time):
    entry = earn(account, 50, "a", time, note="For your patience, Zoé")
    assert get_model("loyalty_ledger", "EntryNote").objects.get(entry=entry).text == "For your patience, Zoé"


def test_the_cost_does_not_grow_with_the_history(account, time, django_assert_max_num_queries):
    for number in range(60):
        earn(account, 10, f"k{number}", time, days=number + 1)
    with django_assert_max_num_queries(1):
        selectors.balance(account)
    with django_assert_max_num_queries(7):
        books.earn(account=account, units=1, key="e", usable_from=time.at)
    with django_assert_max_num_queries(9):
        books.spend(account=account, units=15, key="s")
    with django_assert_max_num_queries(8):
        hold = books.hold(account=account, units=15, key="h", until=time.at + DAY)
    with django_assert_max_num_queries(10):
        books.capture(hold=hold, key="c")


def test_a_spend_goes_over_as_many_lots_as_it_takes(account, time):
    for number in range(pages.FIRST + 5):
        earn(account, 1, f"k{number}", time, days=number + 1)
    entry = books.spend(account=account, units=pages.FIRST + 3, key="s")
    assert entry.uses.count() == pages.FIRST + 3
    assert usable(account) == 2


def test_a_refused_key_leaves_the_callers_transaction_whole(account, other, time):
    earn(account, 50, "a", time)
    with transaction.atomic():
        earn(other, 7, "b", time)
        with pytest.raises(KeyConflict):
            earn(other, 50, "a", time)
        earn(account, 1, "t:in", time)
        with pytest.raises(KeyConflict):
            books.transfer(source=account, target=other, units=1, key="t")
        earn(other, 3, "c", time)
    assert (usable(account), usable(other)) == (51, 10)


def test_accounts_are_locked_within_a_transaction_only(account, transactional_db):
    with pytest.raises(transaction.TransactionManagementError):
        books.lock([account.pk])
    with transaction.atomic():
        books.lock([account.pk])


def test_a_shops_own_kind_of_field_is_written_by_django(account, time, monkeypatch):
    """Where a field brings SQL of its own, Django writes the rows, and the same is refused."""
    monkeypatch.setattr(rows, "insertable", lambda model: None)
    monkeypatch.setattr(shortcut, "text", lambda what: None)
    earn(account, 50, "a", time)
    books.spend(account=account, units=20, key="s")
    hold = books.hold(account=account, units=10, key="h", until=time.at + DAY)
    books.capture(hold=hold, key="c")
    assert usable(account) == 20
