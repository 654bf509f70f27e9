"""Random sequences of every operation, with the clock moving: after each step the books say what the model says."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from oscar_loyalty import clock
from oscar_loyalty.ledger import audit, books, exceptions, selectors
from oscar_loyalty.ledger.pages import in_order
from oscar_loyalty.loading import get_model
from tests.conftest import NOON
from tests.ledger import model, profiles

DAY = timedelta(days=1)
ACCOUNTS = 3

which = st.integers(0, ACCOUNTS - 1)
amounts = st.sampled_from([1, 3, 10, 10, 25, 50, 100])
#: Days from now on; ``None`` is "not known" for a start and "never" for an end.
starts = st.sampled_from([0, 0, 0, 0, -3, 2, 7, None])
ends = st.sampled_from([None, 1, 3, 5, 5, 10, 30, -1])
#: Most writes are about now, some about a time gone by.
ago = st.sampled_from([0, 0, 0, 0, 0, 1, 4])
policies = st.sampled_from(["debt", "debt", "write_off", "block"])
parts = st.sampled_from([None, None, 1, 3, 10, 40])


class LedgerMachine(RuleBasedStateMachine):
    #: Keys of entries that can be undone, and of holds.
    entries = Bundle("entries")
    holds = Bundle("holds")

    def __init__(self):
        super().__init__()
        # Each run sees an empty ledger; rolling back is the only way to get rid of entries.
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.frozen = clock.frozen(NOON)
        self.time = self.frozen.__enter__()
        self.model = model.Books()
        self.serial = 0
        self.written, self.calls = {}, []

    def teardown(self):
        self.frozen.__exit__(None, None, None)
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    @initialize()
    def open_accounts(self):
        self.accounts = [
            books.open_account(unit="points:1", owner=books.Ref.of("member", number)) for number in range(ACCOUNTS)
        ]
        for number in range(ACCOUNTS):
            self.model.open(number)

    # Both at once

    def key(self):
        self.serial += 1
        return f"k{self.serial}"

    def at(self, days):
        return None if days is None else self.time.at + days * DAY

    def both(self, function, expected, remember=True):
        """Let the books and the model do the same; return what the books returned, or ``None`` if both refused."""
        if remember:
            self.calls.append((function, expected))
        refused = None
        try:
            self.model.attempt(*expected)
        except model.Refused as refusal:
            refused = refusal
        if refused is None:
            return function()
        wanted = getattr(exceptions, refused.name, None) or ValueError
        with pytest.raises(wanted) as caught, transaction.atomic():
            function()
        assert caught.type is wanted
        if refused.missing is not None:
            assert caught.value.missing == refused.missing
        return None

    def entry(self, key, result):
        """Remember an entry under its key, if one was written."""
        if result is None:
            return False
        self.written[key] = result
        assert result.key == key
        return True

    def row(self, key):
        """The entry or hold of a key; one that was refused at first may have been written by a repetition."""
        if key not in self.written:
            name = "Hold" if key in self.model.holds else "Entry"
            self.written[key] = get_model("loyalty_ledger", name).objects.get(key=key)
        return self.written[key]

    # Rules

    @rule(hours=st.sampled_from([1, 12, 24, 48, 120, 480]))
    def wait(self, hours):
        self.time.advance(hours=hours)

    @rule(target=entries, account=which, units=amounts, start=starts, end=ends, days=ago)
    def earn(self, account, units, start, end, days):
        key, start, end, at = self.key(), self.at(start), self.at(end), self.at(-days)
        self.written[key] = self.both(
            lambda: books.earn(
                account=self.accounts[account], units=units, key=key, usable_from=start, expires_at=end, happened_at=at
            ),
            ("earn", account, units, key, start, end, at),
        )
        return key

    @rule(items=st.lists(st.tuples(which, amounts, starts, ends, st.integers(0, 3)), min_size=2, max_size=5))
    def earn_many(self, items):
        items = [
            (account, units, self.key(), self.at(s), self.at(e), self.at(d - 3)) for account, units, s, e, d in items
        ]
        items.append(items[0])
        wanted = [
            books.Earning(
                account=self.accounts[account],
                units=units,
                key=key,
                usable_from=start,
                expires_at=end,
                happened_at=at,
                note="twice",
            )
            for account, units, key, start, end, at in items
        ]
        result = self.both(lambda: books.earn_many(wanted), ("earn_many", items))
        assert [entry.key for entry in result] == [item[2] for item in items]

    @rule(target=entries, account=which, units=amounts, start=starts, days=ago)
    def adjust_up(self, account, units, start, days):
        key, at = self.key(), self.at(-days)
        start = self.at(start)
        self.written[key] = self.both(
            lambda: books.adjust(
                account=self.accounts[account], units=units, key=key, usable_from=start, happened_at=at
            ),
            ("earn", account, units, key, start or at, None, at, "adjust"),
        )
        return key

    @rule(account=which, units=amounts, days=ago)
    def adjust_down(self, account, units, days):
        key, at = self.key(), self.at(-days)
        self.entry(
            key,
            self.both(
                lambda: books.adjust(account=self.accounts[account], units=-units, key=key, happened_at=at),
                ("spend", account, units, key, at, "adjust"),
            ),
        )

    @rule(account=which, units=amounts, days=ago)
    def spend(self, account, units, days):
        key, at = self.key(), self.at(-days)
        self.entry(
            key,
            self.both(
                lambda: books.spend(account=self.accounts[account], units=units, key=key, happened_at=at),
                ("spend", account, units, key, at),
            ),
        )

    @rule(account=which, days=st.sampled_from([0, 0, 1]))
    def spend_all(self, account, days):
        usable = self.model.balance(self.model.home(account), self.time.at)["usable"]
        if usable:
            self.spend(account, usable, days)

    @rule(account=which, units=amounts, limit=st.sampled_from([1, 2, 6, 20]), days=ago)
    def hold(self, account, units, limit, days):
        key, until, at = self.key(), self.at(limit), self.at(-days)
        made = self.both(
            lambda: books.hold(account=self.accounts[account], units=units, key=key, until=until, happened_at=at),
            ("hold", account, units, key, until, at),
        )
        if made is not None:
            self.written[key] = made

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data(), days=ago)
    def capture(self, data, days):
        name = data.draw(st.sampled_from(sorted(self.model.holds)))
        key, at = self.key(), self.at(-days)
        hold = self.row(name)
        self.entry(
            key,
            self.both(
                lambda: books.capture(hold=hold, key=key, happened_at=at),
                ("capture", name, key, at),
            ),
        )

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data(), days=ago)
    def release(self, data, days):
        name = data.draw(st.sampled_from(sorted(self.model.holds)))
        hold, at = self.row(name), self.at(-days)
        released = self.both(lambda: books.release(hold=hold, happened_at=at), ("release", name, at))
        if released is not None:
            assert released.state == "released"

    @precondition(lambda self: self.model.entries)
    @rule(data=st.data(), units=parts, policy=policies, grace=st.sampled_from([0, 2, 15]), days=ago)
    def reverse(self, data, units, policy, grace, days):
        self.undo(data.draw(st.sampled_from(sorted(self.model.entries))), units, policy, grace, days)

    @rule(name=entries, units=parts, policy=policies, days=ago)
    def claw_back(self, name, units, policy, days):
        self.undo(name, units, policy, 0, days)

    def undo(self, name, units, policy, grace, days):
        key, at, grace = self.key(), self.at(-days), grace * DAY
        entry = self.row(name)
        self.both(
            lambda: books.reverse(entry=entry, key=key, units=units, policy=policy, grace=grace, happened_at=at),
            ("reverse", name, units, key, policy, grace, at),
        )
        assert selectors.undone(entry) == self.model.entries[name].asked + self.model.entries[name].returned

    @rule(source=which, to=which, units=amounts, days=ago)
    def transfer(self, source, to, units, days):
        key, at = self.key(), self.at(-days)
        self.both(
            lambda: books.transfer(
                source=self.accounts[source], target=self.accounts[to], units=units, key=key, happened_at=at
            ),
            ("transfer", source, to, units, key, at),
        )

    @rule(source=which, to=which, days=ago, often=st.integers(0, 3))
    def merge(self, source, to, days, often):
        # Three accounts are soon one: most runs should go on with more.
        if often:
            return
        key, at = self.key(), self.at(-days)
        self.both(
            lambda: books.merge(source=self.accounts[source], target=self.accounts[to], key=key, happened_at=at),
            ("merge", source, to, key, at),
        )

    @rule(name=entries, start=st.sampled_from([0, -2, 1, 3]), end=st.sampled_from([None, None, 4, 12]), days=ago)
    def mature(self, name, start, end, days):
        key, start, end, at = self.key(), self.at(start), self.at(end), self.at(-days)
        times = {"start": start} | ({"end": end} if end else {})
        self.retime("mature", name, key, at, {"usable_from": start, "expires_at": end}, "matured", times)

    @rule(name=entries, end=ends, days=ago)
    def extend(self, name, end, days):
        key, end, at = self.key(), self.at(end), self.at(-days)
        self.retime("extend", name, key, at, {"expires_at": end}, "extended", {"end": end})

    def retime(self, function, name, key, at, fields, kind, times):
        entry = self.row(name)

        def call():
            return getattr(books, function)(entry=entry, key=key, happened_at=at, **fields)

        self.both(call, ("retime", name, key, kind, at, times))

    @rule(days=st.sampled_from([0, 0, 3]))
    def expire_due(self, days):
        at = self.at(-days)
        self.both(lambda: books.expire_due(at=at), ("expire_due", at), remember=False)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def repeat(self, data):
        """The same call once more: nothing changes, or it is refused as it was, or succeeds where it was refused."""
        function, expected = data.draw(st.sampled_from(self.calls))
        self.both(function, expected, remember=False)

    @precondition(lambda self: self.written)
    @rule(data=st.data(), account=which)
    def conflict(self, data, account):
        """A key that was used for another amount, or for another operation."""
        name = data.draw(st.sampled_from(sorted(self.written)))
        if name in self.model.holds:
            self.both(
                lambda: books.hold(account=self.accounts[account], units=99_999, key=name, until=self.at(1)),
                ("hold", account, 99_999, name, self.at(1), self.time.at),
                remember=False,
            )
            return
        target = self.accounts[account]
        with pytest.raises(exceptions.KeyConflict), transaction.atomic():
            books.earn(account=target, units=99_999, key=name, usable_from=self.time.at)
        with pytest.raises(exceptions.KeyConflict), transaction.atomic():
            books.spend(account=target, units=99_999, key=name)
        with pytest.raises(exceptions.KeyConflict), transaction.atomic():
            books.mature(entry=self.written[name], key=name, usable_from=self.time.at)

    # After each step

    @invariant()
    def the_books_agree_with_the_model(self):
        for account in self.accounts:
            account.refresh_from_db(fields=["balance", "debt"])
        said = selectors.balances(self.accounts)
        lots = in_order(get_model("loyalty_ledger", "Lot").objects.filter(remaining__gt=0))
        shown = {account.pk: [] for account in self.accounts}
        for lot in lots:
            shown[lot.account_id].append((lot.remaining, lot.held, lot.usable_from, lot.expires_at))
        for number, account in enumerate(self.accounts):
            expected = self.model.balance(number, self.time.at)
            dates = {"next_expiry": expected.pop("next_expiry")}
            found = said[account.pk]
            assert {name: getattr(found, name) for name in expected} == expected, f"account {number}"
            assert shown[account.pk] == self.model.open_lots(number), f"account {number}"
            if number == self.serial % ACCOUNTS:
                # The one that asks for more, and costs more: for each account in its turn.
                full = selectors.balance(account)
                assert {name: getattr(full, name) for name in (*expected, *dates)} == expected | dates

    @invariant()
    def nobody_owes_what_they_could_pay(self):
        lots = get_model("loyalty_ledger", "Lot").objects.filter(account__debt__gt=0)
        assert not [lot for lot in lots if lot.remaining > lot.held]

    @invariant()
    def the_audit_finds_nothing(self):
        assert list(audit.audit()) == []


@pytest.mark.django_db
def test_the_books_do_what_the_model_does():
    run_state_machine_as_test(
        LedgerMachine, settings=settings(profiles.current(), suppress_health_check=list(HealthCheck))
    )
