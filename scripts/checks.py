"""Checks that need no database: lint, security, migrations and documentation.

python scripts/checks.py lint security migrations docs
"""

import json
import os
import secrets
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
PACKAGES = ["oscar_loyalty", "wagtail_club", "sandbox", "stripe_server", "scripts", "setup.py"]
#: What a public server would be given; made up anew each time.
LIVE = {
    "DJANGO_SETTINGS_MODULE": "sandbox.live",
    "ALLOWED_HOSTS": "shop.example.com",
    **{name: secrets.token_urlsafe(60) for name in ("SECRET_KEY", "GIFTCARD_KEY")},
    "STRIPE_SECRET_KEY": "sk_live_none",
    "STRIPE_WEBHOOK_SECRET": "whsec_none",
}
CHECKS = {
    "lint": [
        (["ruff", "check", "."], {}),
        (["mypy", *TYPED], {}),
    ],
    "security": [
        (["bandit", "--quiet", "--severity-level", "medium", "--recursive", *PACKAGES], {}),
        (["django", "check", "--deploy", "--fail-level", "WARNING"], LIVE),
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


def audit():
    """Ask for known weaknesses of what is installed; return whether there are none.

    A package index without advisories cannot answer: then this says how much went unasked, and does not fail.
    """
    command = ["pip_audit", "--progress-spinner", "off", "--skip-editable", "--format", "json", "--desc", "off"]
    print(f"==> security: {' '.join(command)}", flush=True)
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(done.stderr)
        return False
    asked = [package for package in found if "skip_reason" not in package]
    weak = [package for package in asked if package["vulns"]]
    for package in weak:
        for weakness in package["vulns"]:
            fixed = ", ".join(weakness["fix_versions"]) or "no version yet"
            print(f"{package['name']} {package['version']}: {weakness['id']}, mended in {fixed}")
    print(f"{len(asked)} of {len(found)} packages could be asked about, {len(weak)} have known weaknesses.")
    if not asked:
        print("WARNING: the package index here has no advisories, so nothing was audited.")
    return not weak


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
        if name == "security" and not audit():
            failed.append("pip_audit")
    for command in failed:
        print(f"FAILED: {command}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
