"""Which of the two databases proves what: ``scripts/suite.py`` lets the runs on both share the work.

All that reads or writes runs on both. Two kinds of tests run once:

* what asks for no database, and could not use one (pytest-django refuses it), runs with SQLite;
* what a browser plays shows how pages look and how they are clicked; what happens behind them has tests of its own on
  both databases. A story told in French is played on PostgreSQL, the same in English on SQLite, so that each database
  serves it once; a story told once is played on PostgreSQL.

A test that must run on both all the same is marked ``both_databases``. Without ``LOYALTY_SHARE`` (pytest by hand, tox),
everything runs.
"""

import os

DATABASE = ("db", "transactional_db", "live_server", "django_db_setup")


def language(item):
    """The language in which a parametrised story is told, or nothing."""
    told = getattr(item, "callspec", None)
    found = {str(value)[:2] for value in told.params.values()} & {"en", "fr"} if told else set()
    return found.pop() if len(found) == 1 else ""


def places(item):
    """The databases where this test is to run."""
    if item.get_closest_marker("both_databases"):
        return {"sqlite", "postgresql"}
    if "browser" in item.fixturenames:
        return {"sqlite"} if language(item) == "en" else {"postgresql"}
    if item.get_closest_marker("django_db") or set(DATABASE) & set(item.fixturenames):
        return {"sqlite", "postgresql"}
    return {"sqlite"}


def share(items):
    """Keep those of the tests that are this run's."""
    if os.environ.get("LOYALTY_SHARE") != "1":
        return
    from django.db import connection

    items[:] = [item for item in items if connection.vendor in places(item)]
