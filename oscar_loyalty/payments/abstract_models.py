import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty.payments import reasons


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
    created_at = models.DateTimeField(pgettext_lazy("moment", "created at"))
    leased_until = models.DateTimeField(_("leased until"), help_text=_("A request is working on it until then."))
    expires_at = models.DateTimeField(_("expires at"))
    giving_up = models.BooleanField(
        _("to be undone"),
        default=False,
        help_text=_("It is undone as soon as nobody can pay for it any more; until then what is set aside stays so."),
    )
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
            models.Index(fields=["-created_at"], name="loyalty_attempt_created"),
        ]

    def __str__(self):
        return f"{self.uuid} ({self.state})"

    @property
    def why(self) -> str:
        """Why it came to nothing, in the reader's language."""
        return reasons.said(self.reason)


class AbstractTender(models.Model):
    """One way in which an attempt is paid. The sum of its tenders is the attempt's total."""

    POINTS_LINE, POINTS, GIFTCARD = "points_line", "points", "giftcard"
    ON_SITE, SHOP, LATER, STRIPE = "on_site", "shop", "later", "stripe"
    KINDS = [
        (POINTS_LINE, _("Points")),
        (POINTS, _("Points")),
        (GIFTCARD, _("Gift card")),
        (ON_SITE, _("At the salon")),
        (SHOP, _("The shop's own payment")),
        (LATER, _("To be paid later")),
        (STRIPE, _("Card")),
    ]
    HELD, AUTHORISED, CAPTURED = "held", "authorised", "captured"
    CANCELLED, FAILED = "cancelled", "failed"
    STATES = [
        (HELD, _("held")),
        (AUTHORISED, _("authorised")),
        (CAPTURED, _("captured")),
        (CANCELLED, _("cancelled")),
        (FAILED, _("failed")),
    ]

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
    reference = models.CharField(
        _("reference"), max_length=255, blank=True, help_text=_("What the provider calls this payment.")
    )
    session = models.CharField(
        _("session"), max_length=255, blank=True, help_text=_("What the provider calls the page that asks for it.")
    )
    capture_before = models.DateTimeField(
        _("capture before"), null=True, blank=True, help_text=_("After that the provider lets an authorisation go.")
    )
    error = models.CharField(_("error"), max_length=255, blank=True)
    short = models.BooleanField(
        _("short"), default=False, help_text=_("Less was taken than it is, and the shop has not seen to the rest yet.")
    )
    detail = models.JSONField(_("detail"), default=dict, blank=True)

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
        indexes = [
            models.Index(fields=["reference"], condition=~Q(reference=""), name="loyalty_tender_reference"),
            models.Index(fields=["capture_before"], condition=Q(state="authorised"), name="loyalty_tender_authorised"),
            models.Index(fields=["attempt"], condition=Q(state="failed"), name="loyalty_tender_failed"),
            models.Index(fields=["attempt"], condition=Q(short=True), name="loyalty_tender_short"),
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
    """One return of a part of a tender. Points and cards return in its transaction; a provider's money waits until the
    provider has confirmed it."""

    WAITING, DONE, FAILED = "waiting", "done", "failed"
    STATES = [(WAITING, _("waiting")), (DONE, _("returned")), (FAILED, _("failed"))]

    allotment = models.ForeignKey("loyalty_payments.Allotment", on_delete=models.PROTECT, related_name="returns")
    refund = models.ForeignKey(
        "loyalty_payments.Refund", on_delete=models.PROTECT, null=True, blank=True, related_name="returns"
    )
    key = models.CharField(_("key"), max_length=200, unique=True)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=DONE)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    units = models.PositiveBigIntegerField(_("units"), default=0)
    entry = models.ForeignKey(
        "loyalty_ledger.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="tender_returns"
    )
    reference = models.CharField(_("reference"), max_length=255, blank=True)
    error = models.CharField(_("error"), max_length=255, blank=True)
    happened_at = models.DateTimeField(_("happened at"))

    class Meta:
        abstract = True
        app_label = "loyalty_payments"
        ordering = ["happened_at", "pk"]
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        indexes = [
            models.Index(fields=["state"], condition=~Q(state="done"), name="loyalty_return_waiting"),
        ]

    def __str__(self):
        return f"{self.amount} ({self.key})"


class AbstractRefund(models.Model):
    """What was given back of an order, once for each ``key``: lines, shipping, or an amount shared over them."""

    REFUND, CANCELLATION, DISPUTE, CAPTURE_FAILED = "refund", "cancellation", "dispute", "capture_failed"
    KINDS = [
        (REFUND, _("refund")),
        (CANCELLATION, _("cancellation")),
        (DISPUTE, _("dispute lost")),
        (CAPTURE_FAILED, _("payment failed")),
    ]

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.CharField(_("key"), max_length=200, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=KINDS, default=REFUND)
    order = models.ForeignKey("order.Order", on_delete=models.PROTECT, related_name="loyalty_refunds")
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    shipping = models.DecimalField(_("of it for shipping and surcharges"), max_digits=12, decimal_places=2, default=0)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    actor_type = models.CharField(_("actor type"), max_length=32, blank=True)
    actor_id = models.CharField(_("actor id"), max_length=64, blank=True)
    created_at = models.DateTimeField(pgettext_lazy("moment", "created at"))

    class Meta:
        abstract = True
        app_label = "loyalty_payments"
        ordering = ["created_at", "pk"]
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gte=0) & Q(shipping__gte=0) & Q(shipping__lte=F("amount")),
                name="loyalty_refund_amount",
            ),
        ]

    def __str__(self):
        return f"{self.amount} ({self.key})"


class AbstractRefundLine(models.Model):
    """The part of a refund that is for one order line; ``quantity`` is 0 where only an amount went back."""

    refund = models.ForeignKey("loyalty_payments.Refund", on_delete=models.CASCADE, related_name="lines")
    order_line = models.ForeignKey("order.Line", on_delete=models.PROTECT, related_name="loyalty_refund_lines")
    quantity = models.PositiveIntegerField(_("quantity"), default=0)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)

    class Meta:
        abstract = True
        app_label = "loyalty_payments"
        ordering = ["pk"]
        verbose_name = _("refunded line")
        verbose_name_plural = _("refunded lines")
        constraints = [
            models.UniqueConstraint(fields=["refund", "order_line"], name="loyalty_refund_line"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="loyalty_refund_line_amount"),
        ]

    def __str__(self):
        return f"{self.quantity} × {self.order_line_id}"


class AbstractStripeEvent(models.Model):
    """What Stripe told us, as it came: stored before it is handled, each event once."""

    WAITING, DONE, IGNORED, FAILED = "waiting", "done", "ignored", "failed"
    STATES = [(WAITING, _("waiting")), (DONE, _("done")), (IGNORED, _("ignored")), (FAILED, _("failed"))]

    event_id = models.CharField(_("event"), max_length=255, unique=True)
    kind = models.CharField(_("kind"), max_length=64)
    object_id = models.CharField(_("object"), max_length=255, blank=True)
    attempt = models.ForeignKey(
        "loyalty_payments.PaymentAttempt", on_delete=models.SET_NULL, null=True, blank=True, related_name="events"
    )
    account = models.CharField(_("account"), max_length=255, blank=True)
    livemode = models.BooleanField(_("live mode"), default=False)
    happened_at = models.DateTimeField(_("happened at"))
    received_at = models.DateTimeField(_("received at"))
    handled_at = models.DateTimeField(_("handled at"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=WAITING)
    note = models.CharField(_("note"), max_length=255, blank=True)
    payload = models.JSONField(_("payload"), default=dict)

    class Meta:
        abstract = True
        app_label = "loyalty_payments"
        ordering = ["-received_at", "-pk"]
        verbose_name = _("Stripe event")
        verbose_name_plural = _("Stripe events")
        indexes = [
            models.Index(fields=["state", "received_at"], name="loyalty_stripeevent_state"),
            models.Index(fields=["object_id"], name="loyalty_stripeevent_object"),
        ]

    def __str__(self):
        return f"{self.kind} {self.event_id}"
