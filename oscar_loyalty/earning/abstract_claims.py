"""The tables of guest orders that come to a member: the links that were sent, and the orders that were taken."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AbstractGuestLink(models.Model):
    """A link that was sent to the address of guest orders: for ``order``, or (null) for all that this address made.

    Whoever opens it has read that mailbox. ``used_by`` is who took what it was for, once; for a while, the address
    then counts as proven to be theirs.
    """

    programme = models.ForeignKey("loyalty_members.Programme", on_delete=models.CASCADE, related_name="guest_links")
    nonce = models.CharField(_("nonce"), max_length=32, unique=True)
    email = models.EmailField(_("e-mail"))
    order = models.ForeignKey(
        "order.Order",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="loyalty_guest_links",
        verbose_name=_("order"),
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asked by"),
    )
    made_at = models.DateTimeField(_("made at"))
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="loyalty_guest_links",
        verbose_name=_("used by"),
    )
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        verbose_name = _("link for guest orders")
        verbose_name_plural = _("links for guest orders")
        constraints = [
            models.UniqueConstraint(
                fields=["order", "email"], condition=Q(order__isnull=False), name="loyalty_guestlink_order"
            ),
        ]
        indexes = [
            models.Index(fields=["email", "made_at"], name="loyalty_guestlink_email"),
            models.Index(fields=["used_by", "used_at"], name="loyalty_guestlink_used"),
        ]

    def __str__(self):
        return f"{self.email} {self.made_at:%Y-%m-%d}"


class AbstractGuestClaim(models.Model):
    """A guest order that a member took to the own account: who, when, and by which link. It happens once."""

    ORDER, ADDRESS, PROVEN = "order", "address", "proven"
    SOURCES = [
        (ORDER, _("by the link in the order's e-mail")),
        (ADDRESS, _("by the link that was asked for")),
        (PROVEN, _("on the member pages, the address being proven")),
    ]

    order = models.OneToOneField("order.Order", on_delete=models.CASCADE, related_name="loyalty_claim")
    member = models.ForeignKey("loyalty_members.Member", on_delete=models.PROTECT, related_name="guest_claims")
    email = models.EmailField(_("e-mail"))
    source = models.CharField(_("how"), max_length=16, choices=SOURCES)
    link = models.ForeignKey(
        "loyalty_earning.GuestLink",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="claims",
        verbose_name=_("link"),
    )
    claimed_at = models.DateTimeField(_("claimed at"))

    class Meta:
        abstract = True
        app_label = "loyalty_earning"
        ordering = ["-claimed_at", "-pk"]
        verbose_name = _("claimed guest order")
        verbose_name_plural = _("claimed guest orders")

    def __str__(self):
        return f"{self.order_id} → {self.member_id}"
