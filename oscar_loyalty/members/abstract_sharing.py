"""The tables of sharing: the owner's terms, points given from one member to another, and households."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from oscar_loyalty import clock


class AbstractSharingPolicy(models.Model):
    """Whether members may give each other points, and how many. Made when the owner first saves it; off before that."""

    programme = models.OneToOneField("loyalty_members.Programme", on_delete=models.CASCADE, related_name="sharing")
    is_active = models.BooleanField(
        _("members may give points"),
        default=False,
        help_text=_("Switched off, nobody can give more; what was accepted stays where it is."),
    )
    households = models.BooleanField(
        _("members may form households"),
        default=False,
        help_text=_("Who lives together gives each other points at once, without being asked each time."),
    )
    household_only = models.BooleanField(
        _("only within a household"), default=False, help_text=_("Points can be given to nobody else.")
    )
    household_size = models.PositiveSmallIntegerField(
        _("people in a household"),
        default=6,
        validators=[MinValueValidator(2), MaxValueValidator(20)],
        help_text=_("How many members a household has at most."),
    )
    minimum = models.PositiveIntegerField(
        _("at least"), default=50, validators=[MinValueValidator(1)], help_text=_("For one gift.")
    )
    maximum = models.PositiveIntegerField(
        _("at most"), null=True, blank=True, default=1000, validators=[MinValueValidator(1)],
        help_text=_("For one gift. Empty: no limit."),
    )  # fmt: skip
    per_day = models.PositiveIntegerField(
        _("at most in a day"), null=True, blank=True, default=2000, validators=[MinValueValidator(1)],
        help_text=_("All that one member gives within 24 hours. Empty: no limit."),
    )  # fmt: skip
    per_month = models.PositiveIntegerField(
        _("at most in 30 days"), null=True, blank=True, default=5000, validators=[MinValueValidator(1)],
        help_text=_("All that one member gives within 30 days. Empty: no limit."),
    )  # fmt: skip
    answer_days = models.PositiveSmallIntegerField(
        _("days to answer"),
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("How long a gift or an invitation waits for its answer. Then the points are the giver's again."),
    )

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        verbose_name = _("terms for sharing points")
        verbose_name_plural = _("terms for sharing points")

    def __str__(self):
        return str(self.programme)


class AbstractTransfer(models.Model):
    """Points on their way from one member to another. Until it is answered, the ledger's hold keeps them aside.

    ``to`` is what the giver typed, until it is erased (:mod:`.typed`). ``target`` is whom it names, or nobody: the
    giver is not told which.
    ``at_once``: both were of one household, so that nobody was asked.
    """

    OPEN, DONE, DECLINED, CANCELLED, EXPIRED = "open", "done", "declined", "cancelled", "expired"
    STATES = [
        (OPEN, _("waiting for an answer")),
        (DONE, pgettext_lazy("points", "given")),
        (DECLINED, pgettext_lazy("points", "declined")),
        (CANCELLED, pgettext_lazy("points", "called off")),
        (EXPIRED, _("not answered in time")),
    ]

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.CharField(_("key"), max_length=200, unique=True)
    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.PROTECT, related_name="transfers")
    source = models.ForeignKey("loyalty_members.Member", on_delete=models.PROTECT, related_name="transfers_given")
    target = models.ForeignKey(
        "loyalty_members.Member", on_delete=models.PROTECT, null=True, blank=True, related_name="transfers_received"
    )
    to = models.CharField(_("to"), max_length=254, blank=True)
    units = models.PositiveBigIntegerField(_("points"))
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=OPEN)
    at_once = models.BooleanField(_("within a household"), default=False)
    hold = models.OneToOneField("loyalty_ledger.Hold", on_delete=models.PROTECT, related_name="transfer")
    entry_out = models.OneToOneField(
        "loyalty_ledger.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="transfer_out"
    )
    entry_in = models.OneToOneField(
        "loyalty_ledger.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="transfer_in"
    )
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    actor_type = models.CharField(_("actor type"), max_length=32, blank=True)
    actor_id = models.CharField(_("actor id"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("given at"))
    until = models.DateTimeField(_("can be accepted until"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        ordering = ["-created_at", "-pk"]
        verbose_name = _("gift of points")
        verbose_name_plural = _("gifts of points")
        indexes = [
            models.Index(fields=["source", "created_at"], name="loyalty_transfer_source"),
            models.Index(fields=["target", "created_at"], name="loyalty_transfer_target"),
            models.Index(fields=["programme", "state", "created_at"], name="loyalty_transfer_state"),
            models.Index(fields=["until"], name="loyalty_transfer_open", condition=Q(state="open")),
            models.Index(fields=["closed_at"], name="loyalty_transfer_typed", condition=Q(at_once=False) & ~Q(to="")),
        ]

    def __str__(self):
        return f"{self.source_id} → {self.target_id}: {self.units} ({self.state})"

    @property
    def whom(self) -> str:
        """For whom it is, as its giver typed it, as long as that is known."""
        return self.to or gettext("somebody")

    @property
    def is_open(self) -> bool:
        """Whether it can still be answered, whether or not the sweep has been by."""
        return self.state == self.OPEN and self.until > clock.now()

    @property
    def state_now(self) -> str:
        return self.EXPIRED if self.state == self.OPEN and not self.is_open else self.state

    def get_state_now_display(self) -> str:
        return str(dict(self.STATES)[self.state_now])


class AbstractHousehold(models.Model):
    """Members who live together. Whoever made it, or has been in it longest since, may take others out."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.CASCADE, related_name="households")
    created_at = models.DateTimeField(_("made at"))

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        verbose_name = _("household")
        verbose_name_plural = _("households")

    def __str__(self):
        return str(self.uuid)


class AbstractHouseholdMember(models.Model):
    """Somebody who has agreed to be in a household: in one at a time."""

    household = models.ForeignKey("loyalty_members.Household", on_delete=models.CASCADE, related_name="people")
    member = models.OneToOneField("loyalty_members.Member", on_delete=models.CASCADE, related_name="in_household")
    joined_at = models.DateTimeField(_("since"))

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        ordering = ["joined_at", "pk"]
        verbose_name = _("member of a household")
        verbose_name_plural = _("members of households")

    def __str__(self):
        return f"{self.household_id}: {self.member_id}"


class AbstractHouseholdInvitation(models.Model):
    """That a household (``None``: it is none any more) wants somebody in it.

    ``member`` is whom ``to`` names, or nobody: who invites is not told.
    """

    OPEN, ACCEPTED, DECLINED, CANCELLED = "open", "accepted", "declined", "cancelled"
    STATES = [
        (OPEN, _("waiting for an answer")),
        (ACCEPTED, _("accepted")),
        (DECLINED, pgettext_lazy("invitation", "declined")),
        (CANCELLED, pgettext_lazy("invitation", "called off")),
    ]

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.CharField(_("key"), max_length=200, unique=True)
    household = models.ForeignKey(
        "loyalty_members.Household", on_delete=models.SET_NULL, null=True, related_name="invitations"
    )
    invited_by = models.ForeignKey(
        "loyalty_members.Member", on_delete=models.CASCADE, related_name="household_invitations_sent"
    )
    member = models.ForeignKey(
        "loyalty_members.Member", on_delete=models.CASCADE, null=True, blank=True, related_name="household_invitations"
    )
    to = models.CharField(_("to"), max_length=254, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=OPEN)
    created_at = models.DateTimeField(_("invited at"))
    until = models.DateTimeField(_("can be accepted until"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        ordering = ["-created_at", "-pk"]
        verbose_name = _("invitation to a household")
        verbose_name_plural = _("invitations to households")
        indexes = [
            models.Index(fields=["member", "state"], name="loyalty_hhinvitation_member"),
            models.Index(fields=["until"], name="loyalty_hhinvitation_typed", condition=~Q(to="")),
        ]

    def __str__(self):
        return f"{self.household_id}: {self.member_id} ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state == self.OPEN and self.until > clock.now()
