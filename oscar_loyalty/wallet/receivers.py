"""What a pass shows besides points and tier: when it changes, the phones hear of it at the next sweep."""

from django.db.models.signals import post_save
from django.dispatch import receiver

from oscar_loyalty.loading import get_model
from oscar_loyalty.wallet import services

Member, Tier, Programme = (get_model("loyalty_members", name) for name in ("Member", "Tier", "Programme"))
#: Fields of a member that the pass shows, and that neither entry nor status tells of.
SHOWN = {"first_name", "last_name", "language", "number"}


@receiver(post_save, sender=Member)
def member_changed(sender, instance, created=False, raw=False, update_fields=None, **kwargs):
    if not raw and not created and (update_fields is None or SHOWN & set(update_fields)):
        services.look_again(passes=_passes().filter(member=instance.pk))


@receiver(post_save, sender=Tier)
def tier_changed(sender, instance, created=False, raw=False, **kwargs):
    if not raw and not created:
        services.look_again(passes=_passes().filter(member__tier=instance.pk))


@receiver(post_save, sender=Programme)
def programme_changed(sender, instance, created=False, raw=False, **kwargs):
    if not raw and not created:
        services.look_again(passes=_passes().filter(member__programme=instance.pk))


def _passes():
    return get_model("loyalty_wallet", "WalletPass").objects
