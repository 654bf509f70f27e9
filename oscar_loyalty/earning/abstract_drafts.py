"""The tables of drafts: changes of rules that can be looked at and simulated before they count."""

from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oscar_loyalty.earning.abstract_models import AbstractRule
from oscar_loyalty.fields import I18nCharField


def new_key() -> str:
    return uuid4().hex


class AbstractDraft(models.Model):
    """Changes of a programme's rules that are published together, from one moment on, or thrown away.

    ``valid_from`` is that moment (null: when it is published); ``note`` is the owner's own reminder of what it is for.
    """

    DRAFT, PUBLISHED, DISCARDED = "draft", "published", "discarded"
    STATES = [(DRAFT, _("being written")), (PUBLISHED, _("published")), (DISCARDED, _("thrown away"))]

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.PROTECT, related_name="drafts")
    key = models.CharField(_("key"), max_length=64, unique=True, default=new_key)
    name = models.CharField(_("name"), max_length=120, help_text=_("Only for you, such as “Christmas”."))
    note = models.TextField(_("note"), blank=True, help_text=_("What it is for, and what you have decided. Optional."))
    state = models.CharField(_("state"), max_length=16, choices=STATES, default=DRAFT)
    created_at = models.DateTimeField(pgettext_lazy("moment", "created at"))
    created_by_type = models.CharField(_("author type"), max_length=32, blank=True)
    created_by = models.CharField(_("created by"), max_length=64, blank=True)
    updated_at = models.DateTimeField(_("last changed at"))
    updated_by_type = models.CharField(_("type of who changed it last"), max_length=32, blank=True)
    updated_by = models.CharField(_("last changed by"), max_length=64, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    published_by_type = models.CharField(_("publisher type"), max_length=32, blank=True)
    published_by = models.CharField(_("published by"), max_length=64, blank=True)
    valid_from = models.DateTimeField(_("in force from"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["-updated_at", "-pk"]
        verbose_name = _("draft of rules")
        verbose_name_plural = _("drafts of rules")
        indexes = [models.Index(fields=["programme", "state", "updated_at"], name="loyalty_draft_state")]

    def __str__(self):
        return self.name

    @property
    def is_open(self) -> bool:
        return self.state == self.DRAFT


class AbstractDraftItem(models.Model):
    """One change: a new rule (``rule`` is null), other numbers for ``rule``, or its end (``ends``).

    ``base_number`` is the rule's newest version when the change was written: if there is a newer one by the time of
    publishing, somebody changed the rule meanwhile. ``version`` is what the change became.
    """

    draft = models.ForeignKey("loyalty_earning.Draft", on_delete=models.CASCADE, related_name="items")
    rule = models.ForeignKey(
        "loyalty_earning.Rule", on_delete=models.SET_NULL, null=True, blank=True, related_name="draft_items"
    )
    ends = models.BooleanField(_("ends the rule"), default=False)
    base_number = models.PositiveIntegerField(_("version it began with"), null=True, blank=True)
    kind = models.CharField(_("kind"), max_length=16)
    name = I18nCharField(_("name"), max_length=200, blank=True)
    target = models.CharField(
        _("applies to"), max_length=16, choices=AbstractRule.TARGETS, default=AbstractRule.EVERYTHING
    )
    product = models.ForeignKey("catalogue.Product", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    product_class = models.ForeignKey(
        "catalogue.ProductClass", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    category = models.ForeignKey(
        "catalogue.Category", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    range = models.ForeignKey("offer.Range", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    spec = models.JSONField(_("what it says"), default=dict, blank=True)
    version = models.ForeignKey(
        "loyalty_earning.RuleVersion", on_delete=models.SET_NULL, null=True, blank=True, related_name="draft_items"
    )

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["pk"]
        verbose_name = _("change in a draft")
        verbose_name_plural = _("changes in drafts")
        constraints = [
            models.UniqueConstraint(
                fields=["draft", "rule"], condition=Q(rule__isnull=False), name="loyalty_draftitem_rule"
            ),
        ]

    def __str__(self):
        return f"{self.draft}: {self.name or self.kind}"

    @property
    def target_object(self):
        return self.product or self.product_class or self.category or self.range
