"""What is owed, month by month, agrees with the ledger whatever happened to the cards."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from itertools import pairwise

import pytest
from django.utils import timezone

from oscar_loyalty import times
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import bulk, services, staff
from oscar_loyalty.ledger import books
from oscar_loyalty.ledger import selectors as ledger
from oscar_loyalty.loading import get_model
from oscar_loyalty.reports import audit, liability


@pytest.fixture
def boss(db, django_user_model):
    return django_user_model.objects.create_superuser(username="boss", email="boss@example.com", password="petale-demo")


pytestmark = pytest.mark.django_db


def on_cards(currency="EUR"):
    """What is on all cards now, what is set aside included, in minor units."""
    accounts = get_model("loyalty_ledger", "Account").objects.filter(owner_type="giftcard", unit=currency)
    return sum(b.usable + b.held + b.pending for b in ledger.balances(accounts).values())


def agrees():
    months = [month for month in liability.by_month() if month.currency == "EUR"]
    assert months[0].closing == on_cards()
    for later, earlier in pairwise(months):
        assert later.opening == earlier.closing and (later.first - earlier.first).days in range(28, 32)
    assert months[-1].opening == 0
    return months


def moves(month):
    return {name: units for name, units in month.moves.items() if units}


@pytest.mark.parametrize("late", [False, True])
def test_a_year_of_cards(late, boss, time):
    def sweep():
        if not late:
            due.sweep()
        agrees()

    services.set_policy(country="", months=6)
    first = services.issue(value=D("50"), key="a")
    second = services.issue(value=D("30"), key="b")
    waiting = services.issue(value=D("70"), key="w", activate=False)
    batch = bulk.finish(batch=bulk.ask(name="x", number=2, value=D("10"), key="x", user=boss))
    sweep()
    time.move_to(datetime(2026, 4, 10, 12, tzinfo=UTC))
    spent = books.spend(account=first.account, units=2000, key="s")
    staff.top_up(card=second, amount=D("5"), reason="x", key="t", user=boss)
    sweep()
    time.move_to(datetime(2026, 5, 10, 12, tzinfo=UTC))
    books.reverse(entry=spent, units=500, key="r")
    services.disable(card=second)
    books.hold(account=first.account, units=700, key="h", until=time.at + timedelta(hours=1))
    sweep()
    time.move_to(datetime(2026, 6, 10, 12, tzinfo=UTC))
    services.enable(card=second)
    services.activate(card=waiting)
    services.issue(value=D("9"), key="usd", currency="USD")
    sweep()
    # March's cards end with 2 September; what was topped up, and its card, with 10 October.
    time.move_to(datetime(2026, 9, 20, 12, tzinfo=UTC))
    sweep()
    services.extend(card=first, expires_at=time.at + timedelta(days=400), key="e", reason="x")
    sweep()
    time.move_to(datetime(2026, 10, 20, 12, tzinfo=UTC))
    sweep()
    months = {month.first.month: month for month in agrees()}
    assert moves(months[3]) == {"issued": 10000}
    assert moves(months[4]) == {"redeemed": -2000, "topped_up": 500}
    assert moves(months[5]) == {"returned": 500, "disabled": -3500}
    assert moves(months[6]) == {"disabled": 3500, "issued": 7000}
    assert moves(months[7]) == {} and months[7].opening == months[7].closing == 16000
    assert moves(months[9]) == {"expired": -3500 - 2000, "revived": 3500}
    assert moves(months[10]) == {"expired": -3500}
    assert months[10].closing == 3500 + 7000
    assert batch.cards.count() == 2
    usd = [month for month in liability.by_month() if month.currency == "USD"]
    assert [month.closing for month in usd] == [900] * 5
    assert {str(money) for money in liability.owed()} == {"€105.00", "$9.00"}
    due.sweep()
    assert {month.first.month: month.moves for month in agrees()} == {n: m.moves for n, m in months.items()}
    assert audit.run(keep=False).findings == []


@pytest.mark.parametrize("reader", [None, "Asia/Tokyo", "America/New_York"])
def test_months_are_the_shops_own(time, reader):
    # In Paris it is April already.
    time.move_to(datetime(2026, 3, 31, 22, 30, tzinfo=UTC))
    services.issue(value=D("5"), key="a")
    # And still April.
    time.move_to(datetime(2026, 4, 30, 21, 30, tzinfo=UTC))
    services.issue(value=D("5"), key="b")
    with timezone.override(reader):
        assert [(month.first.isoformat(), moves(month)) for month in liability.by_month()] == [
            ("2026-04-01", {"issued": 1000})
        ]


@pytest.mark.parametrize("reader", [None, "Asia/Tokyo", "America/New_York"])
def test_what_expired_counts_in_the_month_of_its_last_day(time, reader):
    services.issue(value=D("50"), key="a", expires_at=times.end_of(date(2026, 5, 31)))
    time.move_to(datetime(2026, 6, 2, 12, tzinfo=UTC))
    for _time in range(2):
        with timezone.override(reader):
            months = {month.first.month: moves(month) for month in agrees()}
        assert months == {3: {"issued": 5000}, 4: {}, 5: {"expired": -5000}, 6: {}}
        # Whether or not it was posted.
        due.sweep()


def test_what_a_late_hold_keeps_is_owed_as_long_as_it_lives(time):
    card = services.issue(value=D("50"), key="a", expires_at=time.at + timedelta(hours=1))
    books.hold(account=card.account, units=2000, key="h", until=time.at + timedelta(hours=2))
    time.advance(hours=1)
    assert agrees()[0].closing == 2000
    time.advance(hours=1)
    assert agrees()[0].closing == 0
    due.sweep()
    assert agrees()[0].closing == 0


def test_a_mistaken_activation_leaves_nothing(boss, time):
    batch = bulk.finish(batch=bulk.ask(name="x", number=1, value=D("10"), key="x", at_till=True))
    card = batch.cards.get()
    staff.activate_at_till(card=card, key="k", user=boss)
    staff.deactivate(card=card, reason="x")
    assert moves(agrees()[0]) == {}


def test_the_queries_do_not_grow(time, django_assert_num_queries):
    for number in range(20):
        services.issue(value=D("5"), key=f"k{number}")
        time.advance(days=20)
    with django_assert_num_queries(2):
        assert len(liability.by_month()) >= 13


def test_no_cards(db):
    assert liability.by_month() == [] and liability.owed() == []
