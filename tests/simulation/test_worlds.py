"""Three hundred worlds (on PostgreSQL twenty), and the proof that a seed is a world."""

import pytest
from django.db import connection

from tests.simulation import actions, world

SEEDS, AT_ONCE, STEPS = 300 if connection.vendor == "sqlite" else 20, 10, 30
#: What was done in the worlds that have lived in this process, and what Stripe has given back, by their seeds.
LIVED = {}


def lived(seed, restore):
    if seed not in LIVED:
        life = world.live(seed, restore, steps=STEPS)
        LIVED[seed] = life.deeds, life.refunded
    return LIVED[seed]


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_worlds(first, restore):
    for seed in range(first, first + AT_ONCE):
        lived(seed, restore)


if connection.vendor == "sqlite":

    def test_everything_that_can_be_done_is_done(restore):
        """No action is dead: each is done in one of the worlds, but a thief's, which is refused."""
        left = {(each.__name__, "refused" if each.who == "a thief" else "done") for each in actions.ACTIONS}
        # Those first that have lived already: how many lives it takes is written nowhere.
        for seed in sorted(range(SEEDS), key=lambda seed: seed not in LIVED):
            left -= set(lived(seed, restore)[0])
            if not left:
                return
        raise AssertionError(f"Never in {SEEDS} worlds: {sorted(left)}")


def test_stripe_gives_money_back_in_most_worlds(restore):
    refunded = [lived(seed, restore)[1] for seed in range(AT_ONCE)]
    assert sum(cents > 0 for cents in refunded) > AT_ONCE / 2


def test_a_seed_is_the_same_world_each_time(restore):
    assert world.live(3, restore, steps=STEPS).story == world.live(3, restore, steps=STEPS).story


def test_other_seeds_are_other_worlds(restore):
    assert world.live(3, restore, steps=STEPS).story != world.live(4, restore, steps=STEPS).story
