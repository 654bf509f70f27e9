from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


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
        indexes = [
            models.Index(fields=["due_at"], name="loyalty_due_open", condition=Q(state__in=["waiting", "dead"])),
            # Each sweep looks for what was done long ago.
            models.Index(fields=["done_at"], name="loyalty_due_done", condition=Q(state="done")),
        ]

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


class AbstractRound(models.Model):
    """How far a round of the older rows of a large table has come: the last primary key that was looked at."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    reached = models.PositiveBigIntegerField(pgettext_lazy("of a watchman", "reached"), default=0)

    class Meta:
        abstract = True
        app_label = "loyalty_due"
        verbose_name = pgettext_lazy("of a watchman", "round")
        verbose_name_plural = pgettext_lazy("of a watchman", "rounds")

    def __str__(self):
        return f"{self.name}: {self.reached}"


class AbstractBulkRun(models.Model):
    """Work on many rows that any number of workers share, slice by slice: how far it is, and what it has done.

    ``total`` and ``done`` count what the work is measured in (lots, orders, members). Of one ``kind`` and ``key`` at
    most one is under way. Its slices are :class:`AbstractBulkSlice`.
    """

    kind = models.CharField(_("kind"), max_length=64)
    key = models.CharField(_("key"), max_length=200, blank=True)
    payload = models.JSONField(_("payload"), default=dict, blank=True)
    began_at = models.DateTimeField(_("began at"))
    total = models.PositiveBigIntegerField(_("to be done"), default=0)
    done = models.PositiveBigIntegerField(_("done"), default=0)
    counts = models.JSONField(_("counts"), default=dict, blank=True)
    finished_at = models.DateTimeField(pgettext_lazy("moment", "finished at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_due"
        ordering = ["-began_at", "-pk"]
        verbose_name = _("bulk work")
        verbose_name_plural = _("bulk work")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=Q(finished_at__isnull=True), name="loyalty_bulkrun_open"
            )
        ]

    def __str__(self):
        return f"{self.kind} {self.key}: {self.done}/{self.total}"


class AbstractBulkSlice(models.Model):
    """A part of bulk work, from one key to another (null: and all that come later).

    It is done in one transaction, by whichever worker is free: stopped anywhere, the work goes on with the slices that
    are not done.
    """

    run = models.ForeignKey("loyalty_due.BulkRun", on_delete=models.CASCADE, related_name="slices")
    first = models.BigIntegerField(_("first key"))
    last = models.BigIntegerField(_("last key"), null=True, blank=True)
    number = models.PositiveBigIntegerField(_("to be done"), default=0)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_due"
        verbose_name = _("slice of bulk work")
        verbose_name_plural = _("slices of bulk work")
        constraints = [models.UniqueConstraint(fields=["run", "first"], name="loyalty_bulkslice_first")]
        indexes = [
            models.Index(fields=["run", "first"], name="loyalty_bulkslice_open", condition=Q(done_at__isnull=True))
        ]

    def __str__(self):
        return f"{self.run_id}: {self.first} – {self.last}"
