from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AbstractAuditRun(models.Model):
    """What one run of the audit found; the dashboard's light shows the last one."""

    started_at = models.DateTimeField(pgettext_lazy("moment", "started at"), db_index=True)
    finished_at = models.DateTimeField(pgettext_lazy("moment", "finished at"))
    findings = models.PositiveIntegerField(_("findings"))
    details = models.JSONField(_("first findings"), default=list)
    checked = models.JSONField(_("rows checked"), default=dict)

    class Meta:
        abstract = True
        app_label = "loyalty_reports"
        ordering = ["-started_at"]
        verbose_name = _("audit run")
        verbose_name_plural = _("audit runs")

    def __str__(self):
        return f"{self.started_at:%Y-%m-%d %H:%M} ({self.findings})"
