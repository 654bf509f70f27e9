"""What the review of everybody's tier costs, beside plain SQL that does the least and writes the same.

    python scripts/services.py postgresql -- python benchmarks/tier_review.py --members 200000 --rounds 2
    python benchmarks/tier_review.py          (on SQLite, without the floor, which is written for PostgreSQL)

The floor counts, compares, and writes terms, tiers, history, groups and due rows of those who move, in slices of the
same size, each one transaction that notes how far it is. It knows its tiers and its calendar by heart, and nothing of
refunds in between, tiers by hand, warnings or other programmes' rules. Both work on copies of one database, in turn;
what both have written is compared.

Time is shown by the clock and by the processor (ours and that of the database's process), for a machine that is shared.
It works in test databases of its own, which it makes and takes away.
"""

import argparse
import os
import resource
import statistics
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from benchmarks import bulk
from benchmarks.side_by_side import Watch, plain_connection

#: What reaches the second tier and the third.
SILVER, GOLD = 250, 500


def fill(programme, number, orders):
    """Members with a user each, and so many orders on average within 700 days; a few statements for all."""
    from django.contrib.auth import get_user_model

    from oscar_loyalty import clock
    from oscar_loyalty.loading import get_model
    from oscar_loyalty.members import selectors
    from oscar_loyalty.sql import Database, Value

    Member, Account = get_model("loyalty_members", "Member"), get_model("loyalty_ledger", "Account")
    Award, User = get_model("loyalty_earning", "Award"), get_user_model()
    db, now = Database(Member), clock.now()
    lowest = selectors.tiers(programme).first()

    def count(name, most):
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $most) SELECT i FROM n"
        return f"({numbers.replace('$most', str(most))}) {name}"

    card = "'9' || CAST(10000000000 + one.i AS varchar(12))"
    members = f"FROM {count('one', number)}"
    db.insert(User, {"username": card, "email": f"{card} || '@example.com'", "password": Value("!")}, members)
    account = {
        "unit": Value(programme.unit),
        "owner_type": Value("member"),
        "owner_id": card,
        "opened_at": Value(db.moment(now)),
    }
    db.insert(Account, account, members)
    fields = {
        "programme_id": Value(programme.pk),
        "user_id": "person.id",
        "number": "account.owner_id",
        "email": "person.email",
        "tier_id": Value(lowest.pk),
        "account_id": "account.id",
        "joined_at": Value(db.moment(now)),
        "source": Value("bench"),
        "language": Value("en"),
    }
    source = "FROM $account account JOIN $person person ON person.username = account.owner_id ORDER BY person.id"
    db.insert(Member, fields, source, account=db.table(Account), person=db.table(User))
    through = User.groups.through
    entered = {
        through._meta.get_field(User._meta.model_name).column: "member.user_id",
        "group_id": Value(lowest.group_id),
    }
    db.insert(through, entered, "FROM $member member", member=db.table(Member))
    day = "(member.id * 7919 + one.i * 104729) %% 700"
    moment = (
        "TIMESTAMPTZ %s - ($day) * INTERVAL '1 day'" if db.is_postgresql else "datetime(%s, '-' || ($day) || ' days')"
    )
    awards = {
        "programme_id": Value(programme.pk),
        "member_id": "member.id",
        "reference": "'order:b' || member.id || '-' || one.i",
        "source_type": Value("order"),
        "source_id": "'b' || member.id || '-' || one.i",
        "points": Value(0),
        "spent": "20 + (member.id * 31 + one.i * 17) %% 13100 / 100.0",
    }
    awards["happened_at"] = moment.replace("$day", day).replace("%s", f"'{db.moment(now)}'")
    each = f"JOIN {count('one', 2 * orders)} ON one.i <= (member.id * 7919) %% {2 * orders + 1}"
    db.insert(Award, awards, f"FROM $member member {each}", member=db.table(Member))
    if db.is_postgresql:
        db.run("ANALYZE")
    return Award.objects.count()


class Floor:
    """Plain SQL through psycopg."""

    RISE = """
        WITH counted AS (
            SELECT member_id, SUM(spent - spent_back) AS total FROM loyalty_earning_award
            WHERE member_id BETWEEN %(first)s AND %(last)s AND NOT void AND source_type <> 'booking'
                AND happened_at >= %(since)s
            GROUP BY member_id
        ), moved AS (
            SELECT member.id, member.user_id, tier.id AS before, own.rank AS before_rank, tier.rank, tier.id AS after,
                member.tier_id
            FROM counted JOIN loyalty_members_member member ON member.id = counted.member_id
                AND member.id BETWEEN %(first)s AND %(last)s
            JOIN loyalty_members_tier own ON own.id = member.tier_id
            LEFT JOIN loyalty_members_tierterm term ON term.member_id = member.id
                AND term.member_id BETWEEN %(first)s AND %(last)s
            JOIN loyalty_members_tier tier
                ON tier.id = CASE WHEN counted.total >= %(g)s THEN %(gold)s ELSE %(silver)s END
            WHERE counted.total >= %(s)s AND member.programme_id = %(programme)s AND member.status = 'active'
                AND member.merged_into_id IS NULL AND own.rank < tier.rank
                AND COALESCE(term.earned_id, member.tier_id) = member.tier_id
        ), tiers AS (
            UPDATE loyalty_members_member member SET tier_id = moved.after FROM moved
            WHERE member.id = moved.id AND member.tier_id = moved.tier_id
                AND member.id BETWEEN %(first)s AND %(last)s
            RETURNING moved.id, moved.user_id, moved.tier_id, moved.after, moved.rank, moved.before_rank
        ), terms AS (
            INSERT INTO loyalty_members_tierterm (member_id, earned_id, ends_at, floor_reason)
            SELECT id, after, %(end)s, '' FROM tiers
            ON CONFLICT (member_id) DO UPDATE SET earned_id = excluded.earned_id, ends_at = excluded.ends_at
        ), changes AS (
            INSERT INTO loyalty_members_tierchange (member_id, key, before_id, after_id, cause, reason, actor_type,
                actor_id, happened_at)
            SELECT id, 'floor:' || %(stamp)s || ':' || id, tier_id, after, 'risen', '', '', '', %(now)s FROM tiers
            RETURNING id
        ), entered AS (
            INSERT INTO auth_user_groups (user_id, group_id)
            SELECT tiers.user_id, tier.group_id FROM tiers JOIN loyalty_members_tier tier
                ON tier.programme_id = %(programme)s AND tier.rank > tiers.before_rank AND tier.rank <= tiers.rank
            ON CONFLICT DO NOTHING
        ), left_word AS (
            INSERT INTO loyalty_due_due (kind, key, payload, state, due_at, tries, last_error)
            SELECT 'members.tier_changed', id, jsonb_build_object('change', id), 'waiting', %(now)s, 0, ''
            FROM changes ON CONFLICT DO NOTHING
        ) SELECT COUNT(*) FROM changes
    """
    END = """
        WITH ending AS (
            SELECT term.member_id, term.ends_at FROM loyalty_members_tierterm term
            WHERE term.member_id BETWEEN %(first)s AND %(last)s AND term.ends_at <= %(now)s
        ), counted AS (
            SELECT ending.member_id, COALESCE(SUM(spent - spent_back), 0) AS total,
                COALESCE(SUM(spent - spent_back) FILTER (WHERE happened_at >= %(since)s), 0) AS lately
            FROM ending LEFT JOIN loyalty_earning_award award ON award.member_id = ending.member_id
                AND award.member_id BETWEEN %(first)s AND %(last)s
                AND NOT void AND source_type <> 'booking' AND happened_at >= ending.ends_at - INTERVAL '12 months'
            GROUP BY ending.member_id
        ), judged AS (
            SELECT member.id, member.user_id, own.id AS tier_id, own.rank AS before_rank, tier.id AS after, tier.rank
            FROM counted JOIN loyalty_members_member member ON member.id = counted.member_id
                AND member.id BETWEEN %(first)s AND %(last)s
            JOIN loyalty_members_tier own ON own.id = member.tier_id
            JOIN loyalty_members_tier tier ON tier.id = CASE
                WHEN GREATEST(total, lately) >= %(g)s THEN %(gold)s
                WHEN GREATEST(total, lately) >= %(s)s THEN %(silver)s ELSE %(bronze)s END
            WHERE member.programme_id = %(programme)s AND member.status = 'active' AND member.merged_into_id IS NULL
        ), kept AS (
            UPDATE loyalty_members_tierterm term SET ends_at = term.ends_at + INTERVAL '12 months' FROM judged
            WHERE term.member_id = judged.id AND judged.rank >= judged.before_rank
        ), tiers AS (
            UPDATE loyalty_members_member member SET tier_id = judged.after FROM judged
            WHERE member.id = judged.id AND judged.rank < judged.before_rank AND member.tier_id = judged.tier_id
            RETURNING judged.*
        ), terms AS (
            UPDATE loyalty_members_tierterm term SET earned_id = tiers.after,
                ends_at = CASE WHEN tiers.after = %(bronze)s THEN NULL ELSE %(end)s END
            FROM tiers WHERE term.member_id = tiers.id
        ), changes AS (
            INSERT INTO loyalty_members_tierchange (member_id, key, before_id, after_id, cause, reason, actor_type,
                actor_id, happened_at)
            SELECT id, 'floor:' || %(stamp)s || ':' || id, tier_id, after, 'fallen', '', '', '', %(now)s FROM tiers
            RETURNING id
        ), gone AS (
            DELETE FROM auth_user_groups USING tiers, loyalty_members_tier tier
            WHERE auth_user_groups.user_id = tiers.user_id AND auth_user_groups.group_id = tier.group_id
                AND tier.programme_id = %(programme)s AND tier.rank > tiers.rank AND tier.rank <= tiers.before_rank
        ), left_word AS (
            INSERT INTO loyalty_due_due (kind, key, payload, state, due_at, tries, last_error)
            SELECT 'members.tier_changed', id, jsonb_build_object('change', id), 'waiting', %(now)s, 0, ''
            FROM changes ON CONFLICT DO NOTHING
        ) SELECT COUNT(*) FROM changes
    """

    def __init__(self, programme, tiers, size):
        self.connection = plain_connection()
        self.size = size
        self.values = {"programme": programme.pk, "s": SILVER, "g": GOLD}
        self.values |= {tier.code: tier.pk for tier in tiers}
        with self.connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS floor_progress (stamp varchar(64), first bigint, number bigint)")
        self.connection.commit()

    def run(self, now, ladder, stamp):
        moved = 0
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT MIN(id), MAX(id) FROM loyalty_members_member")
            first, most = cursor.fetchone()
            common = {"now": now, "since": ladder.since(now), "end": ladder.term_end(now), "stamp": stamp}
            while first <= most:
                values = self.values | common | {"first": first, "last": first + self.size - 1}
                done = 0
                for statement in (self.RISE, self.END):
                    cursor.execute(statement, values)
                    done += cursor.fetchone()[0]
                cursor.execute("INSERT INTO floor_progress VALUES (%s, %s, %s)", [stamp, first, done])
                self.connection.commit()
                moved, first = moved + done, first + self.size
        return moved


def written():
    """Who has which tier and until when, and what was written of it: the same for both, or the floor is none."""
    from django.contrib.auth import get_user_model
    from django.db import connection

    tables = [
        ("loyalty_members_member", "id, tier_id"),
        ("loyalty_members_tierterm", "member_id, earned_id, ends_at"),
        ("loyalty_members_tierchange", "member_id, before_id, after_id, cause"),
        ("auth_user_groups", "user_id, group_id"),
    ]
    found = bulk.written(tables)
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM loyalty_due_due WHERE kind = 'members.tier_changed'")
        found["due"] = cursor.fetchone()[0]
    assert get_user_model()._meta.db_table == "auth_user"  # noqa: S101
    return found


def main(base, options):
    from django.db import connection

    from oscar_loyalty import clock
    from oscar_loyalty.earning.tiering import preview, proposals, review, selectors
    from oscar_loyalty.loading import get_model
    from oscar_loyalty.members import services

    programme = services.create_programme(name="Benchmark")
    with Watch() as watch:
        made = fill(programme, options.members, options.orders)
    print(
        f"{connection.vendor}: {options.members} members with {made} orders, made in {watch.took:.0f} s\n", flush=True
    )
    scheme = get_model("loyalty_members", "TierScheme").objects.create(programme=programme, metric="hand")
    now = clock.now()

    def ours(moment):
        with clock.frozen(moment), Watch(bulk.pid_of(connection)) as watch:
            done = review.run(review=review.begin(programme=programme, size=options.slice))
        assert done.finished_at is not None and done.seen == options.members  # noqa: S101
        return watch, done.risen + done.fallen

    def rules():
        for tier, threshold in zip(selectors.members.tiers(programme)[1:], (SILVER, GOLD), strict=False):
            tier.threshold = threshold
            tier.save()
        scheme.metric = "spend"
        scheme.save()

    def proposal():
        fields = {name: getattr(scheme, name) for name in proposals.FIELDS} | {"metric": "spend"}
        tiers = list(selectors.members.tiers(programme))
        steps = {tier.pk: Decimal(each) for tier, each in zip(tiers[1:], (SILVER, GOLD), strict=False)}
        return proposals.make(programme=programme, fields=fields, thresholds=steps)

    row = proposal()
    with Watch(bulk.pid_of(connection)) as watch:
        found = preview.run(proposal=row)
    print(f"preview, worked out once: {found.rising} would rise: {watch.took:.2f} s, processor {watch.cpu:.2f} s")
    with Watch() as watch:
        pages = found.moves.filter(rising=True).order_by("member")
        last = list(pages[max(found.rising - 25, 0) : found.rising])
    assert len(last) == min(25, found.rising)  # noqa: S101
    print(f"its last page: {watch.took * 1000:.0f} ms\n", flush=True)
    found.delete()
    rules()
    ladder = selectors.ladder_of(programme)
    moments = [("rise", now), ("nothing to do", now + timedelta(hours=1)), ("a year later", now + timedelta(days=400))]
    results = {name: {"ours": [], "floor": []} for name, _moment in moments}
    for number in range(options.rounds):
        states = {}
        for who in ("ours", "floor") if connection.vendor == "postgresql" else ("ours",):
            with bulk.copy_of(base, f"{base}_{who}"):
                if who == "floor":
                    floor = Floor(programme, selectors.members.tiers(programme), options.slice)
                    pid = floor.connection.info.backend_pid
                for name, moment in moments:
                    if who == "ours":
                        watch, moved = ours(moment)
                    else:
                        with Watch(pid) as watch:
                            moved = floor.run(moment, ladder, name)
                    results[name][who].append((watch.took, watch.cpu, moved))
                    if connection.vendor == "postgresql":
                        states.setdefault(name, []).append(written())
                if who == "floor":
                    floor.connection.close()
        for name, both in states.items():
            assert both[0] == both[1], (name, both)  # noqa: S101
        print(f"round {number + 1} done", flush=True)
    print()
    for name, sides in results.items():
        line = f"{name:16}"
        for who, runs in sides.items():
            if runs:
                took, cpu = (statistics.median(run[part] for run in runs) for part in (0, 1))
                line += f" {who:>6} {took:8.2f} s, processor {cpu:8.2f} s ({runs[0][2]} move)"
        if sides["floor"]:
            pairs = list(zip(sides["ours"], sides["floor"], strict=True))
            for part, label in ((0, "clock"), (1, "processor")):
                ratios = [mine[part] / least[part] for mine, least in pairs]
                line += f"  ratio by {label} {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        print(line)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    django.setup()
    from django.apps import apps
    from django.conf import settings
    from django.db import connection

    from oscar_loyalty.earning.tiering import review
    from oscar_loyalty.management.bulk import many_objects

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=5000)
    parser.add_argument("--orders", type=int, default=5, help="of each member, on average")
    parser.add_argument("--rounds", type=int, default=2, help="of both, in turn")
    parser.add_argument("--slice", type=int, default=review.SLICE)
    # As the tests make theirs: the tables of all apps at once.
    settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
    before = connection.settings_dict["NAME"]
    options = parser.parse_args()
    base = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        # As the command does.
        with many_objects():
            main(base, options)
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)
