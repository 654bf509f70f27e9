"""Files that colleagues have asked for and that take a while to make."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AbstractExportFile(models.Model):
    """A list as a file, made by the worker; only who asked for it can fetch it, until ``expires_at``.

    ``list`` names it (see :mod:`oscar_loyalty.reports.files`), ``filters`` are those of its page's address, ``run``
    counts the starts: only the latest may write.
    """

    WAITING, RUNNING, READY, FAILED = "waiting", "running", "ready", "failed"
    STATES = [
        (WAITING, _("waiting")),
        (RUNNING, _("being made")),
        (READY, pgettext_lazy("file", "ready")),
        (FAILED, _("failed")),
    ]

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.CharField(_("key"), max_length=64, unique=True)
    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.CASCADE, related_name="export_files")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="loyalty_files", verbose_name=_("asked by")
    )
    list = models.CharField(_("list"), max_length=32)
    filters = models.JSONField(_("filters"), default=dict)
    title = models.CharField(_("title"), max_length=100)
    format = models.CharField(_("format"), max_length=8)
    language = models.CharField(_("language"), max_length=16, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=WAITING)
    run = models.PositiveIntegerField(_("starts"), default=0)
    done = models.PositiveBigIntegerField(_("rows written"), default=0)
    total = models.PositiveBigIntegerField(_("rows"), null=True, blank=True)
    size = models.PositiveBigIntegerField(_("size in bytes"), default=0)
    asked_at = models.DateTimeField(_("asked at"))
    heard_at = models.DateTimeField(_("last heard of"), null=True, blank=True)
    ready_at = models.DateTimeField(_("ready at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("can be fetched until"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_reports"
        ordering = ["-asked_at", "-pk"]
        verbose_name = _("file")
        verbose_name_plural = _("files")
        indexes = [models.Index(fields=["user", "-asked_at"], name="loyalty_exportfile_of")]

    def __str__(self):
        return f"{self.title} ({self.state})"

    @property
    def under_way(self) -> bool:
        return self.state in (self.WAITING, self.RUNNING)

    @property
    def percent(self) -> int | None:
        """How far it is; ``None`` while nobody knows how many rows there are."""
        return min(99, self.done * 100 // self.total) if self.total else None


class AbstractExportPiece(models.Model):
    """A part of a file: it lies in the database, where every web server and no stranger finds it."""

    file = models.ForeignKey("loyalty_reports.ExportFile", on_delete=models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField(_("number"))
    data = models.BinaryField(_("data"))

    class Meta:
        abstract = True
        app_label = "loyalty_reports"
        ordering = ["number"]
        verbose_name = _("part of a file")
        verbose_name_plural = _("parts of files")
        constraints = [models.UniqueConstraint(fields=["file", "number"], name="loyalty_exportpiece")]

    def __str__(self):
        return f"{self.file_id}: {self.number}"
