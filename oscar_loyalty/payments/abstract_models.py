import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class AbstractPaymentAttempt(models.Model):
    """One try to check out: a snapshot of what the order needs, and what it is going to be paid with.

    It is committed with its holds before anybody is asked for money, and closed in the transaction that places the
    order. Whatever stops half way is finished or undone from here.
    """

    OPEN, PLACED, CANCELLED = "open", "placed", "cancelled"
    STATES = [(OPEN, _("open")), (PLACED, _("placed")), (CANCELLED, _("cancelled"))]

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=OPEN)
    basket = models.ForeignKey(
        "basket.Basket", on_delete=models.SET_NULL, null=True, related_name="payment_attempts", verbose_name=_("basket")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    member = models.ForeignKey(
        "loyalty_members.Member", on_delete=models.PROTECT, null=True, blank=True, related_name="payment_attempts"
    )
    site = models.ForeignKey("sites.Site", on_delete=models.PROTECT, related_name="+")
    order_number = models.CharField(_("order number"), max_length=128, blank=True)
    order = models.OneToOneField(
        "order.Order",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="payment_attempt",
        verbose_name=_("order"),
    )
    currency = models.CharField(_("currency"), max_length=12)
    total = models.DecimalField(_("total with tax"), max_digits=12, decimal_places=2)
    snapshot = models.JSONField(_("snapshot"), default=dict)
    created_at = models.DateTimeField(_("created at"))
    leased_until = models.DateTimeField(_("leased until"), help_text=_("A request is working on it until then."))
    expires_at = models.DateTimeField(_("expires at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=255, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_payments"
        ordering = ["-created_at"]
        verbose_name = _("payment attempt")
        verbose_name_plural = _("payment attempts")
        constraints = [
            models.UniqueConstraint(fields=["basket"], condition=Q(state="open"), name="loyalty_attempt_live"),
        ]
        indexes = [
            models.Index(fields=["leased_until"], condition=Q(state="open"), name="loyalty_attempt_stale"),
        ]

    def __str__(self):
        return f"{self.uuid} ({self.state})"


class AbstractTender(models.Model):
    """One way in which an attempt is paid. The sum of its tenders is the attempt's total."""

    POINTS_LINE, GIFTCARD, ON_SITE, SHOP = "points_line", "giftcard", "on_site", "shop"
    KINDS = [
        (POINTS_LINE, _("Points")),
        (GIFTCARD, _("Gift card")),
        (ON_SITE, _("At the salon")),
        (SHOP, _("The shop's own payment")),
    ]
    HELD, CAPTURED, CANCELLED = "held", "captured", "cancelled"
    STATES = [(HELD, _("held")), (CAPTURED, _("captured")), (CANCELLED, _("cancelled"))]

    attempt = models.ForeignKey("loyalty_payments.PaymentAttempt", on_delete=models.CASCADE, related_name="tenders")
    number = models.PositiveSmallIntegerField(_("number"))
    kind = models.CharField(_("kind"), max_length=16, choices=KINDS)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=HELD)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    units = models.PositiveBigIntegerField(
        _("units"), default=0, help_text=_("Points, or minor units of a gift card's currency; 0 for money.")
    )
    line_index = models.PositiveSmallIntegerField(
        _("line"), null=True, blank=True, help_text=_("Place of the line that it pays for, when it is bound to one.")
    )
    card = models.ForeignKey(
        "loyalty_giftcards.GiftCard", on_delete=models.PROTECT, null=True, blank=True, related_name="tenders"
    )
    hold = models.OneToOneField(
        "loyalty_ledger.Hold", on_delete=models.PROTECT, null=True, blank=True, related_name="tender"
    )
    entry = models.OneToOneField(
        "loyalty_ledger.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="tender"
    )

    class Meta:
        abstract = True
        app_label = "loyalty_payments"
        ordering = ["number"]
        verbose_name = _("tender")
        verbose_name_plural = _("tenders")
        constraints = [
            models.UniqueConstraint(fields=["attempt", "number"], name="loyalty_tender_number"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="loyalty_tender_amount"),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.amount}"


class AbstractAllotment(models.Model):
    """Which part of a tender paid for which order line (``order_line`` null: shipping and surcharges)."""

    tender = models.ForeignKey("loyalty_payments.Tender", on_delete=models.CASCADE, related_name="allotments")
    order_line = models.ForeignKey(
        "order.Line", on_delete=models.PROTECT, null=True, blank=True, related_name="loyalty_allotments"
    )
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    units = models.PositiveBigIntegerField(_("units"), default=0)
    returned_amount = models.DecimalField(_("returned amount"), max_digits=12, decimal_places=2, default=0)
    returned_units = models.PositiveBigIntegerField(_("returned units"), default=0)

    class Meta:
        abstract = True
        app_label = "loyalty_payments"
        verbose_name = _("allotment")
        verbose_name_plural = _("allotments")
        constraints = [
            models.CheckConstraint(condition=Q(returned_units__lte=F("units")), name="loyalty_allotment_units"),
            models.CheckConstraint(condition=Q(returned_amount__lte=F("amount")), name="loyalty_allotment_amount"),
        ]

    def __str__(self):
        return f"{self.amount} of tender {self.tender_id}"


class AbstractTenderReturn(models.Model):
    """One return of a part of a tender, when lines of its order were cancelled."""

    allotment = models.ForeignKey("loyalty_payments.Allotment", on_delete=models.PROTECT, related_name="returns")
    key = models.CharField(_("key"), max_length=200, unique=True)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    units = models.PositiveBigIntegerField(_("units"), default=0)
    entry = models.ForeignKey(
        "loyalty_ledger.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="tender_returns"
    )
    happened_at = models.DateTimeField(_("happened at"))

    class Meta:
        abstract = True
        app_label = "loyalty_payments"
        ordering = ["happened_at", "pk"]
        verbose_name = _("return")
        verbose_name_plural = _("returns")

    def __str__(self):
        return f"{self.amount} ({self.key})"
