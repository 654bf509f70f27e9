"""What happens in the calendar: booked, moved, kept or not, called off."""

from datetime import time, timedelta

from appointment.models import Appointment, AppointmentRequest, Service, StaffMember

from oscar_loyalty.contrib.appointment import services
from tests.simulation.actions import REFUSALS, action, asked


def some_time(world):
    start = world.random.randrange(9, 18)
    return {
        "date": world.now.date() + timedelta(days=world.random.choice([0, 0, 1, 1, 2, 10])),
        "start_time": time(start),
        "end_time": time(start + 1),
    }


@action("a customer", 4)
def books_a_time(world):
    customer = world.pick(world.customers)
    try:
        request = AppointmentRequest.objects.create(
            service=Service.objects.get(), staff_member=StaffMember.objects.get(), **some_time(world)
        )
        Appointment.objects.create(client=customer.user, appointment_request=request, phone="+33612345678")
    except REFUSALS as error:
        # The request is stored before its appointment is refused, as in the calendar's own pages.
        world.line += f" ({error})"
        return "not to be had"
    world.line += f": {customer.name}, {request.date} {request.start_time}"
    return "done"


@action("a customer", 2)
def moves_an_appointment(world):
    appointment = world.pick(Appointment.objects.order_by("pk"))
    if appointment is None:
        return "none there"
    request = appointment.appointment_request
    for name, value in some_time(world).items():
        setattr(request, name, value)
    try:
        request.save()
    except REFUSALS as error:
        world.line += f" ({error})"
        return "refused"
    return "done"


@action("a customer", 1)
def calls_an_appointment_off(world):
    appointment = world.pick(Appointment.objects.order_by("pk"))
    if appointment is None:
        return "none there"
    appointment.delete()
    return "done"


@action("the salon", 4)
def says_who_came(world):
    appointment = world.pick(Appointment.objects.order_by("pk"))
    if appointment is None:
        return "none there"
    state = world.random.choice(["attended", "attended", "missed", "made"])
    return asked(world, services.mark, appointment_id=appointment.pk, state=state, user=world.boss)
