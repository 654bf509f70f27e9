from typing import Any

from django.utils.translation import gettext as _


class AppointmentError(Exception):
    """Refused; nothing has been written."""


class SlotTaken(AppointmentError):
    """The staff member has another appointment at this time. The middleware turns it into a page."""

    def __init__(self, service_id: int | None = None) -> None:
        # As text, since the calendar's own JSON views show the first argument.
        super().__init__(_("This time has just been taken. Please choose another one."))
        self.service_id = service_id


class MembersFirst(AppointmentError):
    """A service is for members of a tier first. The middleware turns it into a page; ``gate`` says until when,
    ``product`` is what the service is in the shop."""

    def __init__(self, product: Any, gate: Any) -> None:
        super().__init__(_("This cannot be booked yet: it is for members first."))
        self.product, self.gate = product, gate


class OwnAppointment(AppointmentError):
    """Nobody marks the own appointment as attended."""


class NotBooked(AppointmentError):
    """There is nothing to mark: the appointment is gone, or the programme does not know of it."""
