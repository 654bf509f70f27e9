from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils.translation import override

from oscar_loyalty.earning import bookings, orders, rules, selectors, signals
from oscar_loyalty.ledger import books
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import services
from oscar_loyalty.payments import refunds


@pytest.fixture
def book(member, own, haircut, time):
    """A haircut in three days, booked now: ``book()``."""

    def book(reference="salon-1", **fields):
        fields = {
            "service": haircut,
            "member": member,
            "starts_at": time.at + timedelta(days=3),
            "price": D("45.00"),
            "currency": "EUR",
            **fields,
        }
        return bookings.made(reference=reference, **fields)

    return book


def booking(reference="salon-1"):
    return get_model("loyalty_earning", "Booking").objects.get(reference=reference)


def test_a_booking_brings_points_that_wait_for_the_visit(book, petals, later):
    made = book()
    assert petals() == (0, 80)
    assert (made.award.reference, made.award.usable_from) == ("booking:salon-1", None)
    later(days=3)
    bookings.attended(reference="salon-1")
    assert petals() == (0, 80)
    later(hours=3, days=0)
    assert petals() == (0, 80)
    later(hours=1)
    assert petals() == (80, 0)


def test_points_live_from_the_visit_on(book, programme, later, time):
    services.save_programme(programme=programme, expiry_months=1)
    made = book()
    later(days=3)
    bookings.attended(reference="salon-1")
    lot = made.award.entry.lots.get()
    # Attended on 5 March 2026 in Paris: good until the end of 5 April.
    assert lot.expires_at.isoformat() == "2026-04-05T22:00:00+00:00"


@pytest.mark.parametrize("call", [bookings.missed, bookings.cancelled])
def test_missed_and_cancelled_take_the_points_back(call, book, petals, later):
    book()
    later(days=3)
    call(reference="salon-1")
    call(reference="salon-1")
    assert petals() == (0, 0)
    assert booking().award.clawed_back == 80


def test_telling_the_same_twice_changes_nothing(book, petals, later):
    book()
    book(price=D("99"))
    later(days=3)
    bookings.attended(reference="salon-1")
    later(hours=1)
    bookings.attended(reference="salon-1")
    assert get_model("loyalty_ledger", "Entry").objects.count() == 2
    later(hours=3)
    assert petals() == (80, 0)


@pytest.mark.parametrize("first", ["made", "attended", "missed", "cancelled"])
@pytest.mark.parametrize("then", ["made", "attended", "missed", "cancelled"])
def test_any_state_can_be_corrected_to_any_other(first, then, book, petals, later):
    book()
    later(days=3)
    if first != "made":
        getattr(bookings, first)(reference="salon-1")
    later(hours=1)
    bookings.corrected(reference="salon-1", state=then)
    bookings.corrected(reference="salon-1", state=then)
    later(hours=4)
    assert petals() == {"made": (0, 80), "attended": (80, 0)}.get(then, (0, 0))
    assert booking().state == then


def test_a_booking_brought_back_has_a_second_award(book, petals, later):
    book()
    bookings.cancelled(reference="salon-1")
    bookings.corrected(reference="salon-1", state="made")
    bookings.corrected(reference="salon-1", state="cancelled")
    bookings.corrected(reference="salon-1", state="attended")
    awards = get_model("loyalty_earning", "Award").objects.order_by("pk").values_list("reference", "clawed_back")
    assert list(awards) == [("booking:salon-1", 80), ("booking-2:salon-1", 80), ("booking-3:salon-1", 0)]
    later(hours=4)
    assert petals() == (80, 0)


def test_a_visit_corrected_to_another_time_counts_from_then(book, petals, later, time):
    book()
    later(days=3)
    bookings.attended(reference="salon-1")
    later(hours=3)
    bookings.corrected(reference="salon-1", state="attended", happened_at=time.at - timedelta(hours=1))
    later(hours=2)
    assert petals() == (0, 80)
    later(hours=1)
    assert petals() == (80, 0)


def test_a_visit_corrected_back_and_forth_counts_from_what_was_said_last(book, programme, later, time):
    services.save_programme(programme=programme, expiry_months=1)
    made = book()
    later(days=20)
    first, second = time.at - timedelta(days=1), time.at - timedelta(days=17)
    lot = made.award.entry.lots.get()
    bookings.attended(reference="salon-1", happened_at=first)
    terms = {}
    for at in (first, second, first, second):
        bookings.corrected(reference="salon-1", state="attended", happened_at=at)
        lot.refresh_from_db()
        assert lot.usable_from == booking().award.usable_from == at + timedelta(hours=4)
        assert terms.setdefault(at, lot.expires_at) == lot.expires_at
    assert terms[second] < terms[first]


def test_nothing_has_happened_that_is_still_to_come(book, petals, later, time):
    book(happened_at=time.at + timedelta(days=30))
    bookings.rescheduled(
        reference="salon-1", starts_at=time.at + timedelta(days=9), happened_at=time.at + timedelta(days=30)
    )
    bookings.attended(reference="salon-1", happened_at=time.at + timedelta(days=365))
    assert (booking().made_at, booking().moved_at, booking().state_at) == (time.at, time.at, time.at)
    later(hours=4)
    assert petals() == (80, 0)
    # What comes true later is heard.
    bookings.rescheduled(reference="salon-1", starts_at=time.at + timedelta(days=4))
    bookings.cancelled(reference="salon-1")
    assert (booking().state, booking().starts_at) == ("cancelled", time.at + timedelta(days=4))
    assert petals() == (0, 0)


def test_spent_points_of_a_missed_visit_become_debt(book, later, member):
    book()
    bookings.attended(reference="salon-1")
    later(hours=4)
    books.spend(account=member.account, units=80, key="spent")
    bookings.corrected(reference="salon-1", state="missed")
    member.account.refresh_from_db()
    assert member.account.debt == 80
    bookings.corrected(reference="salon-1", state="attended")
    member.account.refresh_from_db()
    assert (member.account.debt, member.account.balance) == (0, 0)


@pytest.mark.parametrize("first", ["attended", "missed", "cancelled"])
def test_the_outcome_may_be_heard_before_the_booking(first, book, petals, later, time):
    getattr(bookings, first)(reference="salon-1", happened_at=time.at + timedelta(days=3))
    assert petals() == (0, 0)
    book()
    later(days=3, hours=4)
    assert petals() == ((80, 0) if first == "attended" else (0, 0))
    assert booking().state == first


def test_what_happened_later_wins(book, petals, later, time):
    book()
    later(days=2)
    bookings.cancelled(reference="salon-1")
    bookings.attended(reference="salon-1", happened_at=time.at - timedelta(days=1))
    assert (booking().state, petals()) == ("cancelled", (0, 0))


def test_a_booking_is_moved(book, time, petals):
    book()
    bookings.rescheduled(reference="salon-1", starts_at=time.at + timedelta(days=9))
    bookings.rescheduled(
        reference="salon-1", starts_at=time.at + timedelta(days=5), happened_at=time.at - timedelta(hours=1)
    )
    assert booking().starts_at == time.at + timedelta(days=9)
    assert petals() == (0, 80)
    bookings.rescheduled(reference="salon-2", starts_at=time.at + timedelta(days=7))
    book("salon-2")
    assert booking("salon-2").starts_at == time.at + timedelta(days=7)


def test_whose_booking_it_is(book, member, user, programme, petals, django_user_model):
    assert book("a", member=None, user=user).member == member
    assert book("b", member=None, email=" ROSE@example.com").member == member
    assert book("c", member=None).member is None
    assert book("d", member=None, email="nobody@example.com").award is None
    services.join(programme=programme, email="rose@example.com")
    assert book("e", member=None, email="rose@example.com").member is None
    assert petals() == (0, 160)


def test_price_and_visit_bring_points_too(book, member, programme, petals, time):
    rules.publish_rule(programme=programme, kind="amount", spec={"points": 1})
    rules.publish_rule(programme=programme, kind="visit", spec={"points": 10})
    made = book(service="Brow shaping", price=D("19.90"))
    assert made.award.points == 29
    (movement,) = selectors.history(member).object_list
    assert movement.title == "Visit: Brow shaping"
    assert movement.sentences == [
        "10\xa0petals for the visit",
        "1\xa0petal per €1 on €19.90",
        "rounded down from 29.9",
    ]
    assert book("salon-2", service="Make-up", price=D("19.90"), currency="USD").award.points == 10
    assert book("salon-3", service="Make-up", price=None).award.points == 10


def test_nothing_is_earned_before_joining_or_while_on_hold(book, member, time, petals):
    assert book("a", happened_at=time.at - timedelta(days=1)).award is None
    services.set_status(member=member, status="frozen")
    assert book("b").award is None


def test_an_order_for_a_booked_service_leaves_it_to_the_booking(book, place, haircut, shampoo, per_euro, petals, time):
    made = book()
    order = place((haircut, 1), (shampoo, 1))
    assert orders.review_order(order=order).points == 12
    made.refresh_from_db()
    assert made.order_line == order.lines.get(title="Haircut")
    assert petals() == (0, 92)
    orders.review_order(order=order)
    assert petals() == (0, 92)


def test_a_booking_for_an_ordered_service_takes_over_its_points(book, order, petals, sweep, later):
    assert petals() == (0, 172)
    later(days=1)
    made = book()
    sweep()
    assert made.order_line == order.lines.get(title="Haircut")
    assert petals() == (0, 172)
    assert selectors.award_of_order(order).clawed_back == 80
    book("salon-2")
    book("salon-3")
    sweep()
    # Two haircuts were paid for; the third is a booking of its own.
    assert selectors.award_of_order(order).clawed_back == 160
    assert petals() == (0, 252)
    bookings.missed(reference="salon-1")
    sweep()
    assert petals() == (0, 172)


def test_a_refund_takes_what_the_booking_has_not_taken_over(book, order, petals, sweep):
    book()
    sweep()
    assert petals() == (0, 172)
    line = order.lines.get(title="Haircut").pk
    # Two haircuts were paid for and one is booked: the other one goes back first.
    refunds.refund(order=order, key="1", lines={line: 1})
    assert petals() == (0, 92)
    sweep()
    assert selectors.award_of_order(order).clawed_back == 160
    # Its points are the booking's by now, and are taken back once, with the visit.
    refunds.refund(order=order, key="2", lines={line: 1})
    sweep()
    assert petals() == (0, 92)
    bookings.cancelled(reference="salon-1")
    sweep()
    assert petals() == (0, 12)


def test_a_booking_can_name_its_order_line(book, order, petals, sweep, haircut):
    line = order.lines.get(title="Haircut")
    book(order_line=line, service="A haircut under another name", price=D("45"))
    sweep()
    assert booking().order_line == line
    assert selectors.award_of_order(order).clawed_back == 80


def test_an_old_haircut_is_not_todays_booking(place, book, haircut, petals, later, time):
    first = orders.review_order(order=place((haircut, 1)))
    later(days=91)
    assert book().order_line is None
    later(days=30)
    second = orders.review_order(order=place((haircut, 1)))
    assert (first.points, second.points) == (80, 80)


def test_a_cancelled_order_of_a_booked_service_takes_nothing_twice(book, order, cancel, petals, sweep):
    book()
    sweep()
    cancel(order)
    sweep()
    # The booking is still there and brings its own.
    assert petals() == (0, 80)
    assert selectors.award_of_order(order).clawed_back == 172


def test_a_calendar_may_send_signals(member, own, haircut, petals, time, later, caplog):
    signals.booking_made.send(
        sender=None, reference="s", service=haircut, member=member, starts_at=time.at, happened_at=time.at
    )
    assert petals() == (0, 80)
    signals.booking_attended.send(sender=None, reference="s")
    signals.booking_rescheduled.send(sender=None, reference="s", starts_at=time.at)
    later(hours=4)
    assert petals() == (80, 0)
    signals.booking_corrected.send(sender=None, reference="s", state="nonsense")
    assert "could not be recorded" in caplog.text
    signals.booking_corrected.send(sender=None, reference="s", state="missed")
    signals.booking_made.send(sender=None, reference="t", service=haircut, member=member, starts_at=None)
    signals.booking_cancelled.send(sender=None, reference="t")
    signals.booking_made.send(sender=None, reference="u", service=haircut, member=member, starts_at=None)
    signals.booking_missed.send(sender=None, reference="u")
    assert petals() == (0, 0)


def test_nonsense_is_refused(book):
    with pytest.raises(ValueError, match="cannot be"):
        bookings.corrected(reference="salon-1", state="eaten")


def test_the_history_tells_what_became_of_a_visit(book, member, later):
    book()
    later(days=1)
    bookings.missed(reference="salon-1")
    titles = [(row.title, row.sentences) for row in selectors.history(member).object_list]
    assert titles == [
        ("Visit: Haircut", ["The visit was missed"]),
        ("Visit: Haircut", ["80\xa0petals for Haircut"]),
    ]


def test_a_visit_is_named_as_its_product_is_in_the_readers_language(book, member, haircut, later, monkeypatch):
    book()
    later(days=3)
    bookings.missed(reference="salon-1")
    assert {movement.title for movement in selectors.history(member).object_list} == {"Visit: Haircut"}
    monkeypatch.setattr(type(haircut), "get_title", lambda self: "Coupe")
    with override("fr"):
        titles = [movement.title for movement in selectors.history(member).object_list]
    assert titles == ["Rendez-vous\xa0: Coupe"] * 2


def test_a_visit_corrected_to_a_time_still_to_come_counts_once(book, later, time):
    """Nothing happens in the future: it is now, and said again later it is no later."""
    made = book()
    told = time.at + timedelta(hours=2)
    for _twice in range(3):
        bookings.corrected(reference="salon-1", state="attended", happened_at=told)
        later(hours=0.5)
    entries = get_model("loyalty_ledger", "Entry").objects.filter(kind="matured", source_id=made.award.entry.source_id)
    assert entries.count() == 1
    assert booking().state_at == told - timedelta(hours=2)
    # Another time that has come is another time.
    bookings.corrected(reference="salon-1", state="attended", happened_at=time.at - timedelta(minutes=15))
    assert entries.count() == 2
