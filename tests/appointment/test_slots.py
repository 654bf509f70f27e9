"""One appointment at a time for each staff member, whoever books and however many at once."""

import threading
from datetime import time, timedelta
from itertools import pairwise

import pytest
from appointment.models import Appointment, AppointmentRequest, AppointmentRescheduleHistory, StaffMember
from django.db import connection, transaction
from django.urls import reverse

from oscar_loyalty import clock
from oscar_loyalty.contrib.appointment import slots
from oscar_loyalty.contrib.appointment.exceptions import SlotTaken
from oscar_loyalty.due import services as due
from oscar_loyalty.loading import get_model

pytestmark = pytest.mark.django_db(transaction=True)


def claims():
    return get_model("loyalty_appointment", "SlotClaim").objects


@pytest.mark.parametrize(
    ("start", "minutes"), [(time(10), 60), (time(9, 30), 60), (time(10, 30), 15), (time(10, 59), 60)]
)
def test_a_time_that_overlaps_is_refused(book, ask, start, minutes):
    book(10)
    with pytest.raises(SlotTaken):
        ask(start_time=start, minutes=minutes)


def test_times_that_touch_are_two(book):
    book(10)
    book(11)
    book(9)
    assert Appointment.objects.count() == 3


def test_another_person_or_day_is_another_time(book, day, django_user_model, haircut):
    book(10)
    theo = StaffMember.objects.create(user=django_user_model.objects.create_user("theo"))
    book(10, staff_member=theo)
    book(10, date=day + timedelta(days=1))
    assert Appointment.objects.count() == 3


def test_asking_takes_nothing_and_the_second_to_book_is_refused(ask, user):
    first, second = ask(10), ask(10)
    Appointment.objects.create(client=user, appointment_request=second)
    with pytest.raises(SlotTaken):
        Appointment.objects.create(client=user, appointment_request=first)
    assert Appointment.objects.get().appointment_request == second


def test_a_booking_moves_only_to_a_free_time(book):
    book(10)
    appointment = book(12)
    request = appointment.appointment_request
    request.start_time, request.end_time = time(10, 30), time(11, 30)
    with pytest.raises(SlotTaken):
        request.save()
    request.start_time, request.end_time = time(12, 30), time(13, 30)
    request.save()
    assert claims().get(request=request).start_time == time(12, 30)


def test_a_cancelled_booking_frees_its_time(book):
    book(10).delete()
    assert claims().count() == 0
    book(10)


def test_times_taken_without_a_signal_count_too(book, ask, user, haircut, stylist, day):
    request = AppointmentRequest.objects.bulk_create(
        [AppointmentRequest(date=day, start_time=time(10), end_time=time(11), service=haircut, staff_member=stylist)]
    )[0]
    Appointment.objects.bulk_create([Appointment(client=user, appointment_request=request, amount_to_pay=1)])
    with pytest.raises(SlotTaken):
        ask(10)


def test_a_claim_without_an_appointment_is_void_after_a_while(ask, book):
    abandoned, waiting = ask(10), ask(10)
    slots.claim(request=abandoned)
    with pytest.raises(SlotTaken):
        slots.claim(request=waiting)
    with clock.frozen(clock.now() + slots.PATIENCE + timedelta(seconds=1)):
        due.sweep()
        assert claims().count() == 0
        slots.claim(request=waiting)


def race(number, work):
    barrier, results = threading.Barrier(number), []

    def run(index):
        try:
            barrier.wait()
            results.append(work(index))
        except SlotTaken:
            results.append("taken")
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("atomic", [False, True])
def test_twenty_at_once_get_one_time_once(ask, user, stylist, atomic):
    requests = [ask(10) for _each in range(20)]

    def work(index):
        def create():
            Appointment.objects.create(client_id=user.pk, appointment_request=requests[index])
            return "booked"

        if atomic:
            with transaction.atomic():
                return create()
        return create()

    results = race(20, work)
    assert sorted(results, key=str) == ["booked"] + ["taken"] * 19
    assert Appointment.objects.count() == claims().count() == 1


def test_twenty_at_once_with_overlapping_times_never_overlap(ask, user):
    # Ten minutes apart, an hour each.
    requests = [ask(start_time=time(9 + index * 10 // 60, index * 10 % 60)) for index in range(20)]
    race(20, lambda index: Appointment.objects.create(client_id=user.pk, appointment_request=requests[index]))
    taken = sorted(
        (row.start_time, row.end_time) for row in AppointmentRequest.objects.filter(appointment__isnull=False)
    )
    assert taken
    assert all(end <= start for (_start, end), (start, _end) in pairwise(taken))


def test_twenty_moves_to_one_time_leave_one_there(book, user, day):
    appointments = [book(10, date=day + timedelta(days=number)) for number in range(1, 21)]

    def work(index):
        request = appointments[index].appointment_request
        request.date = day
        request.save()
        return "moved"

    results = race(20, work)
    assert sorted(results, key=str) == ["moved"] + ["taken"] * 19
    assert AppointmentRequest.objects.filter(date=day, appointment__isnull=False).count() == 1


# In the customer's way through the calendar


def post_request(client, haircut, stylist, day, hour=10):
    data = {
        "date": day.isoformat(),
        "start_time": f"{hour}:00",
        "end_time": f"{hour + 1}:00",
        "service": haircut.pk,
        "staff_member": stylist.pk,
    }
    return client.post(reverse("appointment:appointment_request_submit"), data)


def details():
    return {"name": "Rose Martin", "email": "rose@example.com", "phone_0": "FR", "phone_1": "612345678",
            "payment_type": "full", "address": "Lyon", "additional_info": ""}  # fmt: skip


def test_the_customer_who_was_slower_reads_so_and_finds_the_way_back(client, user, book, haircut, stylist, day):
    client.force_login(user)
    answer = post_request(client, haircut, stylist, day)
    assert answer.status_code == 302
    book(10)
    answer = client.post(answer.url, details())
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "this time has just been taken" in text
    assert reverse("appointment:appointment_request", args=[haircut.pk]) in text
    assert Appointment.objects.count() == 1


def test_the_customer_who_is_alone_is_booked(client, user, haircut, stylist, day):
    client.force_login(user)
    answer = client.post(post_request(client, haircut, stylist, day).url, details())
    assert answer.status_code == 302, answer.content.decode()
    assert Appointment.objects.get().client == user


def test_a_time_that_is_gone_already_is_refused_at_once(client, book, haircut, stylist, day):
    book(10)
    answer = post_request(client, haircut, stylist, day)
    assert answer.status_code == 409
    assert "Choose another time" in answer.content.decode()


def test_with_atomic_requests_the_page_is_the_same(client, user, book, haircut, stylist, day, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    book(10)
    client.force_login(user)
    assert post_request(client, haircut, stylist, day).status_code == 409


def test_the_calendars_script_gets_json(client, book, haircut, stylist, day, django_user_model):
    book(10)
    appointment = book(12)
    client.force_login(django_user_model.objects.create_superuser("owner", "owner@example.com"))
    answer = client.post(
        reverse("appointment:update_appt_date_time"),
        data={"appointment_id": appointment.pk, "date": day.isoformat(), "start_time": "10:00:00.000Z"},
        content_type="application/json",
        headers={"x-requested-with": "XMLHttpRequest"},
    )
    assert answer.status_code == 409, answer.content
    assert "just been taken" in answer.json()["message"]
    appointment.refresh_from_db()
    assert appointment.appointment_request.start_time == time(12)


def test_asking_to_move_to_a_taken_time_is_refused_at_once(client, book, haircut, stylist, day):
    book(10)
    appointment = book(12)
    answer = client.post(
        reverse("appointment:reschedule_appointment_submit"),
        {
            "appointment_request_id": appointment.appointment_request.id_request,
            "date": day.isoformat(),
            "start_time": "10:00",
            "end_time": "11:00",
            "service": haircut.pk,
            "staff_member": stylist.pk,
        },
    )
    assert answer.status_code == 409
    assert not AppointmentRescheduleHistory.objects.exists()


def test_a_move_confirmed_too_late_is_refused_with_a_page(client, book, stylist, day):
    appointment = book(12)
    history = AppointmentRescheduleHistory.objects.create(
        appointment_request=appointment.appointment_request,
        date=day, start_time=time(10), end_time=time(11), staff_member=stylist,
    )  # fmt: skip
    book(10)
    answer = client.get(reverse("appointment:confirm_reschedule", args=[history.id_request]))
    assert answer.status_code == 409
    appointment.refresh_from_db()
    assert appointment.appointment_request.start_time == time(12)
