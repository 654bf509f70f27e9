"""A shop may have a model of users of its own, by another name: the rows of groups are called after it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
#: What is found here only when it is named, and a room that goes by the groups too.
ROOMS = ["tests/customers/groups.py", "tests/earning/test_tier_review.py"]


def test_members_of_such_a_shop():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ROOMS]
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings_customers"}
    # One process of its own, on SQLite: it is about names of fields, not about a database.
    environ.pop("DATABASE_URL", None)
    environ = {key: value for key, value in environ.items() if not key.startswith("PYTEST_XDIST")}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
