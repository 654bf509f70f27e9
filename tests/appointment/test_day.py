"""The day's list for the staff."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from oscar_loyalty.contrib.appointment import checks, navigation
from oscar_loyalty.loading import get_model

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner(django_user_model):
    return django_user_model.objects.create_superuser("owner", "owner@example.com", "petale-demo")


def mark(client, appointment, state):
    return client.post(reverse("loyalty-appointment:mark", args=[appointment.pk]), {"state": state}, follow=True)


def state_of(appointment):
    return get_model("loyalty_appointment", "AppointmentState").objects.get(appointment_id=appointment.pk)


def test_the_owner_sees_the_day_and_marks_who_came(client, owner, member, product, book, day):
    appointment = book()
    client.force_login(owner)
    text = client.get(reverse("loyalty-appointment:day"), {"date": day.isoformat()}).content.decode()
    assert "Rose Martin" in text and "Women&#x27;s haircut" in text and "Bronze" in text
    answer = mark(client, appointment, "attended")
    assert "attended" in answer.content.decode() and "Undo" in answer.content.decode()
    assert state_of(appointment).state == "attended"
    assert state_of(appointment).marked_by == owner
    mark(client, appointment, "made")
    mark(client, appointment, "missed")
    assert state_of(appointment).state == "missed"


def test_a_day_without_appointments_says_so(client, owner):
    client.force_login(owner)
    for date in ("", "nonsense", "2031-02-31"):
        answer = client.get(reverse("loyalty-appointment:day"), {"date": date})
        assert "No appointments on this day" in answer.content.decode()


def test_staff_members_see_and_mark_their_own_customers(client, member, product, book, day, stylist, django_user_model):
    appointment = book()
    client.force_login(stylist.user)
    assert "Rose Martin" in client.get(reverse("loyalty-appointment:day"), {"date": day}).content.decode()
    assert mark(client, appointment, "attended").status_code == 200
    theo = django_user_model.objects.create_user("theo", is_staff=True)
    client.force_login(theo)
    assert client.get(reverse("loyalty-appointment:day")).status_code == 403
    theo.user_permissions.add(Permission.objects.get(codename="mark_attendance"))
    client.force_login(theo)
    assert "Rose Martin" in client.get(reverse("loyalty-appointment:day"), {"date": day}).content.decode()


def test_others_do_not_get_in(client, member, product, book, user):
    appointment = book()
    url = reverse("loyalty-appointment:day")
    assert client.get(url).status_code == 302
    client.force_login(user)
    assert client.get(url).status_code == 403
    assert mark(client, appointment, "attended").status_code == 403
    assert state_of(appointment).state == "made"


def test_staff_do_not_mark_their_own_visit(client, member, product, book, user, owner):
    user.is_staff = user.is_superuser = True
    user.save()
    appointment = book()
    client.force_login(user)
    answer = mark(client, appointment, "attended")
    assert "ask somebody else" in answer.content.decode()
    assert state_of(appointment).state == "made"


def test_an_unknown_state_is_refused(client, owner, member, product, book):
    appointment = book()
    client.force_login(owner)
    assert mark(client, appointment, "famous").status_code == 404
    assert client.get(reverse("loyalty-appointment:mark", args=[appointment.pk])).status_code == 405


def test_the_list_costs_the_same_for_many(client, owner, member, product, book, day, django_assert_max_num_queries):
    for hour in range(8, 20):
        book(hour)
    client.force_login(owner)
    with django_assert_max_num_queries(16):
        client.get(reverse("loyalty-appointment:day"), {"date": day})


def test_the_dashboards_menu_leads_here(owner, user, stylist, settings):
    from oscar.apps.dashboard.menu import get_nodes

    settings.OSCAR_DASHBOARD_NAVIGATION = [navigation.APPOINTMENTS]
    for who, there in ((owner, True), (stylist.user, True), (user, False)):
        urls = [node.url for node in get_nodes(who) if node.url_name]
        assert (reverse("loyalty-appointment:day") in urls) is there


def test_the_check_misses_the_middleware(settings):
    assert checks.middleware(None) == []
    settings.MIDDLEWARE = settings.MIDDLEWARE[:-1]
    assert [problem.id for problem in checks.middleware(None)] == ["loyalty_appointment.W001"]
