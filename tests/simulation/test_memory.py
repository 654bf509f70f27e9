"""What worlds remember to be quick is what they would have found by asking anew."""

import pytest

from oscar_loyalty.reports import audit
from tests.simulation import actions, invariants, world
from tests.simulation.audits import Audits
from tests.simulation.statements import Statements
from tests.simulation.test_broken import helps_itself


def test_nothing_else_is_found_than_by_asking_anew(restore, monkeypatch):
    statements, remembered, number = Statements(compare=True), Audits.findings, iter(range(1_000_000))

    def both(self):
        found = remembered(self)
        assert found == audit.run(keep=False).findings
        next(number)
        return found

    monkeypatch.setattr(world, "STATEMENTS", statements)
    monkeypatch.setattr(Audits, "findings", both)
    for seed in range(3):
        world.live(seed, restore, steps=30)
    assert next(number) == 3 * 31
    assert statements.spared > 1500


def test_the_audit_of_a_world_notices_what_it_did_not_know(restore, monkeypatch):
    monkeypatch.setattr(invariants, "ALWAYS", ())
    world.live(1, restore, steps=5)
    monkeypatch.setattr(actions, "ACTIONS", [helps_itself])
    with pytest.raises(world.Broken, match=r"ledger\.balance, account 1"):
        world.live(1, restore, steps=5)
