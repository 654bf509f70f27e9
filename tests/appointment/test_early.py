"""A service that is for members first cannot be booked past the shop, by the calendar's own addresses."""

from datetime import time as hour
from datetime import timedelta
from decimal import Decimal

import pytest
from appointment.models import Appointment, AppointmentRequest, Service
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from oscar_loyalty import clock
from oscar_loyalty.contrib.appointment import door
from oscar_loyalty.contrib.appointment.exceptions import MembersFirst
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.members import services as joining
from oscar_loyalty.privileges import access, passes, services

pytestmark = pytest.mark.django_db


@pytest.fixture
def early(programme, product):
    """Begin an early access to the haircut: ``early(others="shown")``."""

    def early(**fields):
        gold = members.tiers(programme).get(code="gold")
        ends_at = clock.now() + timedelta(days=10)
        return services.create(programme=programme, tier=gold, target=product, ends_at=ends_at, key="w", **fields)

    return early


@pytest.fixture
def gold(member, programme):
    joining.set_tier(member=member, tier=members.tiers(programme).get(code="gold"), key="up")
    return member


@pytest.fixture
def choose(client, haircut, stylist, day):
    """Choose a time, as the calendar's first page does."""

    def choose(**headers):
        data = {
            "date": day,
            "start_time": "10:00",
            "end_time": "11:00",
            "service": haircut.pk,
            "staff_member": stylist.pk,
        }
        return client.post(reverse("appointment:appointment_request_submit"), data, **headers)

    return choose


def first_page(service):
    return reverse("appointment:appointment_request", args=[service.pk])


def details(asked):
    return reverse("appointment:appointment_client_information", args=[asked.pk, asked.id_request])


PERSON = {
    "name": "Rose Martin",
    "email": "rose@example.com",
    "phone_0": "FR",
    "phone_1": "612345678",
    "address": "1 rue des Pétales, Paris",
    "additional_info": "",
    "payment_type": "full",
}


@pytest.mark.parametrize("others", ["shown", "priceless", "teased"])
def test_others_read_from_when_on_they_can_book(client, user, member, early, haircut, choose, others):
    early(others=others)
    client.force_login(user)
    for response in (client.get(first_page(haircut)), choose()):
        text = response.content.decode().replace("\xa0", " ")
        assert response.status_code == 403
        assert "Now for members from Gold on; for everybody from" in text
        assert ("haircut" in text.lower()) == (others != "teased")
        assert "no-store" in response["Cache-Control"]
    assert not AppointmentRequest.objects.exists()


def test_strangers_are_shown_where_to_sign_in(client, early, haircut):
    early(others="shown")
    text = client.get(first_page(haircut)).content.decode()
    assert "I am a member: sign in" in text and f"next={first_page(haircut)}" in text


def test_what_is_hidden_is_not_there(client, user, early, haircut, choose):
    early(others="hidden")
    client.force_login(user)
    assert client.get(first_page(haircut)).status_code == 404
    assert choose().status_code == 404


def test_the_calendars_script_is_told_in_its_own_way(client, early, choose):
    early(others="shown")
    response = choose(headers={"x-requested-with": "XMLHttpRequest"})
    assert response.status_code == 403
    assert response.json() == {"message": "This cannot be booked yet: it is for members first.", "success": False}


def test_members_book_as_ever(client, user, gold, early, haircut, choose):
    early(others="hidden")
    client.force_login(user)
    assert client.get(first_page(haircut)).status_code == 200
    response = choose()
    assert response.status_code == 302
    assert client.post(response.url, PERSON).status_code == 302
    assert Appointment.objects.get().client == user


def test_a_tier_that_is_lost_meanwhile_is_noticed_at_the_end(client, user, member, early, ask):
    asked = ask()
    early(others="shown")
    client.force_login(user)
    response = client.post(details(asked), PERSON)
    assert response.status_code == 403
    assert not Appointment.objects.exists()


def test_no_page_of_anybody_books_past_the_door(rf, user, member, early, ask):
    """A shop's own view that writes an appointment is refused by the appointment."""
    early(others="shown")
    request = rf.get("/")
    request.user = user
    with access.looking(request), pytest.raises(MembersFirst):
        Appointment.objects.create(client=user, appointment_request=ask(), phone="+33612345678")
    assert not Appointment.objects.exists()


def test_a_friend_with_a_pass_books(client, early, gold, haircut, choose):
    window = early(others="hidden", passes=1)
    subject = passes.find("early", str(window.pk))
    given = passes.give(member=gold, subject=subject, key="p")
    client.post(reverse("loyalty-storefront:guest-pass", args=[passes.token_of(given)]))
    assert client.get(first_page(haircut)).status_code == 200
    assert choose().status_code == 302


def test_staff_write_down_what_was_agreed_but_need_what_others_need_for_themselves(rf, user, stylist, early, ask):
    early(others="hidden")
    request = rf.get("/")
    request.user = stylist.user
    with access.looking(request):
        Appointment.objects.create(client=user, appointment_request=ask(), phone="+33612345678")
        with pytest.raises(MembersFirst):
            Appointment.objects.create(client=stylist.user, appointment_request=ask(12), phone="+33612345678")


def test_what_was_booked_before_can_be_moved(rf, user, book, early):
    booked = book(10)
    early(others="hidden")
    request = rf.get("/")
    request.user = user
    with access.looking(request):
        asked = booked.appointment_request
        asked.start_time, asked.end_time = hour(14), hour(15)
        asked.save()
        booked.save()
    assert Appointment.objects.get().appointment_request.start_time == hour(14)


def test_other_services_are_everybodys(client, early, stylist, product):
    early(others="hidden")
    other = Service.objects.create(name="Colour", duration=timedelta(hours=1), price=Decimal("60.00"), currency="EUR")
    stylist.services_offered.add(other)
    assert client.get(first_page(other)).status_code == 200


def test_where_nothing_is_early_the_door_costs_one_query(client, haircut, stylist, rf, django_assert_num_queries):
    request = rf.get("/")
    request.user = AnonymousUser()
    with django_assert_num_queries(1):
        door.on_page(request, door.BY_SERVICE, {"service_id": haircut.pk})
    assert not get_model("loyalty_privileges", "EarlyAccess").objects.exists()
