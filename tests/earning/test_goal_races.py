"""Two awards of one member at the same time, and the same award told twice at once."""

import pytest

from oscar_loyalty.due import services as due
from oscar_loyalty.earning import followers, goals
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import audit
from tests.earning.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_awards_at_once_fill_one_card_after_the_other(programme, member, haircut, place, time):
    from oscar_loyalty.earning import orders

    goal = goals.coffee_card(programme, product=haircut, name="Five", points=10, size=5)
    for number in range(6):
        orders.review_order(order=place((haircut, 2), number=f"r{number}"))
    pks = list(get_model("loyalty_earning", "Award").objects.values_list("pk", flat=True))
    at_once(lambda index: followers.follow([pks[index % 6]]), 12)
    due.sweep()
    cards = get_model("loyalty_earning", "GoalCard").objects.filter(goal=goal).order_by("round")
    assert [card.count for card in cards] == [5, 5, 2]
    assert get_model("loyalty_earning", "GoalPrize").objects.filter(state="given").count() == 2
    assert audit.run(keep=False).clean
