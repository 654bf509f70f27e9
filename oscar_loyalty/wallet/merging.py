"""What of the passes follows a member into another."""

from typing import Any

from django.utils.translation import gettext_lazy

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.merging import mover


@mover(
    "wallet.pass",
    title=gettext_lazy("Wallet passes"),
    count=lambda member: get_model("loyalty_wallet", "WalletPass").objects.filter(member=member).count(),
    columns=["loyalty_wallet.WalletPass.member"],
)
def move_pass(source: Any, target: Any) -> int:
    """A phone that held the other card shows the one that goes on; where both have a pass, the other one's ends."""
    WalletPass = get_model("loyalty_wallet", "WalletPass")
    if WalletPass.objects.filter(member=target).exists():
        return 0
    return int(WalletPass.objects.filter(member=source).update(member=target, sequence=0))
