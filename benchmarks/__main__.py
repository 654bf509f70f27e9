"""How far each path is from the floor of the machine.

    make bench                     (starts a PostgreSQL of its own)
    make bench QUICK=1             (a minute: do all still run, and about how far are they?)
    make bench ENTRIES=1000000     (also with so many entries behind the account)
    make bench PEERS=1             (and then two other ledgers for Django: benchmarks/peers.py)
    make bench PREPARED=1          (for a shop whose connection lets psycopg prepare statements)

    python scripts/services.py postgresql -- python -m benchmarks --only earn

The table is printed, and written as Markdown to var/bench.md. It works in a test database of its own.
"""

import argparse
import os
import sys
from pathlib import Path

import django

from benchmarks.databases import of_its_own, settle
from benchmarks.side_by_side import kept

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
WRITTEN = Path("var/bench.md")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--entries", type=int, default=0, help="behind the account, beside 10 and 10,000")
    parser.add_argument("--only", default="", help="paths whose name has this in it")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--prepared", action="store_true", help="Django's connection prepares statements, as psycopg's")
    return parser.parse_args()


def ledger(table, options):
    """The ledger's writes: on accounts of their own and on one that all want, with little and much behind it."""
    from benchmarks import ledger
    from benchmarks.side_by_side import compare
    from oscar_loyalty.ledger import audit

    rounds, size = options.rounds or (5 if options.quick else 21), 10 if options.quick else 20
    scale = sorted({10, 10_000, options.entries} - {0})
    places = [("own", 10, ledger.accounts(80, 10))] + [
        ("one for all", each, ledger.accounts(1, each)) for each in scale
    ]
    settle()
    grown = {}
    for path in (path for path in ledger.WRITES + ledger.READS if options.only in path.name):
        for processes in (1, 4):
            for kind, history, accounts in places:
                label = f"{processes}:{kind}:{history}"
                found = compare(path, accounts, processes=processes, rounds=rounds, size=size, name=label)
                table.add(
                    path.name,
                    kind,
                    f"{history:,}",
                    processes,
                    f"{found.floor * 1e6:.0f} µs",
                    f"{found.ours * 1e6:.0f} µs",
                    found.by_clock,
                    found.by_cpu,
                    f"≤ {path.bound} × floor" if path.bound else "–",
                    kept(found.by_clock.median <= path.bound) if path.bound else "–",
                )
                if kind == "one for all":
                    grown.setdefault((path.name, processes), []).append(found.ours_cpu)
    findings = list(audit.audit())
    assert not findings, findings[:3]  # noqa: S101
    return [
        f"{name}, {processes} process{'es' if processes > 1 else ''}: {found[-1] / found[0]:.2f} × the processor time"
        f" with {scale[-1]:,} entries behind the account as with {scale[0]}"
        for (name, processes), found in grown.items()
    ]


def shop(options):
    """The award of an order of five lines: its processor time and its queries."""
    from benchmarks import shop

    busy, queries = shop.award(10 if options.quick else 50)
    number = queries.total()
    return [
        f"Award of an order of 5 lines: {busy:.1f} ms of our own processor time (bound {shop.MILLISECONDS}:"
        f" {kept(busy <= shop.MILLISECONDS)}), {number} queries (bound {shop.QUERIES}: {kept(number <= shop.QUERIES)};"
        f" {', '.join(f'{many} {word}' for word, many in queries.items())})"
    ]


def checkout(options):
    """What the plugin adds to the POST that places an order of one line, with nothing to redeem."""
    from benchmarks import checkout

    told = checkout.compare(*((4, 3) if options.quick else (15, 5)))
    bare, *others = checkout.SHOPS
    least, lines = told[bare], []
    for name in others:
        ours, added = told[name], told[name]["queries"] - least["queries"]
        more = ours["ratio took"].median - 1
        lines.append(
            f"Checkout's POST of one line, nothing to redeem: {least['took']:.0f} ms by {bare}, {ours['took']:.0f} ms"
            f" with {name}; ratio by clock {ours['ratio took']}, by processor {ours['ratio cpu']}"
            f" (bound {1 + checkout.SHARE}: {kept(more <= checkout.SHARE)}); {least['queries']:.0f} queries and"
            f" {added:.0f} more (bound {checkout.QUERIES}: {kept(added <= checkout.QUERIES)})"
        )
    return lines


def balance(options):
    """How many queries the read of a balance takes."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from oscar_loyalty.ledger import books, selectors

    account = books.open_account(unit="points:1", owner=books.Ref("bench", "read"))
    with CaptureQueriesContext(connection) as queries:
        selectors.balance(account)
    return [f"Read of a balance with its next dates: {len(queries)} query (bound 1: {kept(len(queries) <= 1)})"]


def main(options):
    from benchmarks.side_by_side import Table, machine

    table = Table(
        "path",
        "account",
        "entries behind",
        "processes",
        "floor",
        "ours",
        "ratio by clock",
        "by processor",
        "bound",
        "kept",
    )
    told = ledger(table, options) + balance(options)
    told += shop(options) if options.only in "award of an order of 5 lines" else []
    told += checkout(options) if options.only in "checkout's post of one line" else []
    told.append("The audit finds the books in order that both have written.")
    text = "\n\n".join([machine(), table.markdown(), "\n".join(f"* {line}" for line in told)])
    print("\n" + "\n".join([*told, machine()]))
    WRITTEN.parent.mkdir(exist_ok=True)
    WRITTEN.write_text(text + "\n")


if __name__ == "__main__":
    options = arguments()
    django.setup()
    from django.db import connection

    if connection.vendor != "postgresql":
        sys.exit("The floor is written for PostgreSQL: make bench starts one.")
    if options.prepared:
        connection.settings_dict["OPTIONS"] |= {"server_side_binding": True, "prepare_threshold": 5}
    with of_its_own():
        main(options)
