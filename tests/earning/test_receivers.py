import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.test import Client
from django.utils import timezone
from oscar.apps.order.signals import order_placed, order_status_changed

from oscar_loyalty.earning import orders, receivers
from oscar_loyalty.loading import get_model
from tests import processes

ATOMIC = pytest.mark.parametrize("atomic", [False, True], ids=["autocommit", "atomic_requests"])


@pytest.fixture
def shop(transactional_db, programme, member, shampoo, per_euro, settings, time):
    """A shop that takes an order over HTTP: ``shop("1001", atomic=True)``."""
    settings.ROOT_URLCONF = "tests.earning.urls"

    def shop(number, atomic):
        before = connections.settings["default"].get("ATOMIC_REQUESTS", False)
        connections.settings["default"]["ATOMIC_REQUESTS"] = atomic
        try:
            assert Client().get("/place/", {"number": number}).content == number.encode()
        finally:
            connections.settings["default"]["ATOMIC_REQUESTS"] = before
        return get_model("order", "Order").objects.get(number=number)

    time.move_to(timezone.now())
    return shop


def award_of(order):
    return get_model("loyalty_earning", "Award").objects.filter(reference=f"order:{order.pk}").first()


@ATOMIC
def test_an_order_has_its_points_at_once(shop, atomic, petals):
    order = shop("1001", atomic)
    assert award_of(order).points == 12
    assert petals() == (0, 12)


@ATOMIC
@pytest.mark.parametrize("failure", [RuntimeError("broken"), DatabaseError("broken")])
def test_a_receiver_that_fails_never_breaks_or_reopens_an_order(shop, atomic, failure, monkeypatch, time, petals):
    real = receivers.due.again

    def fail(**kwargs):
        if kwargs.get("kind", "earning").startswith("earning"):
            raise failure
        return real(**kwargs)

    with monkeypatch.context() as broken:
        broken.setattr(orders, "review_order", fail)
        broken.setattr(receivers.due, "again", fail)
        order = shop("1001", atomic)
        assert award_of(order) is None
        assert order.basket.status == "Submitted"
        order.set_status("Being processed")
        order.lines.get().set_status("Complete")
    time.move_to(timezone.now() + timedelta(seconds=1))
    call_command("loyalty_run", verbosity=0)
    assert petals() == (0, 12)


@pytest.mark.parametrize(("atomic", "moment"), [(False, "signal"), (True, "commit")])
def test_a_process_killed_after_the_order_loses_no_points(shop, atomic, moment, time, petals):
    """Between the order's commit and its signal, or, where the request is one transaction, right after the commit."""
    connection.close()
    told = [sys.executable, "-m", "tests.earning.shop", "1001", moment, "atomic" if atomic else "autocommit"]
    done = subprocess.run(told, env=processes.environment(), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 9, done.stderr
    order = get_model("order", "Order").objects.get(number="1001")
    assert award_of(order) is None
    time.move_to(timezone.now() + timedelta(seconds=1))
    call_command("loyalty_run", verbosity=0)
    call_command("loyalty_run", verbosity=0)
    assert petals() == (0, 12)
    assert get_model("loyalty_earning", "Award").objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_order_nobody_left_a_row_for_is_swept(shop, time, petals, monkeypatch):
    """Written past all signals, as an import or another program may do."""
    monkeypatch.setattr(order_placed, "receivers", [])
    monkeypatch.setattr(receivers.due, "again", lambda **kwargs: None)
    shop("1001", atomic=False)
    monkeypatch.undo()
    assert petals() == (0, 0)
    assert len(orders.unreviewed()) == 1
    assert receivers.review_orders() == 1
    assert petals() == (0, 12)
    Order, Line = get_model("order", "Order"), get_model("order", "Line")
    Line.objects.update(status="Cancelled")
    assert receivers.review_orders() == 1
    assert petals() == (0, 0)
    Order.objects.update(status="Cancelled")
    assert receivers.review_orders() == 1
    assert receivers.review_orders() == 0


@pytest.mark.django_db(transaction=True)
def test_of_many_orders_the_newest_and_a_part_of_the_others_are_looked_at(shop, time, petals, in_parts, monkeypatch):
    first, second, third, newest = (shop(f"{1001 + number}", atomic=False) for number in range(4))
    assert petals() == (0, 48)
    Order, Line = get_model("order", "Order"), get_model("order", "Line")
    Order.objects.filter(pk__in=[second.pk, newest.pk]).update(status="Cancelled")
    Line.objects.filter(order=third.pk).update(status="Cancelled")
    # The first of the others is as it was.
    assert receivers.review_orders() == 1
    assert petals() == (0, 36)
    assert [receivers.review_orders() for _sweep in range(3)] == [1, 1, 0]
    assert petals() == (0, 12)
    Order.objects.filter(pk=first.pk).update(status="Cancelled")
    # Another that is found in every sweep: this part has not been looked at to its end.
    monkeypatch.setattr(orders, "MOST", 1)
    assert sum(receivers.review_orders() for _sweep in range(3)) == 1
    assert petals() == (0, 0)


def test_one_broken_order_keeps_no_other_waiting(shop, time, petals, monkeypatch):
    monkeypatch.setattr(receivers.due, "again", lambda **kwargs: None)
    real = orders.review_order

    def review(*, order):
        if order.number == "1001":
            raise RuntimeError("broken")
        return real(order=order)

    monkeypatch.setattr(orders, "review_order", review)
    shop("1001", atomic=False)
    shop("1002", atomic=False)
    with pytest.raises(RuntimeError):
        receivers.review_orders()
    assert petals() == (0, 12)


def test_twenty_reviews_side_by_side_award_and_take_back_once(shop, petals, monkeypatch):
    monkeypatch.setattr(receivers, "_review", lambda order: None)
    order = shop("1001", atomic=False)
    assert petals() == (0, 0)

    def review(_number):
        try:
            award = orders.review_order(order=order)
            return award.points, award.clawed_back
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(review, range(20))) == [(12, 0)] * 20
    assert petals() == (0, 12)
    get_model("order", "Order").objects.filter(pk=order.pk).update(status="Cancelled")
    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(review, range(20))) == [(12, 12)] * 20
    assert petals() == (0, 0)
    assert get_model("loyalty_ledger", "Entry").objects.count() == 2


def test_signals_are_connected_once():
    for signal, uid in [
        (order_placed, "loyalty_earning_placed"),
        (order_status_changed, "loyalty_earning_moved"),
    ]:
        assert len([key for key, *_rest in signal.receivers if key[0] == uid]) == 1
