"""What the calendar does: each receiver leaves a row or asks for the time, and never breaks a booking otherwise."""

import logging

from appointment.models import Appointment, AppointmentRequest, AppointmentRescheduleHistory
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_save

from oscar_loyalty.contrib.appointment import door, services, slots
from oscar_loyalty.contrib.appointment.exceptions import SlotTaken
from oscar_loyalty.due import services as due
from oscar_loyalty.due.registry import handler, sweeper

log = logging.getLogger("oscar_loyalty")

KIND = "appointment.changed"


def _leave(appointment_id):
    try:
        with transaction.atomic():
            due.again(kind=KIND, key=str(appointment_id), payload={"appointment": appointment_id})
    except Exception:
        # The sweep hears of it.
        log.exception("Appointment %s could not be noted", appointment_id)


def follow_appointment(sender, instance, raw=False, **kwargs):
    if not raw:
        _leave(instance.pk)


def follow_deletion(sender, instance, **kwargs):
    _leave(instance.pk)
    slots.let_go(request_id=instance.appointment_request_id)


def follow_request(sender, instance, created, raw=False, **kwargs):
    if not raw and not created:
        for pk in Appointment.objects.filter(appointment_request=instance).values_list("pk", flat=True):
            _leave(pk)


def claim_for_appointment(sender, instance, raw=False, **kwargs):
    """A new appointment takes its time, or is refused."""
    if not raw and instance._state.adding and instance.appointment_request_id:
        door.on_booking(instance)
        slots.claim(request=instance.appointment_request)


def claim_for_request(sender, instance, raw=False, **kwargs):
    """An appointment that moves takes its new time; a request that is none yet is refused early, and takes nothing."""
    if raw:
        return
    if instance.pk and Appointment.objects.filter(appointment_request=instance.pk).exists():
        slots.claim(request=instance)
    elif not slots.is_free(request=instance):
        raise SlotTaken(instance.service_id)


def look_before_moving(sender, instance, raw=False, **kwargs):
    """Whoever asks to move to a time that is taken hears so at once, and not only when confirming by mail."""
    if raw or not instance._state.adding or instance.reschedule_status != "pending":
        return
    # The calendar's view hands the times over as it got them, as text.
    read = AppointmentRequest._meta.get_field("start_time").to_python
    free = slots.is_free(
        request=instance.appointment_request,
        staff_id=instance.staff_member_id,
        date=instance.date,
        start=read(instance.start_time),
        end=read(instance.end_time),
    )
    if not free:
        raise SlotTaken(instance.appointment_request.service_id)


@handler(KIND)
def appointment_changed(row):
    services.tell(appointment_id=row.payload["appointment"])


@sweeper("appointment.reconcile")
def reconcile() -> int:
    return services.reconcile()


def connect():
    for number, (signal, sender, receiver) in enumerate(
        [
            (pre_save, Appointment, claim_for_appointment),
            (pre_save, AppointmentRequest, claim_for_request),
            (pre_save, AppointmentRescheduleHistory, look_before_moving),
            (post_save, Appointment, follow_appointment),
            (post_save, AppointmentRequest, follow_request),
            (post_delete, Appointment, follow_deletion),
        ]
    ):
        signal.connect(receiver, sender=sender, dispatch_uid=f"loyalty_appointment_{number}")
