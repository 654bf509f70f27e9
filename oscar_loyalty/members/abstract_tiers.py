"""The tables of the ladder: how tiers are reached and kept, until when a member has theirs, and the reviews of it."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AbstractTierScheme(models.Model):
    """By what the members of a programme reach its tiers, and how they keep them."""

    HAND, SPEND, POINTS, ORDERS, VISITS = "hand", "spend", "points", "orders", "visits"
    METRICS = [
        (HAND, _("Nothing: we give tiers by hand")),
        (SPEND, _("What they spend")),
        (POINTS, _("The points they earn")),
        (ORDERS, _("How many orders they place")),
        (VISITS, _("How many visits they make")),
    ]
    ROLLING, YEAR, LIFETIME = "rolling", "year", "lifetime"
    WINDOWS = [
        (ROLLING, _("The last months")),
        (YEAR, _("The calendar year")),
        (LIFETIME, _("All the time they have been members")),
    ]

    programme = models.OneToOneField(
        "loyalty_members.Programme", on_delete=models.CASCADE, related_name="tier_scheme", verbose_name=_("programme")
    )
    metric = models.CharField(
        _("what counts"),
        max_length=16,
        choices=METRICS,
        default=HAND,
        help_text=_("What is cancelled or refunded counts no more. Points that are given count as points only."),
    )
    window = models.CharField(
        _("within"),
        max_length=16,
        choices=WINDOWS,
        default=ROLLING,
        help_text=_(
            "A tier reached within the last months is kept for as many months; one reached in a calendar year, until "
            "the end of the next; one reached over all the time, for as long as it counts."
        ),
    )
    months = models.PositiveSmallIntegerField(
        _("months"),
        default=12,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("How many months count, with “The last months”."),
    )
    grace_days = models.PositiveSmallIntegerField(
        _("grace days"),
        default=30,
        validators=[MaxValueValidator(365)],
        help_text=_("How long after its end a tier stays, and what is missing can still be made up for."),
    )
    warning_days = models.PositiveSmallIntegerField(
        _("warning days"),
        default=30,
        validators=[MaxValueValidator(365)],
        help_text=_("How long before its end members hear what they need to keep their tier. 0: they are not warned."),
    )

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        verbose_name = _("way to the tiers")
        verbose_name_plural = _("ways to the tiers")

    def __str__(self):
        return f"{self.get_metric_display()} ({self.get_window_display()})"

    @property
    def is_automatic(self) -> bool:
        return self.metric != self.HAND


class AbstractTierTerm(models.Model):
    """Until when a member has the tier of now, and below which tier the shop has said that they do not fall.

    ``earned`` is the tier that the rules give, ``ends_at`` the end of the period that it was reached for; null: without
    an end. ``floor`` is the tier given by hand, kept at least until ``floor_until`` (null: for good). The member's tier
    is the higher of both. ``warned_for`` is the end that the member was warned of.
    """

    member = models.OneToOneField(
        "loyalty_members.Member", on_delete=models.CASCADE, primary_key=True, related_name="tier_term"
    )
    earned = models.ForeignKey(
        "loyalty_members.Tier",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("earned"),
    )
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    warned_for = models.DateTimeField(_("warned for"), null=True, blank=True)
    floor = models.ForeignKey(
        "loyalty_members.Tier",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("at least"),
    )
    floor_until = models.DateTimeField(_("at least until"), null=True, blank=True)
    floor_reason = models.CharField(_("reason"), max_length=255, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        verbose_name = _("term of a tier")
        verbose_name_plural = _("terms of tiers")
        indexes = [models.Index(fields=["ends_at"], name="loyalty_tierterm_end")]

    def __str__(self):
        return f"{self.member_id}: {self.ends_at}"

    @property
    def is_stored(self) -> bool:
        return not self._state.adding


class AbstractTierOffer(models.Model):
    """An offer of the shop that a tier brings: made, changed and ended with the tier."""

    DISCOUNT, SHIPPING = "discount", "shipping"
    KINDS = [(DISCOUNT, _("standing discount")), (SHIPPING, _("free delivery"))]

    tier = models.ForeignKey("loyalty_members.Tier", on_delete=models.CASCADE, related_name="offers")
    kind = models.CharField(_("kind"), max_length=16, choices=KINDS)
    offer = models.OneToOneField("offer.ConditionalOffer", on_delete=models.CASCADE, related_name="loyalty_tier")

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        verbose_name = _("offer of a tier")
        verbose_name_plural = _("offers of tiers")
        constraints = [models.UniqueConstraint(fields=["tier", "kind"], name="loyalty_tieroffer_kind")]

    def __str__(self):
        return f"{self.tier}: {self.get_kind_display()}"


class AbstractTierReview(models.Model):
    """One going through all members of a programme, slice by slice: how far it is, and what it has done.

    ``rules`` are those that it goes by. ``run`` has its slices.
    """

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.CASCADE, related_name="tier_reviews")
    run = models.OneToOneField(
        "loyalty_due.BulkRun", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("run")
    )
    day = models.DateField(_("day"), null=True, blank=True)
    quiet = models.BooleanField(_("without messages"), default=False)
    began_at = models.DateTimeField(_("began at"))
    rules = models.JSONField(_("rules"), default=dict, blank=True)
    total = models.PositiveIntegerField(_("members"), default=0)
    seen = models.PositiveIntegerField(_("seen"), default=0)
    risen = models.PositiveIntegerField(_("risen"), default=0)
    fallen = models.PositiveIntegerField(_("fallen"), default=0)
    kept = models.PositiveIntegerField(_("kept"), default=0)
    warned = models.PositiveIntegerField(_("warned"), default=0)
    finished_at = models.DateTimeField(pgettext_lazy("moment", "finished at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        ordering = ["-began_at", "-pk"]
        verbose_name = _("review of tiers")
        verbose_name_plural = _("reviews of tiers")
        constraints = [
            # One a day of itself, and at most one that is under way.
            models.UniqueConstraint(fields=["programme", "day"], name="loyalty_tierreview_day"),
            models.UniqueConstraint(
                fields=["programme"], condition=Q(finished_at__isnull=True), name="loyalty_tierreview_open"
            ),
        ]

    def __str__(self):
        return f"{self.began_at}: {self.seen}/{self.total}"
