from datetime import UTC, datetime

import pytest

from oscar_loyalty import clock

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def time():
    """A clock that stands at noon of 2 March 2026 until the test moves it."""
    with clock.frozen(NOON) as frozen:
        yield frozen


@pytest.fixture(autouse=True)
def _emptying_test_databases(monkeypatch):
    """The database refuses to delete entries; only the flush after a transactional test may."""
    from django.test import TransactionTestCase

    from oscar_loyalty.ledger import triggers

    teardown = TransactionTestCase._fixture_teardown

    def lifted_teardown(self):
        with triggers.lifted():
            teardown(self)

    monkeypatch.setattr(TransactionTestCase, "_fixture_teardown", lifted_teardown)
