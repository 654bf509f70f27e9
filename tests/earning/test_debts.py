"""What an order brought and a reward has cost: undone in either order, the member loses it once."""

import pytest

from oscar_loyalty import clock
from oscar_loyalty.fields import localized
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services
from oscar_loyalty.rewards import services as rewards


@pytest.mark.parametrize("first", ["order", "reward"])
def test_an_order_and_the_reward_that_it_paid_for(
    programme, member, per_euro, shampoo, place, sweep, later, cancel, first
):
    services.save_programme(programme=programme, expiry_months=1, pending_days=0)
    reward = get_model("loyalty_rewards", "Reward").objects.create(
        programme=programme,
        created_at=clock.now(),
        kind="experience",
        name=localized(en="Tea", fr="Thé"),
        points=12,
        value=5,
    )
    order = place((shampoo, 1))
    sweep()
    claim = rewards.claim(reward=reward, member=member, key="c")
    assert ledger.balance(member.account).book == 0
    undo = [lambda: cancel(order), lambda: rewards.cancel(claim=claim, why="shop")]
    for undone in undo if first == "order" else reversed(undo):
        undone()
        sweep()
    later(40)
    sweep()
    found = ledger.balance(member.account)
    assert (found.usable, found.debt, found.book) == (0, 0, 0)
