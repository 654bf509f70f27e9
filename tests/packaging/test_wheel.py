"""The built wheel holds all that the checkout holds, and works in an empty Oscar project."""

import json
import os
import shutil
import subprocess
import zipfile
from email import message_from_bytes

import pytest

from tests.packaging.conftest import ROOT, run, tracked

PACKAGES = ("oscar_loyalty", "wagtail_club")

SETTINGS = """
from oscar import INSTALLED_APPS as OSCAR_APPS
from oscar.defaults import *
import oscar_loyalty

INSTALLED_APPS = oscar_loyalty.installed(OSCAR_APPS)
SITE_ID = 1
MIDDLEWARE += [
    "oscar.apps.basket.middleware.BasketMiddleware",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
]
TEMPLATES[0]["OPTIONS"]["context_processors"] += [
    "oscar.apps.search.context_processors.search_form",
    "oscar.apps.checkout.context_processors.checkout",
    "oscar.apps.communication.notifications.context_processors.notifications",
    "oscar.core.context_processors.metadata",
]
AUTHENTICATION_BACKENDS = [
    "oscar.apps.customer.auth_backends.EmailBackend",
    "django.contrib.auth.backends.ModelBackend",
]
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
OSCAR_LOYALTY_GIFTCARD_KEYS = {"1": "a gift-card key for this test only, long enough"}
"""

CLUB = """
import wagtail_club

INSTALLED_APPS = wagtail_club.installed([
    *INSTALLED_APPS, "wagtail.contrib.redirects", "wagtail.embeds", "wagtail.sites",
    "wagtail.users", "wagtail.snippets", "wagtail.documents", "wagtail.images", "wagtail.search",
    "wagtail.admin", "wagtail", "modelcluster", "taggit", "guardian",
])
AUTHENTICATION_BACKENDS += ["guardian.backends.ObjectPermissionBackend"]
ANONYMOUS_USER_NAME = None
GUARDIAN_GET_CONTENT_TYPE = "wagtail_club.guardian.get_content_type"
WAGTAIL_SITE_NAME = "Club"
WAGTAILADMIN_BASE_URL = "http://127.0.0.1:8000"
"""

URLS = """
from django.apps import apps
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("", include("oscar_loyalty.urls")),
    path("", include(apps.get_app_config("oscar").urls[0])),
]
"""

#: Run in the project: where the packages come from, and whether Django finds what they carry.
PROBE = """
import json, sys
import django
django.setup()
from django.apps import apps
from django.contrib.staticfiles import finders
from django.db.migrations.loader import MigrationLoader
from django.template.loader import get_template
from django.utils import translation
import oscar_loyalty

wanted = json.load(sys.stdin)
for name in wanted["templates"]:
    get_template(name)
print(json.dumps({
    "file": oscar_loyalty.__file__,
    "lost_static": [name for name in wanted["static"] if not finders.find(name)],
    "migrations": sorted(f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations),
    "labels": {config.name: config.label for config in apps.get_app_configs()},
}))
"""


def names_in(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def expected(package):
    """What the checkout holds of a package; .po files are sources, their .mo is what is installed."""
    return {name for name in tracked(package) if not name.endswith(".po")}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_file_of_the_checkout_is_in_the_wheel(wheel, package):
    assert expected(package), "the checkout holds no files: is git there?"
    assert expected(package) - names_in(wheel) == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_translation_is_compiled(package):
    sources = [name for name in tracked(package) if name.endswith(".po")]
    assert [name for name in sources if not (ROOT / name).with_suffix(".mo").exists()] == []


def test_the_wheel_holds_nothing_else(wheel):
    strangers = {name.split("/")[0] for name in names_in(wheel)} - set(PACKAGES)
    assert [name for name in strangers if not name.endswith(".dist-info")] == []


def test_the_wheel_says_what_it_is(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        about = message_from_bytes(archive.read(name))
    assert about["Name"] == "django-oscar-loyalty"
    assert about["Version"] in wheel.name
    assert about["Requires-Python"] == ">=3.11"
    assert (about["License-Expression"] or about["License"]) == "BSD-3-Clause"
    assert set(about.get_all("Provides-Extra")) == {"club", "stripe", "celery", "wallet", "sandbox", "test", "docs"}
    assert about.get_payload().startswith("# django-oscar-loyalty")


def project(installed, name, settings):
    """A fresh ``startproject`` with Oscar and the wheel; returns its folder."""
    folder = installed.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    run(installed.python, "-m", "django", "startproject", "frobshop", folder, cwd=folder)
    module = folder / "frobshop"
    (module / "settings.py").write_text((module / "settings.py").read_text() + settings)
    (module / "urls.py").write_text(URLS)
    return folder


def probe(installed, folder, package):
    """Ask the project for everything that the wheel's package should bring."""
    # What connects a third-party app is installed only beside that app.
    files = {name for name in expected(package) if "/contrib/" not in name}
    wanted = {
        "templates": [name.split("/templates/", 1)[1] for name in files if "/templates/" in name],
        "static": [name.split("/static/", 1)[1] for name in files if "/static/" in name],
    }
    environ = {"PATH": os.defpath, "DJANGO_SETTINGS_MODULE": "frobshop.settings", "LANG": "C.UTF-8"}
    done = subprocess.run(
        [installed.python, "-c", PROBE],
        cwd=folder,
        env=environ,
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    migrations = {
        (parts[-3], parts[-1].removesuffix(".py"))
        for parts in (name.split("/") for name in files)
        if parts[-2] == "migrations" and parts[-1] not in ("__init__.py",)
    }
    rooms = {name.split(".")[-1]: label for name, label in found["labels"].items() if name.startswith(package)}
    lost = [f"{rooms[room]}.{name}" for room, name in migrations if room in rooms]
    assert [name for name in lost if name not in found["migrations"]] == []
    assert found["lost_static"] == []
    return found


def test_a_shop_without_wagtail_runs_on_the_wheel(installed):
    folder = project(installed, "shop", SETTINGS)
    run(installed.python, "manage.py", "check", cwd=folder)
    found = probe(installed, folder, "oscar_loyalty")
    assert found["file"].startswith(str(installed.site_packages))
    assert "loyalty_ledger" in found["labels"].values()


def test_a_shop_with_a_club_runs_on_the_wheel(installed):
    folder = project(installed, "club", SETTINGS + CLUB)
    run(installed.python, "manage.py", "check", cwd=folder)
    found = probe(installed, folder, "wagtail_club")
    assert found["file"].startswith(str(installed.site_packages))
    assert "wagtail_club" in found["labels"].values()
