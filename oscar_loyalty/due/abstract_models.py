from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AbstractDue(models.Model):
    """Something that must follow a write, left in the same transaction; done by whoever comes by.

    The handler of its ``kind`` is a function of the stored state and safe to run twice.
    """

    WAITING, DONE, DEAD = "waiting", "done", "dead"
    STATES = [(WAITING, _("waiting")), (DONE, _("done")), (DEAD, _("given up"))]

    kind = models.CharField(_("kind"), max_length=64)
    key = models.CharField(_("key"), max_length=200)
    payload = models.JSONField(_("payload"), default=dict, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=WAITING)
    due_at = models.DateTimeField(_("due at"))
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    last_error = models.TextField(_("last error"), blank=True)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_due"
        verbose_name = _("due work")
        verbose_name_plural = _("due work")
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="loyalty_due_once")]
        indexes = [models.Index(fields=["due_at"], name="loyalty_due_open", condition=Q(state__in=["waiting", "dead"]))]

    def __str__(self):
        return f"{self.kind} {self.key}"


class AbstractHeartbeat(models.Model):
    """When each sweep last came by, and what it said."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    at = models.DateTimeField(_("last run"))
    seconds = models.FloatField(_("seconds"), default=0)
    error = models.TextField(_("error"), blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_due"
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self):
        return f"{self.name} {self.at:%Y-%m-%d %H:%M}"
