"""Run Oscar's own test suite with this plugin installed, and our checkout in the place of Oscar's.

    pip install -e . "django-oscar[test]>=4.2,<4.3"                      in an environment of its own
    python tests/oscar_suite/run.py ../django-oscar                      on SQLite
    python tests/oscar_suite/run.py ../django-oscar --plain              without the plugin, to compare
    python tests/oscar_suite/run.py ../django-oscar -- -n 2 tests/unit   with options for pytest

Run it as Oscar does, one test after the other and on PostgreSQL: some of its tests fail on SQLite (threads on
one table) or side by side (one search index).

The folder is a checkout of Oscar's public repository, near the installed version: only its tests are used, on
the Oscar that is installed. With a PostgreSQL in ``DATABASE_URL``, that is used. Nothing is written into the
checkout but what its own tests write there.
"""

import argparse
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def version_of(checkout):
    """The version that a checkout of Oscar says it is, such as ``4.2``."""
    source = checkout / "src" / "oscar" / "__init__.py"
    if not source.exists() or not (checkout / "tests" / "settings.py").exists():
        sys.exit(f"{checkout} is no checkout of django-oscar: it needs src/oscar and tests/settings.py.")
    return ".".join(re.search(r"^VERSION = \((\d+), (\d+)", source.read_text(), re.MULTILINE).groups())


def database(url):
    """``DATABASE_URL`` as Oscar's test settings want to hear it."""
    parts = urlsplit(url)
    if not parts.scheme.startswith("postgres"):
        return {"DATABASE_ENGINE": "django.db.backends.sqlite3", "DATABASE_NAME": ":memory:"}
    return {
        "DATABASE_ENGINE": "django.db.backends.postgresql",
        "DATABASE_NAME": "oscar_suite",
        "DATABASE_USER": parts.username or "",
        "DATABASE_PASSWORD": unquote(parts.password or ""),
        "DATABASE_HOST": parts.hostname or "",
        "DATABASE_PORT": str(parts.port or 5432),
    }


def environment(checkout, plain):
    # The checkout first: both repositories have a package named ``tests``, and Oscar's is meant.
    path = [checkout, HERE, ROOT] if not plain else [checkout]
    return {
        **os.environ,
        **database(os.environ.get("DATABASE_URL", "sqlite:")),
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "DJANGO_SETTINGS_MODULE": "tests.settings" if plain else "plugin_settings",
    }


def main():
    arguments = sys.argv[1:]
    at = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, help="folder of a checkout of django-oscar")
    parser.add_argument("--plain", action="store_true", help="without the plugin")
    options = parser.parse_args(arguments[:at])
    checkout = options.checkout.resolve()
    theirs, installed = version_of(checkout), metadata.version("django-oscar")
    print(f"Tests of Oscar {theirs}, on Oscar {installed}, {'without' if options.plain else 'with'} the plugin")
    if not installed.startswith(f"{theirs}."):
        sys.exit("These versions do not belong together.")
    command = [sys.executable, "-m", "pytest", "--deprecation=none", *(arguments[at + 1 :] or ["-q"])]
    return subprocess.run(command, cwd=checkout, env=environment(checkout, options.plain)).returncode


if __name__ == "__main__":
    sys.exit(main())
