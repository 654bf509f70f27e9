"""All reads of the connection to the calendar."""

from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime
from typing import Any

from appointment.models import Appointment
from django.db.models import CharField, Exists, F, Min, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.module_loading import import_string

from oscar_loyalty.defaults import conf
from oscar_loyalty.due import rounds
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members

#: How many appointments one sweep takes.
BATCH = 2000


def _states() -> Any:
    return get_model("loyalty_appointment", "AppointmentState").objects


def appointments() -> QuerySet[Appointment]:
    """Return appointments with all that the contract is told of them."""
    return Appointment.objects.select_related("client", "appointment_request__service__loyalty_link__product")


def programme_of(appointment: Any) -> Any:
    """Return the open programme of the appointment's Site, or ``None``."""
    site = import_string(conf.APPOINTMENT_SITE)(appointment) if conf.APPOINTMENT_SITE else None
    return members.programme_for(site=site)


def _since() -> datetime | None:
    """Return the day on which the programme began, or, with several, the first of them."""
    if conf.APPOINTMENT_SITE:
        return members.programmes().filter(is_active=True).aggregate(first=Min("started_at"))["first"]
    programme = members.programme_for()
    return programme.started_at if programme is not None else None


def untold(new_part: rounds.Part = rounds.ALL, known_part: rounds.Part = rounds.ALL) -> list[int]:
    """Return the appointments of which the contract does not know the latest: new, changed, or gone.

    The parts are of the appointments that may be new, and of those that it knows.
    """
    began = _since()
    if began is None:
        return []
    request = "appointment_request__"
    known = _states().filter(appointment_id=OuterRef("pk"))
    since = timezone.localtime(began, timezone.get_default_timezone()).date()
    new = Appointment.objects.filter(new_part.where(), ~Exists(known), **{f"{request}date__gte": since})
    same = (
        Appointment.objects.filter(pk=OuterRef("appointment_id"))
        .annotate(client_pk=Coalesce(Cast("client_id", CharField()), Value("")))
        .filter(
            client_pk=OuterRef("client_pk"),
            **{f"{request}{name}": OuterRef(name) for name in ("date", "start_time", "end_time")},
            **{f"{request}service": OuterRef("service_pk")},
        )
    )
    there = Appointment.objects.filter(pk=OuterRef("appointment_id"))
    moved = there.exclude(
        **{f"{request}{name}": OuterRef(name) for name in ("date", "start_time", "end_time")},
    )
    changed = (
        _states()
        .filter(known_part.where())
        .filter(
            Q(state="made") & ~Exists(same) | Q(state="missed") & Exists(moved) | Q(state="cancelled") & Exists(there)
        )
    )
    first = list(changed.order_by("pk").values_list("appointment_id", flat=True)[:BATCH])
    return first + list(new.order_by("pk").values_list("pk", flat=True)[: BATCH - len(first)])


def unmarked(*, before: datetime) -> list[int]:
    """Return the appointments that ended before ``before`` and of which nobody said whether the customer came."""
    rows = _states().filter(state="made", ends_at__lte=before).order_by("ends_at", "pk")
    return list(rows.values_list("appointment_id", flat=True)[:BATCH])


@dataclass(frozen=True)
class DayRow:
    """An appointment on the day's list; ``state`` is ``None`` where the programme does not know of it."""

    appointment: Any
    starts_at: datetime
    ends_at: datetime
    state: Any
    member: Any
    own: bool


def day(date: Date, *, user: Any) -> list[DayRow]:
    """Return the appointments of ``date`` that ``user`` may mark: all, or those with oneself."""
    from oscar_loyalty.contrib.appointment.services import times

    rows = appointments().filter(appointment_request__date=date)
    if not may_mark_all(user):
        rows = rows.filter(appointment_request__staff_member__user=user)
    rows = list(
        rows.select_related("appointment_request__staff_member__user").order_by(
            F("appointment_request__start_time").asc(), "pk"
        )
    )
    states = {row.appointment_id: row for row in _states().filter(appointment_id__in=[row.pk for row in rows])}
    programme = members.programme_for()
    Member = get_model("loyalty_members", "Member")
    people = Member.objects.filter(programme=programme, user__in=[row.client_id for row in rows if row.client_id])
    by_user = {member.user_id: member for member in people.select_related("tier")}
    return [
        DayRow(
            row,
            *times(row.appointment_request),
            states.get(row.pk),
            by_user.get(row.client_id),
            row.client_id == user.pk,
        )
        for row in rows
    ]


def may_mark_all(user: Any) -> bool:
    """Return whether ``user`` may say of every customer whether they came."""
    return user.is_active and user.is_staff and user.has_perm("loyalty_appointment.mark_attendance")


def may_mark(user: Any) -> bool:
    """Return whether ``user`` may mark appointments at all: with the permission, or as somebody who has customers."""
    if not user.is_authenticated or not user.is_staff:
        return False
    return may_mark_all(user) or hasattr(user, "staffmember")


def may_mark_one(user: Any, appointment: Any) -> bool:
    """Return whether ``user`` may mark this appointment."""
    if not may_mark(user):
        return False
    staff = appointment.appointment_request.staff_member
    return may_mark_all(user) or (staff is not None and staff.user_id == user.pk)
