"""Figures that are kept day by day are those of the ledger, whatever happened, and however far they are counted."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import Count, Max, Q, Sum

from oscar_loyalty import clock, times
from oscar_loyalty.earning import selectors as earning
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import merging, services
from oscar_loyalty.reports import day_totals, figures, movements, paging, standings
from oscar_loyalty.reports.movements import Filters
from oscar_loyalty.sql import Database

DayTotal = get_model("loyalty_reports", "DayTotal")
Entry = get_model("loyalty_ledger", "Entry")


def plain(programme):
    """The overview's figures, added up from the rows themselves."""
    now = clock.now()
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    lots = get_model("loyalty_ledger", "Lot").objects.filter(account__unit=programme.unit)
    since = times.start_of(standings.first_day(now))
    lately = Entry.objects.filter(
        account__unit=programme.unit, effective_at__gte=since, effective_at__lt=times.end_of(times.day_of(now))
    )
    members = get_model("loyalty_members", "Member").objects.filter(programme=programme, merged_into=None)
    members = members.exclude(status="closed")
    debts = get_model("loyalty_ledger", "Account").objects.filter(unit=programme.unit)
    return {
        "out": lots.filter(alive).aggregate(units=Sum("remaining"))["units"] or 0,
        "debt": debts.aggregate(units=Sum("debt"))["units"] or 0,
        "earned": lately.filter(kind="earn").aggregate(units=Sum("units"))["units"] or 0,
        "spent": -(lately.filter(kind="spend").aggregate(units=Sum("units"))["units"] or 0),
        "expiring": lots.filter(expires_at__gt=now, expires_at__lte=now + timedelta(days=30)).aggregate(
            units=Sum("remaining")
        )["units"]
        or 0,
        "members": members.count(),
        "joined": members.filter(joined_at__gte=since).count(),
        "tiers": dict(members.order_by().values_list("tier").annotate(number=Count("pk"))),
    }


def agree(programme):
    seen, wanted = figures.overview(programme), plain(programme)
    assert {name: getattr(seen, name) for name in wanted} == wanted
    entries = Entry.objects.filter(account__unit=programme.unit).order_by()
    for by, of in (("kind", lambda entry: entry.kind), ("day", lambda entry: times.day_of(entry.effective_at))):
        found = {}
        for entry in entries:
            one = day_totals.Sums(
                int(entry.units != 0), int(entry.units == 0), max(entry.units, 0), max(-entry.units, 0)
            )
            found[of(entry)] = found.get(of(entry), day_totals.Sums()) + one
        assert day_totals.sums(programme.unit, by) == found


def count_all():
    """As many sweeps as it takes: the database may be busy with something of its own meanwhile."""
    newest = Entry.objects.aggregate(last=Max("pk"))["last"]
    for _sweep in range(5000):
        day_totals.count()
        if get_model("loyalty_reports", "Counting").objects.get().counted == newest:
            return
    pytest.fail("Not everything was counted.")


@pytest.fixture
def story(time, programme, member, django_user_model):
    """All that happens to points; between any two of its steps a sweep may come by."""
    other = services.join(
        programme=programme, user=django_user_model.objects.create_user("o", "o@example.com"), source="test"
    )

    def steps():
        now = clock.now
        first = books.earn(account=member.account, units=500, key="1", usable_from=now())
        yield
        short = now() + timedelta(days=20)
        books.earn(account=other.account, units=300, key="2", usable_from=now(), expires_at=short)
        yield
        books.spend(account=member.account, units=200, key="3")
        time.advance(days=9)
        yield
        # A refund of what was spent already leaves a debt.
        books.reverse(entry=first, key="4")
        yield
        # Booked today, of long ago.
        past = now() - timedelta(days=400)
        books.earn(account=other.account, units=70, key="5", usable_from=past, happened_at=past)
        yield
        time.advance(days=13)
        # It has ended, and nobody has posted that.
        yield
        books.expire_due()
        yield
        merging.merge(source=other, target=member, key="6")
        yield
        books.earn(account=member.account, units=40, key="7", usable_from=now() + timedelta(days=5))
        services.set_status(member=member, status="frozen")
        time.advance(days=40)
        yield

    return steps


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("every", [1, 3, 99])
def test_the_figures_are_those_of_the_ledger_at_each_moment(every, story, programme, monkeypatch):
    monkeypatch.setattr(day_totals, "SLICE", 2)
    # What is late is looked at one by one, and all of it where that is more.
    monkeypatch.setattr(figures, "FEW", every)
    agree(programme)
    for number, _step in enumerate(story(), start=1):
        agree(programme)
        if number % every == 0:
            day_totals.count()
            agree(programme)
    count_all()
    counted = DayTotal.objects.aggregate(number=Sum("number") + Sum("empty"))["number"]
    assert counted == Entry.objects.count()
    agree(programme)


@pytest.mark.django_db(transaction=True)
def test_other_days_are_counted_anew(story, programme, settings):
    for _step in story():
        pass
    day_totals.count()
    settings.TIME_ZONE = "Pacific/Auckland"
    day_totals.count()
    count_all()
    agree(programme)
    assert DayTotal.objects.aggregate(number=Sum("number") + Sum("empty"))["number"] == Entry.objects.count()


@pytest.mark.django_db(transaction=True)
def test_several_that_count_at_once_count_each_entry_once(programme, member, give):
    for _time in range(20):
        give(5)
    start = threading.Barrier(4)

    def work():
        start.wait()
        try:
            for _time in range(3):
                day_totals.count()
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    count_all()
    assert DayTotal.objects.get().gained == 100
    agree(programme)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_bulk", [False, True], ids=["one", "in bulk"])
def test_an_entry_that_is_committed_late_is_counted(programme, member, django_user_model, give, in_bulk, monkeypatch):
    """Its key is older than that of another, which was seen and counted before it."""
    if connection.vendor == "sqlite":
        # One writes at a time there: keys are committed in their order.
        give(5)
        day_totals.count()
        agree(programme)
        return
    user = django_user_model.objects.create_user("late", "late@example.com")
    late = services.join(programme=programme, user=user)
    written, go_on, load = threading.Event(), threading.Event(), Database.load

    def wait():
        written.set()
        assert go_on.wait(60)

    def slow_load(self, model, *args):
        if model is Entry:
            # Its keys are drawn.
            wait()
        load(self, model, *args)

    monkeypatch.setattr(Database, "load", slow_load)
    earning = {"account": late.account, "units": 7, "key": "late", "usable_from": clock.now()}

    def write():
        try:
            with transaction.atomic():
                if in_bulk:
                    books.earn_in_bulk([books.Earning(**earning)])
                else:
                    books.earn(**earning)
                    wait()
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    assert written.wait(60)
    give(5)
    for _sweep in range(3):
        day_totals.count()
    agree(programme)
    go_on.set()
    writer.join(60)
    agree(programme)
    count_all()
    assert DayTotal.objects.aggregate(gained=Sum("gained"))["gained"] == 12
    agree(programme)


def test_a_large_programme_shows_what_was_found_some_minutes_ago(time, programme, member, give, monkeypatch):
    monkeypatch.setattr(standings, "MANY", 1)
    give(50, expires_at=clock.now() + timedelta(days=10))
    assert standings.keep() == 1 and standings.keep() == 0
    seen = figures.overview(programme)
    assert (seen.at, seen.members, seen.expiring, seen.tiers) == (clock.now(), 1, 50, {member.tier_id: 1})
    services.set_status(member=member, status="closed")
    give_at = clock.now()
    time.advance(minutes=5)
    assert figures.overview(programme).members == 1
    time.advance(minutes=5)
    assert standings.keep() == 1
    seen = figures.overview(programme)
    assert seen.members == 0 and seen.at == clock.now() != give_at
    # What nobody has looked up for hours is looked up by the page.
    time.advance(hours=7)
    assert figures.overview(programme).at is None


@pytest.mark.django_db(transaction=True)
def test_pages_of_days_are_those_of_all_entries(time, programme, member, give, many_days):
    filters = Filters()
    rows = movements.entries(programme, filters)
    for counted in (False, True):
        if counted:
            day_totals.count()
        known = movements.numbers(programme, filters)
        pages = movements.pages(programme, filters, 7, known, movements.totals(programme, filters, known))
        assert pages.count == rows.count() and isinstance(pages, paging.DayPaginator)
        found = [entry.pk for number in pages.page_range for entry in pages.page(number)]
        assert found == [entry.pk for entry in rows]


@pytest.fixture
def many_days(time, give):
    """Some entries on some days, none on others."""
    for number in (1, 9, 0, 0, 14, 3, 0, 1, 22):
        for _time in range(number):
            give(5)
        time.advance(days=1)


def test_a_search_counts_no_further_than_it_leafs(programme, member, many_days, monkeypatch):
    monkeypatch.setattr(paging, "MOST", 20)
    filters = Filters(words="rose")
    pages = movements.pages(programme, filters, 7, None, movements.totals(programme, filters))
    assert (pages.count, pages.more, pages.num_pages) == (20, True, 3)
    found = movements.totals(programme, filters)
    assert (found.number, found.more) == (20, True)
    monkeypatch.setattr(paging, "MOST", 50)
    found = movements.totals(programme, filters)
    assert (found.number, found.gained, found.more) == (50, 250, False)
    monkeypatch.setattr(movements, "MANY", 10)
    found = movements.totals(programme, Filters())
    assert (found.number, found.gained, found.members, found.more) == (50, 250, None, False)


def test_the_lines_of_awards_are_read_once(programme, member, visit, django_assert_num_queries):
    with django_assert_num_queries(3):
        found = earning.latest(member, 5)
    assert found[-1].title


@pytest.mark.django_db(transaction=True)
def test_a_long_transaction_that_writes_no_entry_keeps_nothing_back(programme, member, give):
    """It may be a dump, or in another database of the same server."""
    give(5)
    if connection.vendor == "sqlite":
        day_totals.count()
        agree(programme)
        return
    others = [connection.copy("another"), connection.copy("elsewhere")]
    others[1].settings_dict = {**connection.settings_dict, "NAME": "postgres"}
    try:
        for other in others:
            other.set_autocommit(False)
            with other.cursor() as cursor:
                cursor.execute("SELECT txid_current()")
        give(7)
        for _look in range(2):
            day_totals.count()
        assert get_model("loyalty_reports", "Counting").objects.get().counted == Entry.objects.latest("pk").pk
        agree(programme)
    finally:
        for other in others:
            other.rollback()
            other.close()
