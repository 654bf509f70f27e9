"""The owner's figures, and movements by service and customer."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from oscar_loyalty import clock
from oscar_loyalty.earning import bookings
from oscar_loyalty.earning import movement_selectors as earning
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services
from oscar_loyalty.reports import figures, movements, paging
from oscar_loyalty.reports.movements import Filters


def test_the_overview(time, programme, member, visit, give, django_user_model, django_assert_num_queries):
    give(1000, expires_at=clock.now() + timedelta(days=10))
    books.spend(account=member.account, units=200, key="spend")
    other = django_user_model.objects.create_user(username="x", email="x@example.com")
    services.set_status(member=services.join(programme=programme, user=other), status="frozen")
    with django_assert_num_queries(4):
        seen = figures.overview(programme)
    assert (seen.members, seen.joined, seen.on_hold) == (2, 2, 1)
    assert (seen.out, seen.earned, seen.spent, seen.expiring, seen.debt) == (880, 80, 200, 800, 0)
    assert (seen.worth.amount, seen.worth.currency) == (Decimal("8.80"), "EUR")
    time.advance(days=31)
    seen = figures.overview(programme)
    # What has expired is out no more, whether or not it was swept.
    assert (seen.out, seen.earned, seen.spent, seen.joined, seen.expiring) == (80, 0, 0, 0, 0)


def test_movements_are_filtered(time, programme, member, visit, give):
    give(100)
    time.advance(days=3)
    give(50)
    today = date(2026, 3, 5)
    everything = movements.totals(programme, Filters())
    assert (everything.number, everything.gained, everything.taken, everything.members) == (3, 230, 0, 1)
    assert movements.totals(programme, Filters(since=today)).gained == 50
    assert movements.totals(programme, Filters(until=today - timedelta(days=1))).gained == 180
    assert movements.totals(programme, Filters(kind="earn")).gained == 80
    assert movements.totals(programme, Filters(words="rose")).gained == 230
    assert movements.totals(programme, Filters(words="nobody")).number == 0
    product = visit.lines.get().product
    assert movements.totals(programme, Filters(product=product)).gained == 80


@pytest.fixture
def visits(time, programme, member, visit):
    """Massages of two members, one a day, every other one of a variant; the newest was marked before it took place."""
    other = services.join(programme=programme, email="lea@example.com", first_name="Lea")
    massage = visit.lines.get().product
    hot = get_model("catalogue", "Product").objects.create(structure="child", parent=massage, title="Hot")
    for number in range(9):
        time.advance(days=1)
        said = {"service": (massage, hot)[number % 2], "member": (member, other)[number % 3 == 0]}
        ahead = timedelta(hours=number == 8)
        bookings.made(
            reference=f"more{number}", starts_at=clock.now() + ahead, price=Decimal(40), currency="EUR", **said
        )
        bookings.attended(reference=f"more{number}")
    return massage, hot


def test_movements_of_a_product_are_found_by_its_lines(
    time, programme, visits, give, django_assert_max_num_queries, monkeypatch
):
    massage, hot = visits
    give(30)
    for product, days in ((massage, {}), (hot, {}), (massage, {"since": date(2026, 3, 4), "until": date(2026, 3, 9)})):
        filters = Filters(product=product, **days)
        rows = list(movements.entries(programme, filters))
        assert len(rows) == {(massage, 0): 10, (hot, 0): 4, (massage, 2): 6}[product, len(days)]
        with django_assert_max_num_queries(3):
            found = movements.totals(programme, filters)
        told = (len(rows), sum(row.units for row in rows), 0, len({row.account_id for row in rows}))
        assert (found.number, found.gained, found.taken, found.members) == told and not found.more
        pages = movements.pages(programme, filters, 4, None, found)
        assert (pages.count, pages.more) == (len(rows), False)
        assert [row for number in pages.page_range for row in pages.page(number)] == rows
        by_member = movements.pages_by_member(programme, filters, 4, None, found).page(1).object_list
        assert [row["member_id"] for row in by_member] == [
            row["member_id"] for row in movements.by_member(programme, filters)
        ]
        assert sum(row["pieces"] for row in movements.by_service(programme, filters)) == len(rows)
    monkeypatch.setattr(paging, "MOST", 3)
    filters = Filters(product=massage)
    found = movements.totals(programme, filters)
    assert (found.number, found.gained, found.more) == (3, 240, True)
    pages = movements.pages(programme, filters, 2, None, found)
    assert (pages.count, pages.more) == (3, True)
    newest = list(movements.entries(programme, filters)[:3])
    assert [row for number in pages.page_range for row in pages.page(number)] == newest
    assert movements.totals(programme, Filters(product=massage, kind="spend")).number == 0


def test_movements_of_many_members_are_found_from_the_newest_on(
    time, programme, member, visits, give, django_assert_max_num_queries, monkeypatch
):
    massage, _hot = visits
    give(30)
    books.spend(account=member.account, units=10, key="spent")
    asked = [
        Filters(words="example.com"),
        Filters(words="rose"),
        Filters(words="rose", product=massage),
        Filters(words="lea", product=massage),
        Filters(words="lea", since=date(2026, 3, 4), until=date(2026, 3, 9)),
    ]
    one_by_one = [movements.totals(programme, filters) for filters in asked]
    # As if each found more members than are looked up by their accounts.
    monkeypatch.setattr(earning, "SEARCHED", 0)
    for filters, wanted in zip(asked, one_by_one, strict=True):
        rows = list(movements.entries(programme, filters))
        with django_assert_max_num_queries(3):
            found = movements.totals(programme, filters)
        assert (wanted.number, wanted.gained) != (0, 0)
        assert replace(found, entries=None) == replace(wanted, entries=None)
        assert found.entries == [row.pk for row in rows]
        pages = movements.pages(programme, filters, 3, None, found)
        assert [row for number in pages.page_range for row in pages.page(number)] == rows
    monkeypatch.setattr(movements, "OF_MANY", 4)
    found = movements.totals(programme, asked[0])
    assert (found.number, found.more) == (4, True)
    assert found.entries == [row.pk for row in movements.entries(programme, asked[0])[:4]]


def test_dates_are_days_of_the_shop(time, programme, member, give):
    time.move_to(clock.now().replace(hour=23, minute=30))
    give(10)
    # Half past midnight in Paris.
    assert movements.totals(programme, Filters(since=date(2026, 3, 3), until=date(2026, 3, 3))).gained == 10
    assert movements.totals(programme, Filters(until=date(2026, 3, 2))).number == 0


def test_by_service(programme, order, visit):
    rows = {movements.service_name(row): row for row in movements.by_service(programme, Filters())}
    assert rows["Massage"]["total"] == 80 and rows["Massage"]["pieces"] == 1
    assert rows["Haircut"]["total"] == order.payment_attempt.member.awards.get(source_type="order").points
    assert set(rows) == {"Massage", "Haircut"}
    product = visit.lines.get().product
    assert [row["product_id"] for row in movements.by_service(programme, Filters(product=product))] == [product.pk]
    assert not movements.by_service(programme, Filters(words="nobody"))
    assert not movements.by_service(programme, Filters(until=date(2000, 1, 1)))


def test_by_customer(programme, order, visit, member):
    [row] = movements.by_member(programme, Filters())
    assert row["member_id"] == member.pk
    assert row["taken"] == 1000 and row["gained"] == 2500 + 80 + member.awards.get(source_type="order").points


def test_a_shops_own_kind_has_its_own_name():
    assert movements.kind_label("earn") == "Earned"
    assert movements.kind_label("raffle") == "raffle"
