"""The tables of what a member has agreed to, of copies of their data, and of leaving."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AbstractConsent(models.Model):
    """A member agreed to something (``given``), or no longer does: the history. The newest row of a kind counts; the
    kinds are those of :mod:`oscar_loyalty.members.consents`."""

    member = models.ForeignKey("loyalty_members.Member", on_delete=models.CASCADE, related_name="consents")
    kind = models.SlugField(_("kind"), max_length=32)
    given = models.BooleanField(_("given"))
    source = models.CharField(_("where"), max_length=32, blank=True)
    actor_type = models.CharField(_("actor type"), max_length=32, blank=True)
    actor_id = models.CharField(_("actor id"), max_length=64, blank=True)
    happened_at = models.DateTimeField(_("happened at"))

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        ordering = ["-pk"]
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes = [models.Index(fields=["member", "kind"], name="loyalty_consent_kind")]

    def __str__(self):
        return f"{self.kind}: {self.given}"


class AbstractDataExport(models.Model):
    """A copy of all that the programme holds on a member, made when they asked, until ``expires_at``.

    It lies in the database and not among the shop's files: no web server serves it by accident, and a worker on
    another machine can write it.
    """

    WAITING, READY = "waiting", "ready"
    STATES = [(WAITING, _("being put together")), (READY, _("ready"))]

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    member = models.ForeignKey("loyalty_members.Member", on_delete=models.CASCADE, related_name="data_exports")
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=WAITING)
    language = models.CharField(_("language"), max_length=16, blank=True)
    file = models.BinaryField(_("file"), null=True, blank=True, editable=False)
    size = models.PositiveBigIntegerField(_("size in bytes"), default=0)
    asked_at = models.DateTimeField(_("asked at"))
    ready_at = models.DateTimeField(_("ready at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("can be fetched until"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        ordering = ["-asked_at", "-pk"]
        verbose_name = _("copy of a member's data")
        verbose_name_plural = _("copies of members' data")
        indexes = [models.Index(fields=["expires_at"], name="loyalty_dataexport_end")]

    def __str__(self):
        return str(self.uuid)


class AbstractDeparture(models.Model):
    """A member leaves: closed at once, erased at ``erase_at``, until when it can be undone."""

    OPEN, UNDONE, DONE = "open", "undone", "done"
    STATES = [(OPEN, _("can be undone")), (UNDONE, _("undone")), (DONE, _("erased"))]

    member = models.ForeignKey("loyalty_members.Member", on_delete=models.CASCADE, related_name="departures")
    key = models.CharField(_("key"), max_length=200, unique=True)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=OPEN)
    left_at = models.DateTimeField(_("left at"))
    erase_at = models.DateTimeField(_("to be erased at"))
    closed_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        ordering = ["-left_at", "-pk"]
        verbose_name = _("departure")
        verbose_name_plural = _("departures")
        constraints = [
            models.UniqueConstraint(fields=["member"], condition=Q(state="open"), name="loyalty_departure_open")
        ]
        indexes = [models.Index(fields=["state", "erase_at"], name="loyalty_departure_due")]

    def __str__(self):
        return f"{self.member_id}: {self.get_state_display()}"

    @property
    def closing(self) -> Any:
        """The change by which leaving closed the membership, or ``None``: the shop had done so before."""
        return self.member.status_changes.filter(key=f"{self.key}:closed").first()

    @property
    def leads_back(self) -> bool:
        """Whether its member can come back until ``erase_at``: nobody but the shop opens what the shop has closed."""
        return self.closing is not None
