"""What the pages and files of a large shop cost: by default a million members and ten million entries.

    python scripts/services.py postgresql -- python benchmarks/scale.py
    python scripts/services.py postgresql -- python benchmarks/scale.py --members 50000 --only pages
    DATABASE_URL=postgres://... python benchmarks/scale.py --keep          (the data stay, and are taken again)

Each page is asked for over Django's test client, once to warm up and then ``--rounds`` times, with its queries; files
are read to their end, with the time until the first byte and the memory that the process took; the background work does
what there is to do, and is measured as it looks around once more. The data, made by plain SQL
(:mod:`benchmarks.scale_data`, and :mod:`benchmarks.scale_shop` for what the background work looks at), lie in a
database of their own.
"""

import argparse
import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from unittest import mock

import django

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from benchmarks.side_by_side import Table

NAME = "loyalty_scale_{members}"
#: A day some months ago.
DAY = dict.fromkeys(["since", "until"], (date.today() - timedelta(days=100)).isoformat())
MONTH = {**DAY, "since": (date.today() - timedelta(days=130)).isoformat()}
#: With the three before it: as many movements as are summed up at the most.
FOUR = {**DAY, "since": (date.today() - timedelta(days=103)).isoformat()}
#: Seconds in which a part of the background work may do what there is to do, before it is measured.
WORK = 120
SIZES = [
    "loyalty_members.Member",
    "loyalty_ledger.Account",
    "loyalty_ledger.Entry",
    "loyalty_ledger.Lot",
    "loyalty_ledger.LotUse",
    "loyalty_earning.Award",
    "loyalty_earning.AwardLine",
    "loyalty_reports.DayTotal",
]


def use(name):
    """Let Django work on another database of the same server."""
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name


def make(members, keep):
    """Make the data, unless they are there and kept, and let Django work on them. What is half made is called so."""
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
    # Tables that came to the models since.
    call_command("migrate", run_syncdb=True, verbosity=0)


def watched(function):
    """Return what ``function`` returns, seconds by the clock and by the processor, and how many queries it made."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from benchmarks.side_by_side import Watch

    connection.ensure_connection()
    server = connection.connection.info.backend_pid
    before = ended_workers(server)
    with CaptureQueriesContext(connection) as queries, Watch(server) as watch:
        found = function()
    return found, watch.took, watch.cpu + ended_workers(server) - before, len(queries)


def ended_workers(pid):
    """Seconds on a processor of what the PostgreSQL whose process ``pid`` is has started, and what has ended."""

    def stat(of):
        return Path(f"/proc/{of}/stat").read_text().rpartition(")")[2].split()

    parent = stat(stat(pid)[1])
    return (int(parent[13]) + int(parent[14])) / os.sysconf("SC_CLK_TCK")


class Measures:
    """Prints a line for each thing that is measured, with its bound."""

    def __init__(self):
        self.table = Table("what", "by the clock", "by the processor", "queries", "bound", "kept")

    def add(self, name, took, cpu, queries, *, most_ms=None, most_queries=None):
        kept = (most_ms is None or took * 1000 <= most_ms) and (most_queries is None or queries <= most_queries)
        bounds = [f"{most_ms} ms"] * bool(most_ms) + [f"{most_queries} queries"] * bool(most_queries)
        said = ("kept" if kept else "NOT kept") if bounds else "–"
        self.table.add(name, f"{took * 1000:,.0f} ms", f"{cpu * 1000:,.0f} ms", queries, ", ".join(bounds) or "–", said)


def signed_in(user):
    from django.test import Client

    client = Client()
    client.force_login(user)
    return client


def pages(measures, rounds):
    """The pages of a member and of the owner; the median of some rounds."""
    import statistics

    from django.contrib.auth import get_user_model
    from django.urls import reverse

    from oscar_loyalty.loading import get_model

    User, Member = get_user_model(), get_model("loyalty_members", "Member")
    boss = User.objects.filter(is_superuser=True).first()
    boss = boss or User.objects.create_superuser("boss", "boss@example.com", "petale-demo")
    # Sixty-five movements, as few members have them.
    member = Member.objects.select_related("user").get(number=f"9{99:011}")
    owner, own = signed_in(boss), signed_in(member.user)
    names = ("overview", "members", "movements", "tiers", "programme", "programmes", "members-enrol", "guest-orders")
    page = {name: reverse(f"loyalty-dashboard:loyalty-{name}") for name in names}
    best, other = get_model("catalogue", "Product").objects.order_by("pk").values_list("pk", flat=True)[:2]
    asked = [
        ("the member's own page", own, reverse("loyalty-account:overview"), {}, None, 25),
        (
            "a member's page, for staff",
            owner,
            reverse("loyalty-dashboard:loyalty-member", args=[member.pk]),
            {},
            None,
            25,
        ),
        ("owner's overview", owner, page["overview"], {}, 300, None),
        ("members", owner, page["members"], {}, 300, None),
        ("members, the last page that is leafed to", owner, page["members"], {"page": 400}, 300, None),
        ("members, one tier", owner, page["members"], {"tier": member.tier_id}, 300, None),
        ("members on hold", owner, page["members"], {"status": "frozen"}, 300, None),
        ("members by e-mail", owner, page["members"], {"q": member.email}, 300, None),
        ("members by name", owner, page["members"], {"q": "garnier"}, 300, None),
        ("members by card number", owner, page["members"], {"q": member.number}, 300, None),
        ("movements", owner, page["movements"], {}, 300, None),
        ("movements, a page in the middle", owner, page["movements"], {"page": 200_000}, 300, None),
        ("movements that expired", owner, page["movements"], {"kind": "expire"}, 300, None),
        ("movements of a day", owner, page["movements"], DAY, 300, None),
        ("movements of one member", owner, page["movements"], {"q": member.email}, 300, None),
        ("movements by customer, of a day", owner, page["movements"], {"by": "member", **DAY}, 300, None),
        (
            "movements by customer, of a day, the last page",
            owner,
            page["movements"],
            {"by": "member", **DAY, "page": "last"},
            300,
            None,
        ),
        ("movements by customer, of four days", owner, page["movements"], {"by": "member", **FOUR}, 300, None),
        ("movements by customer, of all time", owner, page["movements"], {"by": "member"}, 300, None),
        ("movements by service, of a day", owner, page["movements"], {"by": "service", **DAY}, 300, None),
        ("movements by service, of four days", owner, page["movements"], {"by": "service", **FOUR}, 300, None),
        ("movements of a name", owner, page["movements"], {"q": "garnier"}, 300, None),
        ("movements of a month of the best product", owner, page["movements"], {"product": best, **MONTH}, 300, None),
        ("movements of the best product", owner, page["movements"], {"product": best}, 300, None),
        ("movements of another product", owner, page["movements"], {"product": other}, 300, None),
        ("movements of a month of another", owner, page["movements"], {"product": other, **MONTH}, 300, None),
        ("movements of a product and a name", owner, page["movements"], {"product": best, "q": "garnier"}, 300, None),
        (
            "by customer, of another product, of a month",
            owner,
            page["movements"],
            {"by": "member", "product": other, **MONTH},
            300,
            None,
        ),
        (
            "by service, of a month of another product",
            owner,
            page["movements"],
            {"by": "service", "product": other, **MONTH},
            300,
            None,
        ),
        ("tiers", owner, page["tiers"], {}, 300, None),
        ("programme", owner, page["programme"], {}, 300, None),
        ("programmes", owner, page["programmes"], {}, 300, None),
        ("customers to enrol", owner, page["members-enrol"], {}, 300, None),
        ("guest orders", owner, page["guest-orders"], {}, 300, None),
    ]
    for name, client, address, query, most_ms, most_queries in asked:
        assert client.get(address, query).status_code == 200, name  # noqa: S101
        runs = [watched(lambda c=client, a=address, q=query: c.get(a, q))[1:] for _round in range(rounds)]
        took, cpu = (statistics.median(run[part] for run in runs) for part in (0, 1))
        measures.add(name, took, cpu, runs[-1][2], most_ms=most_ms, most_queries=most_queries)


def peak():
    """Megabytes that this process has had at the most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def exports(kind, number):
    """One file of so many movements, in a process of its own: seconds until the first byte and the last, and memory;
    then whether all rows are in it."""
    from django.contrib.auth import get_user_model
    from django.urls import reverse

    from oscar_loyalty.loading import get_model
    from oscar_loyalty.reports import day_totals, files

    programme = get_model("loyalty_members", "Programme").objects.get()
    boss = get_user_model().objects.filter(is_superuser=True).first()
    days, since, wanted = day_totals.sums(programme.unit, "day"), None, number
    for day in sorted(days, reverse=True):
        since, wanted = day, wanted - days[day].number
        if wanted <= 0:
            break
    # As a server that has answered before.
    client = signed_in(boss)
    client.get(reverse("loyalty-dashboard:loyalty-movements"))
    with tempfile.NamedTemporaryFile(suffix=f".{kind}") as copy:
        began, before, busy = time.monotonic(), peak(), time.process_time()
        if kind == "csv":
            address = reverse("loyalty-dashboard:loyalty-movements-export", args=["csv"])
            parts = iter(client.get(address, {"since": since.isoformat()}).streaming_content)
            copy.write(next(parts))
            first = time.monotonic() - began
            copy.write(next(parts))
            said = (
                f"first byte after {first * 1000:.0f} ms, first rows after {(time.monotonic() - began) * 1000:.0f} ms, "
            )
        else:
            made = {"programme": programme, "user": boss, "name": "movements", "filters": f"since={since}"}
            file = files.ask(**made, title="Movements", key=f"bench:{time.time()}")
            files.make(file=file)
            parts, said = files.pieces(file), ""
        for part in parts:
            copy.write(part)
        took, cpu, most, size = time.monotonic() - began, time.process_time() - busy, peak(), copy.tell()
        copy.flush()
        print(
            f"{kind.upper()}: {said}{took:.0f} s, processor of our own {cpu:.0f} s, {size / 2**20:.0f} MB;"
            f" memory {most:.0f} MB at the most ({before:.0f} MB before; bound 200)",
            flush=True,
        )
        if kind == "xlsx":
            file.delete()
        rows, units = READ[kind](copy.name)
    wanted = day_totals.total(day_totals.sums(programme.unit, "day", since=since).values())
    right = "as in the ledger" if (rows, units) == written(programme, since) else "NOT AS IN THE LEDGER"
    print(
        f"      {rows:,} rows, {units:+,} points, {right} ({wanted.number:,}, {wanted.net:+,} by the day totals)",
        flush=True,
    )


def written(programme, since):
    """How many movements there are since a day, and their sum, as plain SQL has it."""
    from django.db import connection

    from oscar_loyalty import times

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*), SUM(units) FROM loyalty_ledger_entry WHERE units <> 0 AND effective_at >= %s"
            " AND account_id IN (SELECT account_id FROM loyalty_members_member WHERE programme_id = %s)",
            [times.start_of(since), programme.pk],
        )
        number, units = cursor.fetchone()
    return number, int(units)


#: The column of the points in a file of movements.
POINTS = 6


def read_csv(name):
    with open(name, encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        units = [int(row[POINTS]) for row in rows]
    return len(units), sum(units)


def read_xlsx(name):
    from openpyxl import load_workbook

    number = units = 0
    book = load_workbook(name, read_only=True)
    for sheet in book.worksheets:
        for row in sheet.iter_rows(min_row=2, min_col=POINTS + 1, max_col=POINTS + 1, values_only=True):
            number, units = number + 1, units + row[0]
    return number, units


READ = {"csv": read_csv, "xlsx": read_xlsx}


def sizes():
    """Bytes on the disk of each table, for one member, entry or lot."""
    from django.db import connection

    from oscar_loyalty.loading import get_model

    print("\n| table | rows | bytes a row | with indexes |\n| --- | --- | --- | --- |")
    for name in SIZES:
        table = get_model(*name.split("."))._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT (SELECT COUNT(*) FROM {table}), pg_table_size('{table}'), pg_total_relation_size('{table}')"  # noqa: S608
            )
            number, plain, whole = cursor.fetchone()
        if number:
            print(f"| {table} | {number:,} | {plain / number:.0f} | {whole / number:.0f} |")


def counted():
    """Count what no sweep has been by for, as the sweeps do minute by minute."""
    from oscar_loyalty.reports import day_totals, standings

    _found, took, cpu, _queries = watched(day_totals.count)
    print(f"day totals of all entries, counted once: {took:.1f} s, processor {cpu:.1f} s")
    _found, took, cpu, _queries = watched(standings.keep)
    print(f"members, tiers and what expires, looked up: {took:.1f} s, processor {cpu:.1f} s\n", flush=True)


def background(rounds):
    """What each part of the background work takes, minute by minute, with nothing left to do."""
    import statistics

    from benchmarks import scale_shop
    from oscar_loyalty.due.registry import sweepers
    from oscar_loyalty.wallet import apple

    if not scale_shop.there():
        scale_shop.fill()
    table, whole = Table("part", "by the clock", "by the processor", "queries"), []
    # Passes on phones are looked after where the shop has Apple's certificates.
    with mock.patch.object(apple, "is_on", return_value=True):
        for name, look in sorted(sweepers.items()):
            began = time.monotonic()
            while look() and time.monotonic() - began < WORK:
                pass
            runs = [watched(look) for _round in range(rounds)]
            if found := runs[-1][0]:
                print(f"{name} still finds {found} to do", flush=True)
            took, cpu = (statistics.median(run[part] for run in runs) for part in (1, 2))
            whole.append((took, cpu, runs[-1][3]))
            table.add(name, f"{took * 1000:,.0f} ms", f"{cpu * 1000:,.0f} ms", runs[-1][3])
    took, cpu, queries = map(sum, zip(*whole, strict=True))
    table.add("all of them", f"{took * 1000:,.0f} ms", f"{cpu * 1000:,.0f} ms", queries)


def main(options):
    make(options.members, options.keep)
    if options.file:
        exports(options.file, options.rows)
        return
    if options.only in ("", "pages"):
        counted()
        measures = Measures()
        pages(measures, options.rounds)
    if options.only in ("", "background"):
        background(options.rounds)
    if options.only in ("", "files"):
        for kind in ("csv", "xlsx"):
            # Each in a process of its own, so that its memory can be told.
            command = [sys.executable, __file__, "--keep", "--members", str(options.members), "--file", kind]
            subprocess.run([*command, "--rows", str(options.rows)], check=True)  # noqa: S603
    if options.only in ("", "sizes"):
        sizes()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", choices=["", "pages", "background", "files", "sizes"])
    parser.add_argument("--rows", type=int, default=1_000_000, help="movements of a file")
    parser.add_argument("--file", default="", choices=["", "csv", "xlsx"], help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="leave the database, and take it again the next time")
    django.setup()
    from django.apps import apps
    from django.conf import settings

    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
        sys.exit("The data are made by PostgreSQL: scripts/services.py postgresql -- starts one.")
    # As the tests make theirs: the tables of all apps at once.
    settings.ALLOWED_HOSTS = ["*"]
    settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
    main(parser.parse_args())
