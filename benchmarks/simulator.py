"""How many past purchases a second the simulator replays, reading and writing the result included.

    DATABASE_URL=postgres://... python benchmarks/simulator.py          (without: SQLite)
    python benchmarks/simulator.py --file cdnow_master.txt              (real purchases: 69,659 of CDNOW)

Without a file it makes up as many purchases of as many customers. Each is replayed twice: by today's rules, which are
those of the demo shop (a point for each euro), and by a draft with twice as many above 20 euros, twice that again on
Tuesdays. It works in a test database of its own, which it makes and takes away.
"""

import argparse
import os
import random
import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

#: What the simulator promises, in purchases a second of processor time.
PROMISED = 20_000


def made_up(path, orders, customers):
    dice = random.Random(1)  # noqa: S311
    rows = [
        f"{dice.randrange(customers)} {dice.randrange(1997, 1999)}-{dice.randrange(12) + 1:02}-"
        f"{dice.randrange(28) + 1:02} {dice.randrange(6) + 1} {dice.randrange(1_000, 10_000) / 100:.2f}"
        for _order in range(orders)
    ]
    path.write_text("\n".join(["customer date pieces amount", *rows]))


def measured(number, name, function):
    """Run ``function`` and say how many of ``number`` purchases it did a second, by the clock and by the processor."""
    began, busy = time.perf_counter(), time.process_time()
    result = function()
    clock, busy = time.perf_counter() - began, time.process_time() - busy
    print(f"{name:34} {clock:7.2f} s  {number / clock:9,.0f} a second   processor {busy:6.2f} s {number / busy:9,.0f}")
    return number / busy, result


def main():
    from django.db import connection

    from oscar_loyalty import tables
    from oscar_loyalty.earning import backfill, drafts, imports, rules
    from oscar_loyalty.loading import get_model
    from oscar_loyalty.members import services
    from oscar_loyalty.reports.simulation import services as simulator

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=69_659)
    parser.add_argument("--customers", type=int, default=23_570)
    parser.add_argument("--file", type=Path, help="customer, date, pieces, amount, apart by blanks")
    parser.add_argument("--awarded", action="store_true", help="award them all first: awards are read, too")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()

    programme = services.create_programme(name="Benchmark")
    rate = rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1.00"})
    with tempfile.TemporaryDirectory() as folder:
        path = options.file or Path(folder) / "sales.txt"
        if options.file is None:
            made_up(path, options.orders, options.customers)
        found = tables.read(path, delimiter="blank")
        names = dict(zip(("customer", "date", "quantity", "amount"), found.columns, strict=True))
        imports.run(kind="transactions", table=found, mapping=names, programme=programme)
    number = get_model("order", "Order").objects.count()
    print(f"{connection.vendor}: {number:,} purchases\n")
    if options.awarded:
        backfill.run(programme=programme)
    draft = drafts.start(programme=programme, name="Twice above 20")
    drafts.put(draft=draft, rule=rate.rule, spec={"points": 2, "per": "1.00", "threshold": "20"})
    drafts.put(draft=draft, kind="booster", spec={"times": "2", "when": {"weekdays": [1]}})
    best = 0.0
    for turn in range(options.rounds):
        row = simulator.ask(
            programme=programme,
            key=f"benchmark {turn}",
            rules=f"draft:{draft.pk}",
            title="Benchmark",
            since=date(1990, 1, 1),
            until=date(2030, 1, 1),
            earlier=True,
        )
        run = lambda: simulator.run(simulation=row)  # noqa: B023, E731
        if options.profile:
            import cProfile
            import pstats

            with cProfile.Profile() as profile:
                run()
            pstats.Stats(profile).sort_stats("tottime").print_stats(35)
            return
        speed, _none = measured(number, f"replay, round {turn + 1}", run)
        best = max(best, speed)
        row.refresh_from_db()
        if row.state != "done" or row.result["purchases"] != number:
            sys.exit(f"It did not look at all of them: {row.state} {row.error} {row.result.get('purchases')}")
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    if best < PROMISED:
        sys.exit(f"Slower than promised: {best:,.0f} a second, not {PROMISED:,}.")


if __name__ == "__main__":
    django.setup()
    from django.db import connection

    from oscar_loyalty.management.bulk import many_objects

    connection.settings_dict["TEST"]["MIGRATE"] = False
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        # As the worker does.
        with many_objects():
            main()
    finally:
        connection.creation.destroy_test_db(made, verbosity=0)
