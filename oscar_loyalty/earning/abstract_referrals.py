"""The tables of referral: the owner's terms, personal links, who came by whom, what it brought, known devices."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class AbstractReferralScheme(models.Model):
    """What members get for bringing friends. Made when the owner first saves it; off before that."""

    programme = models.OneToOneField(
        "loyalty_members.Programme", on_delete=models.CASCADE, related_name="referral_scheme"
    )
    is_active = models.BooleanField(
        _("members may invite friends"),
        default=False,
        help_text=_("Switched off, links stop working; what was promised to friends who have joined is kept."),
    )
    # Points or a reward, by its primary key in the room of rewards.
    referrer_points = models.PositiveIntegerField(_("points for the member who invites"), default=200)
    referrer_reward = models.PositiveBigIntegerField(_("or a reward for the member who invites"), null=True, blank=True)
    friend_points = models.PositiveIntegerField(_("points for the friend"), default=100)
    friend_reward = models.PositiveBigIntegerField(_("or a reward for the friend"), null=True, blank=True)
    orders = models.PositiveSmallIntegerField(
        _("orders of a friend that count"),
        default=1,
        validators=[MinValueValidator(1)],
        help_text=_("1: the first only. More: each of so many first orders brings both the same again."),
    )
    minimum = models.DecimalField(
        _("least amount"),
        max_digits=9,
        decimal_places=2,
        default=Decimal("0.00"),
        validators=[MinValueValidator(Decimal("0.00"))],
        help_text=_("How much an order must leave paid in money, without what was refunded. 0: any order that costs."),
    )
    daily_limit = models.PositiveSmallIntegerField(
        _("friends a day"),
        default=5,
        validators=[MinValueValidator(1)],
        help_text=_("More friends than this within a day, by one member, wait for your decision."),
    )

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        verbose_name = _("referral terms")
        verbose_name_plural = _("referral terms")
        constraints = [
            models.CheckConstraint(
                condition=Q(referrer_reward__isnull=True) | Q(referrer_points=0), name="loyalty_referral_referrer_one"
            ),
            models.CheckConstraint(
                condition=Q(friend_reward__isnull=True) | Q(friend_points=0), name="loyalty_referral_friend_one"
            ),
        ]

    def __str__(self):
        return str(self.programme)


class AbstractInvitation(models.Model):
    """The personal code of a member, which is the end of the personal link too."""

    member = models.OneToOneField("loyalty_members.Member", on_delete=models.CASCADE, related_name="invitation")
    code = models.CharField(_("code"), max_length=16, unique=True)
    created_at = models.DateTimeField(pgettext_lazy("moment", "created at"))

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self):
        return self.code


class AbstractReferral(models.Model):
    """That ``friend`` came by ``referrer``: once for each friend, on the terms of that day.

    ``terms``: ``{"referrer": 200, "friend": 0, "friend_reward": 7, "orders": 1, "minimum": "0.00"}``; rewards by their
    primary keys, where one was promised instead of points.
    ``reasons`` are codes of :mod:`oscar_loyalty.earning.referrals.guards`, never the data that led to them.
    """

    JOINED, ORDERED, REWARDED, REFUSED, BACK = "joined", "ordered", "rewarded", "refused", "back"
    STATES = [
        (JOINED, _("has joined")),
        (ORDERED, _("has ordered")),
        (REWARDED, _("rewarded")),
        (REFUSED, _("refused")),
        (BACK, _("taken back")),
    ]

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.PROTECT, related_name="referrals")
    referrer = models.ForeignKey("loyalty_members.Member", on_delete=models.PROTECT, related_name="referrals")
    friend = models.OneToOneField("loyalty_members.Member", on_delete=models.PROTECT, related_name="referral")
    code = models.CharField(_("code"), max_length=16)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=JOINED)
    reasons = models.JSONField(_("reasons"), default=list, blank=True)
    terms = models.JSONField(_("terms"), default=dict)
    created_at = models.DateTimeField(_("joined at"))
    refused_at = models.DateTimeField(_("refused at"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    #: Whether somebody of the shop has allowed it, whatever the guards say.
    allowed = models.BooleanField(_("allowed by hand"), default=False)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["-created_at", "-pk"]
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        constraints = [
            models.CheckConstraint(condition=~Q(referrer=F("friend")), name="loyalty_referral_oneself"),
        ]
        indexes = [
            models.Index(fields=["referrer", "created_at"], name="loyalty_referral_of"),
            models.Index(fields=["programme", "state", "created_at"], name="loyalty_referral_state"),
        ]

    def __str__(self):
        return f"{self.referrer_id} → {self.friend_id} ({self.state})"

    def promised(self, side: str) -> int:
        """Return how many points ``side`` ("referrer" or "friend") was promised."""
        return int(self.terms.get(side, 0))

    def promised_reward(self, side: str) -> int | None:
        """Return the primary key of the reward that ``side`` was promised, or ``None``."""
        return self.terms.get(f"{side}_reward")


class AbstractReferralReward(models.Model):
    """What one order of the friend brings both, once its ``due_at`` is reached.

    ``number`` counts the orders that bring something; while one stands, no other has its number.
    """

    WAITING, GIVEN, LOST, BACK = "waiting", "given", "lost", "back"
    STATES = [(WAITING, _("on the way")), (GIVEN, _("given")), (LOST, _("lost")), (BACK, _("taken back"))]

    referral = models.ForeignKey("loyalty_earning.Referral", on_delete=models.PROTECT, related_name="rewards")
    source = models.OneToOneField("loyalty_earning.Award", on_delete=models.PROTECT, related_name="referral_reward")
    number = models.PositiveSmallIntegerField(_("number"))
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=WAITING)
    due_at = models.DateTimeField(_("due at"))
    given_at = models.DateTimeField(_("given at"), null=True, blank=True)
    back_at = models.DateTimeField(_("taken back at"), null=True, blank=True)
    referrer_award = models.ForeignKey(
        "loyalty_earning.Award", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    friend_award = models.ForeignKey(
        "loyalty_earning.Award", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    # The rewards that were given instead, by their primary keys.
    referrer_prize = models.PositiveBigIntegerField(_("reward of the member who invited"), null=True, blank=True)
    friend_prize = models.PositiveBigIntegerField(_("reward of the friend"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["pk"]
        verbose_name = _("reward of a referral")
        verbose_name_plural = _("rewards of referrals")
        constraints = [
            models.UniqueConstraint(
                fields=["referral", "number"],
                condition=Q(state__in=["waiting", "given"]),
                name="loyalty_referralreward_number",
            )
        ]

    def __str__(self):
        return f"{self.referral_id}/{self.number} ({self.state})"

    def reference(self, side: str) -> str:
        """The name of what ``side`` is given, for the points' award and for the room of rewards."""
        return f"referral:{self.pk}:{side}"


class AbstractReferralDevice(models.Model):
    """That a member was seen with a device. ``digest`` is a keyed hash of the cookie's random number, nothing else."""

    member = models.ForeignKey("loyalty_members.Member", on_delete=models.CASCADE, related_name="referral_devices")
    digest = models.CharField(_("fingerprint"), max_length=64)
    seen_at = models.DateTimeField(_("seen at"))

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        verbose_name = _("known device")
        verbose_name_plural = _("known devices")
        constraints = [models.UniqueConstraint(fields=["member", "digest"], name="loyalty_referraldevice_once")]
        indexes = [models.Index(fields=["seen_at"], name="loyalty_referraldevice_seen")]

    def __str__(self):
        return f"{self.member_id} {self.seen_at:%Y-%m-%d}"
