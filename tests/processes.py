"""Other processes that work on the database of the test that starts them."""

import os
from pathlib import Path
from urllib.parse import quote

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent


def url(name=None):
    """The address of the test database, or of another one, ``name``, on the same server (for SQLite: a file)."""
    settings = connection.settings_dict
    name = name or settings["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:{name}"
    login = quote(settings["USER"] or "") + (f":{quote(settings['PASSWORD'])}" if settings["PASSWORD"] else "")
    return f"postgres://{login}@{settings['HOST'] or '127.0.0.1'}:{settings['PORT'] or 5432}/{name}"


def environment(name=None, **more):
    """The environment in which Django's settings find that database."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.processes_settings",
        "PROCESS_DATABASE": str(name or connection.settings_dict["NAME"]),
        "DATABASE_URL": url(name),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        **more,
    }
