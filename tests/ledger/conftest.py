import pytest

from oscar_loyalty.ledger import books


@pytest.fixture
def account(db):
    return books.open_account(unit="points:1", owner=books.Ref("member", "1"))


@pytest.fixture
def other(db):
    return books.open_account(unit="points:1", owner=books.Ref("member", "2"))
