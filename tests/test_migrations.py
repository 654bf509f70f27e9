"""Migrations that work in anybody's shop."""

import re
from pathlib import Path

import pytest

import oscar_loyalty
import wagtail_club

FOLDERS = [Path(package.__file__).parent for package in (oscar_loyalty, wagtail_club)]
MIGRATIONS = [path for folder in FOLDERS for path in sorted(folder.rglob("migrations/0*.py"))]
OWN = re.compile(r"loyalty_\w+|wagtail_club")


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_other_apps_are_needed_at_their_first_migration_only(path):
    """A shop may have forked Oscar's apps, with migrations of its own after the first."""
    text = path.read_text(encoding="utf-8")
    needed = re.search(r"dependencies = \[(.*?)\]", text, re.DOTALL)[1]
    for app, name in re.findall(r"""\(["'](\w+)["'], ["'](\w+)["']\)""", needed):
        if not OWN.fullmatch(app) and app != "wagtailcore":
            assert name in ("0001_initial", "__first__"), f"{app} {name}"
