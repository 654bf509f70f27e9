"""Where a shop's list of apps takes in ours: the shop's own templates are found before ours, ours before Oscar's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from oscar import INSTALLED_APPS as OSCAR_APPS

import oscar_loyalty
import wagtail_club

ROOT = Path(__file__).resolve().parent.parent
FORK = "forks.checkout.apps.CheckoutConfig"

SETTINGS = """
from oscar import INSTALLED_APPS as OSCAR_APPS
from tests.settings import *

INSTALLED_APPS = oscar_loyalty.installed(["ownshop", *OSCAR_APPS])
"""


def test_ours_stand_right_before_oscars():
    apps = oscar_loyalty.installed(["ownshop", *OSCAR_APPS, "late"])
    first = apps.index("oscar_loyalty.apps.LoyaltyConfig")
    assert apps[first : first + len(oscar_loyalty.INSTALLED_APPS)] == oscar_loyalty.INSTALLED_APPS
    assert apps[first + len(oscar_loyalty.INSTALLED_APPS)] == "oscar.config.Shop"
    assert apps[0] == "ownshop" and apps[-1] == "late"
    assert apps[:first] == ["ownshop", *OSCAR_APPS[: OSCAR_APPS.index("oscar.config.Shop")]]


def test_ours_stand_in_for_oscars_but_not_for_forks():
    checkout = "oscar.apps.checkout.apps.CheckoutConfig"
    assert checkout not in oscar_loyalty.installed(OSCAR_APPS)
    assert oscar_loyalty.STAND_INS[checkout] in oscar_loyalty.installed(OSCAR_APPS)
    forked = oscar_loyalty.installed([FORK if app == checkout else app for app in OSCAR_APPS])
    assert FORK in forked and oscar_loyalty.STAND_INS[checkout] not in forked


def test_a_shop_of_its_own_class_is_named():
    own = ["own.config.Shop" if app == "oscar.config.Shop" else app for app in OSCAR_APPS]
    apps = oscar_loyalty.installed(own, before="own.config.Shop")
    assert apps[apps.index("own.config.Shop") - 1] == oscar_loyalty.INSTALLED_APPS[-1]


def test_the_club_stands_right_before_wagtail():
    apps = wagtail_club.installed(["ownshop", "wagtail_kit", "wagtail.users", "wagtail"])
    assert apps == ["ownshop", "wagtail_kit", *wagtail_club.INSTALLED_APPS, "wagtail.users", "wagtail"]


@pytest.mark.parametrize("installed", [oscar_loyalty.installed, wagtail_club.installed])
def test_without_what_it_builds_on_it_is_refused(installed):
    with pytest.raises(ValueError, match="INSTALLED_APPS has nothing of"):
        installed(["django.contrib.auth"])


def test_a_page_of_the_shops_own_app_is_shown_and_named(tmp_path):
    """The sign-in page of a shop, with a button of its own, is not lost behind ours."""
    page = tmp_path / "ownshop/templates/oscar/customer/login_registration.html"
    page.parent.mkdir(parents=True)
    page.write_text("Sign in with your account of elsewhere", encoding="utf-8")
    (tmp_path / "ownshop/__init__.py").touch()
    (tmp_path / "own_settings.py").write_text(SETTINGS, encoding="utf-8")
    look = (
        "import django; django.setup()\n"
        "from django.core.checks import run_checks\n"
        "from django.template.loader import get_template\n"
        "print(get_template('oscar/customer/login_registration.html').origin.name)\n"
        "print(*[problem.msg for problem in run_checks(tags=['templates']) if problem.id == 'loyalty.W022'])\n"
    )
    environ = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "DJANGO_SETTINGS_MODULE": "own_settings"}
    done = subprocess.run([sys.executable, "-c", look], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shown, named = done.stdout.splitlines()[-2:]
    assert shown == str(page)
    assert str(page) in named
