"""Tries of rules on past purchases: what was asked, how far it is, and what came out."""

from datetime import timedelta
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty import clock

#: A run that has not been heard of for so long was interrupted.
SILENCE = timedelta(minutes=6)


class AbstractSimulation(models.Model):
    """A try. ``rules`` names a source of rules (:mod:`oscar_loyalty.reports.simulation.sources`).

    ``run`` counts the starts: only the latest may write. ``result`` is what
    :func:`oscar_loyalty.reports.simulation.services.as_dict` returns. ``beside`` is another try of the same purchases,
    to be compared with.
    """

    WAITING, RUNNING, DONE, FAILED, STOPPED = "waiting", "running", "done", "failed", "stopped"
    STATES = [
        (WAITING, _("waiting")),
        (RUNNING, _("running")),
        (DONE, _("done")),
        (FAILED, _("failed")),
        (STOPPED, _("called off")),
    ]

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.CASCADE, related_name="simulations")
    key = models.CharField(_("key"), max_length=64, unique=True)
    rules = models.CharField(_("rules"), max_length=64)
    title = models.CharField(_("title"), max_length=200)
    since = models.DateField(_("first day"))
    until = models.DateField(_("last day"))
    earlier = models.BooleanField(_("also purchases from before joining"), default=False)
    breakage = models.DecimalField(
        _("never spent"),
        max_digits=5,
        decimal_places=2,
        default=Decimal("20.00"),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=WAITING)
    run = models.PositiveIntegerField(_("starts"), default=0)
    done = models.PositiveIntegerField(_("purchases looked at"), default=0)
    total = models.PositiveIntegerField(_("purchases"), default=0)
    error = models.CharField(_("error"), max_length=500, blank=True)
    result = models.JSONField(_("result"), default=dict, blank=True)
    beside = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("compared with")
    )
    requested_by_type = models.CharField(_("asked by type"), max_length=32, blank=True)
    requested_by = models.CharField(_("asked by"), max_length=64, blank=True)
    requested_at = models.DateTimeField(_("asked at"))
    heard_at = models.DateTimeField(_("last heard of"), null=True, blank=True)
    finished_at = models.DateTimeField(pgettext_lazy("moment", "finished at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_reports"
        ordering = ["-requested_at", "-pk"]
        verbose_name = _("try of rules")
        verbose_name_plural = _("tries of rules")
        indexes = [models.Index(fields=["programme", "-requested_at"], name="loyalty_simulation_at")]

    def __str__(self):
        return f"{self.title}: {self.since} – {self.until}"

    @property
    def abandoned(self) -> bool:
        """Whether it began, and was not heard of for too long."""
        return self.state == self.RUNNING and (self.heard_at is None or self.heard_at < clock.now() - SILENCE)

    @property
    def percent(self) -> int:
        if self.state == self.DONE:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else 0

    @property
    def under_way(self) -> bool:
        return self.state in (self.WAITING, self.RUNNING)


class AbstractSimulatedMember(models.Model):
    """What one member has in a try: by the rules that are tried, by those of today, and as it was given."""

    simulation = models.ForeignKey("loyalty_reports.Simulation", on_delete=models.CASCADE, related_name="members")
    member = models.ForeignKey("loyalty_members.Member", on_delete=models.CASCADE, related_name="+")
    purchases = models.PositiveIntegerField(_("purchases"))
    spent = models.DecimalField(_("spent"), max_digits=14, decimal_places=2)
    points = models.BigIntegerField(_("points by these rules"))
    today = models.BigIntegerField(_("points by today’s rules"))
    awarded = models.BigIntegerField(_("points as given"))
    difference = models.BigIntegerField(_("difference from today’s rules"))
    tier = models.ForeignKey(
        "loyalty_members.Tier", on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("tier after")
    )

    class Meta:
        abstract = True
        app_label = "loyalty_reports"
        ordering = ["-points", "pk"]
        verbose_name = _("member in a try")
        verbose_name_plural = _("members in tries")
        constraints = [
            models.UniqueConstraint(fields=["simulation", "member"], name="loyalty_simulated_once"),
        ]
        indexes = [
            models.Index(fields=["simulation", "-points"], name="loyalty_simulated_points"),
            models.Index(fields=["simulation", "difference"], name="loyalty_simulated_diff"),
        ]

    def __str__(self):
        return f"{self.member_id}: {self.points}"
