"""The tables of earning: rules with their versions, awards with their lines, bookings, adjustments."""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty.earning.abstract_targets import AbstractTargeted
from oscar_loyalty.earning.exceptions import PublishedVersion
from oscar_loyalty.fields import I18nCharField


class AbstractRule(AbstractTargeted):
    """What brings points: the target stays, the numbers have versions."""

    UNIT, AMOUNT, ORDER, VISIT, EXCLUDE, BOOSTER = "unit", "amount", "order", "visit", "exclude", "booster"
    KINDS = [
        (UNIT, _("Points for each piece")),
        (AMOUNT, _("Points per amount spent")),
        (ORDER, _("Points for each order")),
        (VISIT, _("Points for each visit")),
        (EXCLUDE, _("No points")),
        (BOOSTER, _("More points for a while")),
    ]
    LIVE, ENDED = "live", "ended"
    STATES = [(LIVE, _("in force")), (ENDED, _("ended"))]

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.PROTECT, related_name="rules")
    kind = models.CharField(_("kind"), max_length=16, choices=KINDS)
    name = I18nCharField(_("name"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=LIVE)
    created_at = models.DateTimeField(pgettext_lazy("moment", "created at"))
    ended_by_type = models.CharField(_("ended by type"), max_length=32, blank=True)
    ended_by = models.CharField(_("ended by"), max_length=64, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["pk"]
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "product"],
                condition=Q(kind="unit", state="live", product__isnull=False),
                name="loyalty_rule_product",
            ),
        ]
        indexes = [models.Index(fields=["programme", "state"], name="loyalty_rule_live")]

    def __str__(self):
        return str(self.name) or f"{self.get_kind_display()}: {self.target_name}"


class AbstractRuleVersion(models.Model):
    """What a rule said from ``valid_from`` until ``valid_to`` (null: still).

    ``spec``: ``{"points": "80"}`` for each piece, order or visit;
    ``{"points": "2", "per": "1.00", "threshold": "5.00"}`` per amount; ``{}`` where nothing is earned; of a booster
    ``{"times": "2"}`` or ``{"plus": "50"}``. ``when`` holds its conditions
    (:class:`oscar_loyalty.earning.conditions.When`), ``caps`` the most that it gives with an order, in a day, and to a
    member. ``name`` is what the rule was called then.

    A version that was published never changes, but for its end.
    """

    rule = models.ForeignKey("loyalty_earning.Rule", on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    spec = models.JSONField(_("what it says"), default=dict)
    name = I18nCharField(_("name"), max_length=200, blank=True)
    valid_from = models.DateTimeField(_("valid from"))
    valid_to = models.DateTimeField(_("valid to"), null=True, blank=True)
    published_by_type = models.CharField(_("publisher type"), max_length=32, blank=True)
    published_by = models.CharField(_("published by"), max_length=64, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["rule", "number"]
        verbose_name = _("version of a rule")
        verbose_name_plural = _("versions of rules")
        constraints = [
            models.UniqueConstraint(fields=["rule", "number"], name="loyalty_ruleversion_number"),
            models.UniqueConstraint(
                fields=["rule"], condition=Q(valid_to__isnull=True), name="loyalty_ruleversion_open"
            ),
        ]

    def __str__(self):
        return f"{self.rule} ({self.number})"

    def save(self, *args, **kwargs):
        if not self._state.adding and set(kwargs.get("update_fields") or ["everything"]) != {"valid_to"}:
            raise PublishedVersion("A published version never changes, but for its end: publish another.")
        super().save(*args, **kwargs)


class AbstractAward(models.Model):
    """What a purchase, a visit or a gift brought, and why; made once, final. No entry where it brought nothing.

    ``reference`` is ``order:<pk>`` or ``booking:<reference>``; a booking that is brought back after its points were
    taken has a second award, ``booking-2:<reference>``. ``clawed_back`` is how many of the points were asked back.
    ``spent`` is what was paid in money for what counts, in the programme's currency and with or without tax as the
    programme counts, ``spent_back`` what of it was cancelled or refunded since; ``void`` once nothing is left of it.
    """

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.PROTECT, related_name="awards")
    member = models.ForeignKey("loyalty_members.Member", on_delete=models.PROTECT, related_name="awards")
    reference = models.CharField(_("reference"), max_length=200, unique=True)
    source_type = models.CharField(_("source type"), max_length=32)
    source_id = models.CharField(_("source id"), max_length=64)
    points = models.PositiveBigIntegerField(_("points"))
    clawed_back = models.PositiveBigIntegerField(_("taken back"), default=0)
    spent = models.DecimalField(_("spent"), max_digits=14, decimal_places=2, default=Decimal(0))
    spent_back = models.DecimalField(_("spent, given back"), max_digits=14, decimal_places=2, default=Decimal(0))
    void = models.BooleanField(_("cancelled"), default=False)
    entry = models.OneToOneField(
        "loyalty_ledger.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="award"
    )
    tier = models.ForeignKey(
        "loyalty_members.Tier",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("tier"),
    )
    multiplier = models.DecimalField(_("multiplier"), max_digits=8, decimal_places=4, default=Decimal(1))
    happened_at = models.DateTimeField(_("happened at"))
    usable_from = models.DateTimeField(_("usable from"), null=True, blank=True)
    explanation = models.JSONField(_("explanation"), default=dict, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["-happened_at", "-pk"]
        verbose_name = _("award")
        verbose_name_plural = _("awards")
        constraints = [
            models.CheckConstraint(condition=Q(clawed_back__lte=F("points")), name="loyalty_award_clawback"),
        ]
        indexes = [
            models.Index(fields=["source_type", "source_id"], name="loyalty_award_source"),
            models.Index(fields=["programme", "happened_at"], name="loyalty_award_at"),
            models.Index(fields=["member", "happened_at"], name="loyalty_award_member"),
            # Visits count from when their points can be spent.
            models.Index(
                fields=["member", "usable_from"], name="loyalty_award_visits", condition=Q(source_type="booking")
            ),
        ]

    def __str__(self):
        return f"{self.reference}: {self.points}"


class AbstractAwardLine(models.Model):
    """What one rule gave for one line (or, without a product, for the whole order, the visit or the shipping).

    The exact shares of an award's lines sum to its points, and so do their whole ``points``.
    """

    award = models.ForeignKey("loyalty_earning.Award", on_delete=models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(
        "order.Line", on_delete=models.SET_NULL, null=True, blank=True, related_name="loyalty_lines"
    )
    product = models.ForeignKey(
        "catalogue.Product",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="loyalty_lines",
    )
    title = models.CharField(_("title"), max_length=255, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=4, default=Decimal(0))
    share = models.DecimalField(_("exact share"), max_digits=20, decimal_places=6, default=Decimal(0))
    points = models.PositiveBigIntegerField(_("points"), default=0)
    rule_version = models.ForeignKey(
        "loyalty_earning.RuleVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="award_lines"
    )
    #: As the entry of its award says, so that what one product has earned lately is found by its lines alone.
    happened_at = models.DateTimeField(_("happened at"))
    explanation = models.JSONField(_("explanation"), default=dict, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["award", "pk"]
        verbose_name = _("line of an award")
        verbose_name_plural = _("lines of awards")
        indexes = [models.Index(fields=["product", "happened_at"], name="loyalty_awardline_of")]

    def __str__(self):
        return f"{self.title}: {self.share}"


class AbstractOrderReview(models.Model):
    """What an order looked like when it was last reviewed: an order that looks otherwise is reviewed again."""

    order = models.OneToOneField("order.Order", on_delete=models.CASCADE, related_name="loyalty_review")
    status = models.CharField(_("status seen"), max_length=100, blank=True)
    cancelled_lines = models.PositiveIntegerField(_("cancelled lines seen"), default=0)
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        verbose_name = _("review of an order")
        verbose_name_plural = _("reviews of orders")

    def __str__(self):
        return f"{self.order_id} {self.status}"


class AbstractBooking(models.Model):
    """A booked service, as the calendar told us; ``reference`` is the calendar's own, unique name for it."""

    MADE, ATTENDED, MISSED, CANCELLED = "made", "attended", "missed", "cancelled"
    STATES = [
        (MADE, _("booked")),
        (ATTENDED, _("attended")),
        (MISSED, _("missed")),
        (CANCELLED, _("cancelled")),
    ]

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.PROTECT, related_name="bookings")
    member = models.ForeignKey(
        "loyalty_members.Member", on_delete=models.PROTECT, null=True, blank=True, related_name="bookings"
    )
    reference = models.CharField(_("reference"), max_length=120, unique=True)
    product = models.ForeignKey(
        "catalogue.Product",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="loyalty_bookings",
        verbose_name=_("service"),
    )
    title = models.CharField(_("service"), max_length=255, blank=True)
    price = models.DecimalField(_("price"), max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=MADE)
    state_at = models.DateTimeField(_("in this state since"))
    # How many times points were given for it; more than once only when they were taken back between.
    rounds = models.PositiveSmallIntegerField(_("times awarded"), default=0)
    award = models.ForeignKey(
        "loyalty_earning.Award", on_delete=models.PROTECT, null=True, blank=True, related_name="bookings"
    )
    order_line = models.ForeignKey(
        "order.Line", on_delete=models.SET_NULL, null=True, blank=True, related_name="loyalty_bookings"
    )
    source = models.CharField(_("calendar"), max_length=32, blank=True)
    moved_at = models.DateTimeField(_("moved at"), null=True, blank=True)
    # Null: we heard what became of it before we heard of the booking itself.
    made_at = models.DateTimeField(_("made at"), null=True, blank=True)
    recorded_at = models.DateTimeField(_("recorded at"))

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["-starts_at", "-pk"]
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        indexes = [
            models.Index(fields=["programme", "starts_at"], name="loyalty_booking_at"),
            models.Index(fields=["member", "starts_at"], name="loyalty_booking_member"),
        ]

    def __str__(self):
        return f"{self.reference}: {self.title} ({self.get_state_display()})"


class AbstractAdjustment(models.Model):
    """Points added or taken by hand, for one member or many; above the programme's limit, a second person decides."""

    WAITING, DONE, REFUSED = "waiting", "done", "refused"
    STATES = [(WAITING, _("waits for a second person")), (DONE, _("done")), (REFUSED, _("refused"))]

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.PROTECT, related_name="adjustments")
    key = models.CharField(_("key"), max_length=120, unique=True)
    units = models.BigIntegerField(_("points for each member"))
    reason = models.CharField(_("reason"), max_length=255, help_text=_("Your customers see it."))
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=WAITING)
    notify = models.BooleanField(_("tell the members"), default=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="loyalty_adjustments"
    )
    requested_at = models.DateTimeField(_("requested at"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="loyalty_decisions"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["-requested_at", "-pk"]
        verbose_name = _("adjustment")
        verbose_name_plural = _("adjustments")
        constraints = [models.CheckConstraint(condition=~Q(units=0), name="loyalty_adjustment_units")]
        indexes = [models.Index(fields=["programme", "state", "requested_at"], name="loyalty_adjustment_state")]

    def __str__(self):
        return f"{self.units:+d} ({self.get_state_display()})"


class AbstractAdjustmentItem(models.Model):
    """One member of an adjustment, with the entry once it is done."""

    adjustment = models.ForeignKey("loyalty_earning.Adjustment", on_delete=models.CASCADE, related_name="items")
    member = models.ForeignKey("loyalty_members.Member", on_delete=models.PROTECT, related_name="adjustment_items")
    entry = models.OneToOneField(
        "loyalty_ledger.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="adjustment_item"
    )

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        verbose_name = _("member of an adjustment")
        verbose_name_plural = _("members of an adjustment")
        constraints = [models.UniqueConstraint(fields=["adjustment", "member"], name="loyalty_adjustment_member")]

    def __str__(self):
        return str(self.member)


class AbstractCustomerNumber(models.Model):
    """What a member was called in another system: by this, later imports know who is meant."""

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.CASCADE, related_name="+")
    number = models.CharField(_("customer number"), max_length=100)
    member = models.ForeignKey("loyalty_members.Member", on_delete=models.CASCADE, related_name="customer_numbers")

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        verbose_name = _("customer number")
        verbose_name_plural = _("customer numbers")
        constraints = [models.UniqueConstraint(fields=["programme", "number"], name="loyalty_customernumber")]

    def __str__(self):
        return self.number
