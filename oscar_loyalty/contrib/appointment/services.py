"""What happens in the calendar, told to the booking contract. Every function goes by what is stored."""

import logging
from datetime import datetime, timedelta
from typing import Any

from appointment.models import Appointment
from django.db import transaction
from django.utils import timezone

from oscar_loyalty import clock
from oscar_loyalty.contrib.appointment import selectors, slots
from oscar_loyalty.contrib.appointment.exceptions import NotBooked, OwnAppointment
from oscar_loyalty.defaults import conf
from oscar_loyalty.due import rounds
from oscar_loyalty.earning import bookings
from oscar_loyalty.loading import get_model

log = logging.getLogger("oscar_loyalty")

#: How the contract knows this calendar.
SOURCE = "appointment"


def _states() -> Any:
    return get_model("loyalty_appointment", "AppointmentState").objects


def link_service(*, service: Any, product: Any) -> Any:
    """Say which product of the shop a service of the calendar is; return the link."""
    links = get_model("loyalty_appointment", "ServiceLink").objects
    return links.update_or_create(service=service, defaults={"product": product})[0]


def times(request: Any) -> tuple[datetime, datetime]:
    """Return when a request begins and ends; the calendar writes both in the time zone of the settings."""
    zone = timezone.get_default_timezone()
    start = timezone.make_aware(datetime.combine(request.date, request.start_time), zone)
    end = timezone.make_aware(datetime.combine(request.date, request.end_time), zone)
    return start, end if end > start else end + timedelta(days=1)


@transaction.atomic
def tell(*, appointment_id: int) -> Any:
    """Bring the booking contract in line with an appointment, and return what is known of it (``None``: nothing).

    New: made. Another time: rescheduled. Gone: cancelled. Another service or customer: cancelled, and made anew.
    An appointment that was marked stays as marked, unless it was missed and has been moved to another time.
    """
    row = _states().select_for_update().filter(appointment_id=appointment_id).first()
    appointment = selectors.appointments().filter(pk=appointment_id).first()
    if row is None:
        return _first(appointment) if appointment is not None else None
    if appointment is None:
        if row.state == "made":
            bookings.cancelled(reference=row.reference, happened_at=clock.now())
            _save(row, state="cancelled")
        return row
    request = appointment.appointment_request
    start, end = times(request)
    moved = (row.date, row.start_time, row.end_time) != (request.date, request.start_time, request.end_time)
    other = row.service_pk != request.service_id or row.client_pk != _client(appointment)
    if row.state == "cancelled":
        # It was deleted, and is back.
        bookings.corrected(reference=row.reference, state="made", happened_at=clock.now())
        _save(row, state="made")
    if row.state == "missed" and moved:
        bookings.corrected(reference=row.reference, state="made", happened_at=clock.now())
        row.state = "made"
    if row.state != "made":
        return row
    if other:
        bookings.cancelled(reference=row.reference, happened_at=clock.now())
        row.revision += 1
        _make(row, appointment, clock.now())
    elif moved:
        bookings.rescheduled(reference=row.reference, starts_at=start, happened_at=clock.now())
    if other or moved:
        _save(row, **_facts(appointment, end))
    return row


def _first(appointment: Any) -> Any:
    programme = selectors.programme_of(appointment)
    _start, end = times(appointment.appointment_request)
    if programme is None or end <= programme.started_at:
        return None
    row, new = _states().get_or_create(appointment_id=appointment.pk, defaults=_facts(appointment, end))
    if new:
        _make(row, appointment, appointment.created_at)
    return row


def _make(row: Any, appointment: Any, at: datetime) -> None:
    request = appointment.appointment_request
    service = request.service
    link = getattr(service, "loyalty_link", None)
    start, _end = times(request)
    bookings.made(
        reference=row.reference,
        service=link.product if link is not None else service.name,
        user=appointment.client,
        starts_at=start,
        price=service.price,
        currency=service.currency,
        source=SOURCE,
        programme=selectors.programme_of(appointment),
        happened_at=min(at, clock.now()),
    )


def _client(appointment: Any) -> str:
    return str(appointment.client_id or "")


def _facts(appointment: Any, end: datetime) -> dict[str, Any]:
    request = appointment.appointment_request
    return {
        "date": request.date,
        "start_time": request.start_time,
        "end_time": request.end_time,
        "ends_at": end,
        "service_pk": request.service_id,
        "client_pk": _client(appointment),
    }


def _save(row: Any, **fields: Any) -> None:
    for name, value in {**fields, "told_at": clock.now()}.items():
        setattr(row, name, value)
    row.save()


@transaction.atomic
def mark(*, appointment_id: int, state: str, user: Any = None) -> Any:
    """Say that the customer came ("attended"), did not ("missed"), or that it is open again ("made"); return the row.

    :raises OwnAppointment: when ``user`` is the customer.
    :raises NotBooked: when the appointment is gone, or from before the programme.
    """
    if state not in ("attended", "missed", "made"):
        raise ValueError(f"An appointment cannot be marked as {state!r}.")
    appointment = Appointment.objects.filter(pk=appointment_id).first()
    if appointment is not None and user is not None and appointment.client_id == user.pk:
        raise OwnAppointment
    row = tell(appointment_id=appointment_id) if appointment is not None else None
    if row is None:
        raise NotBooked
    row = _states().select_for_update().get(pk=row.pk)
    if row.state == state:
        return row
    now = clock.now()
    if row.state != "made":
        bookings.corrected(reference=row.reference, state=state, happened_at=now)
    elif state == "attended":
        # Somebody who walked in was written down during the visit, or after it.
        visit = max(min(row.ends_at, now), min(appointment.created_at, now))
        bookings.attended(reference=row.reference, happened_at=visit)
    else:
        bookings.missed(reference=row.reference, happened_at=now)
    _save(row, state=state, marked_by=user)
    return row


def reconcile() -> int:
    """Hear what signals missed, attend for whoever was not marked, free times nobody needs; return how many changed."""
    done, problem = 0, None
    parts = (
        rounds.part("appointment.new", Appointment),
        rounds.part("appointment.known", get_model("loyalty_appointment", "AppointmentState")),
    )
    untold = selectors.untold(*parts)
    for pk in untold:
        try:
            done += tell(appointment_id=pk) is not None
        except Exception as error:
            # One appointment that cannot be told must not keep the others waiting.
            log.exception("Appointment %s could not be told to the programme", pk)
            problem = error
    if len(untold) < selectors.BATCH:
        for part in parts:
            part.over()
    if conf.APPOINTMENT_AUTO_ATTEND is not None:
        before = clock.now() - timedelta(hours=conf.APPOINTMENT_AUTO_ATTEND)
        for pk in selectors.unmarked(before=before):
            try:
                done += mark(appointment_id=pk, state="attended") is not None
            except Exception as error:
                log.exception("Appointment %s could not be marked as attended", pk)
                problem = error
    slots.void().delete()
    if problem is not None:
        raise problem
    return done
