"""The calendar's door: a service that is for members first is booked by those members, whichever page leads there.

Who may have it is decided in :mod:`oscar_loyalty.privileges.access`, as for all that the shop sells; here it is asked
twice. When one of the calendar's pages is opened, so that nobody chooses a time in vain; and when the appointment is
written, whoever writes it. What was booked before can be moved.
"""

from collections.abc import Mapping
from typing import Any

from appointment.models import AppointmentRequest, Service

from oscar_loyalty.contrib.appointment.exceptions import MembersFirst
from oscar_loyalty.privileges import access

#: The calendar's pages that lead to an appointment, by the name of their URL.
BY_SERVICE = "appointment:appointment_request"
BY_FORM = "appointment:appointment_request_submit"
BY_REQUEST = ("appointment:appointment_client_information", "appointment:enter_verification_code")


def service_behind(request: Any, name: str, kwargs: Mapping[str, Any]) -> Any:
    """Return the service that a page of the calendar is about, or ``None``."""
    rows = Service.objects.select_related("loyalty_link__product")
    if name == BY_SERVICE:
        return rows.filter(pk=kwargs.get("service_id")).first()
    if name == BY_FORM:
        wanted = request.POST.get("service", "")
        return rows.filter(pk=int(wanted)).first() if wanted.isdecimal() else None
    asked = AppointmentRequest.objects.filter(pk=kwargs.get("appointment_request_id"))
    return rows.filter(pk__in=asked.values("service")).first()


def gate_of(service: Any, who: access.Viewer) -> access.Gate:
    """Return the gate of a service: that of the product it is in the shop. Where nothing is early, one query."""
    if not who.windows:
        return access.OPEN
    link = getattr(service, "loyalty_link", None)
    return who.gate(link.product) if link is not None and link.product is not None else access.OPEN


def on_page(request: Any, name: str, kwargs: Mapping[str, Any]) -> None:
    """Look at a page of the calendar before it is made. Staff see all of them.

    :raises MembersFirst: when its service is not for the visitor yet.
    """
    if name not in (BY_SERVICE, BY_FORM, *BY_REQUEST):
        return
    who = access.viewer_of(request)
    if who.sees_all or not who.windows:
        return
    service = service_behind(request, name, kwargs)
    if service is None:
        return
    gate = gate_of(service, who)
    # What only some may see is kept by no cache.
    request._loyalty_privileged = gate.window is not None
    _refuse(service, gate)


def on_booking(appointment: Any) -> None:
    """Look at an appointment that is about to be written.

    Who books is whoever looks. Staff write down what they have agreed with a customer; for themselves they need what
    others need. Outside of a request (imports, commands) nothing is refused.

    :raises MembersFirst: when its service is not for them yet.
    """
    who = access.looker()
    if who is None or not appointment.appointment_request_id:
        return
    if who.sees_all and who.user is not None and appointment.client_id != who.user.pk:
        return
    _refuse(appointment.appointment_request.service, gate_of(appointment.appointment_request.service, who))


def _refuse(service: Any, gate: access.Gate) -> None:
    if not gate.allowed:
        raise MembersFirst(service.loyalty_link.product, gate)
