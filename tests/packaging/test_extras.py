"""What the demo shop imports, it installs: ``make sandbox`` has nothing but the extra of that name."""

import ast
import runpy
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


def asked(monkeypatch):
    """Return what ``setup.py`` asks for with the extra ``sandbox``."""
    told = {}
    monkeypatch.setattr(setuptools, "setup", lambda **fields: told.update(fields))
    runpy.run_path(str(ROOT / "setup.py"))
    return [Requirement(line) for line in told["install_requires"] + told["extras_require"]["sandbox"]]


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


def imported():
    """Return the top-level modules that the packages of the demo shop import, with a file that does."""
    found = {}
    for package in ("oscar_loyalty", "wagtail_club", "sandbox", "stripe_server"):
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


def test_the_demo_shop_installs_what_it_imports(monkeypatch):
    owners = metadata.packages_distributions()
    brought = provided(asked(monkeypatch))
    missing = {
        name: str(path.relative_to(ROOT))
        for name, path in imported().items()
        if name not in OPTIONAL and not {canonicalize_name(owner) for owner in owners.get(name, [])} & brought
    }
    assert "stripe" in imported()
    assert not missing
