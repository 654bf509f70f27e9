"""Orders and visits around a hold, and of memberships that became one."""

from oscar_loyalty.earning import bookings, orders
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import merging, services


def test_what_is_bought_during_a_hold_brings_nothing_ever(
    member, own, haircut, place, petals, later, sweep, time, django_capture_on_commit_callbacks
):
    services.set_status(member=member, status="frozen")
    later(days=1)
    with django_capture_on_commit_callbacks(execute=True):
        order = place((haircut, 1))
    bookings.made(reference="v1", service=haircut, member=member, starts_at=time.at)
    later(days=1)
    services.set_status(member=member, status="active")
    sweep()
    orders.review_order(order=order)
    bookings.attended(reference="v1")
    assert petals() == (0, 0)


def test_what_was_bought_before_a_hold_brings_its_points_after_it(member, own, haircut, place, petals, later, sweep):
    order = place((haircut, 1))
    later(days=1)
    services.set_status(member=member, status="frozen")
    orders.review_order(order=order)
    assert petals() == (0, 0)
    later(days=1)
    services.set_status(member=member, status="active")
    sweep()
    assert petals()[0] + petals()[1] == 80


def test_a_later_order_of_the_old_account_earns_for_the_membership_that_goes_on(
    programme, member, own, haircut, place, petals, later, cancel, django_user_model, django_capture_on_commit_callbacks
):
    twin = django_user_model.objects.create_user(username="twin", email="rose2@example.com")
    old = services.join(programme=programme, user=twin)
    with django_capture_on_commit_callbacks(execute=True):
        before = place((haircut, 1), by=twin, number="1")
    merging.merge(source=old, target=member, key="m")
    later(days=1)
    with django_capture_on_commit_callbacks(execute=True):
        place((haircut, 1), by=twin, number="2")
    assert petals() == (0, 160)
    assert not get_model("loyalty_earning", "Award").objects.filter(member=old).exists()
    cancel(before)
    assert petals() == (0, 80)
