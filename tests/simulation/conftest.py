import pytest

from tests.simulation import world
from tests.simulation.database import laboratory


@pytest.fixture(scope="module")
def restore(django_db_blocker):
    with django_db_blocker.unblock(), laboratory(world.prepare) as restore:
        yield restore
