"""Run by ``tests/members/test_own_users.py``, with the settings of a shop whose users are called otherwise."""

from django.contrib.auth import get_user_model

from oscar_loyalty import clock
from oscar_loyalty.members import selectors, services
from oscar_loyalty.members.groups import rebuild_groups
from oscar_loyalty.reports import audit


def groups_of(user):
    return sorted(user.groups.values_list("loyalty_tier__code", flat=True))


def test_members_come_into_the_groups_of_their_tiers(programme):
    Customer = get_user_model()
    assert Customer.__name__ == "Customer"
    users = [Customer.objects.create_user(name, f"{name}@example.com") for name in ("rose", "lea")]
    rose, lea = services.join_many(programme=programme, people=[(user, clock.now()) for user in users], source="test")
    assert groups_of(users[0]) == ["bronze"]
    services.set_tier(member=rose, tier=selectors.tiers(programme).get(code="silver"), key="up")
    assert groups_of(users[0]) == ["bronze", "silver"]

    rose.user.groups.clear()
    lea.user.groups.add(selectors.tiers(programme).get(code="gold").group)
    assert [finding.check for finding in audit.run(keep=False).findings].count("tiers.missing") == 2
    rebuild_groups(programme)
    assert (groups_of(users[0]), groups_of(users[1])) == (["bronze", "silver"], ["bronze"])
    assert audit.run(keep=False).clean
