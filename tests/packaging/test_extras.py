"""What is imported is installed: by a shop with nothing but the plugin, and by the demo shop with its extra."""

import ast
import os
import runpy
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import setuptools
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
OWN = {"oscar_loyalty", "wagtail_club", "sandbox", "stripe_server", "scripts", "tests"}
#: Asked for only where they are installed: drivers and servers that a shop chooses.
OPTIONAL = {"psycopg"}


#: What a shop has of the plugin's extras is its own choice, as is the calendar that one of its apps works with.
CHOSEN = ["celery", "stripe", "wallet"]
CALENDAR = "django-appointment"
#: Import all of the package but that app, in a process that has none of the modules named on the command line.
START = """
import importlib, pkgutil, sys
sys.modules.update(dict.fromkeys(sys.argv[1:]))
import django
from django.core.management import call_command
django.setup()
call_command("check", "--fail-level=ERROR")
import oscar_loyalty
for found in pkgutil.walk_packages(oscar_loyalty.__path__, "oscar_loyalty."):
    if not found.name.startswith(("oscar_loyalty.contrib.appointment", "oscar_loyalty.due.tasks")):
        importlib.import_module(found.name)
"""


def asked(monkeypatch, *extras):
    """Return what ``setup.py`` asks for, with these extras."""
    told = {}
    monkeypatch.setattr(setuptools, "setup", lambda **fields: told.update(fields))
    runpy.run_path(str(ROOT / "setup.py"))
    lines = [*told["install_requires"], *(line for extra in extras for line in told["extras_require"][extra])]
    return [Requirement(line) for line in lines]


def provided(requirements):
    """Return the names of all these distributions, with what they need themselves."""
    found: set[tuple[str, str]] = set()
    waiting = [(each.name, extra) for each in requirements for extra in {"", *each.extras}]
    while waiting:
        name, extra = waiting.pop()
        if (canonicalize_name(name), extra) in found:
            continue
        found.add((canonicalize_name(name), extra))
        try:
            requires = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for line in requires:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                waiting.extend((requirement.name, more) for more in {"", *requirement.extras})
    return {name for name, _extra in found}


def imported(*packages):
    """Return the top-level modules that these packages import, with a file that does."""
    found = {}
    for package in packages:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                    names = [node.module]
                found |= {name.partition(".")[0]: path for name in names}
    siblings = {path.stem for path in (ROOT / "sandbox").iterdir()}
    return {name: path for name, path in found.items() if name not in OWN | siblings | set(sys.stdlib_module_names)}


def missing(brought, *packages):
    """Return what these packages import of distributions other than those ``brought``, with a file that does."""
    owners = metadata.packages_distributions()
    return {
        name: str(path.relative_to(ROOT))
        for name, path in imported(*packages).items()
        if name not in OPTIONAL and not {canonicalize_name(owner) for owner in owners.get(name, [])} & brought
    }


def test_the_demo_shop_installs_what_it_imports(monkeypatch):
    packages = ("oscar_loyalty", "wagtail_club", "sandbox", "stripe_server")
    assert "stripe" in imported(*packages)
    assert not missing(provided(asked(monkeypatch, "sandbox")), *packages)


def test_the_plugin_alone_installs_what_it_imports(monkeypatch):
    alone = asked(monkeypatch)
    # Of the extras only themselves: what they happen to bring along is not there in a shop without them.
    chosen = {canonicalize_name(each.name) for each in asked(monkeypatch, *CHOSEN)} | {CALENDAR}
    assert not missing(provided(alone) | chosen, "oscar_loyalty")


def test_a_shop_starts_with_the_plugin_alone(monkeypatch):
    brought = provided(asked(monkeypatch))
    hidden = [
        name
        for name, owners in metadata.packages_distributions().items()
        if name not in OWN and not {canonicalize_name(owner) for owner in owners} & brought
    ]
    assert {"celery", "dateutil", "stripe", "wagtail"} <= set(hidden)
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.packaging.settings"}
    command = [sys.executable, "-c", START, *hidden]
    done = subprocess.run(command, cwd=ROOT, env=environ, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
