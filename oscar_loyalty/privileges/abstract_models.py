"""The tables of early access and of guest passes."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty import clock
from oscar_loyalty.fields import I18nCharField


class AbstractEarlyAccess(models.Model):
    """A product, a range of products or an offer that only members of a tier, and of all higher ones, may have from
    ``opens_at`` until ``ends_at``, or ``ended_at`` where somebody ended it by hand. Several on one product all count.

    ``closed_before``: until it opens, nobody has it, unless another one is open then. ``others`` is what everybody else
    finds meanwhile.
    """

    HIDDEN, TEASED, PRICELESS, SHOWN = "hidden", "teased", "priceless", "shown"
    #: From the most secret to the least: where several are closed to somebody, the first of these counts.
    OTHERS = [
        (HIDDEN, _("Nothing: it is in no list, and its page is not there")),
        (TEASED, _("A few words on its page, and how far it is; it is in no list")),
        (PRICELESS, _("The product without its price; they cannot buy it")),
        (SHOWN, _("The product with its price; they cannot buy it")),
    ]
    PRODUCT, RANGE, OFFER = "product", "range", "offer"
    TARGETS = [
        (PRODUCT, _("A product")),
        (RANGE, _("A range of products")),
        (OFFER, _("An offer of the shop")),
    ]

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.PROTECT, related_name="early_access")
    tier = models.ForeignKey(
        "loyalty_members.Tier",
        on_delete=models.PROTECT,
        related_name="early_access",
        verbose_name=_("from tier"),
        help_text=_("Members of this tier and of all higher ones. The lowest of all means every member."),
    )
    product = models.ForeignKey(
        "catalogue.Product",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="early_access",
        verbose_name=_("product"),
    )
    range = models.ForeignKey(
        "offer.Range",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="early_access",
        verbose_name=_("range"),
    )
    offer = models.ForeignKey(
        "offer.ConditionalOffer",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="early_access",
        verbose_name=_("offer"),
    )
    opens_at = models.DateTimeField(pgettext_lazy("a moment", "from"))
    ends_at = models.DateTimeField(
        pgettext_lazy("a moment", "until"), db_index=True, help_text=_("From then on it is for everybody.")
    )
    closed_before = models.BooleanField(
        _("It is new: nobody has it before"),
        default=True,
        help_text=_("Without this, everybody has it until it begins."),
    )
    others = models.CharField(_("what others find"), max_length=12, choices=OTHERS, default=PRICELESS)
    words = I18nCharField(
        _("words for others"),
        max_length=300,
        blank=True,
        help_text=_("What others read of it. Empty: only for whom it is and until when."),
    )
    passes = models.PositiveSmallIntegerField(
        _("guest passes"),
        default=0,
        validators=[MaxValueValidator(50)],
        help_text=_("How many friends each of these members may bring. 0: none; passes that were given end."),
    )
    pass_days = models.PositiveSmallIntegerField(
        _("days of a guest pass"),
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("How long a pass holds once it was given; never longer than the early access itself."),
    )
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(pgettext_lazy("moment", "created at"))
    key = models.CharField(max_length=128, unique=True, null=True, blank=True, editable=False)
    actor_type = models.CharField(max_length=32, blank=True)
    actor_id = models.CharField(max_length=64, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_privileges"
        ordering = ["ends_at", "pk"]
        verbose_name = _("early access")
        verbose_name_plural = _("early access")
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gte=F("opens_at")), name="loyalty_early_order"),
            models.CheckConstraint(
                condition=Q(product__isnull=False, range__isnull=True, offer__isnull=True)
                | Q(product__isnull=True, range__isnull=False, offer__isnull=True)
                | Q(product__isnull=True, range__isnull=True, offer__isnull=False),
                name="loyalty_early_target",
            ),
        ]

    def __str__(self):
        return str(self.target)

    @classmethod
    def needing_tier(cls, rows):
        """Those of ``rows`` that need their tier still: what is over does not hold it."""
        return rows.filter(ended_at__isnull=True, ends_at__gt=clock.now())

    @property
    def kind(self) -> str:
        return self.PRODUCT if self.product_id else self.RANGE if self.range_id else self.OFFER

    @property
    def target(self):
        return getattr(self, self.kind)

    def is_over(self, now=None) -> bool:
        return self.ended_at is not None or self.ends_at <= (now or clock.now())

    def is_open(self, now=None) -> bool:
        """Whether its members, and only they, have it at ``now``."""
        now = now or clock.now()
        return self.opens_at <= now and not self.is_over(now)

    @property
    def over_at(self):
        """When everybody has it."""
        return self.ended_at or self.ends_at

    @property
    def can_go_on(self) -> bool:
        """Whether it was ended by hand, before an end that is still to come."""
        return self.ended_at is not None and self.ends_at > clock.now()


class AbstractGuestPass(models.Model):
    """A member's invitation of one friend to one thing: ``kind`` and ``subject`` say to what.

    It belongs to the first account or browser that opens it. ``browser`` is a fingerprint of that browser's cookie.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.CharField(max_length=128, unique=True)
    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.PROTECT, related_name="guest_passes")
    member = models.ForeignKey("loyalty_members.Member", on_delete=models.PROTECT, related_name="guest_passes")
    kind = models.CharField(_("kind"), max_length=16)
    subject = models.CharField(max_length=40)
    subject_name = models.CharField(_("to what"), max_length=255)
    friend = models.CharField(_("for whom"), max_length=80, blank=True)
    created_at = models.DateTimeField(_("given at"))
    valid_until = models.DateTimeField(_("valid until"))
    opened_at = models.DateTimeField(_("opened at"), null=True, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="loyalty_guest_passes",
        verbose_name=_("used by"),
    )
    browser = models.CharField(max_length=64, blank=True)
    taken_back_at = models.DateTimeField(_("taken back at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_privileges"
        ordering = ["-created_at", "-pk"]
        verbose_name = _("guest pass")
        verbose_name_plural = _("guest passes")
        indexes = [
            models.Index(fields=["member", "kind", "subject"], name="loyalty_pass_member"),
            models.Index(fields=["kind", "subject"], name="loyalty_pass_subject"),
            models.Index(fields=["browser"], name="loyalty_pass_browser", condition=~Q(browser="")),
        ]

    def __str__(self):
        return f"{self.subject_name}: {self.friend or self.uuid}"

    @property
    def state(self) -> str:
        if self.taken_back_at is not None:
            return "back"
        if self.valid_until <= clock.now():
            return "over"
        return "waiting" if self.opened_at is None else "open"


class AbstractGuestPassEvent(models.Model):
    """What happened to a pass: given, opened, refused to somebody else, used in an account, taken back."""

    GIVEN, OPENED, ACCOUNT, REFUSED, BACK = "given", "opened", "account", "refused", "back"
    WHATS = [
        (GIVEN, _("given")),
        (OPENED, _("opened")),
        (ACCOUNT, _("used in an account")),
        (REFUSED, _("refused: it belongs to somebody else")),
        (BACK, _("taken back")),
    ]

    guest_pass = models.ForeignKey("loyalty_privileges.GuestPass", on_delete=models.CASCADE, related_name="events")
    what = models.CharField(max_length=12, choices=WHATS)
    happened_at = models.DateTimeField()
    actor_type = models.CharField(max_length=32, blank=True)
    actor_id = models.CharField(max_length=64, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_privileges"
        ordering = ["happened_at", "pk"]
        verbose_name = _("event of a guest pass")
        verbose_name_plural = _("events of guest passes")

    def __str__(self):
        return f"{self.guest_pass_id}: {self.what}"
