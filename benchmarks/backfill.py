"""What points for the orders of the past cost, beside plain SQL that does the least and writes the same.

    python scripts/services.py postgresql -- python benchmarks/backfill.py --orders 1000000 --customers 200000

The floor reads orders and lines, reckons one point for each euro, and writes entries, lots, awards and their lines
with the same explanations, reviews, and word for the followers: one statement for all, in slices of the same size, each
one transaction that notes how far it is. Nothing leaves the database. It knows its one rule and its one tier by heart,
and nothing of refunds, bookings, limits, debts or lots that expire in between. Ours lets the engine decide about each
order in Python. Both work on copies of one database, in turn; what both have written is compared, and the audit looks
at ours.

Also told: the most memory our process had, and whether the time grows as the work does (a quarter of it beside all).
It works in test databases of its own, which it makes and takes away.
"""

import argparse
import json
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
BOUND, MEMORY = 2, 300

FILL = [
    """
    INSERT INTO auth_user (username, email, password, first_name, last_name, is_staff, is_active, is_superuser,
        date_joined)
    SELECT 'bench' || i, 'bench' || i || '@example.com', '!', '', '', false, true, false, %(now)s
    FROM generate_series(%(first)s::int, %(last)s::int) i
    """,
    """
    INSERT INTO auth_user_groups (user_id, group_id) SELECT id, %(group)s FROM auth_user WHERE id > %(before)s
    """,
    """
    INSERT INTO loyalty_ledger_account (unit, owner_type, owner_id, sequence, balance, debt, opened_at)
    SELECT %(unit)s, 'bench', id, 0, 0, 0, %(now)s FROM auth_user WHERE id > %(before)s ORDER BY id
    """,
    """
    INSERT INTO loyalty_members_member (programme_id, user_id, number, email, first_name, last_name, greeting_name,
        language, status, source, tier_id, joined_at, account_id)
    SELECT %(programme)s, person.id, 'B' || person.id, person.email, '', '', '', 'en', 'active', 'bench', %(tier)s,
        %(now)s, account.id
    FROM loyalty_ledger_account account JOIN auth_user person ON person.id = account.owner_id::int
    WHERE account.owner_type = 'bench' AND person.id > %(before)s ORDER BY account.id
    """,
    """
    INSERT INTO order_order (number, site_id, user_id, currency, total_incl_tax, total_excl_tax, shipping_incl_tax,
        shipping_excl_tax, shipping_method, shipping_code, status, guest_email, date_placed, analytics_tracked)
    SELECT 'b' || person.id || '-' || n, %(site)s, person.id, %(currency)s, price, price, 0, 0, '', '', 'Complete', '',
        %(now)s::timestamptz - ((person.id * 7919 + n * 104729) %% 600) * INTERVAL '1 day' - n * INTERVAL '1 second',
        false
    FROM auth_user person, generate_series(1, %(each)s) n,
        LATERAL (SELECT ((person.id * 31 + n * 17) %% 13100 + 100) / 100.0 AS price) prices
    WHERE person.id > %(before)s ORDER BY hashint4((person.id * 131 + n)::int)
    """,
    """
    INSERT INTO order_line (order_id, partner_name, partner_sku, partner_line_reference, partner_line_notes, title,
        quantity, line_price_incl_tax, line_price_excl_tax, line_price_before_discounts_incl_tax,
        line_price_before_discounts_excl_tax, status, num_allocated, allocation_cancelled)
    SELECT id, '', '', '', '', 'Past purchase', 1, total_incl_tax, total_incl_tax, total_incl_tax, total_incl_tax, '',
        0, false
    FROM order_order WHERE user_id > %(before)s ORDER BY id
    """,
]
LOCK = """
    SELECT account.id FROM loyalty_ledger_account account
    JOIN loyalty_members_member member ON member.account_id = account.id
    WHERE member.user_id BETWEEN %(first)s AND %(last)s ORDER BY account.id FOR UPDATE OF account
"""
FLOOR = """
    WITH wanted AS MATERIALIZED (
        SELECT o.id, o.number, o.status, o.date_placed, line.id AS line, line.title, line.quantity, member.id AS member,
            member.tier_id, account.id AS account, line.line_price_incl_tax AS amount,
            trim_scale(line.line_price_incl_tax)::text AS said,
            floor(line.line_price_incl_tax)::bigint AS points,
            (o.date_placed AT TIME ZONE %(zone)s + %(days)s * INTERVAL '1 day') AT TIME ZONE %(zone)s
                AS usable_from,
            account.sequence + ROW_NUMBER() OVER mine AS sequence,
            account.balance + (SUM(floor(line.line_price_incl_tax)) OVER mine)::bigint AS balance
        FROM order_order o JOIN order_line line ON line.order_id = o.id
        JOIN loyalty_members_member member ON member.user_id = o.user_id AND member.programme_id = %(programme)s
        JOIN loyalty_ledger_account account ON account.id = member.account_id
        WHERE o.user_id BETWEEN %(first)s AND %(last)s AND o.site_id = %(site)s
            AND NOT EXISTS (SELECT FROM loyalty_earning_award WHERE reference = 'order:' || o.id)
        WINDOW mine AS (PARTITION BY account.id ORDER BY o.date_placed, o.id ROWS UNBOUNDED PRECEDING)
    ), entries AS (
        INSERT INTO loyalty_ledger_entry (account_id, sequence, key, digest, kind, units, balance_after, explanation,
            source_type, source_id, actor_type, actor_id, effective_at, recorded_at)
        SELECT account, sequence, 'award:order:' || id, md5(id::text) || md5(account::text), 'earn', points, balance,
            jsonb_build_object('base', said, 'multiplier', '1', 'tier', %(tier_said)s::jsonb, 'exact', said,
                'rounding', 'down', 'rounded', points <> amount, 'points', points, 'number', number, 'why',
                    'award', 'source', 'order', 'lines', jsonb_build_array(jsonb_build_object('rule', 'amount',
                    'name', '', 'version', %(version)s, 'number', 1, 'target', 'everything',
                    'points', '1', 'per', '1', 'amount', said, 'currency', 'EUR', 'title', title, 'product',
                        NULL))), 'order', id, '', '',
            date_placed, %(now)s FROM wanted ORDER BY account, sequence
        RETURNING id, account_id, sequence
    ), joined AS (
        SELECT wanted.*, entries.id AS entry FROM wanted JOIN entries
            ON entries.account_id = wanted.account AND entries.sequence = wanted.sequence
    ), lots AS (
        INSERT INTO loyalty_ledger_lot (account_id, entry_id, units, remaining, held, usable_from)
        SELECT account, entry, points, points, 0, usable_from FROM joined
    ), awards AS (
        INSERT INTO loyalty_earning_award (programme_id, member_id, reference, source_type, source_id, points,
            clawed_back, spent, spent_back, void, entry_id, tier_id, multiplier, happened_at, usable_from, explanation)
        SELECT %(programme)s, member, 'order:' || id, 'order', id, points, 0, amount, 0, false, entry, tier_id, 1,
            date_placed, usable_from, jsonb_build_object('base', said, 'multiplier', '1', 'tier',
                %(tier_said)s::jsonb, 'exact', said,
                'rounding', 'down', 'rounded', points <> amount, 'points', points, 'number', number, 'left_out',
                    '{}'::jsonb) FROM joined
        RETURNING id, source_id
    ), lines AS (
        INSERT INTO loyalty_earning_awardline (award_id, order_line_id, title, quantity, amount, share, points,
            rule_version_id, happened_at, explanation)
        SELECT awards.id, wanted.line, wanted.title, wanted.quantity, wanted.amount, wanted.points, wanted.points,
            %(version)s, wanted.date_placed, jsonb_build_object('rule', 'amount', 'name', '', 'version', %(version)s,
                'number', 1, 'target', 'everything',
            'points', '1', 'per', '1', 'amount', wanted.said, 'currency', 'EUR')
        FROM awards JOIN wanted ON wanted.id = awards.source_id::bigint
    ), reviews AS (
        INSERT INTO loyalty_earning_orderreview (order_id, status, cancelled_lines, reviewed_at)
        SELECT id, status, 0, %(now)s FROM wanted
    ), word AS (
        INSERT INTO loyalty_due_due (kind, key, payload, state, due_at, tries, last_error)
        SELECT 'earning.follow', 'given:' || MIN(id), jsonb_build_object('awards', jsonb_agg(id)), 'waiting', %(now)s,
            0, '' FROM awards HAVING COUNT(*) > 0
    ) UPDATE loyalty_ledger_account account SET sequence = last.sequence, balance = last.balance
    FROM (SELECT account, MAX(sequence) AS sequence, MAX(balance) AS balance FROM wanted GROUP BY account) last
    WHERE account.id = last.account
"""
WRITTEN = [
    ("loyalty_ledger_account", "id, sequence, balance"),
    ("loyalty_ledger_entry", "account_id, sequence, key, kind, units, balance_after, explanation, effective_at"),
    ("loyalty_ledger_lot", "account_id, units, remaining, usable_from, expires_at"),
    (
        "loyalty_earning_award",
        "member_id, reference, source_id, points, spent, tier_id, multiplier, happened_at, usable_from, explanation",
    ),
    (
        "loyalty_earning_awardline",
        "order_line_id, title, quantity, amount, share, points, rule_version_id, happened_at, explanation",
    ),
    ("loyalty_earning_orderreview", "order_id, status, cancelled_lines"),
]


def fill(values, first, last):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(id), 0) FROM auth_user")
        more = {"first": first, "last": last, "before": cursor.fetchone()[0]}
        for statement in FILL:
            cursor.execute(statement, values | more)
        cursor.execute("VACUUM ANALYZE")


def ours(programme):
    from django.db import connection

    from oscar_loyalty.earning import backfill
    from oscar_loyalty.management.bulk import many_objects

    # As the command does.
    with many_objects(), Watch(bulk.pid_of(connection)) as watch:
        backfill.run(programme=programme)
    return watch


def compare(options, programme, values, customers, base):
    from oscar_loyalty.earning import backfill
    from oscar_loyalty.reports import audit

    def least():
        bounds = "SELECT MIN(user_id), MAX(user_id) FROM loyalty_members_member"
        return bulk.floor(LOCK, FLOOR, values, bounds=bounds, size=max(1, backfill.SLICE // options.each))

    def prove():
        report = audit.run(keep=False)
        assert report.clean, report.findings[:3]  # noqa: S101

    return bulk.compare(
        base,
        {"floor": least, "ours": lambda: ours(programme)},
        rounds=options.rounds,
        tables=WRITTEN,
        prove=prove,
        number=customers * options.each,
        name="orders",
    )


def setting(options):
    """A programme with one rule, and what the floor knows of it by heart."""
    from django.conf import settings

    from oscar_loyalty import clock
    from oscar_loyalty.earning import rules
    from oscar_loyalty.fields import data_of
    from oscar_loyalty.members import selectors, services

    programme = services.create_programme(name="Benchmark")
    version = rules.publish_rule(programme=programme, kind="amount", spec={"points": 1, "per": "1.00"})
    tier = selectors.tiers(programme).first()
    return programme, {
        "programme": programme.pk,
        "unit": programme.unit,
        "tier": tier.pk,
        "tier_said": json.dumps({"code": tier.code, "name": data_of(tier.name)}),
        "version": version.pk,
        "site": programme.site_id,
        "currency": programme.currency,
        "each": options.each,
        # At noon: of the hour that summer time skips or repeats, PostgreSQL and Python think differently.
        "now": (clock.now() - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0),
        "days": programme.pending_days,
        "zone": settings.TIME_ZONE,
        "group": tier.group_id,
    }


def main(base):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    options.each = options.orders // options.customers
    programme, values = setting(options)
    few, many = bulk.growing(
        options.customers,
        lambda first, last: fill(values, first, last),
        lambda customers: compare(options, programme, values, customers, base),
    )
    bulk.tell(few, many, bound=BOUND, memory=MEMORY, name="orders")


if __name__ == "__main__":
    django.setup()
    from django.db import connection

    if connection.vendor != "postgresql":
        sys.exit("The floor is written for PostgreSQL: scripts/services.py postgresql -- starts one.")
    with of_its_own():
        main(connection.settings_dict["NAME"])
