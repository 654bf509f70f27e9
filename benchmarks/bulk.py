"""What measuring bulk work shares: copies of a database, what was written, a floor in slices, and what is told."""

import resource
import shutil
from contextlib import contextmanager
from pathlib import Path

from benchmarks.side_by_side import Ratio, Watch, kept, machine, plain_connection


@contextmanager
def copy_of(base, name):
    """A copy of the database, on which Django works for as long as the block lasts."""
    from django.db import connection

    connection.close()
    if connection.vendor == "postgresql":
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{base}"')
    else:
        shutil.copy(base, name)
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = base
        if connection.vendor == "postgresql":
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{name}"')
        else:
            Path(name).unlink()


def pid_of(connection):
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def written(tables):
    """What stands in the tables, as a number and a sum: the same for both, or the floor is none."""
    from django.db import connection

    found = {}
    with connection.cursor() as cursor:
        for table, columns in tables:
            text = f"SELECT COUNT(*), SUM(hashtextextended(ROW({columns})::text, 0)::numeric) FROM {table}"  # noqa: S608
            cursor.execute(text)
            found[table] = cursor.fetchone()
    return found


def floor(lock, work, values, *, bounds, size):
    """Plain SQL through psycopg, for ``size`` keys at once, from the first to the last of ``bounds`` (a query)."""
    connection = plain_connection()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE floor_progress (first bigint)")
        connection.commit()
        with Watch(connection.info.backend_pid) as watch:
            cursor.execute(bounds)
            first, most = cursor.fetchone()
            while first <= most:
                mine = values | {"first": first, "last": first + size - 1}
                cursor.execute(lock, mine)
                cursor.execute(work, mine)
                cursor.execute("INSERT INTO floor_progress VALUES (%s)", [first])
                connection.commit()
                first += size
    connection.close()
    return watch


def compare(base, ways, *, rounds, tables, prove, number, name):
    """Both ``ways`` in turn, by "floor" and "ours", on copies; return what each took. ``prove`` looks at ours, once."""
    took = {who: [] for who in ways}
    for turn in range(rounds):
        found = []
        for who, call in ways.items():
            with copy_of(base, f"{base}_{who}"):
                watch = call()
                took[who].append(watch)
                found.append(written(tables))
                if who == "ours" and not turn:
                    prove()
            each = f"processor {watch.cpu:.1f} s, {watch.cpu / number * 1e6:.0f} µs each"
            print(f"  {number:,} {name}, {who}: {watch.took:.1f} s, {each}", flush=True)
        assert found[0] == found[1], found  # noqa: S101
    return took


def growing(number, fill, compare):
    """What was taken for a quarter of ``number``, and for all of them: :func:`compare` of both, filled from … to …."""
    quarter = number // 4
    fill(1, quarter)
    few = compare(quarter)
    fill(quarter + 1, number)
    return few, compare(number)


def tell(few, many, *, bound, memory, name):
    """Print the ratio to the floor, our memory, and how the time grew from ``few`` to four times as ``many``."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pairs = list(zip(many["ours"], many["floor"], strict=True))
    by_clock = Ratio.of([(mine.took, least.took) for mine, least in pairs])
    by_cpu = Ratio.of([(mine.cpu, least.cpu) for mine, least in pairs])
    print(f"\nratio by clock {by_clock}, by processor {by_cpu} (bound {bound}: {kept(by_clock.median <= bound)})")
    print(f"peak memory {most:.0f} MB (bound {memory}: {kept(most <= memory)})")
    growth = min(watch.cpu for watch in many["ours"]) / min(watch.cpu for watch in few["ours"])
    print(f"four times the {name} take {growth:.2f} times the processor time")
    print(machine())
