"""Figures that are kept so that a page need not add up ten million entries: day by day, and as of a moment."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AbstractDayTotal(models.Model):
    """What entries of one unit and kind, effective on one day of the shop, sum to, as far as they are counted."""

    unit = models.CharField(_("unit"), max_length=32)
    day = models.DateField(_("day"))
    kind = models.CharField(_("kind"), max_length=32)
    number = models.PositiveBigIntegerField(_("entries that moved units"), default=0)
    empty = models.PositiveBigIntegerField(_("entries that moved none"), default=0)
    gained = models.PositiveBigIntegerField(_("units gained"), default=0)
    taken = models.PositiveBigIntegerField(_("units gone"), default=0)

    class Meta:
        abstract = True
        app_label = "loyalty_reports"
        verbose_name = _("total of a day")
        verbose_name_plural = _("totals of days")
        constraints = [models.UniqueConstraint(fields=["unit", "day", "kind"], name="loyalty_daytotal")]

    def __str__(self):
        return f"{self.unit} {self.day} {self.kind}: +{self.gained} -{self.taken}"


class AbstractCounting(models.Model):
    """How far the entries are counted: all up to ``counted`` are in the day totals, and none beyond it.

    ``seen`` is the newest entry that was seen, ``horizon`` the number of a transaction that began then: once all up to
    it are over, nothing up to ``seen`` can appear any more. ``zone`` is the time zone of the days.
    """

    counted = models.BigIntegerField(_("last entry counted"), default=0)
    seen = models.BigIntegerField(_("last entry seen"), default=0)
    horizon = models.BigIntegerField(_("transaction that looked"), default=0)
    zone = models.CharField(_("time zone of the days"), max_length=64, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_reports"
        verbose_name = _("state of the day totals")
        verbose_name_plural = _("states of the day totals")

    def __str__(self):
        return str(self.counted)


class AbstractStanding(models.Model):
    """What a large programme's overview says of members and of points that end, as of ``at``.

    ``rows`` is how many members and lots were looked at: where they are few, a page looks itself.
    """

    programme = models.OneToOneField("loyalty_members.Programme", on_delete=models.CASCADE, related_name="standing")
    at = models.DateTimeField(_("as of"))
    seconds = models.FloatField(_("seconds that it took"), default=0)
    rows = models.PositiveBigIntegerField(_("rows looked at"), default=0)
    figures = models.JSONField(_("figures"), default=dict)

    class Meta:
        abstract = True
        app_label = "loyalty_reports"
        verbose_name = _("standing of a programme")
        verbose_name_plural = _("standings of programmes")

    def __str__(self):
        return f"{self.programme_id}: {self.at:%Y-%m-%d %H:%M}"
