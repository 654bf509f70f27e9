"""Movements by customer: the pages say what the table to take away says, and look up only whom they show."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oscar_loyalty import clock
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger.books import Ref
from oscar_loyalty.members import services
from oscar_loyalty.reports import day_totals, movements
from oscar_loyalty.reports.movements import Filters


@pytest.fixture
def movers(time, programme, django_user_model):
    """Seven members who moved points on two days; two of them as many."""
    found = []
    for number in range(7):
        user = django_user_model.objects.create_user(username=f"mover{number}", email=f"mover{number}@example.com")
        found.append(services.join(programme=programme, user=user))
    for day in range(2):
        for number, one in enumerate(found):
            books.earn(account=one.account, units=10 + number // 2, key=f"{day}:{number}", usable_from=clock.now())
        books.spend(account=found[3].account, units=5, key=f"{day}:spent")
        time.advance(days=1)
    return found


@pytest.fixture
def cards(time):
    """The money of twelve gift cards, on the day before."""
    for number in range(12):
        account = books.open_account(unit="EUR", owner=Ref("giftcard", str(number)))
        books.earn(account=account, units=5000, key=f"card:{number}", kind="loaded", usable_from=clock.now())


def shown(programme, filters, per_page=3):
    known = movements.numbers(programme, filters)
    found = movements.totals(programme, filters, known)
    pages = movements.pages_by_member(programme, filters, per_page, known, found)
    assert pages.count == found.members
    return known, found, [row for number in pages.page_range for row in pages.page(number)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize(("since", "most", "others"), [(3, 50, 0), (2, 50, 12), (2, 10, 12)])
def test_the_pages_say_what_the_table_says(programme, cards, movers, monkeypatch, counted, since, most, others):
    """Alone on their days, among some gift cards, and among more of them than anybody looks through."""
    monkeypatch.setattr(movements, "MANY", most)
    if counted:
        day_totals.count()
    day = date(2026, 3, since)
    for filters in (Filters(since=day, until=day), Filters(since=day, until=day, kind="earn"), Filters(words="mover3")):
        known, found, rows = shown(programme, filters)
        if not filters.words:
            assert known.others == (0 if filters.kind else others)
            assert known.alone == (known.others <= most)
        table = list(movements.by_member(programme, filters))
        assert (found.gained, found.taken) == tuple(sum(row[name] for row in table) for name in ("gained", "taken"))
        assert [{name: row[name] for name in table[0]} for row in rows] == table
        assert {row["member_id"] for row in rows} == {one.pk for one in (movers[3:4] if filters.words else movers)}


def test_only_whom_a_page_shows_is_looked_up(programme, movers):
    day = date(2026, 3, 2)
    with CaptureQueriesContext(connection) as queries:
        _known, _found, rows = shown(programme, Filters(since=day, until=day), per_page=7)
    assert len(rows) == 7
    sums = [query["sql"] for query in queries if "SUM(" in query["sql"] and "daytotal" not in query["sql"]]
    assert len(sums) == 2 and not any("loyalty_members_member" in text for text in sums)


def test_a_card_that_moves_meanwhile_is_nobody(programme, movers):
    day = date(2026, 3, 2)
    filters = Filters(since=day, until=day)
    known = movements.numbers(programme, filters)
    assert known.others == 0
    found = movements.totals(programme, filters, known)
    account = books.open_account(unit="EUR", owner=Ref("giftcard", "late"))
    books.earn(
        account=account, units=9000, key="late", kind="loaded", usable_from=clock.now(), happened_at=movers[0].joined_at
    )
    rows = list(movements.pages_by_member(programme, filters, 3, known, found).page(1))
    assert [row["member_id"] for row in rows] == [movers[6].pk, movers[4].pk]
