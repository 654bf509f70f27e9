"""What posting expired points costs, beside plain SQL that does the least and writes the same.

    python scripts/services.py postgresql -- python benchmarks/expiry.py --lots 1000000 --accounts 200000 --rounds 2

The floor locks the accounts, inserts entries and uses, and updates lots and accounts, all by one statement, in slices
of the same size, each one transaction that notes how far it is. It numbers the entries as ours do, with the same keys,
which the database refuses to take twice. It knows its accounts by heart, has no explanations, and knows nothing of
holds. Both work on copies of one database, in turn; what both have written is compared, and the audit looks at ours.

Also told: the most memory our process had, and whether the time grows as the work does (a quarter of it beside all).
It works in test databases of its own, which it makes and takes away.
"""

import argparse
import os
import sys
from datetime import timedelta
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from benchmarks import bulk
from benchmarks.databases import of_its_own
from benchmarks.side_by_side import Watch

#: What is wanted: times the floor, MB.
BOUND, MEMORY = 1.5, 300

FILL = [
    """
    INSERT INTO loyalty_ledger_account (unit, owner_type, owner_id, sequence, balance, debt, opened_at)
    SELECT 'points:1', 'bench', i, %(each)s, 10 * %(each)s, 0, %(now)s
    FROM generate_series(%(first)s::int, %(last)s::int) i
    """,
    """
    INSERT INTO loyalty_ledger_entry (account_id, sequence, key, digest, kind, units, balance_after, explanation,
        source_type, source_id, actor_type, actor_id, effective_at, recorded_at)
    SELECT account.id, n, 'bench:' || account.owner_id || ':' || n, 'bench', 'earn', 10, 10 * n, '{}', '', '', '', '',
        %(now)s::timestamptz - INTERVAL '400 days', %(now)s
    FROM loyalty_ledger_account account, generate_series(1, %(each)s) n
    WHERE account.sequence = %(each)s AND account.owner_id::int BETWEEN %(first)s AND %(last)s
    ORDER BY account.id, n
    """,
    """
    INSERT INTO loyalty_ledger_lot (account_id, entry_id, units, remaining, held, usable_from, expires_at)
    SELECT entry.account_id, entry.id, 10, 10, 0, entry.effective_at,
        %(now)s::timestamptz - (entry.id * 7919 %% 200) * INTERVAL '1 hour'
    FROM loyalty_ledger_entry entry JOIN loyalty_ledger_account account ON account.id = entry.account_id
    WHERE account.owner_id::int BETWEEN %(first)s AND %(last)s ORDER BY entry.id
    """,
]
LOCK = """
    SELECT id FROM loyalty_ledger_account account WHERE id BETWEEN %(first)s AND %(last)s AND EXISTS (
        SELECT FROM loyalty_ledger_lot lot
        WHERE lot.account_id = account.id AND remaining > 0 AND expires_at <= %(now)s
    ) ORDER BY id FOR UPDATE
"""
FLOOR = """
    WITH due AS MATERIALIZED (
        SELECT lot.id, account_id, remaining - held AS units, expires_at,
            account.sequence + ROW_NUMBER() OVER mine AS sequence,
            account.balance - (SUM(remaining - held) OVER mine)::bigint AS balance
        FROM loyalty_ledger_lot lot JOIN loyalty_ledger_account account ON account.id = lot.account_id
        WHERE account_id BETWEEN %(first)s AND %(last)s AND remaining > 0 AND expires_at <= %(now)s
            AND remaining > held
        WINDOW mine AS (PARTITION BY account_id ORDER BY expires_at, lot.id ROWS UNBOUNDED PRECEDING)
    ), entries AS (
        INSERT INTO loyalty_ledger_entry (account_id, sequence, key, digest, kind, units, balance_after, explanation,
            source_type, source_id, actor_type, actor_id, effective_at, recorded_at)
        SELECT account_id, sequence, 'expire:' || account_id || ':' || sequence, 'expire', 'expire', -units, balance,
            '{}', '', '', '', '', expires_at, %(now)s FROM due
        RETURNING id, account_id, sequence
    ), uses AS (
        INSERT INTO loyalty_ledger_lotuse (entry_id, lot_id, units)
        SELECT entries.id, due.id, due.units FROM entries JOIN due USING (account_id, sequence)
    ), lots AS (
        UPDATE loyalty_ledger_lot lot SET remaining = held FROM due WHERE lot.id = due.id
    ) UPDATE loyalty_ledger_account account SET sequence = last.sequence, balance = last.balance
    FROM (SELECT account_id, MAX(sequence) AS sequence, MIN(balance) AS balance FROM due GROUP BY account_id) last
    WHERE account.id = last.account_id
"""
WRITTEN = [
    ("loyalty_ledger_account", "id, sequence, balance"),
    ("loyalty_ledger_entry", "account_id, sequence, key, kind, units, balance_after, effective_at"),
    ("loyalty_ledger_lot", "id, remaining, held"),
    ("loyalty_ledger_lotuse", "lot_id, units"),
]


def fill(first, last, each, now):
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement, {"first": first, "last": last, "each": each, "now": now})
        cursor.execute("VACUUM ANALYZE")


def ours(now):
    from django.db import connection

    from oscar_loyalty import clock
    from oscar_loyalty.ledger import books

    with clock.frozen(now), Watch(bulk.pid_of(connection)) as watch:
        books.expire_due()
    return watch


def compare(options, accounts, now, base):
    from oscar_loyalty.ledger import audit, expiring

    def least():
        bounds = "SELECT MIN(id), MAX(id) FROM loyalty_ledger_account"
        return bulk.floor(LOCK, FLOOR, {"now": now}, bounds=bounds, size=max(1, expiring.SLICE // options.each))

    def prove():
        findings = list(audit.audit())
        assert not findings, findings[:3]  # noqa: S101

    return bulk.compare(
        base,
        {"floor": least, "ours": lambda: ours(now)},
        rounds=options.rounds,
        tables=WRITTEN,
        prove=prove,
        number=accounts * options.each,
        name="lots",
    )


def main(base):
    from oscar_loyalty import clock

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lots", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    options.each = options.lots // options.accounts
    now = clock.now().replace(microsecond=0) - timedelta(hours=1)
    few, many = bulk.growing(
        options.accounts,
        lambda first, last: fill(first, last, options.each, now),
        lambda accounts: compare(options, accounts, now, base),
    )
    bulk.tell(few, many, bound=BOUND, memory=MEMORY, name="lots")


if __name__ == "__main__":
    django.setup()
    from django.db import connection

    if connection.vendor != "postgresql":
        sys.exit("The floor is written for PostgreSQL: scripts/services.py postgresql -- starts one.")
    with of_its_own():
        main(connection.settings_dict["NAME"])
