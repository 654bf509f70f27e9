"""With a replica, the owner's pages and files read from it, and nothing else does: it refuses whatever would write."""

import re

import pytest
from django.db import connection, connections, router
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from oscar_loyalty import clock, replicas
from oscar_loyalty.due import services as due
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services
from oscar_loyalty.reports import figures, files

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def replica(settings):
    """The test's own database once more, by a connection that only reads."""
    given = dict(connection.settings_dict)
    options = dict(given["OPTIONS"])
    if connection.vendor == "postgresql":
        options["options"] = f"{options.get('options', '')} -c default_transaction_read_only=on"
    else:
        options["init_command"] = f"{options.get('init_command', '')} PRAGMA query_only=ON;"
    connections.settings["replica"] = {**given, "OPTIONS": options}
    settings.DATABASE_ROUTERS = ["oscar_loyalty.replicas.ReplicaRouter"]
    settings.OSCAR_LOYALTY_REPLICA = "replica"
    # A test case lets nobody connect to a database that it did not make; this one is there already.
    connections["replica"].connect()
    yield connections["replica"]
    connections["replica"].close()
    del connections["replica"]
    del connections.settings["replica"]


@pytest.fixture
def boss(django_user_model):
    return django_user_model.objects.create_superuser("boss", "boss@example.com", "x")


def asked(captured):
    """The plugin's tables that were asked for."""
    return {name for query in captured for name in re.findall(r'FROM "(loyalty_\w+)"', query["sql"])}


@pytest.mark.parametrize("page", ["overview", "members", "movements"])
def test_the_owners_pages_read_from_the_replica(page, client, boss, replica, member, give, visit, programme):
    give(500)
    client.force_login(boss)
    address = reverse(f"loyalty-dashboard:loyalty-{page}")
    client.get(address)
    with CaptureQueriesContext(replica) as there, CaptureQueriesContext(connection) as here:
        response = client.get(address, {"q": "rose"} if page != "overview" else {})
    assert response.status_code == 200
    wanted = {"loyalty_members_member"} if page == "members" else {"loyalty_reports_daytotal"}
    if page == "movements":
        wanted = {"loyalty_ledger_entry"}
    assert wanted <= asked(there)
    # The programme alone is looked up before the page knows that it only reads.
    assert asked(here) <= {"loyalty_members_programme"}


def test_files_are_read_from_the_replica_and_written_to_the_first(client, boss, replica, member, give, monkeypatch):
    give(500)
    monkeypatch.setattr(files, "SMALL", 0)
    client.force_login(boss)
    with CaptureQueriesContext(replica) as there:
        response = client.get(reverse("loyalty-dashboard:loyalty-movements-export", args=["csv"]))
        assert b"500" in b"".join(response.streaming_content)
    assert "loyalty_ledger_entry" in asked(there)
    client.get(reverse("loyalty-dashboard:loyalty-movements-export", args=["xlsx"]))
    with CaptureQueriesContext(replica) as there:
        due.sweep()
    assert "loyalty_ledger_entry" in asked(there) and "loyalty_due_due" not in asked(there)
    assert get_model("loyalty_reports", "ExportFile").objects.get().state == "ready"


def test_what_is_written_or_locked_stays_with_the_first(replica, programme, member, django_user_model):
    user = django_user_model.objects.create_user("x", "x@example.com")
    with replicas.reading(), CaptureQueriesContext(replica) as there:
        found = members.search(programme, "rose").get()
        assert found._state.db == "replica"
        # What was read there is written here, and services read what they go by where they write.
        books.earn(account=found.account, units=80, key="1", usable_from=clock.now())
        books.spend(account=found.account, units=30, key="2")
        other = services.join(programme=programme, user=user)
        services.set_status(member=other, status="frozen")
        services.set_status(member=found, status="frozen")
        found.refresh_from_db()
        assert (found.status, ledger.usable(found.account)) == ("frozen", 50)
        assert figures.overview(programme).on_hold == 2
    assert not [query["sql"] for query in there if "FOR UPDATE" in query["sql"] or query["sql"].startswith("INSERT")]
    assert members.search(programme, "rose").get()._state.db == "default"


def test_a_shops_other_databases_are_left_to_its_other_routers(replica, settings, member, django_user_model):
    class Own:
        def db_for_write(self, model, **hints):
            return "own" if model is django_user_model else None

    settings.DATABASE_ROUTERS = [*settings.DATABASE_ROUTERS, Own()]
    with replicas.reading():
        found = members.search(member.programme, "rose").get()
    assert router.db_for_write(type(found), instance=found) == "default"
    assert router.db_for_write(django_user_model) == "own"


def test_without_the_setting_nothing_changes(replica, settings, programme, member):
    settings.OSCAR_LOYALTY_REPLICA = ""
    with replicas.reading(), CaptureQueriesContext(replica) as there:
        assert members.search(programme, "rose").get() == member
    assert not len(there)
