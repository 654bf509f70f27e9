"""A database that is as new for each world: a copy of a file, which takes a few milliseconds."""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from django.core.cache import cache
from django.db import connections

#: A world is thrown away: nothing waits for the disk. The journal is what a killed transaction is rolled back by.
PRAGMAS = "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF; PRAGMA temp_store=MEMORY; PRAGMA locking_mode=EXCLUSIVE;"


def hang_up():
    """End the connection as a killed process does: what was not committed is rolled back by the database."""
    wrapper = connections["default"]
    if wrapper.connection is not None:
        wrapper.connection.close()
    # A new one: the old object may believe that it is within a transaction still.
    del connections["default"]


@contextmanager
def laboratory(prepare):
    """Make a database, let ``prepare`` fill it, and yield a function that puts it back to that state."""
    wrapper = connections["default"]
    told, before = wrapper.settings_dict, dict(wrapper.settings_dict)
    make = {"sqlite": _files, "postgresql": _templates}[wrapper.vendor]
    try:
        with make(told, prepare) as restore:
            yield restore
    finally:
        hang_up()
        told.clear()
        told.update(before)


def _create():
    connections["default"].creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)


@contextmanager
def _files(told, prepare):
    memory = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="loyalty-worlds-") as folder:
        live, template = Path(folder) / "live.sqlite3", Path(folder) / "template.sqlite3"
        # Each statement is read by SQLite once, not each time it is said.
        told.update(NAME=str(live), OPTIONS={**told["OPTIONS"], "init_command": PRAGMAS, "cached_statements": 4000})
        told["TEST"] = {**told["TEST"], "NAME": str(live), "MIGRATE": False}
        hang_up()
        _create()
        prepare()
        hang_up()
        shutil.copyfile(live, template)

        def restore():
            hang_up()
            shutil.copyfile(template, live)
            cache.clear()

        yield restore


@contextmanager
def _templates(told, prepare):
    """On PostgreSQL, a copy of a database that serves as a template."""
    told["TEST"] = {**told["TEST"], "NAME": f"{told['TEST']['NAME']}_worlds_{os.getpid()}", "MIGRATE": False}
    hang_up()
    _create()
    template = told["NAME"]
    live = f"{template}_live"
    prepare()
    hang_up()

    def say(*statements):
        with connections["default"]._nodb_cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def restore():
        hang_up()
        say(f'DROP DATABASE IF EXISTS "{live}" WITH (FORCE)', f'CREATE DATABASE "{live}" TEMPLATE "{template}"')
        told["NAME"] = live
        cache.clear()

    try:
        yield restore
    finally:
        hang_up()
        say(f'DROP DATABASE IF EXISTS "{live}" WITH (FORCE)', f'DROP DATABASE IF EXISTS "{template}" WITH (FORCE)')
