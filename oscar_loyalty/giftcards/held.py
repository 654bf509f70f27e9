"""What this room holds on a person: the cards they bought. They are money, and stay."""

from django.utils.translation import gettext_lazy as _

from oscar_loyalty.loading import get_model
from oscar_loyalty.members.holdings import hold

hold(
    "giftcards",
    _("Gift cards you bought"),
    lambda person: get_model("loyalty_giftcards", "GiftCard").objects.filter(buyer=person.user, buyer__isnull=False),
    # Nothing that a code could be made or looked up from.
    without=["uuid", "generation", "key_id", "lookup", "foreign_code", "unit", "handed_over_at", "reminded_for"],
    columns=["loyalty_giftcards.GiftCard.buyer"],
    keeps="gift cards are money: they belong to the account in the shop, and whoever has one can use it",
)
