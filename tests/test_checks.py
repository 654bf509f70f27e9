"""What ``manage.py check`` says to a shop that is set up wrongly, and that it is silent otherwise."""

from types import SimpleNamespace

import pytest
from django.apps import apps
from django.test import override_settings
from oscar.apps.checkout import views

from oscar_loyalty import checks


def ids(found):
    return [message.id for message in found]


def test_a_shop_that_is_set_up_well_hears_nothing(db):
    every = [checks.giftcard_keys, checks.checkout, checks.worker, checks.addresses, checks.templates, checks.sites]
    every += [checks.databases, checks.time_zones]
    assert [message for check in every for message in check(None)] == []
    assert checks.sqlite(None, databases=["default"]) == []


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, ["loyalty.E001"]),
        ({"1": "a key for tests only, never used elsewhere"}, ["loyalty.E002"]),
        ({"1": "short"}, ["loyalty.E003"]),
        ({"1": "x" * 32}, []),
    ],
)
def test_the_key_of_gift_cards(keys, expected, settings):
    settings.OSCAR_LOYALTY_GIFTCARD_KEYS = keys
    assert ids(checks.giftcard_keys(None)) == expected


def test_a_checkout_of_ones_own_without_the_mixins(monkeypatch):
    config = apps.get_app_config("checkout")
    monkeypatch.setattr(config, "payment_details_view", views.PaymentDetailsView)
    monkeypatch.setattr(config, "thankyou_view", views.ThankYouView)
    assert ids(checks.checkout(None)) == ["loyalty.W001", "loyalty.W002"]


def test_sqlite_that_locks_late(monkeypatch):
    from django.db import connections

    connection = connections["default"]
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {})
    expected = ["loyalty.W003"] if connection.vendor == "sqlite" else []
    assert ids(checks.sqlite(None, databases=["default"])) == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [((3, 31, 1), ["loyalty.E006"]), ((3, 34, 1), ["loyalty.E006"]), ((3, 35, 0), []), ((3, 46, 1), [])],
)
def test_sqlite_that_does_not_say_what_it_has_written(version, expected, monkeypatch):
    from django.db.backends.sqlite3.base import DatabaseWrapper

    class Library:
        sqlite_version_info, sqlite_version = version, ".".join(map(str, version))

    connection = DatabaseWrapper({"NAME": ":memory:"})
    connection.Database = Library
    monkeypatch.setattr("django.db.connections", {"default": connection})
    assert ids(checks.sqlite_library(None, databases=["default"])) == expected
    assert ids(checks.sqlite_library(None, databases=None)) == []


@pytest.mark.parametrize(
    ("vendor", "expected"),
    [("sqlite", []), ("postgresql", []), ("mysql", ["loyalty.E007"]), ("oracle", ["loyalty.E007"])],
)
def test_a_database_that_the_ledger_does_not_speak_to(vendor, expected, monkeypatch):
    """It is the one that holds the ledger: a shop may have another beside."""
    monkeypatch.setattr("django.db.router.db_for_write", lambda model, **hints: "points")
    connection = SimpleNamespace(vendor=vendor, display_name=vendor)
    monkeypatch.setattr("django.db.connections", {"points": connection})
    assert ids(checks.databases(None)) == expected


def test_moments_without_a_time_zone(settings):
    settings.USE_TZ = False
    assert ids(checks.time_zones(None)) == ["loyalty.E008"]


@pytest.mark.parametrize(
    ("worker", "expected"), [("cron", []), ("celery", []), ("inline", []), ("magic", ["loyalty.E004"])]
)
def test_who_does_background_work(worker, expected, settings):
    settings.OSCAR_LOYALTY_WORKER = worker
    assert ids(checks.worker(None)) == expected


def test_celery_that_is_not_installed(settings, monkeypatch):
    settings.OSCAR_LOYALTY_WORKER = "celery"
    monkeypatch.setattr(checks, "find_spec", lambda name: None)
    assert ids(checks.worker(None)) == ["loyalty.E005"]


@override_settings(ROOT_URLCONF="django.contrib.flatpages.urls")
def test_pages_without_an_address():
    assert ids(checks.addresses(None)) == ["loyalty.W004"]


def test_numbers_of_the_shops_side_of_gift_cards(settings):
    from oscar_loyalty.giftcards.staff_checks import foreign_codes, staff_numbers

    assert staff_numbers(None) == [] and foreign_codes(None) == []
    settings.OSCAR_LOYALTY_GIFTCARD_TOPUP_LIMIT = "much"
    settings.OSCAR_LOYALTY_GIFTCARD_REMIND_DAYS = -1
    settings.OSCAR_LOYALTY_GIFTCARD_GRACE_DAYS = 1.5
    assert [problem.id for problem in staff_numbers(None)] == ["loyalty.E050", "loyalty.E051", "loyalty.E051"]
    settings.OSCAR_LOYALTY_GIFTCARD_TOPUP_LIMIT = "NaN"
    assert staff_numbers(None)[0].id == "loyalty.E050"
    settings.OSCAR_LOYALTY_GIFTCARD_FOREIGN_CODES = True
    assert foreign_codes(None) == []
    settings.OSCAR_LOYALTY_GIFTCARD_ATTEMPTS = 11
    assert [problem.id for problem in foreign_codes(None)] == ["loyalty.W050"]


@pytest.mark.parametrize(
    ("code", "found"), [("KWD", ["loyalty.E070"]), ("BHD", ["loyalty.E070"]), ("JPY", []), ("EUR", [])]
)
def test_a_currency_that_oscar_cannot_store_is_refused(code, found):
    with override_settings(OSCAR_DEFAULT_CURRENCY=code):
        assert ids(checks.currency(None)) == found


@pytest.fixture
def shops_own(tmp_path, settings):
    """Write a template of the shop's own, which is found first."""
    engine, *_others = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [tmp_path]}]

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    return write


def test_a_template_of_the_shops_own_that_hides_ours_is_named(shops_own):
    name = "oscar/customer/registration.html"
    shops_own(name, '{% extends "oscar/layout.html" %}')
    shops_own("oscar/customer/baseaccountpage.html", "{% block content %}{% endblock %}")
    account, registration = checks.templates(None)
    assert account.id == registration.id == "loyalty.W022"
    assert '{% url "loyalty-account:overview" as loyalty_url %}' in account.hint
    assert name in registration.msg
    assert "{% load loyalty_friends loyalty_tags %} {% loyalty_join_tick %} {% loyalty_invited %}" in registration.hint


@pytest.mark.parametrize(
    "text", ['{% extends "oscar/customer/registration.html" %}', "{% load loyalty_tags %}{% loyalty_join_tick %}"]
)
def test_a_template_that_extends_ours_or_has_something_of_it_is_let_be(shops_own, text):
    shops_own("oscar/customer/registration.html", text)
    assert checks.templates(None) == []
