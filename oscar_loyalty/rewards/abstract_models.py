"""The tables of rewards: what can be had for points, and who has claimed what."""

import uuid
from datetime import date
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty import clock, times
from oscar_loyalty.fields import I18nCharField, I18nTextField


class AbstractReward(models.Model):
    """Something a member can have for points, or that the shop gives.

    ``taken`` counts the claims that were not cancelled; with a ``stock``, it never passes it. ``offer`` is the offer of
    Oscar behind the vouchers that are claimed now, ``terms`` what it was made from: other terms make another offer, so
    that a voucher keeps what it promised.
    """

    AMOUNT, PERCENT, PRODUCT, SHIPPING = "amount", "percent", "product", "shipping"
    EXPERIENCE, DONATION, PARTNER = "experience", "donation", "partner"
    KINDS = [
        (AMOUNT, _("Voucher: an amount off")),
        (PERCENT, _("Voucher: percent off")),
        (PRODUCT, _("A product or service for nothing")),
        (SHIPPING, pgettext_lazy("kind of reward", "Free shipping")),
        (EXPERIENCE, _("An experience")),
        (DONATION, _("A donation")),
        (PARTNER, _("A partner's gift")),
    ]
    #: The kinds that are a voucher for the basket; the others have a code that the shop marks as used.
    VOUCHERS = frozenset({AMOUNT, PERCENT, PRODUCT, SHIPPING})

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.PROTECT, related_name="rewards")
    kind = models.CharField(_("kind"), max_length=16, choices=KINDS)
    name = I18nCharField(_("name"), max_length=200)
    text = I18nTextField(_("text"), blank=True, help_text=_("What it is, in a sentence or two."))
    picture = models.ImageField(
        _("picture"),
        upload_to="loyalty/rewards/",
        blank=True,
        help_text=_("Without one, a drawing is shown."),
    )
    points = models.PositiveIntegerField(
        _("price in points"),
        default=0,
        help_text=_("0: it cannot be chosen for points; the shop gives it, by hand or by itself."),
    )
    value = models.DecimalField(
        _("value"),
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text=_("The amount or the percent of a voucher; how much is donated."),
    )
    cost = models.DecimalField(
        _("cost"),
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.00"))],
        help_text=_("What one costs you in money, for your reports."),
    )
    product = models.ForeignKey(
        "catalogue.Product",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("product or service"),
    )
    range = models.ForeignKey(
        "offer.Range",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("range"),
        help_text=_("What the voucher is for. Empty: everything but gift cards."),
    )
    minimum = models.DecimalField(
        _("minimum order"),
        max_digits=9,
        decimal_places=2,
        default=Decimal("0.00"),
        validators=[MinValueValidator(Decimal("0.00"))],
        help_text=_("What the voucher is for must cost this much together."),
    )
    beneficiary = models.CharField(_("beneficiary"), max_length=120, blank=True, help_text=_("Who gets the donation."))
    tier = models.ForeignKey(
        "loyalty_members.Tier",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("from tier"),
        help_text=_("Empty: for every member."),
    )
    starts_at = models.DateTimeField(pgettext_lazy("first moment", "from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    stock = models.PositiveIntegerField(
        _("how many there are"), null=True, blank=True, help_text=_("Empty: as many as are wanted.")
    )
    taken = models.PositiveIntegerField(_("claimed so far"), default=0)
    limit = models.PositiveSmallIntegerField(
        _("most for one member"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    limit_days = models.PositiveSmallIntegerField(
        _("within days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("The limit counts the claims of so many days. Empty: of all times."),
    )
    validity_days = models.PositiveSmallIntegerField(
        _("days to use it"),
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("From the day it was claimed."),
    )
    is_active = models.BooleanField(_("on offer"), default=True)
    offer = models.ForeignKey(
        "offer.ConditionalOffer", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    terms = models.JSONField(default=dict, blank=True, editable=False)
    # Of the form that it was made with: sent twice, it is made once.
    key = models.CharField(_("key"), max_length=120, unique=True, null=True, blank=True, editable=False)
    created_at = models.DateTimeField(pgettext_lazy("moment", "created at"))

    class Meta:
        abstract = True
        app_label = "loyalty_rewards"
        ordering = ["points", "pk"]
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        constraints = [
            models.CheckConstraint(
                condition=Q(stock__isnull=True) | Q(taken__lte=models.F("stock")), name="loyalty_reward_stock"
            ),
        ]
        indexes = [models.Index(fields=["programme", "is_active"], name="loyalty_reward_active")]

    def __str__(self):
        return str(self.name)

    @property
    def is_voucher(self) -> bool:
        return self.kind in self.VOUCHERS

    @property
    def left(self) -> int | None:
        """How many there still are; ``None``: no end to them."""
        return None if self.stock is None else max(0, self.stock - self.taken)


class AbstractClaim(models.Model):
    """A reward that a member has, or had. ``owed``: a prize that could not be given; ``why`` says what was in the way.

    ``points`` is what was paid for it, ``entry`` that spend, ``back`` the entry that returned it. ``expires_at`` is the
    end of its last day; ``null``: it has none.
    """

    CLAIMED, USED, CANCELLED, EXPIRED, OWED = "claimed", "used", "cancelled", "expired", "owed"
    STATES = [
        (CLAIMED, _("to be used")),
        (USED, _("used")),
        (CANCELLED, _("cancelled")),
        (EXPIRED, pgettext_lazy("reward", "expired")),
        (OWED, _("could not be given")),
    ]

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reward = models.ForeignKey("loyalty_rewards.Reward", on_delete=models.PROTECT, related_name="claims")
    member = models.ForeignKey("loyalty_members.Member", on_delete=models.PROTECT, related_name="reward_claims")
    key = models.CharField(_("key"), max_length=200, unique=True)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=CLAIMED)
    points = models.PositiveIntegerField(_("points paid"), default=0)
    value = models.DecimalField(_("value"), max_digits=9, decimal_places=2, null=True, blank=True)
    cost = models.DecimalField(_("cost"), max_digits=9, decimal_places=2, null=True, blank=True)
    entry = models.OneToOneField(
        "loyalty_ledger.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="reward_claim"
    )
    back = models.OneToOneField(
        "loyalty_ledger.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="reward_claim_back"
    )
    voucher = models.OneToOneField(
        "voucher.Voucher", on_delete=models.SET_NULL, null=True, blank=True, related_name="loyalty_claim"
    )
    code = models.CharField(_("code"), max_length=32, blank=True)
    order = models.ForeignKey(
        "order.Order", on_delete=models.SET_NULL, null=True, blank=True, related_name="loyalty_reward_claims"
    )
    given_why = models.CharField(_("given for"), max_length=32, blank=True)
    given_name = I18nCharField(_("name of what it was given for"), max_length=200, blank=True)
    why = models.CharField(_("reason"), max_length=255, blank=True)
    claimed_at = models.DateTimeField(_("claimed at"))
    expires_at = models.DateTimeField(_("can be used until"), null=True, blank=True)
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    actor_type = models.CharField(_("actor type"), max_length=32, blank=True)
    actor_id = models.CharField(_("actor id"), max_length=64, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_rewards"
        ordering = ["-claimed_at", "-pk"]
        verbose_name = _("claimed reward")
        verbose_name_plural = _("claimed rewards")
        indexes = [
            models.Index(fields=["member", "claimed_at"], name="loyalty_claim_member"),
            models.Index(fields=["expires_at"], name="loyalty_claim_open", condition=Q(state="claimed")),
            # Few are, and each sweep looks for them.
            models.Index(fields=["claimed_at"], name="loyalty_claim_owed", condition=Q(state="owed")),
        ]

    def __str__(self):
        return f"{self.reward}: {self.code} ({self.get_state_display()})"

    @property
    def last_day(self) -> date | None:
        """The last day on which it can be used, in the shop's calendar; not known while the membership is on hold."""
        return None if self.rests else times.last_day(self.expires_at)

    @property
    def rests(self) -> bool:
        """Whether its time stands still, as that of the points does."""
        return bool(self.member.status == self.member.FROZEN)

    @property
    def is_open(self) -> bool:
        """Whether it can still be used, whether or not the sweep has been by."""
        if self.state != self.CLAIMED:
            return False
        return self.expires_at is None or self.expires_at > clock.now() or self.rests

    @property
    def state_now(self) -> str:
        return self.EXPIRED if self.state == self.CLAIMED and not self.is_open else self.state

    def get_state_now_display(self) -> str:
        return str(dict(self.STATES)[self.state_now])


class AbstractRewardCode(models.Model):
    """One of the codes that a partner has sent; ``claim`` is who got it. A code that somebody has seen never goes to
    another."""

    reward = models.ForeignKey("loyalty_rewards.Reward", on_delete=models.PROTECT, related_name="codes")
    code = models.CharField(_("code"), max_length=32)
    claim = models.OneToOneField(
        "loyalty_rewards.Claim", on_delete=models.PROTECT, null=True, blank=True, related_name="partner_code"
    )
    added_at = models.DateTimeField(_("added at"))

    class Meta:
        abstract = True
        app_label = "loyalty_rewards"
        ordering = ["pk"]
        verbose_name = _("partner's code")
        verbose_name_plural = _("partners' codes")
        constraints = [models.UniqueConstraint(fields=["reward", "code"], name="loyalty_reward_code")]

    def __str__(self):
        return self.code


class AbstractRewardPolicy(models.Model):
    """What becomes of claims that come to nothing, for one programme."""

    VOUCHER, POINTS = "voucher", "points"
    CANCELLED = [(VOUCHER, _("The voucher can be used again")), (POINTS, _("The points come back"))]
    GONE, BACK = "gone", "back"
    EXPIRED = [(GONE, _("The points are gone")), (BACK, _("The points come back"))]

    programme = models.OneToOneField(
        "loyalty_members.Programme", on_delete=models.CASCADE, related_name="reward_policy"
    )
    cancelled_order = models.CharField(
        _("when the order is cancelled"), max_length=16, choices=CANCELLED, default=VOUCHER
    )
    expired = models.CharField(_("when it was not used in time"), max_length=16, choices=EXPIRED, default=GONE)
    own_cancel = models.BooleanField(_("members may give an unused reward back"), default=True)
    again_days = models.PositiveSmallIntegerField(
        _("days a voucher lives at least, given back by a cancelled order"),
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
    )
    remind_days = models.PositiveSmallIntegerField(
        _("days before its last one, a mail reminds of a reward"),
        default=7,
        validators=[MaxValueValidator(365)],
        help_text=_("0: no mail."),
    )

    class Meta:
        abstract = True
        app_label = "loyalty_rewards"
        verbose_name = _("policy of rewards")
        verbose_name_plural = _("policies of rewards")

    def __str__(self):
        return str(self.programme)
