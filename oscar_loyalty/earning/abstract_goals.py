"""The tables of goals: stamp cards, challenges, surprises and thresholds, and how far each member is with them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty import clock
from oscar_loyalty.earning.abstract_targets import AbstractTargeted
from oscar_loyalty.fields import I18nCharField, I18nTextField


class AbstractGoal(AbstractTargeted):
    """What to reach, and what counts for it. Its terms never change: a change makes a successor of the same family.

    ``size`` and the steps' ``after`` are in what is counted: pieces, orders, visits, whole points, and for money the
    minor units of the programme's currency. ``since`` is from when things count, ``until`` (not included) the end.
    """

    STAMPS, CHALLENGE, SURPRISE, THRESHOLD = "stamps", "challenge", "surprise", "threshold"
    KINDS = [
        (STAMPS, _("Stamp card")),
        (CHALLENGE, _("Challenge")),
        (SURPRISE, _("Surprise")),
        (THRESHOLD, pgettext_lazy("challenge", "Threshold")),
    ]
    PIECES, ORDERS, VISITS, PURCHASES, POINTS, MONEY = "pieces", "orders", "visits", "purchases", "points", "money"
    COUNTS = [
        (PIECES, _("Pieces bought")),
        (ORDERS, _("Orders")),
        (VISITS, _("Visits")),
        (PURCHASES, _("Orders and visits")),
        (POINTS, _("Points earned")),
        (MONEY, _("Money spent")),
    ]
    LIVE, ENDED = "live", "ended"
    STATES = [(LIVE, _("in force")), (ENDED, _("ended"))]

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.PROTECT, related_name="goals")
    kind = models.CharField(_("kind"), max_length=16, choices=KINDS)
    name = I18nCharField(_("name"), max_length=200)
    text = I18nTextField(_("text"), blank=True)
    key = models.CharField(_("key"), max_length=120, unique=True)
    # The first of the family, for all but that one itself.
    first = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="successors")
    counts = models.CharField(_("what counts"), max_length=16, choices=COUNTS, default=PIECES)
    size = models.PositiveBigIntegerField(_("how many"))
    since = models.DateTimeField(_("counts from"))
    until = models.DateTimeField(_("counts until"), null=True, blank=True)
    days = models.PositiveIntegerField(_("days since the first"), null=True, blank=True)
    repeats = models.BooleanField(_("again and again"), default=True)
    minimum = models.DecimalField(_("minimum order"), max_digits=12, decimal_places=2, default=0)
    tier = models.ForeignKey(
        "loyalty_members.Tier",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("from tier"),
    )
    head_start = models.PositiveIntegerField(_("stamped at the start"), default=0)
    head_start_each = models.BooleanField(_("on every card"), default=False)
    hidden = models.BooleanField(_("hidden until it is given"), default=False)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=LIVE)
    created_at = models.DateTimeField(pgettext_lazy("moment", "created at"))
    # From then on no new card begins; those that were begun can still be filled.
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    actor_type = models.CharField(_("actor type"), max_length=32, blank=True)
    actor_id = models.CharField(_("actor id"), max_length=64, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["pk"]
        verbose_name = _("goal")
        verbose_name_plural = _("goals")
        constraints = [models.CheckConstraint(condition=Q(size__gt=0), name="loyalty_goal_size")]
        indexes = [models.Index(fields=["programme", "state"], name="loyalty_goal_live")]

    def __str__(self):
        return str(self.name)

    @classmethod
    def needing_tier(cls, rows):
        """Those of ``rows`` that need their tier still: what is over only remembers it."""
        return rows.filter(state=cls.LIVE).exclude(until__lte=clock.now())

    @property
    def family(self) -> int:
        return self.first_id or self.pk


class AbstractGoalStep(models.Model):
    """What is given after so many: points, or a reward (by its primary key in the room of rewards)."""

    goal = models.ForeignKey("loyalty_earning.Goal", on_delete=models.CASCADE, related_name="steps")
    after = models.PositiveBigIntegerField(_("after"))
    points = models.PositiveBigIntegerField(_("points"), null=True, blank=True)
    reward = models.PositiveBigIntegerField(_("reward"), null=True, blank=True)
    name = I18nCharField(_("what it is"), max_length=200, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["goal", "after"]
        verbose_name = _("step of a goal")
        verbose_name_plural = _("steps of goals")
        constraints = [
            models.UniqueConstraint(fields=["goal", "after"], name="loyalty_goalstep_after"),
            models.CheckConstraint(
                condition=Q(points__gt=0, reward__isnull=True) | Q(points__isnull=True, reward__isnull=False),
                name="loyalty_goalstep_prize",
            ),
        ]

    def __str__(self):
        return f"{self.after}: {self.name}"


class AbstractGoalCard(models.Model):
    """How far a member is, for the ``round``-th time. ``count`` holds what was stamped at the start too."""

    OPEN, FULL, EXPIRED = "open", "full", "expired"
    STATES = [
        (OPEN, pgettext_lazy("stamp card", "open")),
        (FULL, pgettext_lazy("stamp card", "full")),
        (EXPIRED, pgettext_lazy("stamp card", "expired")),
    ]

    goal = models.ForeignKey("loyalty_earning.Goal", on_delete=models.PROTECT, related_name="cards")
    member = models.ForeignKey("loyalty_members.Member", on_delete=models.PROTECT, related_name="goal_cards")
    round = models.PositiveIntegerField(_("round"))
    head_start = models.PositiveIntegerField(_("stamped at the start"), default=0)
    count = models.PositiveBigIntegerField(_("count"), default=0)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=OPEN)
    started_at = models.DateTimeField(pgettext_lazy("moment", "started at"))
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    full_at = models.DateTimeField(_("full at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["goal", "member", "round"]
        verbose_name = _("card")
        verbose_name_plural = _("cards")
        constraints = [models.UniqueConstraint(fields=["goal", "member", "round"], name="loyalty_goalcard_round")]
        indexes = [
            models.Index(fields=["member", "state"], name="loyalty_goalcard_member"),
            models.Index(fields=["state", "ends_at"], name="loyalty_goalcard_end"),
        ]

    def __str__(self):
        return f"{self.goal} {self.round}: {self.count}"


class AbstractStamp(models.Model):
    """What one line of an order, one visit, or one award counts for a goal; its ``source`` counts once.

    ``taken_back`` of ``quantity`` were returned; ``counted`` of the rest found a place on a card (a goal that is
    reached once has no place for more). ``source``: ``line:<order line>``, ``award:<award>`` or ``hand:<key>``.
    ``about``: the sources of what in an order it is for, where it is for the order; none in one from before we kept it.
    """

    goal = models.ForeignKey("loyalty_earning.Goal", on_delete=models.PROTECT, related_name="stamps")
    member = models.ForeignKey("loyalty_members.Member", on_delete=models.PROTECT, related_name="stamps")
    source = models.CharField(_("source"), max_length=200)
    award = models.ForeignKey(
        "loyalty_earning.Award", on_delete=models.PROTECT, null=True, blank=True, related_name="stamps"
    )
    title = models.CharField(_("title"), max_length=255, blank=True)
    quantity = models.PositiveBigIntegerField(_("quantity"))
    about = models.JSONField(_("about"), default=list, blank=True)
    taken_back = models.PositiveBigIntegerField(_("taken back"), default=0)
    counted = models.PositiveBigIntegerField(_("counted"), default=0)
    happened_at = models.DateTimeField(_("happened at"))
    actor_type = models.CharField(_("actor type"), max_length=32, blank=True)
    actor_id = models.CharField(_("actor id"), max_length=64, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["happened_at", "pk"]
        verbose_name = _("stamp")
        verbose_name_plural = _("stamps")
        constraints = [
            models.UniqueConstraint(fields=["goal", "source"], name="loyalty_stamp_source"),
            models.CheckConstraint(
                condition=Q(taken_back__lte=models.F("quantity"))
                & Q(counted__lte=models.F("quantity") - models.F("taken_back")),
                name="loyalty_stamp_counted",
            ),
        ]
        indexes = [models.Index(fields=["member", "goal", "happened_at"], name="loyalty_stamp_member")]

    def __str__(self):
        return f"{self.source}: {self.quantity}"


class AbstractGoalPrize(models.Model):
    """What a step of a card gave. ``owed`` while it cannot be given, ``taken`` when its ground was gone.

    ``tries`` counts how often it was given: once more when it was taken back and earned again. ``ahead``: it was given
    on one of two cards that became one, and is kept; the card that is reached next has it already.
    """

    OWED, GIVEN, TAKEN = "owed", "given", "taken"
    STATES = [
        (OWED, pgettext_lazy("prize", "still to be given")),
        (GIVEN, pgettext_lazy("prize", "given")),
        (TAKEN, pgettext_lazy("prize", "taken back")),
    ]

    card = models.ForeignKey("loyalty_earning.GoalCard", on_delete=models.PROTECT, related_name="prizes")
    step = models.ForeignKey("loyalty_earning.GoalStep", on_delete=models.PROTECT, related_name="prizes")
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=OWED)
    tries = models.PositiveSmallIntegerField(_("times given"), default=0)
    ahead = models.BooleanField(_("given ahead"), default=False)
    award = models.ForeignKey(
        "loyalty_earning.Award", on_delete=models.PROTECT, null=True, blank=True, related_name="goal_prizes"
    )
    reached_at = models.DateTimeField(_("reached at"))
    given_at = models.DateTimeField(_("given at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["card", "step"]
        verbose_name = _("prize")
        verbose_name_plural = _("prizes")
        constraints = [models.UniqueConstraint(fields=["card", "step"], name="loyalty_goalprize_step")]
        indexes = [models.Index(fields=["state"], name="loyalty_goalprize_state")]

    def __str__(self):
        return f"{self.step} ({self.get_state_display()})"

    @property
    def reference(self) -> str:
        """The name of this giving, for the points' award and for the room of rewards."""
        again = f"-{self.tries}" if self.tries > 1 else ""
        return f"goal{again}:{self.card_id}:{self.step_id}"
