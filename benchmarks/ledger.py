"""How much the ledger costs above plain SQL doing the least that could be done, measured in the same run.

    DATABASE_URL=postgres://... python benchmarks/ledger.py          (without: SQLite)
    python benchmarks/ledger.py --history 100000 --accounts 1000 --earnings 5000

It works in a test database of its own, which it makes and takes away.
"""

import argparse
import os
import sys
import time
from datetime import timedelta
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

HOUR = timedelta(hours=1)


def timed(function, times=1):
    """Seconds of one call: the best of several, since others may be using the machine."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        function()
        found.append(time.perf_counter() - began)
    return min(found)


def row(name, ours, floor=None):
    print(f"{name:58} {ours * 1000:10.2f} ms", end="")
    print(f"   floor {floor * 1000:10.2f} ms   ratio {ours / floor:6.1f}" if floor else "", flush=True)


def main():
    from django.db import connection, transaction

    from oscar_loyalty import clock
    from oscar_loyalty.ledger import audit, books, selectors

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--history", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, default=1000)
    parser.add_argument("--earnings", type=int, default=5000)
    options = parser.parse_args()
    print(
        f"{connection.vendor}: {options.earnings} earnings of {options.accounts} accounts, {options.history} entries\n"
    )
    now = clock.now()

    def query(statement, *parameters):
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    def earnings(accounts, number, name, **fields):
        return [
            books.Earning(
                account=accounts[n % len(accounts)].pk, units=10, key=f"{name}:{n}", usable_from=now - HOUR, **fields
            )
            for n in range(number)
        ]

    # One account with few entries, one with many; every second earning of both has been spent.
    small, large = (books.open_account(unit="p", owner=books.Ref("bench", name)) for name in ("small", "large"))
    for account, number in ((small, 10), (large, options.history)):
        half = number // 2
        for start in range(0, half, 5000):
            books.earn_many(earnings([account], min(5000, half - start), f"{account.pk}:{start}"))
        spent = 0
        while spent < half:
            part = min(500, half - spent)
            books.spend(account=account, units=part * 10 - (5 if part > 5 else 0), key=f"s:{account.pk}:{spent}")
            spent += part
        books.earn(account=account, units=10_000, key=f"now:{account.pk}", usable_from=now - HOUR)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

    lots = (
        "SELECT SUM(remaining - held) FROM loyalty_ledger_lot WHERE account_id = %s AND remaining > 0 "
        "AND usable_from <= %s AND (expires_at IS NULL OR expires_at > %s)"
    )
    for account, name in ((small, "10 entries"), (large, f"{options.history:,} entries")):
        floor = timed(lambda account=account: query(lots, account.pk, now, now), 200)
        row(f"reading a balance with {name}", timed(lambda account=account: selectors.balance(account), 200), floor)

    counter = iter(range(10**9))

    def plain_write(account):
        """The least that keeps a balance: lock, one line, one sum."""
        number = next(counter)
        with transaction.atomic(), connection.cursor() as cursor:
            lock = " FOR UPDATE" if connection.vendor == "postgresql" else ""
            cursor.execute(f"SELECT balance FROM loyalty_ledger_account WHERE id = %s{lock}", [account.pk])  # noqa: S608
            cursor.execute("INSERT INTO floor VALUES (%s, %s, %s)", [account.pk, f"floor:{number}", -1])
            cursor.execute("UPDATE loyalty_ledger_account SET debt = debt WHERE id = %s", [account.pk])

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE floor (account bigint, key varchar(200) UNIQUE, units bigint)")
    for operation, call in (
        ("spend", lambda a: books.spend(account=a, units=1, key=f"x{next(counter)}")),
        ("earn", lambda a: books.earn(account=a, units=1, key=f"e{next(counter)}", usable_from=now)),
    ):
        for account, name in ((small, "10 entries"), (large, f"{options.history:,} entries")):
            floor = timed(lambda account=account: plain_write(account), 100)
            row(f"{operation} with {name}", timed(lambda account=account, call=call: call(account), 100), floor)

    accounts = [books.open_account(unit="p", owner=books.Ref.of("bulk", n)) for n in range(options.accounts)]

    def plain_bulk():
        with transaction.atomic(), connection.cursor() as cursor:
            rows = [(accounts[n % len(accounts)].pk, f"bulk:{n}", 10) for n in range(options.earnings)]
            for start in range(0, len(rows), 500):
                some = rows[start : start + 500]
                values = ",".join(["(%s, %s, %s)"] * len(some))
                cursor.execute(f"INSERT INTO floor VALUES {values}", [value for row in some for value in row])  # noqa: S608
            cursor.execute("UPDATE loyalty_ledger_account SET debt = debt WHERE owner_type = 'bulk'")

    floor = timed(plain_bulk)
    for share in (0.25, 0.5, 1):
        number = int(options.earnings * share)
        ours = timed(lambda number=number, share=share: books.earn_many(earnings(accounts, number, f"m{share}")))
        row(f"earn_many of {number:,} ({ours / number * 1e6:.0f} µs each)", ours, floor * share)
    again = timed(lambda: books.earn_many(earnings(accounts, options.earnings, "m1")))
    row(f"the same {options.earnings:,} once more, all known", again)

    ends = {"expires_at": now - timedelta(minutes=1), "happened_at": now - 2 * HOUR}
    books.earn_many(earnings(accounts, options.earnings, "ending", **ends))
    row(f"expire_due of {options.earnings:,} lots", timed(books.expire_due), floor)
    row("audit of it all", timed(lambda: list(audit.audit())))


if __name__ == "__main__":
    django.setup()
    from django.db import connection

    # The schema as the models have it: the tests' own settings leave some apps without migrations.
    connection.settings_dict["TEST"]["MIGRATE"] = False
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        main()
    finally:
        connection.creation.destroy_test_db(made, verbosity=0)
