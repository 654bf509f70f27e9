"""What importing past purchases costs above plain SQL doing the least, measured in the same run.

    DATABASE_URL=postgres://... python benchmarks/imports.py          (without: SQLite)
    python benchmarks/imports.py --orders 70000 --customers 23500

It works in a test database of its own, which it makes and takes away.
"""

import argparse
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")


def timed(function):
    began = time.perf_counter()
    result = function()
    return time.perf_counter() - began, result


def row(name, ours, number, floor=None):
    print(f"{name:42} {ours:8.2f} s {ours / number * 1e6:9.0f} µs each", end="")
    print(f"   floor {floor:7.2f} s   ratio {ours / floor:6.1f}" if floor else "", flush=True)


def plain(orders):
    """The least that keeps the same: a row each for the order and its line."""
    from django.db import connection, transaction

    tables = {
        "floor_order": "number varchar(64) UNIQUE, customer bigint, amount numeric(12, 2), placed varchar(32)",
        "floor_line": "number varchar(64), title varchar(64), amount numeric(12, 2)",
    }
    with connection.cursor() as cursor:
        for name, columns in tables.items():
            cursor.execute(f"CREATE TABLE {name} ({columns})")

    def write(name, rows):
        marks = f"({','.join(['%s'] * len(rows[0]))})"
        for start in range(0, len(rows), 500):
            part = rows[start : start + 500]
            with transaction.atomic(), connection.cursor() as cursor:
                values = ",".join([marks] * len(part))
                cursor.execute(f"INSERT INTO {name} VALUES {values}", [cell for one in part for cell in one])  # noqa: S608

    def bring():
        write("floor_order", [(f"{n}", customer, amount, day) for n, (customer, day, amount) in enumerate(orders)])
        write("floor_line", [(f"{n}", "Past purchase", amount) for n, (_customer, _day, amount) in enumerate(orders)])

    return timed(bring)[0]


def main():
    from django.db import connection

    from oscar_loyalty import tables
    from oscar_loyalty.earning import imports
    from oscar_loyalty.members import services
    from oscar_loyalty.reports import audit

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=3000)
    parser.add_argument("--customers", type=int, default=1000)
    options = parser.parse_args()
    print(f"{connection.vendor}: {options.orders} orders of {options.customers} customers\n")

    dice = random.Random(1)  # noqa: S311
    orders = [
        (dice.randrange(options.customers), f"2025-{dice.randrange(12) + 1:02}-{dice.randrange(28) + 1:02}", amount)
        for amount in (f"{dice.randrange(20_000) / 100:.2f}" for _order in range(options.orders))
    ]
    programme = services.create_programme(name="Benchmark")
    floor = plain(orders)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sales.csv"
        path.write_text("\n".join(["customer,date,amount", *(",".join(map(str, order)) for order in orders)]))

        def bring():
            return imports.run(kind="transactions", table=tables.read(path), programme=programme)

        ours, outcome = timed(bring)
        assert outcome.new == options.orders, outcome  # noqa: S101
        row("loyalty_import", ours, options.orders, floor)
        row("the same file once more, all known", timed(bring)[0], options.orders)
    ours, report = timed(lambda: audit.run(keep=False))
    assert report.clean, report.findings[:3]  # noqa: S101
    row("loyalty_audit", ours, options.orders)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    django.setup()
    from benchmarks.databases import of_its_own
    from oscar_loyalty.management.bulk import many_objects

    # As the commands do.
    with of_its_own(), many_objects():
        main()
