import gc
import os
from datetime import UTC, datetime

import pytest
from hypothesis import settings as examples

from oscar_loyalty import clock
from tests import sharing

# Hypothesis's own settings for machines that are busy: no test fails for being slow, and each looks at
# the same examples in every run. ``HYPOTHESIS_PROFILE=nightly`` looks elsewhere, and longer.
examples.load_profile("default" if "HYPOTHESIS_PROFILE" in os.environ else "ci")

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def pytest_collection_modifyitems(items):
    sharing.share(items)


def pytest_collection_finish():
    """What was imported stays: looking through it for garbage again and again took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture
def time():
    """A clock that stands at noon of 2 March 2026 until the test moves it."""
    with clock.frozen(NOON) as frozen:
        yield frozen


@pytest.fixture
def in_parts(monkeypatch):
    """Two rows are a large table: each sweep looks at the newest row, and at one of the others."""
    from oscar_loyalty.due import rounds
    from oscar_loyalty.wallet import services

    monkeypatch.setattr(rounds, "SIZE", 1)
    monkeypatch.setattr(services, "PART", 1)


@pytest.fixture(autouse=True)
def _english(settings):
    """A page in French that one test asked for leaves the next one in English."""
    from django.utils.translation import override

    with override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture(scope="session", autouse=True)
def _emptying_test_databases():
    """For the whole session: a patch of one test alone would be taken back before the database is emptied."""
    from tests import emptying

    with pytest.MonkeyPatch.context() as patch:
        emptying.install(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def _what_is_joined_under_a_lock():
    from tests import joined

    with pytest.MonkeyPatch.context() as patch:
        joined.install(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def _what_is_not_in_a_long_list():
    from tests import quadratic

    with pytest.MonkeyPatch.context() as patch:
        quadratic.install(patch)
        yield


@pytest.fixture
def programme(db):
    from oscar_loyalty.fields import localized
    from oscar_loyalty.members import services

    return services.create_programme(
        name="Pétales",
        points_name_one=localized(en="petal", fr="pétale"),
        points_name_many=localized(en="petals", fr="pétales"),
        cancelled_order_statuses=["Cancelled"],
        cancelled_line_statuses=["Cancelled"],
        paid_statuses=["Complete"],
    )


@pytest.fixture
def user(db, django_user_model):
    return django_user_model.objects.create_user(
        username="rose", email="rose@example.com", password="petale-demo", first_name="Rose", last_name="Martin"
    )


@pytest.fixture
def member(programme, user):
    from oscar_loyalty.members import services

    return services.join(programme=programme, user=user, source="test")


@pytest.fixture
def give(member):
    """Give the member points that can be spent at once: ``give(1000)``."""
    from oscar_loyalty import clock
    from oscar_loyalty.ledger import books

    given = []

    def give(units, to=member, **fields):
        given.append(units)
        fields.setdefault("usable_from", clock.now())
        key = f"test:{to.pk}:{len(given)}"
        return books.earn(account=to.account, units=units, key=key, kind="adjust", **fields)

    return give


# Playwright's sync API runs an event loop in this thread; the tests use the database from it all the same.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.fixture(scope="session")
def browser():
    """One browser for all tests of a process; a missing one fails them, they are never skipped."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or "/usr/bin/chromium",
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                # Nothing outside of this machine can be reached.
                "--no-proxy-server",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
            ],
        )
        yield browser
        browser.close()
