"""A shop with something of every kind in it, and those who try its doors."""

from itertools import islice

import pytest
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection
from django.test import Client

from oscar_loyalty.loading import get_model
from tests.simulation.scales import Scales, difference
from tests.sites.conftest import *  # noqa: F403
from tests.sites.test_leaks import full  # noqa: F401


@pytest.fixture(autouse=True)
def low_keys(db):
    """Keys begin where those of a new database do, so that the addresses tried do not depend on what ran before."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), apps.get_models()):
            cursor.execute(statement)


#: What opened before, by page: keys begin where those of a new database do, so the same opens again.
OPENED = {}


class Doors:
    """All addresses of ours, with keys of what is there: of each two that open to the owner, or else any.

    ``world`` is a name for what is there.
    """

    def __init__(self, houses, boss, world="full"):
        from oscar_loyalty.account.apps import AccountConfig
        from oscar_loyalty.dashboard.apps import PAGES
        from tests.sites.test_leaks import addresses, keys_of

        # The first shop's: those of the second are above.
        keys = {kind: found[:15] for kind, found in keys_of(houses[1].far, False).items()}
        assert all(keys.values())
        client, self.dashboard = houses[0].client(boss), {}
        for address, _module, _view, name in PAGES:
            if (world, name) in OPENED:
                self.dashboard[name] = OPENED[world, name]
                continue
            urls = [url for _values, url in islice(addresses(name, address, keys), 60)]
            opened = (url for url in urls if client.get(url).status_code != 404)
            self.dashboard[name] = list(islice(opened, 2)) or urls[:1]
            if "<uuid:" not in address:
                OPENED[world, name] = self.dashboard[name]
        self.account = {pattern.name: pattern for pattern in AccountConfig.create("oscar_loyalty.account").get_urls()}

    def all(self):
        return [(name, url) for name, urls in self.dashboard.items() for url in urls]


@pytest.fixture
def doors(full, boss):  # noqa: F811
    return Doors(full, boss)


@pytest.fixture
def people(full, django_user_model):  # noqa: F811
    """Clients, none of whom has any business in the dashboard."""
    house = full[0]
    member = get_model("loyalty_members", "Member").objects.get(email="alpha0@example.com").user
    helper = django_user_model.objects.create_user("helper", "helper@example.com", "x", is_staff=True)
    return {
        "a stranger": house.client(),
        "a member": house.client(member),
        "staff without the right": house.client(helper),
    }


@pytest.fixture
def strict(full):  # noqa: F811
    """A client whose requests must carry the token of a form: ``strict(user)``."""

    def strict(user=None):
        client = Client(enforce_csrf_checks=True, headers={"host": full[0].site.domain})
        if user is not None:
            client.force_login(user)
        return client

    return strict


@pytest.fixture
def unchanged(full):  # noqa: F811
    """Within the block nothing that anybody owns may change."""
    from contextlib import contextmanager

    @contextmanager
    def unchanged(what):
        scales = Scales()
        before = scales.afresh()
        yield
        changes = difference(before, scales.afresh())
        assert not changes, f"{what}: {changes}"

    return unchanged
