"""What the shop's side of gift cards keeps: its expiry policy, and cards made many at a time."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty.giftcards.taxes import MULTI, TAX_KINDS


class AbstractExpiryPolicy(models.Model):
    """How long new cards live, and whose law says how short that may be. There is one row, named "default"."""

    name = models.CharField(_("name"), max_length=16, unique=True, default="default", editable=False)
    country = models.CharField(_("country"), max_length=8, blank=True)
    months = models.PositiveIntegerField(
        _("months"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1200)]
    )
    changed_at = models.DateTimeField(_("changed at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_giftcards"
        verbose_name = _("expiry of gift cards")
        verbose_name_plural = _("expiry of gift cards")

    def __str__(self):
        return self.name


class AbstractGiftCardBatch(models.Model):
    """Cards made together: issued by the shop, or brought in from another system.

    ``rows`` are those of an import, understood and without codes, until they are cards; ``refused`` those left out.
    """

    ISSUE, IMPORT = "issue", "import"
    KINDS = [(ISSUE, pgettext_lazy("batch", "issued")), (IMPORT, pgettext_lazy("batch", "brought in"))]
    TRIED, RUNNING, DONE = "tried", "running", "done"
    STATES = [(TRIED, _("looked at")), (RUNNING, _("being made")), (DONE, _("finished"))]
    POLICY, NEVER, MONTHS, DAY = "policy", "never", "months", "day"
    EXPIRIES = [
        (POLICY, _("as all cards do")),
        (NEVER, _("never")),
        (MONTHS, _("after some months")),
        (DAY, _("on a day")),
    ]

    key = models.CharField(_("key"), max_length=200, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=KINDS, default=ISSUE)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=RUNNING)
    site = models.ForeignKey("sites.Site", on_delete=models.PROTECT, related_name="+", verbose_name=_("site"))
    name = models.CharField(_("name"), max_length=150)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    number = models.PositiveIntegerField(_("number of cards"))
    made = models.PositiveIntegerField(_("cards made so far"), default=0)
    value = models.DecimalField(_("value"), max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    tax_kind = models.CharField(_("tax"), max_length=8, choices=TAX_KINDS, default=MULTI)
    at_till = models.BooleanField(_("activated at the till"), default=False)
    expiry = models.CharField(_("they expire"), max_length=8, choices=EXPIRIES, default=POLICY)
    months = models.PositiveIntegerField(_("months"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    rows = models.JSONField(_("rows to bring in"), default=list, blank=True)
    refused = models.JSONField(_("refused rows"), default=list, blank=True)
    refused_number = models.PositiveIntegerField(_("rows refused"), default=0)
    known_number = models.PositiveIntegerField(_("rows known before"), default=0)
    created_at = models.DateTimeField(pgettext_lazy("moment", "created at"))
    finished_at = models.DateTimeField(pgettext_lazy("moment", "finished at"), null=True, blank=True)
    actor_type = models.CharField(_("actor type"), max_length=32, blank=True)
    actor_id = models.CharField(_("actor id"), max_length=64, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_giftcards"
        ordering = ["-created_at", "-pk"]
        verbose_name = _("batch of gift cards")
        verbose_name_plural = _("batches of gift cards")
        constraints = [
            models.CheckConstraint(condition=Q(value__isnull=True) | Q(value__gt=0), name="loyalty_batch_value"),
            models.CheckConstraint(condition=Q(made__lte=models.F("number")), name="loyalty_batch_made"),
        ]
        indexes = [models.Index(fields=["created_at"], name="loyalty_batch_created")]

    def __str__(self):
        return self.name

    @property
    def percent(self) -> int:
        """How much of it is made."""
        return 100 * self.made // self.number if self.number else 100

    @property
    def total(self) -> Decimal | None:
        """What all its cards hold together, where they have one value."""
        return self.value * self.number if self.value is not None else None


class AbstractGiftCardBatchEvent(models.Model):
    """Something that happened to a batch: above all, who took its codes away."""

    CREATED, STARTED, EXPORTED = "created", "started", "exported"
    KINDS = [
        (CREATED, pgettext_lazy("batch", "asked for")),
        (STARTED, pgettext_lazy("batch", "import confirmed")),
        (EXPORTED, pgettext_lazy("batch", "codes downloaded")),
    ]

    batch = models.ForeignKey(
        "loyalty_giftcards.GiftCardBatch", on_delete=models.CASCADE, related_name="events", verbose_name=_("batch")
    )
    kind = models.CharField(_("kind"), max_length=16, choices=KINDS)
    at = models.DateTimeField(pgettext_lazy("moment", "at"))
    actor_type = models.CharField(_("actor type"), max_length=32, blank=True)
    actor_id = models.CharField(_("actor id"), max_length=64, blank=True)
    detail = models.JSONField(_("detail"), default=dict, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_giftcards"
        ordering = ["at", "pk"]
        verbose_name = _("batch event")
        verbose_name_plural = _("batch events")

    def __str__(self):
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d}"
