"""Three hundred worlds (on PostgreSQL twenty), and the proof that a seed is a world."""

import pytest
from django.db import connection

from tests.simulation import world

SEEDS, AT_ONCE, STEPS = 300 if connection.vendor == "sqlite" else 20, 10, 30


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_worlds(first, restore):
    for seed in range(first, first + AT_ONCE):
        world.live(seed, restore, steps=STEPS)


def test_a_seed_is_the_same_world_each_time(restore):
    assert world.live(3, restore, steps=STEPS).story == world.live(3, restore, steps=STEPS).story


def test_other_seeds_are_other_worlds(restore):
    assert world.live(3, restore, steps=STEPS).story != world.live(4, restore, steps=STEPS).story
