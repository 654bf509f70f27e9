"""Many at once on one account: threads and processes, on the database the suite runs on."""

import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from oscar_loyalty import clock
from oscar_loyalty.ledger import audit, books, selectors
from oscar_loyalty.ledger.exceptions import Blocked, HoldClosed, InsufficientUnits, KeyConflict
from oscar_loyalty.loading import get_model
from tests.processes import environment

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 20
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _books_agree(transactional_db):
    yield
    assert list(audit.audit()) == []
    for account in get_model("loyalty_ledger", "Account").objects.all():
        assert not get_model("loyalty_ledger", "Lot").objects.filter(account=account, remaining__lt=0).exists()


def at_once(jobs):
    """Run the jobs in threads that all start at the same moment; return each one's result or exception."""
    start = threading.Barrier(len(jobs))

    def run(job):
        start.wait()
        try:
            return job()
        except Exception as problem:
            return problem
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def unexpected(results, *allowed):
    return [result for result in results if isinstance(result, Exception) and not isinstance(result, allowed)]


def earn(account, units, key, **fields):
    return books.earn(account=account, units=units, key=key, usable_from=clock.now() - HOUR, **fields)


def test_twenty_spend_earn_expire_and_refund_one_account(account):
    for number in range(40):
        earn(account, 10, f"start{number}", expires_at=clock.now() + timedelta(milliseconds=50 * number))
    earn(account, 200, "stock")
    lowest = []

    def worker(number):
        dice = random.Random(number)
        spent = []
        for step in range(6):
            key = f"w{number}:{step}"
            move = dice.choice(["earn", "spend", "expire", "refund", "hold", "claw"])
            try:
                if move == "earn":
                    earn(account, dice.randint(1, 20), key, expires_at=clock.now() + timedelta(milliseconds=200))
                elif move == "expire":
                    books.expire_due()
                elif move == "hold":
                    made = books.hold(account=account, units=dice.randint(1, 40), key=key, until=clock.now() + HOUR)
                    if dice.random() < 0.5:
                        books.capture(hold=made, key=f"{key}:c")
                    else:
                        books.release(hold=made)
                elif move == "claw":
                    entry = earn(account, 15, key)
                    books.reverse(entry=entry, key=f"{key}:r", policy="write_off")
                elif move == "refund" and spent:
                    books.reverse(entry=spent.pop(), key=key, grace=HOUR)
                else:
                    spent.append(books.spend(account=account, units=dice.randint(1, 60), key=key))
            except InsufficientUnits:
                pass
            fresh = get_model("loyalty_ledger", "Account").objects.get(pk=account.pk)
            lowest.append(min(fresh.balance, selectors.balance(fresh).usable))

    results = at_once([lambda number=number: worker(number) for number in range(THREADS)])
    assert unexpected(results) == []
    assert min(lowest) >= 0
    assert min(get_model("loyalty_ledger", "Entry").objects.values_list("balance_after", flat=True)) >= 0


def test_twenty_spend_the_last_units_and_one_gets_them(account):
    earn(account, 100, "stock")
    results = at_once(
        [lambda number=number: books.spend(account=account, units=60, key=f"s{number}") for number in range(THREADS)]
    )
    assert unexpected(results, InsufficientUnits) == []
    assert len([result for result in results if not isinstance(result, Exception)]) == 1
    assert selectors.balance(account).usable == 40


@pytest.mark.parametrize("operation", ["earn", "spend", "hold", "transfer", "reverse", "adjust"])
def test_the_same_key_from_twenty_threads_writes_once(account, other, operation):
    stock = earn(account, 100, "stock")
    until = clock.now() + HOUR
    jobs = {
        "earn": lambda: earn(account, 7, "k"),
        "spend": lambda: books.spend(account=account, units=7, key="k"),
        "hold": lambda: books.hold(account=account, units=7, key="k", until=until),
        "transfer": lambda: books.transfer(source=account, target=other, units=7, key="k")[0],
        "reverse": lambda: books.reverse(entry=stock, units=7, key="k"),
        "adjust": lambda: books.adjust(account=account, units=7, key="k"),
    }
    results = at_once([jobs[operation]] * THREADS)
    assert unexpected(results) == []
    assert len({result.pk for result in results}) == 1
    expected = 107 if operation in ("earn", "adjust") else 93
    assert selectors.balance(account).usable == expected


def test_the_same_key_for_twenty_accounts_is_taken_by_one():
    accounts = [books.open_account(unit="p", owner=books.Ref.of("member", number)) for number in range(THREADS)]
    until = clock.now() + HOUR
    for account in accounts[::2]:
        earn(account, 5, f"stock{account.pk}")
    earned = at_once([lambda account=account: earn(account, 5, "k") for account in accounts])
    held = at_once(
        [
            lambda account=account: books.hold(account=account, units=5, key="h", until=until)
            for account in accounts[::2]
        ]
    )
    for results in (earned, held):
        assert unexpected(results, KeyConflict) == []
        assert len([result for result in results if not isinstance(result, Exception)]) == 1
    assert get_model("loyalty_ledger", "Entry").objects.filter(key="k").count() == 1


def test_twenty_open_the_same_account_and_get_one(transactional_db):
    owner = books.Ref("member", "new")
    results = at_once([lambda: books.open_account(unit="points:1", owner=owner)] * THREADS)
    assert unexpected(results) == []
    assert len({result.pk for result in results}) == 1


def test_transfers_there_and_back_do_not_wait_for_each_other(account, other):
    earn(account, 1000, "a")
    earn(other, 1000, "b")

    def move(number):
        source, target = (account, other) if number % 2 else (other, account)
        for step in range(5):
            books.transfer(source=source, target=target, units=3, key=f"t{number}:{step}")

    results = at_once([lambda number=number: move(number) for number in range(THREADS)])
    assert unexpected(results) == []
    assert selectors.balance(account).usable + selectors.balance(other).usable == 2000


@pytest.mark.parametrize("down", [True, False])
def test_a_merge_while_others_spend_and_move_units(account, other, down):
    """Whichever comes first, nothing is lost; later writes to the merged account follow it."""
    source, target = (other, account) if down else (account, other)
    earn(source, 500, "a")
    earn(target, 500, "b")

    def job(number):
        if number == 7:
            return books.merge(source=source, target=target, key="m")
        if number % 3 == 0:
            return books.transfer(source=target, target=source, units=10, key=f"t{number}")
        spender = source if number % 2 else target
        return [books.spend(account=spender, units=10, key=f"s{number}:{step}") for step in range(3)]

    results = at_once([lambda number=number: job(number) for number in range(THREADS)])
    # After the merge both are the same account, between which nothing can be moved.
    assert unexpected(results, ValueError) == []
    spent = get_model("loyalty_ledger", "Entry").objects.filter(kind="spend").count() * 10
    source.refresh_from_db()
    assert (source.balance, source.merged_into_id) == (0, target.pk)
    assert selectors.balance(target).usable == 1000 - spent


def test_a_merge_and_a_checkout_exclude_each_other(account, other):
    for turn in range(5):
        mine = books.open_account(unit="points:1", owner=books.Ref.of("turn", turn))
        earn(mine, 100, f"a{turn}")
        until = clock.now() + HOUR
        results = at_once(
            [
                lambda mine=mine, turn=turn: books.merge(source=mine, target=other, key=f"m{turn}"),
                lambda mine=mine, turn=turn, until=until: books.hold(
                    account=mine, units=100, key=f"h{turn}", until=until
                ),
            ]
        )
        assert unexpected(results, Blocked) == []
        held = get_model("loyalty_ledger", "Hold").objects.get(key=f"h{turn}")
        # Either the hold came first and the merge is refused, or the hold is one of the account merged into.
        assert (held.account_id == mine.pk) == isinstance(results[0], Blocked)
        books.release(hold=held)


WORK = """
import sys
import django
django.setup()
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.exceptions import HoldClosed
from oscar_loyalty.loading import get_model
print("ready", flush=True)
for name in sys.stdin:
    hold = get_model("loyalty_ledger", "Hold").objects.get(key=name.strip())
    try:
        if sys.argv[1] == "capture":
            books.capture(hold=hold, key=f"capture:{hold.key}")
        else:
            books.release(hold=hold)
        print("won", flush=True)
    except HoldClosed:
        print("lost", flush=True)
"""


def test_two_processes_capture_and_release_the_same_hold(account):
    earn(account, 3000, "stock")
    holds = [books.hold(account=account, units=10, key=f"h{number}", until=clock.now() + HOUR) for number in range(60)]
    processes = {
        name: subprocess.Popen(
            [sys.executable, "-c", WORK, name],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        for name in ("capture", "release")
    }
    try:
        for process in processes.values():
            assert process.stdout.readline() == "ready\n"
        winners = {"capture": 0, "release": 0}
        for number, hold in enumerate(holds):
            # Each goes first every other time, or the quicker one would always win.
            order = list(processes) if number % 2 else list(reversed(processes))
            for name in order:
                processes[name].stdin.write(f"{hold.key}\n")
            said = {name: processes[name].stdout.readline().strip() for name in order}
            state = get_model("loyalty_ledger", "Hold").objects.get(pk=hold.pk).state
            winner = {"captured": "capture", "released": "release"}[state]
            assert said == {name: "won" if name == winner else "lost" for name in order}
            winners[winner] += 1
    finally:
        for process in processes.values():
            process.stdin.close()
            process.wait(30)
    assert sum(winners.values()) == len(holds)
    assert selectors.balance(account).usable == 3000 - 10 * winners["capture"]
    with pytest.raises(HoldClosed):
        books.capture(hold=holds[0], key="late")
