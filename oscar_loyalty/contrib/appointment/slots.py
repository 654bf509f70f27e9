"""One appointment at a time for each staff member.

django-appointment looks for free times when it shows them, and not again when it saves. Here a time is claimed before
an appointment is saved, under a lock on the staff member: a claim commits by itself, so it holds whether or not the
calendar's view runs in a transaction. A claim whose appointment did not follow is void after :data:`PATIENCE`.
"""

from datetime import time, timedelta
from typing import Any

from appointment.models import Appointment, StaffMember
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from oscar_loyalty import clock
from oscar_loyalty.contrib.appointment.exceptions import SlotTaken
from oscar_loyalty.loading import get_model

#: How long a claim waits for its appointment.
PATIENCE = timedelta(minutes=2)


def _claims() -> Any:
    return get_model("loyalty_appointment", "SlotClaim").objects


def end_of(request: Any) -> time:
    """Return the end of a request on its own day; one that runs past midnight ends with the day."""
    return request.end_time if request.end_time > request.start_time else time.max


def is_free(*, request: Any, staff_id: int | None = None, date: Any = None, start: Any = None, end: Any = None) -> bool:
    """Return whether nobody else has the time that ``request`` asks for (or another one it wants to move to)."""
    staff_id = staff_id or request.staff_member_id
    if staff_id is None:
        return True
    date, start, end = date or request.date, start or request.start_time, end or end_of(request)
    overlap = {"date": date, "start_time__lt": end, "end_time__gt": start}
    taken = Appointment.objects.filter(
        appointment_request__staff_member=staff_id, **{f"appointment_request__{name}": v for name, v in overlap.items()}
    )
    claimed = _claims().filter(staff=staff_id, **overlap)
    if request.pk:
        taken, claimed = taken.exclude(appointment_request=request.pk), claimed.exclude(request=request.pk)
    return not taken.exists() and not claimed.exclude(pk__in=void()).exists()


def claim(*, request: Any) -> Any:
    """Take the time of ``request`` for its appointment, in the place of the one it had; return the claim.

    :raises SlotTaken: when somebody else has it, or a part of it.
    """
    if request.staff_member_id is None:
        return None
    try:
        with transaction.atomic():
            # An update that changes nothing: it makes others wait on every database, where SELECT FOR UPDATE does not.
            StaffMember.objects.filter(pk=request.staff_member_id).update(slot_duration=F("slot_duration"))
            _claims().filter(pk__in=list(void(staff=request.staff_member_id).values_list("pk", flat=True))).delete()
            if not is_free(request=request):
                raise SlotTaken(request.service_id)
            return _claims().update_or_create(
                request_id=request.pk,
                defaults={
                    "staff_id": request.staff_member_id,
                    "date": request.date,
                    "start_time": request.start_time,
                    "end_time": end_of(request),
                    "claimed_at": clock.now(),
                },
            )[0]
    except IntegrityError as error:
        # A claim that the lock did not keep away, such as one with the same start and no length.
        raise SlotTaken(request.service_id) from error


def void(**fields: Any) -> QuerySet[Any]:
    """Return the claims that no appointment stands for, and that none will follow."""
    stands = Appointment.objects.filter(
        appointment_request=OuterRef("request_id"),
        appointment_request__staff_member=OuterRef("staff_id"),
        appointment_request__date=OuterRef("date"),
        appointment_request__start_time=OuterRef("start_time"),
    )
    return _claims().filter(~Exists(stands), claimed_at__lte=clock.now() - PATIENCE, **fields)


def let_go(*, request_id: int) -> None:
    """Free the time of a request whose appointment was called off."""
    _claims().filter(request=request_id).delete()
