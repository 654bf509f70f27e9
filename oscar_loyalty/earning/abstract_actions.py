"""The tables of actions: what each brings, in versions, and what a member has told about themselves."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AbstractActionRule(models.Model):
    """What an action brought from ``valid_from`` until ``valid_to`` (null: still); no row or no points: nothing.

    A change ends one version and begins the next, so that every award names the version it came from.
    """

    EVER, DAY, MONTH, YEAR = "ever", "day", "month", "year"
    PERIODS = [(EVER, _("ever")), (DAY, _("a day")), (MONTH, _("a month")), (YEAR, _("a year"))]

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.CASCADE, related_name="action_rules")
    action = models.SlugField(_("action"), max_length=32)
    number = models.PositiveIntegerField(_("version"))
    points = models.PositiveIntegerField(_("points"))
    times = models.PositiveIntegerField(_("at most so often"), null=True, blank=True, help_text=_("Empty: every time."))
    period = models.CharField(_("in"), max_length=8, choices=PERIODS, default=EVER)
    valid_from = models.DateTimeField(_("valid from"))
    valid_to = models.DateTimeField(_("valid to"), null=True, blank=True)
    published_by_type = models.CharField(_("publisher type"), max_length=32, blank=True)
    published_by = models.CharField(_("published by"), max_length=64, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["programme", "action", "number"]
        verbose_name = _("points for an action")
        verbose_name_plural = _("points for actions")
        constraints = [
            models.UniqueConstraint(fields=["programme", "action", "number"], name="loyalty_actionrule_number"),
            models.UniqueConstraint(
                fields=["programme", "action"], condition=Q(valid_to__isnull=True), name="loyalty_actionrule_open"
            ),
        ]

    def __str__(self):
        return f"{self.action} ({self.number})"


class AbstractMemberProfile(models.Model):
    """When a member last told the birthday: whoever names a day afterwards gets nothing for a day that has passed."""

    member = models.OneToOneField("loyalty_members.Member", on_delete=models.CASCADE, related_name="profile")
    birthday_told_at = models.DateTimeField(_("birthday told at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        verbose_name = _("profile of a member")
        verbose_name_plural = _("profiles of members")

    def __str__(self):
        return str(self.member)
