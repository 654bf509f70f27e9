from decimal import Decimal
from typing import Any

from babel import Locale, UnknownLocaleError
from django.conf import settings
from django.contrib.sites.models import Site
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import get_language, pgettext_lazy, to_locale
from django.utils.translation import gettext_lazy as _

from oscar_loyalty import clock, times
from oscar_loyalty.fields import I18nCharField, I18nTextField


class AbstractProgramme(models.Model):
    """The loyalty programme of a site: what points are called, when they come, how long they live, what they are
    worth."""

    INCLUSIVE, EXCLUSIVE = "incl", "excl"
    TAX = [(INCLUSIVE, _("Prices with tax")), (EXCLUSIVE, _("Prices without tax"))]
    DOWN, NEAREST, UP = "down", "nearest", "up"
    ROUNDING = [
        (DOWN, pgettext_lazy("rounding", "Down")),
        (NEAREST, _("To the nearest")),
        (UP, pgettext_lazy("rounding", "Up")),
    ]
    DEBT, WRITE_OFF, BLOCK = "debt", "write_off", "block"
    CLAWBACK = [
        (DEBT, _("The balance goes below zero; the next points pay it back")),
        (WRITE_OFF, _("The balance stops at zero; the rest is forgiven")),
        (BLOCK, _("Refunds are refused unless somebody insists; a cancelled order takes the balance below zero")),
    ]

    site = models.OneToOneField(
        Site, on_delete=models.PROTECT, related_name="loyalty_programme", verbose_name=_("site")
    )
    name = models.CharField(_("name"), max_length=80, help_text=_("What your customers join, such as “Pétales”."))
    points_name_one = I18nCharField(
        _("one point"), max_length=200, help_text=_("What one point is called, such as “petal”.")
    )
    points_name_many = I18nCharField(
        _("several points"), max_length=200, help_text=_("What several points are called, such as “petals”.")
    )
    currency = models.CharField(_("currency"), max_length=3, help_text=_("The currency that points are earned in."))
    is_active = models.BooleanField(
        _("open"), default=True, help_text=_("While closed, nobody earns, joins or spends; balances are kept.")
    )
    auto_enrol = models.BooleanField(
        _("enrol every customer"),
        default=False,
        help_text=_("Everybody who registers becomes a member, without a tick to set."),
    )
    award_on_status = models.CharField(
        _("points at status"),
        max_length=100,
        blank=True,
        help_text=_("Orders bring points once they reach this status. Empty: as soon as they are placed."),
    )
    cancelled_order_statuses = models.JSONField(
        _("cancelled orders"),
        default=list,
        blank=True,
        help_text=_("Order statuses that mean cancelled: points are taken back, points and cards spent are returned."),
    )
    cancelled_line_statuses = models.JSONField(
        _("cancelled lines"), default=list, blank=True, help_text=_("Line statuses that mean cancelled.")
    )
    paid_statuses = models.JSONField(
        _("paid orders"),
        default=list,
        blank=True,
        help_text=_("Order statuses that mean paid, for orders paid at the salon: their gift cards are issued then."),
    )
    payment_failed_status = models.CharField(
        _("orders whose payment failed"),
        max_length=100,
        blank=True,
        help_text=_(
            "The status of orders whose card could not be charged in the end. Empty: their status stays; points and "
            "gift cards are returned all the same."
        ),
    )
    pending_days = models.PositiveSmallIntegerField(
        _("days until usable"),
        default=14,
        validators=[MaxValueValidator(365)],
        help_text=_("How many days after the order its points can be spent; the time to return goods."),
    )
    booking_delay_hours = models.PositiveSmallIntegerField(
        _("hours until usable after a visit"),
        default=4,
        validators=[MaxValueValidator(720)],
        help_text=_("How many hours after a visit its points can be spent; the time to correct a mistake."),
    )
    expiry_months = models.PositiveSmallIntegerField(
        _("months until expiry"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(120)],
        help_text=_("How many months points live, from the day they were earned. Empty: they never expire."),
    )
    grace_days = models.PositiveSmallIntegerField(
        _("grace days"),
        default=30,
        validators=[MaxValueValidator(365)],
        help_text=_("How long points live that a refund gives back after they have expired."),
    )
    earn_tax = models.CharField(
        _("points on"),
        max_length=8,
        choices=TAX,
        default=INCLUSIVE,
        help_text=_("What points per amount are counted on."),
    )
    earn_shipping = models.BooleanField(
        _("points on shipping"), default=False, help_text=_("Whether shipping brings points per amount too.")
    )
    rounding = models.CharField(
        _("rounding"), max_length=8, choices=ROUNDING, default=DOWN, help_text=_("What happens to parts of a point.")
    )
    redemption_points = models.PositiveIntegerField(
        _("points"), default=100, validators=[MinValueValidator(1)], help_text=_("So many points are worth …")
    )
    redemption_amount = models.DecimalField(
        _("amount"),
        max_digits=9,
        decimal_places=2,
        default=Decimal("1.00"),
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text=_(
            "… this much. Used where orders are paid with points, to value the points that are out, and as a hint for "
            "the prices of gift cards."
        ),
    )
    points_at_checkout = models.BooleanField(
        _("points pay at checkout"),
        default=False,
        help_text=_("Members may pay a part of any order with points, at this rate. Gift cards have their own prices."),
    )
    points_share = models.PositiveSmallIntegerField(
        _("most that points pay"),
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Percent of an order, its gift cards left out, that can be paid with points at this rate."),
    )
    minimum_cash = models.DecimalField(
        _("minimum cash part"),
        max_digits=9,
        decimal_places=2,
        default=Decimal("0.00"),
        validators=[MinValueValidator(Decimal("0.00"))],
        help_text=_(
            "The least of an order that must be paid otherwise when points pay for it: in money or by gift card. "
            "0: nothing."
        ),
    )
    clawback_policy = models.CharField(
        _("points already spent"),
        max_length=16,
        choices=CLAWBACK,
        default=DEBT,
        help_text=_("What happens when an order is cancelled or refunded whose points have been spent."),
    )
    adjust_limit = models.PositiveIntegerField(
        _("adjustment limit"),
        default=500,
        help_text=_("Adjustments of more points than this need a second person."),
    )
    started_at = models.DateTimeField(pgettext_lazy("moment", "started at"), default=clock.now)

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")
        permissions = [
            ("view_loyalty", _("See members, their points and all movements")),
            ("adjust_points", _("Adjust points up to the limit")),
            ("approve_points", _("Approve adjustments above the limit")),
            ("manage_cards", _("Manage gift cards")),
            ("export_codes", _("Download the codes of a batch of gift cards")),
            ("refund_orders", _("Refund orders")),
            ("manage_programme", _("Change the programme and its rules")),
        ]

    def __str__(self):
        return self.name

    @property
    def name_among_several(self) -> str:
        """Name it with its Site: two Sites of one brand may each have a “Petals”."""
        return f"{self.name} · {self.site.name}"

    def clean(self):
        super().clean()
        # No month is shorter, and what waits lives already.
        days = 28 * (self.expiry_months or 0)
        waits = {"pending_days": days, "booking_delay_hours": days * 24}
        message = _("Points would expire before they can be spent: at most %(most)s, or more months until expiry.")
        late = [name for name, life in waits.items() if life and (getattr(self, name) or 0) >= life]
        if late:
            raise ValidationError({name: message % {"most": waits[name] - 1} for name in late})

    @property
    def unit(self) -> str:
        """The ledger's name of this programme's points."""
        return f"points:{self.pk}"

    def points_name(self, number: int) -> str:
        """Return what ``number`` points are called in the active language, without the number: "petals", "pétale"."""
        try:
            form = Locale.parse(to_locale(get_language() or settings.LANGUAGE_CODE)).plural_form(abs(number))
        except (UnknownLocaleError, ValueError):
            form = "one" if abs(number) == 1 else "other"
        return str(self.points_name_one if form == "one" else self.points_name_many)

    def points_label(self, number: int) -> str:
        """Write ``number`` in the active language: "1 petal", "1,000 petals", "0 pétale"."""
        # A minus sign, not a hyphen: it is as wide as a plus, and is read out as what it is.
        sign = "−" if number < 0 else ""
        return f"{sign}{number_format(abs(number), force_grouping=True)}\xa0{self.points_name(number)}"


class TierManager(models.Manager):
    """Tiers that are there; one that was taken away stays behind for the history, in ``everything``."""

    def get_queryset(self):
        return super().get_queryset().filter(removed_at__isnull=True)


class AbstractTier(models.Model):
    """A step of the programme. ``group`` holds the users of its members and of those of all higher tiers.

    ``threshold`` is what reaches it, in what the programme's way to the tiers counts: an amount in its currency,
    points, orders or visits. Null: it is given by hand only, or is the lowest, which everybody has.
    """

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.CASCADE, related_name="tiers")
    code = models.SlugField(_("code"), max_length=32)
    name = I18nCharField(_("name"), max_length=200)
    rank = models.PositiveSmallIntegerField(_("rank"), help_text=_("The lowest tier has the lowest rank."))
    colour = models.CharField(_("colour"), max_length=7, default="#8a6d5a")
    perks = I18nTextField(_("perks"), blank=True, help_text=_("What members of this tier get, one thing on each line."))
    multiplier = models.DecimalField(
        _("multiplier"),
        max_digits=4,
        decimal_places=2,
        default=Decimal("1.00"),
        validators=[MinValueValidator(Decimal("0.00")), MaxValueValidator(Decimal("20.00"))],
        help_text=_("Points earned in this tier are multiplied by this."),
    )
    threshold = models.DecimalField(
        _("from"),
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
    )
    discount = models.DecimalField(
        _("standing discount"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(Decimal("100.00"))],
        help_text=_(
            "Percent off everything but gift cards, for members of this tier and above. The shop's other offers come "
            "first; what they do not touch gets this. Empty: none."
        ),
    )
    free_shipping = models.BooleanField(
        _("free delivery"), default=False, help_text=_("Members of this tier and above pay nothing for delivery.")
    )
    support = I18nCharField(
        _("contact"),
        max_length=400,
        blank=True,
        help_text=_("Whom members of this tier ask, such as a phone number of their own. They see it on their page."),
    )
    group = models.OneToOneField(
        "auth.Group", on_delete=models.PROTECT, related_name="loyalty_tier", verbose_name=_("group")
    )
    removed_at = models.DateTimeField(_("removed at"), null=True, blank=True)

    objects = TierManager()
    everything = models.Manager()  # noqa: DJ012

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        ordering = ["rank"]
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        constraints = [
            models.UniqueConstraint(fields=["programme", "code"], name="loyalty_tier_code"),
            models.UniqueConstraint(
                fields=["programme", "rank"], condition=models.Q(removed_at__isnull=True), name="loyalty_tier_rank"
            ),
        ]

    def __str__(self):
        return str(self.name)

    @cached_property
    def perk_list(self) -> list[str]:
        return [line.strip() for line in str(self.perks).splitlines() if line.strip()]


class AbstractMember(models.Model):
    """Somebody in the programme: with an account in the shop, or by e-mail alone."""

    ACTIVE, FROZEN, CLOSED = "active", "frozen", "closed"
    STATUSES = [(ACTIVE, pgettext_lazy("membership", "active")), (FROZEN, _("on hold")), (CLOSED, _("closed"))]

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.PROTECT, related_name="members")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="loyalty_memberships",
        verbose_name=_("user"),
    )
    number = models.CharField(_("card number"), max_length=12, unique=True)
    email = models.EmailField(_("e-mail"), blank=True)
    first_name = models.CharField(_("first name"), max_length=150, blank=True)
    last_name = models.CharField(_("last name"), max_length=150, blank=True)
    greeting_name = models.CharField(_("name to be greeted by"), max_length=60, blank=True)
    language = models.CharField(_("language"), max_length=16, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=STATUSES, default=ACTIVE)
    source = models.CharField(_("joined by"), max_length=32, blank=True)
    tier = models.ForeignKey(
        "loyalty_members.Tier",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="members",
        verbose_name=_("tier"),
    )
    # Day and month are enough for a present; who likes adds the year.
    birth_day = models.PositiveSmallIntegerField(
        _("day of birth"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    birth_month = models.PositiveSmallIntegerField(
        _("month of birth"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    birth_year = models.PositiveSmallIntegerField(_("year of birth"), null=True, blank=True)
    joined_at = models.DateTimeField(_("joined at"))
    account = models.OneToOneField(
        "loyalty_ledger.Account", on_delete=models.PROTECT, related_name="member", verbose_name=_("account")
    )
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged", verbose_name=_("merged into")
    )

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "user"], condition=models.Q(user__isnull=False), name="loyalty_member_user"
            ),
            models.UniqueConstraint(
                fields=["programme", "email"],
                condition=models.Q(user__isnull=True) & ~models.Q(email="") & models.Q(merged_into__isnull=True),
                name="loyalty_member_email",
            ),
        ]
        indexes = [
            models.Index(fields=["programme", "email"], name="loyalty_member_by_email"),
            models.Index(fields=["programme", "last_name", "first_name"], name="loyalty_member_by_name"),
            models.Index(fields=["programme", "joined_at"], name="loyalty_member_by_joining"),
            models.Index(fields=["tier", "joined_at"], name="loyalty_member_by_tier"),
            models.Index(
                fields=["status", "joined_at"], name="loyalty_member_resting", condition=~models.Q(status="active")
            ),
            models.Index(fields=["programme", "birth_month", "birth_day"], name="loyalty_member_by_birth"),
        ]

    def __str__(self):
        known = self.first_name or self.full_name or self.email.partition("@")[0]
        return f"{known} ({self.number})" if known else self.display_name

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def display_name(self) -> str:
        """How the member is addressed: as they wish, by the first name, or by what is known instead."""
        known = self.greeting_name or self.first_name or self.full_name or self.email.partition("@")[0]
        return known or str(_("Member %(number)s") % {"number": self.number})

    @property
    def can_earn(self) -> bool:
        return self.status == self.ACTIVE


class AbstractTierChange(models.Model):
    """Who or what moved a member to which tier, when and why; or kept them there by hand, ``until`` when."""

    HAND, RISEN, FALLEN, OVER, REMOVED, MERGED = "hand", "risen", "fallen", "over", "removed", "merged"
    CAUSES = [
        (HAND, _("given by hand")),
        (RISEN, _("reached")),
        (FALLEN, _("not kept")),
        (OVER, _("the end of what was given by hand")),
        (REMOVED, _("the tier was taken away")),
        (MERGED, _("two memberships became one")),
    ]

    member = models.ForeignKey("loyalty_members.Member", on_delete=models.CASCADE, related_name="tier_changes")
    key = models.CharField(_("key"), max_length=200, unique=True)
    before = models.ForeignKey(
        "loyalty_members.Tier",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("from"),
    )
    after = models.ForeignKey(
        "loyalty_members.Tier", on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("to")
    )
    cause = models.CharField(_("cause"), max_length=16, choices=CAUSES, blank=True)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    actor_type = models.CharField(_("actor type"), max_length=32, blank=True)
    actor_id = models.CharField(_("actor id"), max_length=64, blank=True)
    happened_at = models.DateTimeField(_("happened at"))

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        ordering = ["-happened_at", "-pk"]
        verbose_name = _("change of tier")
        verbose_name_plural = _("changes of tier")
        indexes = [models.Index(fields=["member", "happened_at"], name="loyalty_tierchange_at")]

    def __str__(self):
        return f"{self.before} → {self.after}"

    @property
    def last_day(self) -> Any:
        """The last day on which what was given by hand holds at least, or ``None``."""
        return times.last_day(self.until)


class AbstractStatusChange(models.Model):
    """Who put a membership on hold, closed it or brought it back, when and why.

    ``entry`` is the ledger's, which stopped the points' time or let it go on; ``details`` say what a merge has moved.
    """

    member = models.ForeignKey("loyalty_members.Member", on_delete=models.CASCADE, related_name="status_changes")
    key = models.CharField(_("key"), max_length=200, unique=True)
    before = models.CharField(_("from"), max_length=16, choices=AbstractMember.STATUSES)
    after = models.CharField(_("to"), max_length=16, choices=AbstractMember.STATUSES)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    shown = models.BooleanField(_("the member sees the reason"), default=False)
    details = models.JSONField(_("details"), default=dict, blank=True)
    entry = models.ForeignKey("loyalty_ledger.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    actor_type = models.CharField(_("actor type"), max_length=32, blank=True)
    actor_id = models.CharField(_("actor id"), max_length=64, blank=True)
    happened_at = models.DateTimeField(_("happened at"))

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        ordering = ["-happened_at", "-pk"]
        verbose_name = _("change of status")
        verbose_name_plural = _("changes of status")
        indexes = [models.Index(fields=["member", "happened_at"], name="loyalty_statuschange_at")]

    def __str__(self):
        return f"{self.before} → {self.after}"
