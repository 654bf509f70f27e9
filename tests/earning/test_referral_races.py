"""Two orders of one friend at once, and two links opened at once."""

import pytest

from oscar_loyalty.due import services as due
from oscar_loyalty.earning import orders
from oscar_loyalty.earning.referrals import services
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services as members
from tests.earning.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_orders_at_once_bring_one_reward(programme, member, place, shampoo, per_euro, later, django_user_model):
    services.save_scheme(programme=programme, is_active=True, referrer_points=200, friend_points=100)
    user = django_user_model.objects.create_user(username="lea", email="lea@example.org")
    friend = members.join(programme=programme, user=user)
    code = services.invitation_of(member=member).code
    made = at_once(lambda _index: services.accept(code=code, friend=friend).pk, 6)
    assert len(set(made)) == 1
    placed = [place((shampoo, 1), by=user) for _order in range(4)]
    for order in placed:
        orders.review_order(order=order)
    referral = get_model("loyalty_earning", "Referral").objects.get()
    at_once(lambda _index: services.settle(referral=referral), 6)
    assert referral.rewards.count() == 1
    later(14)
    reward = referral.rewards.get()
    at_once(lambda _index: services.give(reward=reward), 6)
    due.sweep()
    assert (ledger.balance(member.account).book, ledger.balance(friend.account).book) == (200, 148)
