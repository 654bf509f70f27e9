"""The tables of other rules for the tiers, which are looked at before they are saved."""

from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty import clock


class AbstractTierProposal(models.Model):
    """Rules for the tiers that are not in force yet, and who would move by them.

    ``rules`` is what is proposed, ``was`` what was in force when it was made; ``steps`` are how many would move from
    which tier to which: lists of (rising?, before, after, number). ``last`` is the key of the last member who was
    looked at; those who would move are :class:`AbstractTierProposalMove`.
    """

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.CASCADE, related_name="tier_proposals")
    key = models.CharField(_("key"), max_length=64, unique=True)
    rules = models.JSONField(_("rules"), default=dict)
    was = models.JSONField(_("rules in force"), default=dict)
    made_at = models.DateTimeField(_("made at"), default=clock.now)
    total = models.PositiveIntegerField(_("members"), default=0)
    seen = models.PositiveIntegerField(_("seen"), default=0)
    last = models.BigIntegerField(_("last member"), default=0)
    rising = models.PositiveIntegerField(_("would rise"), default=0)
    falling = models.PositiveIntegerField(_("would fall"), default=0)
    steps = models.JSONField(_("steps"), default=list)
    finished_at = models.DateTimeField(pgettext_lazy("moment", "finished at"), null=True, blank=True)

    #: How long one can be looked at and saved.
    LIFE = timedelta(days=2)

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        ordering = ["-made_at", "-pk"]
        verbose_name = _("proposal for the tiers")
        verbose_name_plural = _("proposals for the tiers")
        indexes = [models.Index(fields=["programme", "-made_at"], name="loyalty_tierproposal_at")]

    def __str__(self):
        return f"{self.made_at}: {self.seen}/{self.total}"

    @property
    def percent(self) -> int:
        if self.finished_at is not None:
            return 100
        return min(99, self.seen * 100 // self.total) if self.total else 0

    @property
    def is_over(self) -> bool:
        return bool(self.made_at < clock.now() - self.LIFE)


class AbstractTierProposalMove(models.Model):
    """A member who would move. Keys alone: there may be hundreds of thousands, and they are gone in some days."""

    proposal = models.ForeignKey("loyalty_members.TierProposal", on_delete=models.CASCADE, related_name="moves")
    rising = models.BooleanField(_("rising"))
    member = models.BigIntegerField(_("member"))
    before = models.BigIntegerField(_("from"), null=True, blank=True)
    after = models.BigIntegerField(_("to"))

    class Meta:
        abstract = True
        app_label = "loyalty_members"
        verbose_name = _("move that a proposal would bring")
        verbose_name_plural = _("moves that proposals would bring")
        constraints = [
            # Also the order in which a page shows them.
            models.UniqueConstraint(fields=["proposal", "rising", "member"], name="loyalty_tierproposal_move")
        ]

    def __str__(self):
        return f"{self.member}: {self.before} → {self.after}"
