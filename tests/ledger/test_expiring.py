"""Expiries by the thousand: as one by one, in several processes, and when one of them is killed."""

import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from oscar_loyalty import clock
from oscar_loyalty.due import slices
from oscar_loyalty.ledger import audit, books, expiring
from oscar_loyalty.loading import get_model
from tests import processes

DAY = timedelta(days=1)
SWEEP = """
import django; django.setup()
from oscar_loyalty import clock
from oscar_loyalty.ledger import expiring
expiring.SLICE = 20
{before}
from django.core.management import call_command
call_command("loyalty_run")
"""
#: Dies in the third slice, when all of it is written and nothing is committed.
KILLED = """
import os, signal
post, times = expiring._Slice.post, []
def killed(self):
    found = post(self)
    times.append(1)
    if len(times) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return found
expiring._Slice.post = killed
"""


def make(unit):
    """Thirty accounts with five lots each, of whom some have spent, hold, held until lately, or rest."""
    now, found = clock.now(), []
    for number in range(30):
        account = books.open_account(unit=unit, owner=books.Ref("member", str(number)))
        found.append(account)
        for place in range(5):
            books.earn(
                account=account,
                units=10 + place,
                key=f"{unit}:{number}:{place}",
                usable_from=now - 90 * DAY,
                # Two of them at the same moment, one not yet, and one with parts of a second.
                expires_at=now + [-40, -30, -30, -10, 5][place] * DAY + timedelta(microseconds=(place % 2) * 250),
                happened_at=now - 90 * DAY,
            )
        if number % 4 == 1:
            books.spend(account=account, units=15, key=f"{unit}:{number}:s", happened_at=now - 50 * DAY)
        if number % 4 == 2:
            until = now + (DAY if number % 8 == 2 else -5 * DAY)
            books.hold(account=account, units=23, key=f"{unit}:{number}:h", until=until, happened_at=now - 50 * DAY)
        if number % 10 == 3:
            books.pause(account=account, key=f"{unit}:{number}:p", happened_at=now - 20 * DAY)
    return found


def books_of(accounts):
    """What stands in the books, whatever the primary keys."""
    found = []
    for account in accounts:
        account.refresh_from_db()
        entries = account.entries.order_by("sequence")
        told = entries.values_list(
            "sequence", "kind", "units", "balance_after", "effective_at", "explanation", "source_type"
        )
        lots = account.lots.order_by("pk").values_list("remaining", "held", "expires_at")
        uses = get_model("loyalty_ledger", "LotUse").objects.filter(lot__account=account)
        found.append(
            (
                account.sequence,
                account.balance,
                # What a rest says names lots by their primary keys.
                [row if row[1] == "expire" else row[:5] for row in told],
                [
                    key.replace(f":{account.pk}:", ":")
                    for key in entries.values_list("key", flat=True)
                    if "expire" in key
                ],
                list(lots),
                sorted(uses.values_list("entry__sequence", "units")),
                list(account.holds.order_by("pk").values_list("state", "closed_at")),
            )
        )
    return found


@pytest.fixture
def one_by_one():
    """Prove that the accounts are as if each had been written to by itself."""

    def prove(accounts, now):
        with clock.frozen(now):
            alike = make("other:1")
            for account in alike:
                expiring._post_due(accounts=[account.pk], at=now)
        assert books_of(accounts) == books_of(alike)
        assert list(audit.audit()) == []

    return prove


@pytest.mark.django_db
def test_thousands_at_once_are_as_one_by_one(time, monkeypatch, one_by_one):
    monkeypatch.setattr(expiring, "SLICE", 20)
    accounts = make("points:1")
    told = []
    assert books.expire_due(progress=lambda run: told.append(run.done)) == 27
    assert len(told) == 5 and told == sorted(told)
    one_by_one(accounts, clock.now())
    assert books.expire_due() == 0


@pytest.mark.django_db
def test_a_slice_asks_as_often_for_many_as_for_few(time, django_assert_max_num_queries):
    make("points:1")
    run = expiring.begin(at=clock.now())
    with django_assert_max_num_queries(36):
        slices.work(run)


@pytest.mark.django_db
def test_what_falls_due_while_a_run_is_under_way_follows_it(time):
    [account, *_] = make("points:1")
    expiring.begin(at=clock.now())
    time.advance(days=10)
    assert expiring.begin(at=clock.now()) is not None
    books.expire_due()
    account.refresh_from_db()
    assert account.balance == 0 and expiring.begin(at=clock.now()) is None


# Several processes


def start(before=""):
    return subprocess.Popen(
        [sys.executable, "-c", SWEEP.format(before=before)],
        env=processes.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_of():
    return get_model("loyalty_due", "BulkRun").objects.get(kind=expiring.KIND)


@pytest.fixture
def accounts(transactional_db):
    now = clock.now().replace(microsecond=0)
    with clock.frozen(now):
        return make("points:1"), now


def test_a_killed_sweep_loses_and_doubles_nothing(accounts, one_by_one):
    killed = start(KILLED)
    said = killed.communicate(timeout=200)
    assert killed.returncode == -signal.SIGKILL, said
    assert run_of().finished_at is None and run_of().slices.filter(done_at__isnull=False).count() == 2
    after = start()
    said = after.communicate(timeout=200)
    assert after.returncode == 0, said
    assert run_of().finished_at is not None and run_of().counts["accounts"] == 27
    one_by_one(*accounts)


def test_two_schedulers_do_what_one_does(accounts, one_by_one):
    both = [start(), start()]
    said = [process.communicate(timeout=200) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert run_of().counts["accounts"] == 27
    one_by_one(*accounts)
