"""The booking calendar: services, the people who give them, and their hours."""

from datetime import time, timedelta

from appointment.models import Config, Service, StaffMember, WorkingHours
from django.conf import settings
from oscar.core.loading import get_model

from oscar_loyalty.contrib.appointment.services import link_service
from sandbox.shop.data import Item
from sandbox.shop.data.people import STYLISTS, Stylist
from sandbox.shop.data.services import SERVICES
from sandbox.shop.drawing import PALETTE
from sandbox.shop.load_people import account
from sandbox.shop.selectors import booking_service


def load_calendar() -> None:
    if not Config.objects.exists():
        Config.objects.create(
            slot_duration=30,
            lead_time=time(9),
            finish_time=time(20),
            appointment_buffer_time=60,
            website_name=settings.OSCAR_SHOP_NAME,
            app_offered_by_label="With",
        )
    services = {item.upc: load_service(item=item) for item in SERVICES}
    for stylist in STYLISTS:
        load_stylist(stylist=stylist, services=services)


def load_service(*, item: Item) -> Service:
    """Return the calendar's entry for ``item``, found through its product, or make both the entry and the link."""
    product = get_model("catalogue", "Product").objects.get(upc=item.upc)
    service = booking_service(product)
    if service is None:
        service = Service.objects.create(
            name=item.title,
            description=item.description,
            duration=timedelta(minutes=item.minutes),
            price=item.price,
            currency=settings.OSCAR_DEFAULT_CURRENCY,
            background_color=PALETTE[item.picture[1]],
            allow_rescheduling=True,
            reschedule_limit=3,
        )
        link_service(service=service, product=product)
    return service


def load_stylist(*, stylist: Stylist, services: dict[str, Service]) -> None:
    """Make the staff member; one who exists keeps the services and hours the owner gave."""
    user = account(person=stylist.person, password=None)
    staff, created = StaffMember.objects.get_or_create(user=user)
    if not created:
        return
    staff.services_offered.set([services[item.upc] for item in SERVICES if item.category in stylist.shelves])
    for day, (start, end) in stylist.hours.items():
        WorkingHours.objects.create(staff_member=staff, day_of_week=day, start_time=start, end_time=end)
