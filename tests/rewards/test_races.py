"""Many at once: never more than there are, never twice, and whoever locks waits for nobody who waits for them."""

import pytest

from oscar_loyalty import clock
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.members import services as members
from oscar_loyalty.rewards import services
from oscar_loyalty.rewards.exceptions import RewardError
from tests.earning.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_twenty_claims_of_five(programme, reward, proof, time):
    five = reward(stock=5)
    people = []
    for number in range(20):
        person = members.join(programme=programme, email=f"{number}@example.com", source="test")
        books.earn(account=person.account, units=500, key=f"earn:{number}", usable_from=clock.now(), kind="adjust")
        people.append(person)

    def claim(index):
        try:
            return services.claim(reward=five, member=people[index], key=f"k{index}").code
        except RewardError as error:
            return error.code

    found = at_once(claim)
    assert found.count("sold_out") == 15 and len(set(found)) == 6
    five.refresh_from_db()
    assert (five.taken, five.left) == (5, 0)
    assert sum(ledger.balance(person.account).usable == 0 for person in people) == 5
    proof()


def test_one_member_with_points_for_two_gets_two(member, reward, give, proof, petals, time):
    give(1000)
    rewards = [reward(), reward()]

    def claim(index):
        try:
            return services.claim(reward=rewards[index % 2], member=member, key=f"k{index}").pk
        except RewardError as error:
            return error.code

    found = at_once(claim, 10)
    assert found.count("points") == 8 and petals() == 0
    proof()


def test_one_form_sent_often_claims_once_and_gives_back_once(member, reward, give, proof, petals, time):
    give(600)
    five = reward(limit=1)
    claims = at_once(lambda index: services.claim(reward=five, member=member, key="form"), 10)
    assert len({claim.pk for claim in claims}) == 1 and petals() == 100
    at_once(lambda index: services.give_back(claim=claims[0], user=member.user), 10)
    five.refresh_from_db()
    assert petals() == 600 and five.taken == 0
    proof()
