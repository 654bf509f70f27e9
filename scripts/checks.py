"""Checks that need no database: lint, migrations and documentation.

python scripts/checks.py lint migrations docs
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: What is typed strictly: where a mistake would cost points or money.
TYPED = ["oscar_loyalty/ledger", "oscar_loyalty/earning/engine.py", "oscar_loyalty/payments"]
#: All that have models; an app without them passes as well.
ROOMS = [
    *(
        "due",
        "ledger",
        "members",
        "giftcards",
        "payments",
        "earning",
        "rewards",
        "privileges",
        "messaging",
        "wallet",
        "reports",
    ),
    *("storefront", "account", "dashboard", "appointment"),
]
MIGRATE = ["django", "makemigrations", "--check", "--dry-run"]
CHECKS = {
    "lint": [
        (["ruff", "check", "."], {}),
        (["mypy", *TYPED], {}),
    ],
    # Oscar's and other people's apps may lag behind their models; ours may not.
    "migrations": [
        ([*MIGRATE, *(f"loyalty_{room}" for room in ROOMS)], {"DJANGO_SETTINGS_MODULE": "tests.settings"}),
        ([*MIGRATE, "wagtail_club"], {"DJANGO_SETTINGS_MODULE": "tests.settings_club"}),
    ],
    "docs": [
        (["sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", "docs/_build/html"], {}),
    ],
}


def main(names):
    if not names or set(names) - set(CHECKS):
        sys.exit(__doc__)
    failed = []
    for name in names:
        for command, environ in CHECKS[name]:
            print(f"==> {name}: {' '.join(command)}", flush=True)
            environ = {**os.environ, "PYTHONPATH": str(ROOT), **environ}
            if subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environ).returncode != 0:
                failed.append(" ".join(command))
    for command in failed:
        print(f"FAILED: {command}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
