"""Calendars and shops that tell the same thing at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import connection, transaction

from oscar_loyalty import clock
from oscar_loyalty.due import services as due
from oscar_loyalty.earning import adjustments, bookings, drafts, orders, rules, scene
from oscar_loyalty.loading import get_model

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(function, number=20):
    def call(index):
        try:
            return function(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(call, range(number)))


def test_twenty_calls_make_one_booking(member, own, haircut, time, petals):
    def tell(_index):
        made = bookings.made(reference="salon-1", service=haircut, member=member, starts_at=time.at)
        bookings.attended(reference="salon-1", happened_at=time.at)
        return made.pk

    assert len(set(at_once(tell))) == 1
    assert get_model("loyalty_earning", "Award").objects.count() == 1
    time.at += timedelta(hours=4)
    assert petals() == (80, 0)


def test_bookings_and_reviews_of_one_order_do_not_wait_for_each_other(
    member, own, per_euro, haircut, shampoo, place, time, petals
):
    order = place((haircut, 5), (shampoo, 1))

    def tell(index):
        if index % 2:
            orders.review_order(order=order)
        else:
            bookings.made(reference=str(index), service=haircut, member=member, starts_at=time.at + timedelta(days=1))

    at_once(tell)
    due.sweep()
    # Ten bookings, five of them of haircuts that were ordered, and the shampoo.
    assert petals() == (0, 10 * 80 + 12)
    linked = get_model("loyalty_earning", "Booking").objects.filter(order_line__isnull=False)
    assert linked.count() == 5


@pytest.mark.parametrize("free", [False, True], ids=["alone", "another is free"])
def test_a_booking_and_the_review_of_its_order_let_each_other_through(
    free, member, own, haircut, place, time, petals, monkeypatch
):
    tomorrow = time.at + timedelta(days=1)
    if free:
        bookings.made(reference="free", service=haircut, member=member, starts_at=tomorrow)
    with transaction.atomic():
        order = place((haircut, 1))
        connection.run_on_commit = []
    booking, reviewing = Event(), Event()
    lock_heirs = bookings.lock_heirs
    # Where a booking is free, the review begins anew and locks in another way.
    where, name = (orders, "lock_heirs") if free else (scene, "lock_buyer")
    lock = getattr(where, name)

    def last(*args, **kwargs):
        booking.set()
        # On SQLite nobody else gets in meanwhile.
        reviewing.wait(2)
        return lock_heirs(*args, **kwargs)

    def first(*args, **kwargs):
        found = lock(*args, **kwargs)
        reviewing.set()
        return found

    monkeypatch.setattr(bookings, "lock_heirs", last)
    monkeypatch.setattr(where, name, first)

    def tell(index):
        if index:
            return bookings.made(reference="1", service=haircut, member=member, starts_at=tomorrow)
        booking.wait(10)
        return orders.review_order(order=order)

    at_once(tell, 2)
    due.sweep()
    # The piece is a booking's, and so is the other.
    assert petals() == (0, 160 if free else 80)


def test_a_form_sent_twenty_times_adjusts_once(member, programme, petals, django_user_model):
    boss = django_user_model.objects.create_superuser(username="boss", email="boss@example.com")
    fields = {"programme": programme, "members": [member], "units": 100, "reason": "Welcome", "user": boss}
    done = at_once(lambda _index: adjustments.request_adjustment(key="once", **fields).pk)
    assert len(set(done)) == 1
    assert petals() == (100, 0)


def test_two_people_set_the_points_of_one_product(programme, haircut):
    at_once(lambda index: rules.set_product_points(product=haircut, points=10 + index % 2))
    rule = get_model("loyalty_earning", "Rule").objects.get()
    assert rule.versions.filter(valid_to__isnull=True).count() == 1


def test_a_draft_published_and_called_off_by_many_is_one_or_the_other(programme, per_euro, time):
    draft = drafts.start(programme=programme, name="Christmas")
    drafts.put(draft=draft, rule=per_euro.rule, spec={"points": 3, "per": "1"})
    drafts.put(draft=draft, kind="order", spec={"points": 50})
    start = clock.now() + timedelta(days=7)
    at_once(lambda _index: drafts.publish(draft=draft, at=start), 8)
    assert per_euro.rule.versions.count() == 2 and programme.rules.count() == 2
    at_once(lambda _index: drafts.call_off(draft=draft), 8)
    assert per_euro.rule.versions.get().valid_to is None and programme.rules.get() == per_euro.rule
