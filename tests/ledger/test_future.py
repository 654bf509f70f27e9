"""Nothing has happened in the future: whoever tells of it makes nothing expire, and frees nothing, before its time."""

from datetime import timedelta

import pytest

from oscar_loyalty.ledger import audit, books, selectors

DAY = timedelta(days=1)


@pytest.fixture
def full(account, other, time):
    """A thousand points that end in thirty days, a spend, a pending earning and a hold."""
    now = time.at
    made = {"account": account, "other": other, "later": now + 365 * DAY}
    made["earned"] = books.earn(
        account=account, units=1000, key="e", usable_from=now, expires_at=now + 30 * DAY, happened_at=now
    )
    made["pending"] = books.earn(account=account, units=7, key="p", usable_from=now + 60 * DAY)
    made["spent"] = books.spend(account=account, units=100, key="s")
    made["hold"] = books.hold(account=account, units=200, key="h", until=now + DAY)
    return made


def earning(made, key):
    return books.Earning(
        account=made["account"], units=1, key=key, usable_from=made["later"], happened_at=made["later"]
    )


WRITES = {
    "earn": lambda made: books.earn_many([earning(made, "w")]),
    "earn_many": lambda made: books.earn_many([earning(made, "w"), earning(made, "w2")]),
    "earn_in_bulk": lambda made: books.earn_in_bulk([earning(made, "w"), earning(made, "w2")]),
    "spend": lambda made: books.spend(account=made["account"], units=1, key="w", happened_at=made["later"]),
    "adjust": lambda made: books.adjust(account=made["account"], units=-1, key="w", happened_at=made["later"]),
    "hold": lambda made: books.hold(
        account=made["account"], units=1, key="w", until=made["later"] + DAY, happened_at=made["later"]
    ),
    "capture": lambda made: books.capture(hold=made["hold"], key="w", happened_at=made["later"]),
    "hand_over": lambda made: books.hand_over(
        hold=made["hold"], target=made["other"], key="w", happened_at=made["later"]
    ),
    "claw back": lambda made: books.reverse(entry=made["earned"], units=1, key="w", happened_at=made["later"]),
    "give back": lambda made: books.reverse(entry=made["spent"], units=1, key="w", happened_at=made["later"]),
    "transfer": lambda made: books.transfer(
        source=made["account"], target=made["other"], units=1, key="w", happened_at=made["later"]
    ),
    "mature": lambda made: books.mature(
        entry=made["pending"], key="w", usable_from=made["later"], happened_at=made["later"]
    ),
    "extend": lambda made: books.extend(
        entry=made["pending"], key="w", expires_at=made["later"] + DAY, happened_at=made["later"]
    ),
    "pause": lambda made: books.pause(account=made["account"], key="w", happened_at=made["later"]),
    "sweep": lambda made: books.expire_due(at=made["later"]),
}


@pytest.mark.parametrize("write", WRITES)
def test_what_is_told_of_the_future_makes_nothing_fall_due(full, time, write):
    before = selectors.balance(full["account"])
    WRITES[write](full)
    after = selectors.balance(full["account"])
    assert abs(after.usable - before.usable) <= 1
    assert after.held == (0 if write in ("capture", "hand_over") else 201 if write == "hold" else 200)
    assert after.debt == 0
    assert all(entry.effective_at <= time.at for entry in selectors.entries(full["account"]))
    assert list(audit.audit()) == []


def test_what_is_not_usable_yet_is_not_spent_by_telling_of_later(account, time):
    books.earn(account=account, units=7, key="p", usable_from=time.at + DAY)
    with pytest.raises(books.InsufficientUnits):
        books.spend(account=account, units=7, key="s", happened_at=time.at + 2 * DAY)


def test_a_merge_told_of_the_future_keeps_what_both_have(full, time):
    books.release(hold=full["hold"], happened_at=full["later"])
    books.merge(source=full["account"], target=full["other"], key="w", happened_at=full["later"])
    assert selectors.balance(full["other"]).usable == 900


def test_what_ends_later_does_not_end_for_an_earning_of_the_same_import(account, time):
    books.earn_in_bulk(
        [
            books.Earning(account, 10, "a", time.at, time.at + 30 * DAY),
            books.Earning(account, 5, "b", time.at, happened_at=time.at + 365 * DAY),
        ]
    )
    assert selectors.balance(account).usable == 15
