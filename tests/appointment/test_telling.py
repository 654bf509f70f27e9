"""What happens in the calendar reaches the programme: by signals at once, by the sweep otherwise."""

from datetime import time, timedelta

import pytest
from appointment.models import Appointment, AppointmentRequest, Service
from django.utils import timezone

from oscar_loyalty import clock
from oscar_loyalty.contrib.appointment import selectors, services
from oscar_loyalty.contrib.appointment.exceptions import NotBooked, OwnAppointment
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model

pytestmark = pytest.mark.django_db(transaction=True)


def state_of(appointment):
    return get_model("loyalty_appointment", "AppointmentState").objects.get(appointment_id=appointment.pk)


def booking_of(appointment, revision=""):
    return get_model("loyalty_earning", "Booking").objects.get(reference=f"appointment:{appointment.pk}{revision}")


def test_a_booking_brings_pending_points(member, product, book, petals):
    appointment = book()
    booking = booking_of(appointment)
    assert (booking.member, booking.product, booking.price) == (member, product, 45)
    assert timezone.localtime(booking.starts_at).time() == time(10)
    assert petals() == (0, 80)


def test_the_calendars_second_save_changes_nothing(member, product, book, petals):
    appointment = book()
    appointment.set_appointment_paid_status(True)
    due.sweep()
    assert petals() == (0, 80)
    assert state_of(appointment).revision == 1


def test_deleting_a_booking_takes_its_points_back(member, product, book, petals):
    appointment = book()
    pk = appointment.pk
    appointment.delete()
    assert petals() == (0, 0)
    state = get_model("loyalty_appointment", "AppointmentState").objects.get(appointment_id=pk)
    assert state.state == "cancelled"


def test_moving_a_booking_keeps_its_points(member, product, book, petals, day):
    appointment = book()
    request = appointment.appointment_request
    request.date, request.start_time, request.end_time = day + timedelta(days=1), time(15), time(16)
    request.save(update_fields=["date", "start_time", "end_time"])
    assert timezone.localtime(booking_of(appointment).starts_at).date() == day + timedelta(days=1)
    assert petals() == (0, 80)


def test_another_service_is_another_booking(member, product, book, petals, stylist):
    appointment = book()
    brows = Service.objects.create(name="Brows", duration=timedelta(hours=1), price=16, currency="EUR")
    request = appointment.appointment_request
    request.service = brows
    request.save()
    assert booking_of(appointment).state == "cancelled"
    assert booking_of(appointment, ".2").title == "Brows"
    assert petals() == (0, 0)


def test_the_sweep_hears_what_no_signal_tells(member, product, book, petals, day):
    appointment = book()
    other = book(14)
    AppointmentRequest.objects.filter(appointment=appointment).update(date=day + timedelta(days=2))
    Appointment.objects.filter(pk=other.pk)._raw_delete("default")
    request = AppointmentRequest.objects.bulk_create(
        [AppointmentRequest(date=day, start_time=time(17), end_time=time(18), service=product_service(product),
                            staff_member=appointment.appointment_request.staff_member, id_request="bulk")]
    )[0]  # fmt: skip
    Appointment.objects.bulk_create([Appointment(client=member.user, appointment_request=request, amount_to_pay=45)])
    assert len(selectors.untold()) == 3
    done = due.sweep()
    assert done["appointment.reconcile"] == 3
    assert selectors.untold() == []
    assert timezone.localtime(booking_of(appointment).starts_at).date() == day + timedelta(days=2)
    assert booking_of(other).state == "cancelled"
    assert petals() == (0, 160)
    assert due.sweep()["appointment.reconcile"] == 0


def test_of_many_appointments_the_sweep_hears_in_their_turn(member, product, book, petals, day, in_parts):
    first, second, third, newest = (book(hour) for hour in (10, 12, 14, 16))
    for appointment in (first, third, newest):
        AppointmentRequest.objects.filter(appointment=appointment).update(date=day + timedelta(days=2))
    assert [due.sweep()["appointment.reconcile"] for _sweep in range(4)] == [2, 0, 1, 0]
    assert selectors.untold() == []
    AppointmentState = get_model("loyalty_appointment", "AppointmentState")
    # As of one that nobody was told of.
    AppointmentState.objects.filter(appointment_id=second.pk).delete()
    assert selectors.untold() == [second.pk]
    assert sorted(due.sweep()["appointment.reconcile"] for _sweep in range(3)) == [0, 0, 1]
    assert selectors.untold() == []


def product_service(product):
    return product.calendar_links.get().service


def test_a_booking_that_comes_back_has_its_points_again(member, product, book, petals):
    appointment = book()
    row = Appointment.objects.get(pk=appointment.pk)
    appointment.delete()
    row._state.adding = True
    row.save(force_insert=True)
    assert row.pk == state_of(row).appointment_id
    assert petals() == (0, 80)


def test_without_a_member_the_booking_is_known_and_earns_nothing(programme, product, book):
    appointment = book()
    assert booking_of(appointment).member is None


def test_without_a_link_the_service_keeps_its_own_name(programme, member, book, petals):
    appointment = book()
    assert booking_of(appointment).title == "Haircut"
    assert petals() == (0, 0)


def test_without_a_programme_the_calendar_works(book):
    appointment = book()
    assert selectors.untold() == []
    assert appointment.pk


def test_appointments_from_before_the_programme_are_left_alone(programme, member, product, book):
    programme.started_at = timezone.now() + timedelta(days=30)
    programme.save()
    appointment = book()
    assert selectors.untold() == []
    with pytest.raises(NotBooked):
        services.mark(appointment_id=appointment.pk, state="attended")


def test_a_failing_programme_breaks_no_booking_and_is_caught_up(member, product, book, petals, monkeypatch):
    def fail(**fields):
        raise RuntimeError("the programme is down")

    with monkeypatch.context() as patch:
        patch.setattr(services.bookings, "made", fail)
        appointment = book()
    assert appointment.pk
    due.sweep()
    assert petals() == (0, 80)


def test_a_queue_that_fails_breaks_no_booking(member, product, book, petals, monkeypatch):
    def fail(**fields):
        raise RuntimeError("no rows today")

    with monkeypatch.context() as patch:
        patch.setattr("oscar_loyalty.due.services.again", fail)
        book()
    due.sweep()
    assert petals() == (0, 80)


def test_attended_points_become_usable_after_the_delay(member, product, book, petals, day):
    appointment = book()
    ends = state_of(appointment).ends_at
    with clock.frozen(ends + timedelta(minutes=5)) as frozen:
        services.mark(appointment_id=appointment.pk, state="attended")
        assert petals() == (0, 80)
        frozen.move_to(ends + timedelta(hours=4))
        assert petals() == (80, 0)


def test_missed_points_are_gone_and_a_mistake_is_put_right(member, product, book, petals):
    appointment = book()
    with clock.frozen(state_of(appointment).ends_at) as frozen:
        services.mark(appointment_id=appointment.pk, state="missed")
        assert petals() == (0, 0)
        frozen.advance(minutes=1)
        services.mark(appointment_id=appointment.pk, state="attended")
        frozen.advance(hours=5)
        assert petals() == (80, 0)
        services.mark(appointment_id=appointment.pk, state="made")
        assert petals() == (0, 80)


def test_a_missed_appointment_that_is_moved_is_booked_again(member, product, book, petals, day):
    appointment = book()
    services.mark(appointment_id=appointment.pk, state="missed")
    AppointmentRequest.objects.filter(appointment=appointment).update(date=day + timedelta(days=7))
    due.sweep()
    assert state_of(appointment).state == "made"
    assert petals() == (0, 80)


def test_an_attended_visit_stays_attended_when_its_row_is_cleaned_up(member, product, book, petals):
    appointment = book()
    with clock.frozen(state_of(appointment).ends_at) as frozen:
        services.mark(appointment_id=appointment.pk, state="attended")
        appointment.delete()
        frozen.advance(hours=5)
        due.sweep()
        assert petals() == (80, 0)


def test_nobody_marks_the_own_appointment(member, product, book, user):
    appointment = book()
    with pytest.raises(OwnAppointment):
        services.mark(appointment_id=appointment.pk, state="attended", user=user)


def test_unmarked_visits_count_as_attended_when_the_shop_says_so(member, product, book, petals, settings):
    appointment = book()
    ends = state_of(appointment).ends_at
    with clock.frozen(ends + timedelta(hours=13)) as frozen:
        due.sweep()
        assert petals() == (0, 80)
        settings.OSCAR_LOYALTY_APPOINTMENT_AUTO_ATTEND = 12
        frozen.move_to(ends + timedelta(hours=11))
        due.sweep()
        assert state_of(appointment).state == "made"
        frozen.move_to(ends + timedelta(hours=13))
        due.sweep()
        # The visit was when it was: the delay has passed already.
        assert petals() == (80, 0)
