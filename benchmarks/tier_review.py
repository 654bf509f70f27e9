"""What the review of everybody's tier costs, and what it costs again when there is nothing to do.

    DATABASE_URL=postgres://... python benchmarks/tier_review.py          (without: SQLite)
    python benchmarks/tier_review.py --members 200000

It works in a test database of its own, which it makes and takes away.
"""

import argparse
import os
import random
import resource
import sys
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")


def timed(function):
    began = time.perf_counter()
    result = function()
    return time.perf_counter() - began, result


def row(name, took, number, floor=None):
    print(f"{name:42} {took:8.2f} s {took / number * 1e6:9.0f} µs each", end="")
    print(f"   floor {floor:7.2f} s   ratio {took / floor:6.1f}" if floor else "", flush=True)


def plain(programme):
    """The least: one statement that sums what everybody has spent in a year, read row by row."""
    from django.db import connection

    from oscar_loyalty import clock

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT member_id, SUM(spent - spent_back) FROM loyalty_earning_award "
            "WHERE programme_id = %s AND NOT void AND happened_at >= %s GROUP BY member_id",
            [programme.pk, clock.now() - timedelta(days=365)],
        )
        return cursor.fetchall()


def fill(programme, number, orders):
    """Members with a user each, and so many orders on average."""
    from django.contrib.auth import get_user_model

    from oscar_loyalty import clock
    from oscar_loyalty.loading import get_model
    from oscar_loyalty.members import services

    User, Award = get_user_model(), get_model("loyalty_earning", "Award")
    dice, now, made = random.Random(1), clock.now(), 0  # noqa: S311
    for start in range(0, number, 5000):
        names = range(start, min(start + 5000, number))
        users = User.objects.bulk_create(
            [User(username=f"m{name}", email=f"m{name}@example.com") for name in names], batch_size=500
        )
        people = services.join_many(programme=programme, people=[(user, now) for user in users], source="bench")
        awards = []
        for member in people:
            for _order in range(dice.randrange(2 * orders + 1)):
                made += 1
                awards.append(
                    Award(
                        programme=programme,
                        member=member,
                        reference=f"order:b{made}",
                        source_type="order",
                        source_id=f"b{made}",
                        points=0,
                        spent=Decimal(dice.randrange(2000, 15000)) / 100,
                        happened_at=now - timedelta(days=dice.randrange(700)),
                    )
                )
        Award.objects.bulk_create(awards, batch_size=1000)
    return made


def main():
    from django.db import connection

    from oscar_loyalty import clock
    from oscar_loyalty.earning.tiering import preview, review, selectors
    from oscar_loyalty.loading import get_model
    from oscar_loyalty.members import services

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=5000)
    parser.add_argument("--orders", type=int, default=5, help="of each member, on average")
    options = parser.parse_args()
    programme = services.create_programme(name="Benchmark")
    made = fill(programme, options.members, options.orders)
    print(f"{connection.vendor}: {options.members} members with {made} orders\n")
    for tier, threshold in zip(selectors.members.tiers(programme)[1:], (250, 500), strict=False):
        tier.threshold = threshold
        tier.save()
    get_model("loyalty_members", "TierScheme").objects.create(programme=programme, metric="spend")

    floor, _rows = timed(lambda: plain(programme))
    ladder = selectors.ladder_of(programme)
    took, would = timed(lambda: preview.moves(programme, ladder))
    row("preview: who would move", took, options.members, floor)

    def go():
        return review.run(review=review.begin(programme=programme, quiet=True))

    took, done = timed(go)
    assert done.risen == len(would.rising) > 0, (done.risen, len(would.rising))  # noqa: S101
    row(f"review: {done.risen} rise", took, options.members, floor)
    took, done = timed(go)
    assert done.risen == done.fallen == 0  # noqa: S101
    row("review: nothing to do", took, options.members, floor)
    with clock.frozen(clock.now() + timedelta(days=400)):
        took, done = timed(go)
        row(f"review a year later: {done.fallen} fall, {done.kept} keep", took, options.members, floor)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    django.setup()
    from django.apps import apps
    from django.conf import settings
    from django.db import connection

    from oscar_loyalty.management.bulk import many_objects

    # As the tests make theirs: the tables of all apps at once.
    settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        # As the command does.
        with many_objects():
            main()
    finally:
        connection.creation.destroy_test_db(made, verbosity=0)
