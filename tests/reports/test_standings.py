"""What a large programme's pages say of its people is looked up now and then, not by each page."""

import pytest
from django.urls import reverse

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services
from oscar_loyalty.reports import standings


@pytest.fixture
def outsiders(member, django_user_model):
    """Ten customers and one of the staff who are not members, and somebody who left the shop."""
    make = django_user_model.objects.create_user
    found = [make(username=f"out{number}", email=f"out{number}@example.com") for number in range(10)]
    make(username="staff", email="staff@example.com", is_staff=True)
    make(username="gone", email="gone@example.com", is_active=False)
    return found


@pytest.fixture
def owner(client, django_user_model):
    # A member, too: nobody is counted twice.
    boss = django_user_model.objects.create_superuser("boss", "boss@example.com", "petale-demo")
    client.force_login(boss)
    return client


def test_a_small_programme_is_looked_at_now(programme, member, outsiders, django_assert_num_queries):
    standings.keep()
    with django_assert_num_queries(2):
        now = standings.current(programme)
    assert (now.members, now.tiers, now.at) == (1, {member.tier_id: 1}, None)
    with django_assert_num_queries(2):
        assert standings.members_of([programme]) == ({programme.pk: 1}, None)
    with django_assert_num_queries(3):
        found = standings.outside(programme)
    assert (found.customers, found.staff, found.at) == (10, 1, None)
    assert found.first == tuple(user.pk for user in outsiders[: standings.SHOWN])


def test_a_large_one_as_it_was_found_lately(time, programme, member, outsiders, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(standings, "MANY", 1)
    standings.keep()
    at = clock.now()
    services.join(programme=programme, user=outsiders[0])
    with django_assert_num_queries(1):
        now = standings.current(programme)
    assert (now.members, now.tiers, now.at) == (1, {member.tier_id: 1}, at)
    assert standings.members_of([programme]) == ({programme.pk: 1}, at)
    with django_assert_num_queries(1):
        found = standings.outside(programme)
    assert (found.customers, found.staff, len(found.first), found.at) == (10, 1, 8, at)
    time.advance(hours=7)
    assert standings.current(programme).members == 2 and standings.outside(programme).customers == 9
    # As it was kept before this was looked up, too.
    standings.keep()
    row = get_model("loyalty_reports", "Standing").objects.get()
    del row.figures["outside"]
    row.save()
    assert standings.outside(programme).customers == 9 and standings.current(programme).at == clock.now()


@pytest.mark.parametrize("name", ["tiers", "programme", "programmes", "members-enrol"])
def test_the_pages_say_as_of_when(time, programme, member, outsiders, owner, name, monkeypatch):
    address = reverse(f"loyalty-dashboard:loyalty-{name}")
    assert "as of" not in owner.get(address).content.decode()
    monkeypatch.setattr(standings, "MANY", 1)
    standings.keep()
    services.join(programme=programme, user=outsiders[0])
    page = owner.get(address).content.decode()
    assert "Numbers of people: as of" in page
    if name == "members-enrol":
        # Whoever became a member since is no example.
        assert "10 customers" in page


def test_nobody_is_looked_for_in_a_list_of_all_members(programme, member):
    """Which a database that has no memory for it goes through once for each user."""
    from oscar_loyalty.members.selectors import outsiders

    text = str(outsiders(programme).query)
    assert "NOT EXISTS" in text and " IN (SELECT" not in text
