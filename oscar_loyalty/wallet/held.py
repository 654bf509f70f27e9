"""What this room holds on a person: passes. A pass on a phone stays there, empty and void, until it is thrown away."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.holdings import Person, hold
from oscar_loyalty.wallet import services


def _passes(person: Person) -> Any:
    return get_model("loyalty_wallet", "WalletPass").objects.filter(member__in=person.members)


def _void(person: Person) -> None:
    for row in _passes(person):
        services.refresh(wallet_pass=row)


hold(
    "wallet",
    _("Wallet passes"),
    _passes,
    without=["serial", "token", "shown", "sequence", "tier_pk", "status", "look_at"],
    columns=["loyalty_wallet.WalletPass.member"],
    erase=_void,
    # Once there is no name any more that it could show.
    order=95,
)
hold(
    "wallet.devices",
    _("Devices with your pass"),
    lambda person: get_model("loyalty_wallet", "Registration").objects.filter(wallet_pass__in=_passes(person)),
    without=["push_token"],
    columns=[],
    keeps="a number that the phone made up for this pass, with which it learns that the pass is void",
)
