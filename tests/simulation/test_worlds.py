"""Three hundred worlds (on PostgreSQL twenty), and the proof that a seed is a world, and that things happen in it."""

from collections import Counter

import pytest
from django.db import connection

from tests.simulation import actions, world

SEEDS, AT_ONCE, STEPS = 300 if connection.vendor == "sqlite" else 20, 10, 30
#: What some of them must have seen done.
RARE = {"comes_back", "forges_a_task", "forges_a_webhook", "guesses_a_code", "takes_what_is_not_theirs"}


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_worlds(first, restore):
    for seed in range(first, first + AT_ONCE):
        world.live(seed, restore, steps=STEPS)


def test_a_seed_is_the_same_world_each_time(restore):
    assert world.live(3, restore, steps=STEPS).story == world.live(3, restore, steps=STEPS).story


def test_other_seeds_are_other_worlds(restore):
    assert world.live(3, restore, steps=STEPS).story != world.live(4, restore, steps=STEPS).story


def test_things_happen(restore, monkeypatch):
    """Each action is done somewhere, orders are placed and paid in each way, processes die and overtake each other."""
    # All of them in every world, and a long life: few worlds are enough.
    monkeypatch.setattr(world, "SOME", 1)
    deeds, kinds, story = Counter(), Counter(), ""
    for seed in range(6):
        lived = world.live(1000 + seed, restore, steps=150)
        deeds += lived.deeds
        story += "\n".join(lived.story)
        kinds.update(each["kind"] for each in lived.rows("loyalty_payments_tender") if each["state"] == "captured")
        kinds.update(each["kind"] for each in lived.rows("loyalty_ledger_entry"))
    done = {name for name, outcome in deeds if outcome == "done"}
    assert {each.__name__ for each in actions.ACTIONS} - RARE - done == set()
    assert {"stripe", "points", "giftcard", "earn", "spend", "return", "clawback", "expire"} - set(kinds) == set()
    assert any(outcome == "killed" for _name, outcome in deeds)
    assert "meanwhile" in story and "at the same time" in story and ", twice" in story
