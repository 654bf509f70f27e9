"""What we know of somebody else's calendar: which service is which product, what was told, which times are taken."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from oscar_loyalty import clock


class AbstractServiceLink(models.Model):
    """Which product of the shop a service of the calendar is."""

    service = models.OneToOneField(
        "appointment.Service",
        on_delete=models.CASCADE,
        related_name="loyalty_link",
        verbose_name=_("service of the calendar"),
    )
    product = models.ForeignKey(
        "catalogue.Product",
        on_delete=models.CASCADE,
        related_name="calendar_links",
        verbose_name=_("product of the shop"),
        help_text=_("Its points are those of a visit."),
    )

    class Meta:
        abstract = True
        app_label = "loyalty_appointment"
        verbose_name = _("service of the calendar")
        verbose_name_plural = _("services of the calendar")

    def __str__(self):
        return f"{self.service} = {self.product}"


class AbstractAppointmentState(models.Model):
    """What the booking contract was last told about an appointment: the sweep compares it with the calendar.

    The appointment is referred to without a constraint, since the row outlives it: cancelling deletes the appointment.
    """

    MADE, ATTENDED, MISSED, CANCELLED = "made", "attended", "missed", "cancelled"
    STATES = [
        (MADE, _("booked")),
        (ATTENDED, _("attended")),
        (MISSED, _("missed")),
        (CANCELLED, _("cancelled")),
    ]

    appointment = models.OneToOneField(
        "appointment.Appointment",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="loyalty_state",
        verbose_name=_("appointment"),
    )
    # An appointment that becomes another service, or another customer's, is another booking.
    revision = models.PositiveSmallIntegerField(_("revision"), default=1)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=MADE)
    date = models.DateField(_("day"))
    start_time = models.TimeField(_("from"))
    end_time = models.TimeField(_("until"))
    ends_at = models.DateTimeField(_("ends at"))
    service_pk = models.BigIntegerField(_("service"))
    client_pk = models.CharField(_("customer"), max_length=64, blank=True)
    told_at = models.DateTimeField(_("told at"), default=clock.now)
    marked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("marked by"),
    )

    class Meta:
        abstract = True
        app_label = "loyalty_appointment"
        verbose_name = _("state of an appointment")
        verbose_name_plural = _("states of appointments")
        permissions = [("mark_attendance", _("Mark who came and who did not"))]
        indexes = [models.Index(fields=["state", "ends_at"], name="loyalty_appointment_open")]

    def __str__(self):
        return f"{self.reference} ({self.get_state_display()})"

    @property
    def reference(self) -> str:
        """The name of this booking in the contract."""
        return reference(self.appointment_id, self.revision)


def reference(appointment_id: int, revision: int = 1) -> str:
    return f"appointment:{appointment_id}" + (f".{revision}" if revision > 1 else "")


class AbstractSlotClaim(models.Model):
    """A time of a staff member that an appointment has taken; written, under a lock, before the appointment itself."""

    request = models.OneToOneField(
        "appointment.AppointmentRequest",
        on_delete=models.CASCADE,
        related_name="loyalty_claim",
        verbose_name=_("request"),
    )
    staff = models.ForeignKey(
        "appointment.StaffMember",
        on_delete=models.CASCADE,
        related_name="loyalty_claims",
        verbose_name=_("staff member"),
    )
    date = models.DateField(_("day"))
    start_time = models.TimeField(_("from"))
    end_time = models.TimeField(_("until"))
    claimed_at = models.DateTimeField(_("claimed at"))

    class Meta:
        abstract = True
        app_label = "loyalty_appointment"
        verbose_name = _("time taken")
        verbose_name_plural = _("times taken")
        constraints = [
            models.UniqueConstraint(fields=["staff", "date", "start_time"], name="loyalty_appointment_slot"),
        ]

    def __str__(self):
        return f"{self.staff} {self.date} {self.start_time:%H:%M}"
