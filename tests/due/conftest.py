import pytest

from oscar_loyalty.due import registry, services


@pytest.fixture(autouse=True)
def only_our_own_work(monkeypatch):
    """Neither handlers nor sweepers but those of the test."""
    for name in ("handlers", "sweepers"):
        own = {}
        monkeypatch.setattr(services, name, own)
        monkeypatch.setattr(registry, name, own)


@pytest.fixture
def calls():
    """A handler of the kind "test" that remembers the keys of what it was given."""
    found = []
    registry.handler("test")(lambda row: found.append(row.key))
    return found
