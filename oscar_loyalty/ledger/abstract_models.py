"""The tables of the ledger. Only :mod:`oscar_loyalty.ledger.books` writes to them."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty.ledger.exceptions import ImmutableEntry


class AbstractAccount(models.Model):
    """What an owner has of one unit. ``balance`` is the book balance: the sum of all entries, in whole units.

    While it rests (``paused_at``), nothing in it expires: its lots have no end, whenever they came.
    """

    unit = models.CharField(_("unit"), max_length=32)
    owner_type = models.CharField(_("owner type"), max_length=32)
    owner_id = models.CharField(_("owner id"), max_length=64)
    sequence = models.PositiveBigIntegerField(_("entries so far"), default=0)
    balance = models.BigIntegerField(_("book balance"), default=0)
    debt = models.PositiveBigIntegerField(_("debt"), default=0)
    merged_into = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged", verbose_name=_("merged into")
    )
    opened_at = models.DateTimeField(_("opened at"))
    paused_at = models.DateTimeField(_("rests since"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_ledger"
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.UniqueConstraint(fields=["owner_type", "owner_id", "unit"], name="loyalty_account_owner"),
        ]
        indexes = [models.Index(fields=["unit"], name="loyalty_account_debt", condition=Q(debt__gt=0))]

    def __str__(self):
        return f"{self.owner_type} {self.owner_id} ({self.unit})"


class EntryQuerySet(models.QuerySet):
    def update(self, **kwargs):
        raise ImmutableEntry("Entries of the ledger are never changed.")

    def delete(self):
        raise ImmutableEntry("Entries of the ledger are never deleted.")

    delete.queryset_only = True  # type: ignore[attr-defined]

    def bulk_update(self, objs, fields, batch_size=None):
        raise ImmutableEntry("Entries of the ledger are never changed.")


class AbstractEntry(models.Model):
    """One line of the books, for ever: signed whole units, and the balance of the account after it."""

    account = models.ForeignKey("loyalty_ledger.Account", on_delete=models.PROTECT, related_name="entries")
    sequence = models.PositiveBigIntegerField(_("number in the account"))
    key = models.CharField(_("idempotency key"), max_length=200, unique=True)
    digest = models.CharField(_("digest of the content"), max_length=64)
    kind = models.CharField(_("kind"), max_length=32)
    units = models.BigIntegerField(_("units"))
    balance_after = models.BigIntegerField(_("balance after"))
    explanation = models.JSONField(_("explanation"), default=dict, blank=True)
    source_type = models.CharField(_("source type"), max_length=32, blank=True)
    source_id = models.CharField(_("source id"), max_length=64, blank=True)
    actor_type = models.CharField(_("actor type"), max_length=32, blank=True)
    actor_id = models.CharField(_("actor id"), max_length=64, blank=True)
    effective_at = models.DateTimeField(_("effective at"))
    recorded_at = models.DateTimeField(_("recorded at"))
    reverses = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversals", verbose_name=_("reverses")
    )

    objects = EntryQuerySet.as_manager()

    class Meta:
        abstract = True
        app_label = "loyalty_ledger"
        ordering = ["-sequence"]
        verbose_name = pgettext_lazy("ledger", "entry")
        verbose_name_plural = _("entries")
        constraints = [
            models.UniqueConstraint(fields=["account", "sequence"], name="loyalty_entry_sequence"),
        ]
        indexes = [
            models.Index(fields=["source_type", "source_id"], name="loyalty_entry_source"),
            models.Index(fields=["effective_at"], name="loyalty_entry_effective"),
            # Of what is rare, a list need not look through what is not.
            models.Index(
                fields=["kind", "effective_at"], name="loyalty_entry_rare", condition=~Q(kind__in=["earn", "spend"])
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.units:+d} ({self.key})"

    def save(self, *args, **kwargs):
        if self.pk and not kwargs.get("force_insert"):
            raise ImmutableEntry("Entries of the ledger are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise ImmutableEntry("Entries of the ledger are never deleted.")


class AbstractEntryNote(models.Model):
    """Free text about an entry. It may name a person, so it lies apart and can be erased."""

    entry = models.OneToOneField("loyalty_ledger.Entry", on_delete=models.PROTECT, related_name="note")
    text = models.TextField(_("text"))

    class Meta:
        abstract = True
        app_label = "loyalty_ledger"
        verbose_name = _("note")
        verbose_name_plural = _("notes")

    def __str__(self):
        return self.text[:60]


class AbstractLot(models.Model):
    """What an earning entry brought: spent first-expiring first. ``usable_from`` null: not known yet.

    ``origin`` is the lot that these units were first earned in, when a transfer has recreated it elsewhere.
    ``life_left``: how long it lives on once the rest of its account is over; until then it has no ``expires_at``.
    """

    account = models.ForeignKey("loyalty_ledger.Account", on_delete=models.PROTECT, related_name="lots")
    entry = models.ForeignKey("loyalty_ledger.Entry", on_delete=models.PROTECT, related_name="lots")
    units = models.PositiveBigIntegerField(_("units"))
    remaining = models.PositiveBigIntegerField(_("remaining"))
    held = models.PositiveBigIntegerField(_("held"), default=0)
    usable_from = models.DateTimeField(_("usable from"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    life_left = models.DurationField(_("life left after the rest"), null=True, blank=True)
    origin = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="heirs", verbose_name=_("first lot")
    )

    class Meta:
        abstract = True
        app_label = "loyalty_ledger"
        verbose_name = _("lot")
        verbose_name_plural = _("lots")
        constraints = [
            models.CheckConstraint(condition=Q(remaining__lte=F("units")), name="loyalty_lot_remaining"),
            models.CheckConstraint(condition=Q(held__lte=F("remaining")), name="loyalty_lot_held"),
            models.CheckConstraint(condition=Q(remaining__gte=0) & Q(held__gte=0), name="loyalty_lot_positive"),
            models.CheckConstraint(
                condition=Q(life_left__isnull=True) | Q(expires_at__isnull=True), name="loyalty_lot_rests"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "expires_at"], name="loyalty_lot_open", condition=Q(remaining__gt=0)),
            models.Index(fields=["expires_at"], name="loyalty_lot_expiry", condition=Q(remaining__gt=0)),
        ]

    def __str__(self):
        return f"{self.remaining}/{self.units}"


class AbstractLotUse(models.Model):
    """How much of which lot an entry took (positive) or gave back (negative)."""

    entry = models.ForeignKey("loyalty_ledger.Entry", on_delete=models.PROTECT, related_name="uses")
    lot = models.ForeignKey("loyalty_ledger.Lot", on_delete=models.PROTECT, related_name="uses")
    units = models.BigIntegerField(_("units"))

    class Meta:
        abstract = True
        app_label = "loyalty_ledger"
        verbose_name = _("use of a lot")
        verbose_name_plural = _("uses of lots")

    def __str__(self):
        return f"{self.units} of lot {self.lot_id}"


class AbstractHold(models.Model):
    """Units set aside, with a time limit."""

    OPEN, CAPTURED, RELEASED = "open", "captured", "released"
    STATES = [(OPEN, _("open")), (CAPTURED, _("captured")), (RELEASED, _("released"))]

    account = models.ForeignKey("loyalty_ledger.Account", on_delete=models.PROTECT, related_name="holds")
    key = models.CharField(_("idempotency key"), max_length=200, unique=True)
    digest = models.CharField(_("digest of the content"), max_length=64)
    units = models.PositiveBigIntegerField(_("units"))
    until = models.DateTimeField(_("until"))
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=OPEN)
    source_type = models.CharField(_("source type"), max_length=32, blank=True)
    source_id = models.CharField(_("source id"), max_length=64, blank=True)
    created_at = models.DateTimeField(pgettext_lazy("moment", "created at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    entry = models.ForeignKey(
        "loyalty_ledger.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="captured_holds"
    )

    class Meta:
        abstract = True
        app_label = "loyalty_ledger"
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        indexes = [
            models.Index(fields=["until"], name="loyalty_hold_until", condition=Q(state="open")),
            models.Index(fields=["account"], name="loyalty_hold_account", condition=Q(state="open")),
        ]

    def __str__(self):
        return f"{self.units} ({self.state})"


class AbstractHoldUse(models.Model):
    """How much of which lot a hold has set aside."""

    hold = models.ForeignKey("loyalty_ledger.Hold", on_delete=models.PROTECT, related_name="uses")
    lot = models.ForeignKey("loyalty_ledger.Lot", on_delete=models.PROTECT, related_name="hold_uses")
    units = models.PositiveBigIntegerField(_("units"))

    class Meta:
        abstract = True
        app_label = "loyalty_ledger"
        verbose_name = _("held part of a lot")
        verbose_name_plural = _("held parts of lots")

    def __str__(self):
        return f"{self.units} of lot {self.lot_id}"
