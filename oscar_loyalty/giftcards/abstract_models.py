import uuid
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty import clock, times
from oscar_loyalty.giftcards.taxes import MULTI, TAX_KINDS
from oscar_loyalty.money import to_minor


class AbstractDenomination(models.Model):
    """A value that gift cards are sold in: the product that stands for it, and its price in points."""

    product = models.OneToOneField(
        "catalogue.Product",
        on_delete=models.CASCADE,
        related_name="loyalty_denomination",
        verbose_name=_("product"),
    )
    value = models.DecimalField(
        _("value"),
        max_digits=12,
        decimal_places=2,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text=_("What is on the card."),
    )
    currency = models.CharField(_("currency"), max_length=3)
    points_price = models.PositiveIntegerField(
        _("price in points"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("How many points buy one card. Empty: for money only."),
    )
    is_active = models.BooleanField(_("on sale"), default=True)
    tax_kind = models.CharField(_("tax"), max_length=8, choices=TAX_KINDS, default=MULTI)

    class Meta:
        abstract = True
        app_label = "loyalty_giftcards"
        ordering = ["currency", "value"]
        verbose_name = _("gift card value")
        verbose_name_plural = _("gift card values")
        constraints = [
            models.CheckConstraint(condition=Q(value__gt=0), name="loyalty_denomination_value"),
            models.CheckConstraint(
                condition=Q(points_price__isnull=True) | Q(points_price__gt=0), name="loyalty_denomination_points"
            ),
        ]

    def __str__(self):
        return f"{self.value} {self.currency}"


class AbstractCustomAmount(models.Model):
    """Gift cards of an amount that the buyer chooses, in one currency: the bounds, and the product that is sold."""

    product = models.OneToOneField(
        "catalogue.Product",
        on_delete=models.CASCADE,
        related_name="loyalty_custom_amount",
        verbose_name=_("product"),
    )
    currency = models.CharField(_("currency"), max_length=3, unique=True)
    minimum = models.DecimalField(_("smallest amount"), max_digits=12, decimal_places=2)
    maximum = models.DecimalField(_("largest amount"), max_digits=12, decimal_places=2)
    step = models.DecimalField(
        _("step"), max_digits=12, decimal_places=2, help_text=_("Amounts go up from the smallest one by this much.")
    )
    points_per_unit = models.DecimalField(
        _("points for each unit of money"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    is_active = models.BooleanField(_("on sale"), default=True)

    class Meta:
        abstract = True
        app_label = "loyalty_giftcards"
        ordering = ["currency"]
        verbose_name = _("amounts of the buyer's choice")
        verbose_name_plural = _("amounts of the buyer's choice")
        constraints = [
            models.CheckConstraint(
                condition=Q(minimum__gt=0) & Q(maximum__gte=models.F("minimum")) & Q(step__gt=0),
                name="loyalty_customamount_bounds",
            ),
            models.CheckConstraint(
                condition=Q(points_per_unit__isnull=True) | Q(points_per_unit__gt=0),
                name="loyalty_customamount_points",
            ),
        ]

    def __str__(self):
        return f"{self.minimum}–{self.maximum} {self.currency}"


class AbstractGiftCard(models.Model):
    """One gift card. Its money is an account of the ledger; its code is made from ``uuid`` and ``generation`` under a
    key that lies outside the database, and is stored nowhere."""

    WAITING, ACTIVE, DISABLED = "waiting", "active", "disabled"
    STATES = [(WAITING, _("not paid yet")), (ACTIVE, pgettext_lazy("gift card", "active")), (DISABLED, _("disabled"))]

    uuid = models.UUIDField(_("id"), unique=True, default=uuid.uuid4, editable=False)
    key = models.CharField(_("key"), max_length=200, unique=True, help_text=_("What the card was issued for, once."))
    generation = models.PositiveIntegerField(_("generation"), default=1)
    key_id = models.CharField(_("code key"), max_length=64, blank=True)
    lookup = models.CharField(_("code fingerprint"), max_length=64, unique=True, null=True, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=WAITING)
    disabled_reason = models.CharField(_("why disabled"), max_length=255, blank=True)
    site = models.ForeignKey(
        "sites.Site",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("site"),
        help_text=_("Where it was issued, and pays."),
    )
    currency = models.CharField(_("currency"), max_length=3)
    value = models.DecimalField(_("value"), max_digits=12, decimal_places=2)
    account = models.OneToOneField(
        "loyalty_ledger.Account", on_delete=models.PROTECT, related_name="giftcard", verbose_name=_("account")
    )
    order = models.ForeignKey(
        "order.Order",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="loyalty_giftcards",
        verbose_name=_("order"),
    )
    order_line = models.ForeignKey(
        "order.Line",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="loyalty_giftcards",
        verbose_name=_("order line"),
    )
    unit = models.PositiveIntegerField(_("unit of the line"), default=1)
    order_number = models.CharField(_("order number"), max_length=128, blank=True)
    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="loyalty_giftcards",
        verbose_name=_("buyer"),
    )
    recipient_name = models.CharField(_("recipient"), max_length=150, blank=True)
    recipient_email = models.EmailField(_("recipient's e-mail"), blank=True)
    sender_name = models.CharField(_("from"), max_length=150, blank=True)
    message = models.TextField(_("message"), blank=True)
    language = models.CharField(_("language"), max_length=16, blank=True)
    design = models.CharField(_("design"), max_length=50, blank=True)
    deliver_at = models.DateTimeField(
        _("to be sent at"), null=True, blank=True, help_text=_("Empty: as soon as it is paid.")
    )
    handed_over_at = models.DateTimeField(_("handed over to the mail at"), null=True, blank=True)
    created_at = models.DateTimeField(_("issued at"))
    activated_at = models.DateTimeField(_("activated at"), null=True, blank=True)
    code_shown_at = models.DateTimeField(_("code shown at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    reminded_for = models.DateTimeField(_("end that a reminder was sent for"), null=True, blank=True)
    tax_kind = models.CharField(_("tax"), max_length=8, choices=TAX_KINDS, default=MULTI)
    foreign_code = models.BooleanField(
        _("code of another system"), default=False, help_text=_("Only its fingerprint is known; it cannot be sent.")
    )
    batch = models.ForeignKey(
        "loyalty_giftcards.GiftCardBatch",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="cards",
        verbose_name=_("batch"),
    )
    printed_at = models.DateTimeField(_("saved by the buyer at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_giftcards"
        ordering = ["-created_at", "-pk"]
        verbose_name = _("gift card")
        verbose_name_plural = _("gift cards")
        constraints = [
            models.UniqueConstraint(
                fields=["order_line", "unit"], condition=Q(order_line__isnull=False), name="loyalty_giftcard_unit"
            ),
            # A card to be sold at the till may be blank until then.
            models.CheckConstraint(
                condition=Q(value__gt=0) | Q(value=0, activated_at__isnull=True), name="loyalty_giftcard_value"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "created_at"], name="loyalty_giftcard_state"),
            models.Index(fields=["order_number"], name="loyalty_giftcard_order"),
            models.Index(fields=["state", "expires_at"], name="loyalty_giftcard_expiry"),
            models.Index(fields=["site", "-created_at"], name="loyalty_giftcard_site"),
        ]

    def __str__(self):
        return f"{self.label} ({self.value} {self.currency})"

    @property
    def label(self) -> str:
        """A short name that tells cards apart and is of no use to a thief."""
        return self.uuid.hex[:8].upper()

    @property
    def last_day(self) -> date | None:
        """The last day, in the shop's own time, on which the card can be spent; ``None``: it never ends."""
        return times.last_day(self.expires_at)

    @property
    def ended(self) -> bool:
        """Whether its end has come. What is on it all the same, the ledger knows."""
        return self.expires_at is not None and self.expires_at <= clock.now()

    @property
    def units(self) -> int:
        """The value in minor units."""
        return to_minor(self.value, self.currency)

    @property
    def is_scheduled(self) -> bool:
        """Whether it is to be sent on a day of the buyer's choice, and has not been yet."""
        return self.deliver_at is not None and self.handed_over_at is None


class AbstractGiftCardEvent(models.Model):
    """Something that happened to a card, apart from its money, which is in the ledger."""

    ISSUED, ACTIVATED, SHOWN, SENT = "issued", "activated", "shown", "sent"
    DISABLED, ENABLED, REISSUED, CHANGED = "disabled", "enabled", "reissued", "changed"
    TOPPED_UP, EXTENDED, RESENT = "topped_up", "extended", "resent"
    DEACTIVATED, REMINDED = "deactivated", "reminded"
    SCHEDULED, PRINTED = "scheduled", "printed"
    KINDS = [
        (ISSUED, _("issued")),
        (ACTIVATED, _("activated")),
        (SHOWN, _("code shown to the buyer")),
        (SENT, _("code sent by e-mail")),
        (DISABLED, _("disabled")),
        (ENABLED, _("enabled again")),
        (REISSUED, _("given a new code")),
        (CHANGED, _("recipient changed")),
        (TOPPED_UP, _("topped up")),
        (EXTENDED, _("given a later end")),
        (RESENT, _("to be sent again")),
        (DEACTIVATED, _("activation taken back")),
        (REMINDED, _("holder reminded of its end")),
        (SCHEDULED, _("day of sending set")),
        (PRINTED, _("saved to print by the buyer")),
    ]

    card = models.ForeignKey(
        "loyalty_giftcards.GiftCard", on_delete=models.CASCADE, related_name="events", verbose_name=_("gift card")
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
        verbose_name = _("gift card event")
        verbose_name_plural = _("gift card events")

    def __str__(self):
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d}"


class AbstractCodeAttempt(models.Model):
    """How many wrong codes somebody has typed lately. ``who`` is a fingerprint, not the address or session itself."""

    USER, SESSION, ADDRESS, CARD = "user", "session", "address", "card"
    SCOPES = [(USER, _("account")), (SESSION, _("session")), (ADDRESS, _("address")), (CARD, _("gift card"))]

    scope = models.CharField(_("scope"), max_length=16, choices=SCOPES)
    who = models.CharField(_("who"), max_length=64)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    since = models.DateTimeField(_("since"))

    class Meta:
        abstract = True
        app_label = "loyalty_giftcards"
        verbose_name = _("tries of gift-card codes")
        verbose_name_plural = _("tries of gift-card codes")
        constraints = [models.UniqueConstraint(fields=["scope", "who"], name="loyalty_codeattempt_who")]
        indexes = [models.Index(fields=["since"], name="loyalty_codeattempt_since")]

    def __str__(self):
        return f"{self.scope} {self.tries}"


class AbstractRetiredCode(models.Model):
    """The fingerprint of a code that a card had before: it opens nothing, but whoever keeps trying it is counted."""

    card = models.ForeignKey(
        "loyalty_giftcards.GiftCard",
        on_delete=models.CASCADE,
        related_name="retired_codes",
        verbose_name=_("gift card"),
    )
    lookup = models.CharField(_("code fingerprint"), max_length=64, unique=True)

    class Meta:
        abstract = True
        app_label = "loyalty_giftcards"
        verbose_name = _("retired gift-card code")
        verbose_name_plural = _("retired gift-card codes")

    def __str__(self):
        return f"{self.card_id}"


class AbstractGuessingAlert(models.Model):
    """The owner was told that somebody is guessing codes: when, and what was seen."""

    key = models.CharField(_("key"), max_length=32, unique=True)
    at = models.DateTimeField(pgettext_lazy("moment", "at"))
    tries = models.PositiveIntegerField(_("tries"))
    addresses = models.PositiveIntegerField(_("addresses"))

    class Meta:
        abstract = True
        app_label = "loyalty_giftcards"
        ordering = ["-at"]
        verbose_name = _("alert about guessed gift-card codes")
        verbose_name_plural = _("alerts about guessed gift-card codes")
        indexes = [models.Index(fields=["at"], name="loyalty_guessing_at")]

    def __str__(self):
        return f"{self.tries} {self.at:%Y-%m-%d %H:%M}"
