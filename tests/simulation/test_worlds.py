"""Three hundred worlds, and the proof that a world in which something is wrong does not pass."""

import pytest
from django.db import connection

from oscar_loyalty.payments.tenders import own
from tests.simulation import actions, world
from tests.simulation.database import laboratory
from tests.simulation.faults import Mail

SEEDS, AT_ONCE, STEPS = 300, 10, 30


@pytest.fixture(scope="module")
def restore(django_db_blocker):
    with django_db_blocker.unblock(), laboratory(world.prepare) as restore:
        yield restore


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_worlds(first, restore):
    for seed in range(first, first + AT_ONCE):
        world.live(seed, restore, steps=STEPS)


def test_a_seed_is_the_same_world_each_time(restore):
    assert world.live(3, restore, steps=STEPS) == world.live(3, restore, steps=STEPS)


def test_other_seeds_are_other_worlds(restore):
    assert world.live(3, restore, steps=STEPS) != world.live(4, restore, steps=STEPS)


def broken_within(seeds, restore):
    """What is said of the first of these worlds that does not hold."""
    for seed in range(seeds):
        try:
            world.live(seed, restore, steps=STEPS)
        except world.Broken as broken:
            return str(broken)
    raise AssertionError(f"None of {seeds} worlds noticed.")


def test_a_point_out_of_nothing_is_noticed(restore, monkeypatch):
    def helps_itself(world):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE loyalty_ledger_account SET balance = balance + 1 WHERE id = 1")
        return "done"

    helps_itself.who, helps_itself.weight = "a bug", 5
    monkeypatch.setattr(actions, "ACTIONS", [*actions.ACTIONS, helps_itself])
    assert "account 1: entries" in broken_within(3, restore)


def test_points_and_cards_that_are_never_taken_are_noticed(restore, monkeypatch):
    monkeypatch.setattr(own.LedgerTender, "capture", lambda self, **named: None)
    assert "Seed" in broken_within(20, restore)


def test_a_mail_that_goes_out_twice_is_noticed(restore, monkeypatch):
    real = Mail.send_messages

    def twice(self, messages):
        return real(self, [*messages, *messages])

    monkeypatch.setattr(Mail, "send_messages", twice)
    assert "mails for" in broken_within(3, restore)
