from datetime import time, timedelta
from decimal import Decimal

import pytest
from appointment.models import Appointment, AppointmentRequest, Service, StaffMember, WorkingHours
from django.utils import timezone
from oscar.test.factories import create_product

from oscar_loyalty.contrib.appointment import services
from oscar_loyalty.earning import rules
from oscar_loyalty.ledger import selectors as ledger

MIDDLEWARE = "oscar_loyalty.contrib.appointment.middleware.SlotTakenMiddleware"


@pytest.fixture(autouse=True)
def _calendar(settings):
    settings.ROOT_URLCONF = "tests.appointment.urls"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, MIDDLEWARE]
    # At once, in the process that caused it: most tests look at what follows.
    settings.OSCAR_LOYALTY_WORKER = "inline"
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def day():
    """A day far enough away for any time zone; django-appointment refuses the past, by the real clock."""
    return timezone.localdate() + timedelta(days=3)


@pytest.fixture
def haircut(db):
    return Service.objects.create(name="Haircut", duration=timedelta(hours=1), price=Decimal("45.00"), currency="EUR")


@pytest.fixture
def product(haircut, programme):
    product = create_product(title="Women's haircut", price=Decimal("45.00"), product_class="Service")
    services.link_service(service=haircut, product=product)
    rules.set_product_points(product=product, points=80, programme=programme)
    return product


@pytest.fixture
def stylist(haircut, django_user_model):
    user = django_user_model.objects.create_user("camille", "camille@example.com", "petale-demo", is_staff=True)
    staff = StaffMember.objects.create(user=user)
    staff.services_offered.add(haircut)
    for weekday in range(7):
        WorkingHours.objects.create(staff_member=staff, day_of_week=weekday, start_time=time(8), end_time=time(20))
    return staff


@pytest.fixture
def ask(haircut, stylist, day):
    """Ask for a time, as the calendar's first page does."""

    def ask(hour=10, minutes=60, **fields):
        start = fields.pop("start_time", time(hour))
        end = time(start.hour + (start.minute + minutes) // 60, (start.minute + minutes) % 60)
        fields = {"date": day, "service": haircut, "staff_member": stylist, **fields}
        return AppointmentRequest.objects.create(start_time=start, end_time=end, **fields)

    return ask


@pytest.fixture
def book(ask, user):
    """Book a time for a customer."""

    def book(hour=10, client=user, **fields):
        return Appointment.objects.create(client=client, appointment_request=ask(hour, **fields), phone="+33612345678")

    return book


@pytest.fixture
def petals(member):
    """What the member has: ``(usable, pending)``."""

    def petals():
        found = ledger.balance(member.account)
        return found.usable, found.pending

    return petals
