"""What the pages and files of a large shop cost: by default a million members and ten million entries.

    python scripts/services.py postgresql -- python benchmarks/scale.py
    python scripts/services.py postgresql -- python benchmarks/scale.py --members 50000 --only pages
    DATABASE_URL=postgres://... python benchmarks/scale.py --keep          (the data stay, and are taken again)

Each page is asked for over Django's test client, once to warm up and then ``--rounds`` times, with its queries; files
are read to their end, with the time until the first byte and the memory that the process took. The data, made by plain
SQL (:mod:`benchmarks.scale_data`), lie in a database of their own.
"""

import argparse
import os
import sys
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

NAME = "loyalty_scale_{members}"


def use(name):
    """Let Django work on another database of the same server."""
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name


def make(members, keep):
    """Make the data, unless they are there and kept, and let Django work on them. What is half made has another name."""
    from django.core.management import call_command
    from django.db import connection

    from benchmarks import scale_data

    name, before = NAME.format(members=members), connection.settings_dict["NAME"]
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None or not keep:
            print(f"Making {members:,} members", flush=True)
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}_half"')
            cursor.execute(f'CREATE DATABASE "{name}_half"')
            use(f"{name}_half")
            call_command("migrate", run_syncdb=True, verbosity=0)
            scale_data.fill(members)
            use(before)
            cursor.execute(f'ALTER DATABASE "{name}_half" RENAME TO "{name}"')
    use(name)


def main(options):
    make(options.members, options.keep)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="leave the database, and take it again the next time")
    django.setup()
    from django.apps import apps
    from django.conf import settings

    # As the tests make theirs: the tables of all apps at once.
    settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
    main(parser.parse_args())
