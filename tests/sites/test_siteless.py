"""An order that names no Site, as one of a till, an import or made by hand may, is the default Site's."""

from datetime import timedelta
from decimal import Decimal

import pytest

from oscar_loyalty import clock
from oscar_loyalty.dashboard import choosing
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import backfill, guests, orders, rules
from oscar_loyalty.giftcards import catalogue
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.payments import receivers
from oscar_loyalty.reports import audit


@pytest.fixture
def by_hand(user, haircut, django_capture_on_commit_callbacks):
    """Make an order that names no Site, of a haircut or something else; nobody hears of it if it was ``unheard`` of."""

    def by_hand(number, *, product=haircut, by=user, unheard=False, **fields):
        Order, Line = get_model("order", "Order"), get_model("order", "Line")
        money = Decimal("45.00")
        fields = {"date_placed": clock.now(), "status": "Pending", **fields}
        order = Order(number=number, user=by, currency="EUR", total_incl_tax=money, total_excl_tax=money, **fields)
        prices = {
            f"line_price{name}_{tax}_tax": money for name in ("", "_before_discounts") for tax in ("incl", "excl")
        }
        line = Line(order=order, product=product, title="By hand", quantity=1, num_allocated=0, **prices)
        if unheard:
            Order.objects.bulk_create([order])
            Line.objects.bulk_create([line])
            return order
        with django_capture_on_commit_callbacks(execute=True):
            order.save()
            line.save()
        due.sweep()
        return order

    return by_hand


def test_it_earns_at_the_default_site_and_gives_back(a, b, own, by_hand, settings):
    order = by_hand("1")
    assert (a.points, b.points) == (80, 0)
    assert members.programme_of_order(order) == a.programme
    order.set_status("Cancelled")
    due.sweep()
    assert (a.points, b.points) == (0, 0)
    settings.OSCAR_LOYALTY_SITE_ID = b.site.pk
    by_hand("2")
    assert (a.points, b.points) == (0, 5)


def test_it_is_found_where_nobody_heard_of_it(a, b, own, by_hand, time):
    order = by_hand("1", unheard=True)
    assert orders.unreviewed() == [order]
    time.advance(hours=1)
    assert [finding.check for finding in audit.run(keep=False).findings] == ["orders.forgotten"]
    due.sweep()
    assert (a.points, b.points, orders.unreviewed()) == (80, 0, [])


def test_it_counts_among_what_was_bought_before(a, b, own, by_hand):
    by_hand("1", unheard=True, date_placed=clock.now() - timedelta(days=300))
    assert backfill.run(programme=b.programme).orders == 0
    assert backfill.run(programme=a.programme).points == 80


def test_the_cards_it_bought_are_made_and_work_once_it_is_paid(a, b, by_hand, boss, rf):
    get_model("loyalty_members", "Programme").objects.update(paid_statuses=["Complete"])
    ten = catalogue.set_denomination(value=Decimal(10)).product
    order = by_hand("1", product=ten, unheard=True)
    assert receivers.cards() == 1
    card = order.loyalty_giftcards.get()
    assert (card.state, card.site) == ("waiting", a.site)
    get_model("order", "Order").objects.filter(pk=order.pk).update(status="Complete")
    assert receivers.paid() == 1
    heard = by_hand("2", product=ten)
    heard.set_status("Being processed")
    heard.set_status("Complete")
    assert heard.loyalty_giftcards.get().state == "active"
    request = rf.get("/")
    request.user, request.session = boss, {}
    assert choosing.programme_of_order(request, heard) == a.programme


def test_a_guests_can_be_claimed(a, b, by_hand):
    rules.publish_rule(programme=a.programme, kind="amount", spec={"points": 1, "per": "1"})
    order = by_hand("1", by=None, guest_email="lou@example.com")
    assert list(guests.guest_orders(["lou@example.com"], a.programme)) == [order]
    assert not guests.guest_orders(["lou@example.com"], b.programme)
    assert guests.is_of(order, "lou@example.com", a.programme)
    assert not guests.is_of(order, "lou@example.com", b.programme)
