"""The programme's limits: what several boosters make together, the most that is given, and the budget."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AbstractEarningPolicy(models.Model):
    """How far a programme's generosity goes; without a row, multipliers multiply and nothing is limited.

    ``budget_used`` counts what was given, less what was taken back, from ``budget_since`` to ``budget_until``. Whoever
    gives points while there is a budget locks its row, so it can never be overdrawn.
    """

    BEST, ADD, MULTIPLY = "best", "add", "multiply"
    STACKING = [
        (MULTIPLY, _("They multiply: ×2 and ×3 make ×6")),
        (ADD, _("Their extra adds up: ×2 and ×3 make ×4")),
        (BEST, _("Only the best counts: ×2 and ×3 make ×3")),
    ]

    programme = models.OneToOneField(
        "loyalty_members.Programme", on_delete=models.CASCADE, related_name="earning_policy"
    )
    stacking = models.CharField(
        _("several boosters at once"),
        max_length=16,
        choices=STACKING,
        default=MULTIPLY,
        help_text=_("What happens when two boosters fit the same purchase, or a booster and the tier's multiplier."),
    )
    cap_order = models.PositiveIntegerField(
        _("most points for one purchase"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("One order or visit never brings more. Empty: no limit."),
    )
    cap_day = models.PositiveIntegerField(
        _("most points in a day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("What one member can earn with purchases in a day of the shop's calendar. Empty: no limit."),
    )
    cap_member = models.PositiveIntegerField(
        _("most points for one member"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("What one member can earn with purchases in all. Empty: no limit."),
    )
    budget = models.PositiveBigIntegerField(
        _("budget"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "The most points that the programme gives within the dates below, gifts included. Empty: no limit."
        ),
    )
    budget_since = models.DateField(
        _("budget from"), null=True, blank=True, help_text=_("The first day that counts. Empty: from the beginning.")
    )
    budget_until = models.DateField(
        _("budget until"), null=True, blank=True, help_text=_("The last day that counts. Empty: without an end.")
    )
    budget_used = models.PositiveBigIntegerField(_("budget used"), default=0)
    margin_limit = models.PositiveSmallIntegerField(
        _("give away at most"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_(
            "Percent of the price. Where discounts, points, tier and boosters together may come to more, we warn you. "
            "Empty: no warning."
        ),
    )

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        verbose_name = _("limits of earning")
        verbose_name_plural = _("limits of earning")
        constraints = [
            models.CheckConstraint(
                condition=Q(budget_since__isnull=True)
                | Q(budget_until__isnull=True)
                | Q(budget_since__lte=models.F("budget_until")),
                name="loyalty_policy_dates",
            ),
        ]

    def __str__(self):
        return str(self.programme)

    @property
    def is_limited(self) -> bool:
        """Whether what a member or the programme gave before matters for what is given next."""
        return not (self.cap_day is None and self.cap_member is None and self.budget is None)

    def in_budget(self, day) -> bool:
        """Whether points of this day of the shop's calendar come from the budget."""
        if self.budget is None:
            return False
        return not ((self.budget_since and day < self.budget_since) or (self.budget_until and day > self.budget_until))
