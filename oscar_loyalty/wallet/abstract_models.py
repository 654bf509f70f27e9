import secrets
import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


def new_token() -> str:
    return secrets.token_urlsafe(24)


class AbstractWalletPass(models.Model):
    """A member's card in Apple's Wallet: what it showed last, and what that was read from.

    ``serial`` and ``token`` are written into the pass itself and stay the same as long as it lives. ``shown`` is a
    digest of its contents; ``changed_at`` is when they last became different. ``sequence``, ``tier_pk`` and
    ``status`` say what the contents were read from, and ``look_at`` when time alone will change them, so that the
    sweep finds the passes to look at with one query.
    """

    member = models.OneToOneField("loyalty_members.Member", on_delete=models.CASCADE, related_name="wallet_pass")
    serial = models.UUIDField(_("serial number"), default=uuid.uuid4, unique=True, editable=False)
    token = models.CharField(_("token"), max_length=64, default=new_token, editable=False)
    shown = models.CharField(_("digest of what it shows"), max_length=64, blank=True)
    changed_at = models.DateTimeField(_("changed at"))
    sequence = models.PositiveBigIntegerField(_("entries seen"), default=0)
    tier_pk = models.PositiveBigIntegerField(_("tier seen"), default=0)
    status = models.CharField(_("status seen"), max_length=16, blank=True)
    look_at = models.DateTimeField(_("to look at again"), null=True, blank=True)

    class Meta:
        abstract = True
        app_label = "loyalty_wallet"
        verbose_name = _("wallet pass")
        verbose_name_plural = _("wallet passes")
        indexes = [models.Index(fields=["look_at"], name="loyalty_walletpass_look")]

    def __str__(self):
        return str(self.serial)


class AbstractRegistration(models.Model):
    """A device that holds a pass and wants to be told when it changes."""

    wallet_pass = models.ForeignKey("loyalty_wallet.WalletPass", on_delete=models.CASCADE, related_name="registrations")
    device = models.CharField(_("device"), max_length=200)
    push_token = models.CharField(_("push token"), max_length=200)
    registered_at = models.DateTimeField(_("registered at"))

    class Meta:
        abstract = True
        app_label = "loyalty_wallet"
        verbose_name = _("device with a pass")
        verbose_name_plural = _("devices with a pass")
        constraints = [models.UniqueConstraint(fields=["wallet_pass", "device"], name="loyalty_wallet_device")]
        indexes = [models.Index(fields=["device"], name="loyalty_registration_device")]

    def __str__(self):
        return self.device
