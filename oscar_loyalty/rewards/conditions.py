"""The condition of every reward's offer: the basket is the member's own, and what the voucher is for costs enough."""

from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from oscar.core.loading import get_model

from oscar_loyalty import clock
from oscar_loyalty.members.sites import is_home

Condition = get_model("offer", "Condition")


class OwnVoucher(Condition):
    """Oscar asks conditions of a basket, so a voucher needs no fork of Oscar's to be one person's.

    ``value`` is the least that the range's products in the basket must cost together.
    """

    class Meta:
        app_label = "loyalty_rewards"
        proxy = True

    @property
    def name(self):
        return _("A member's own reward")

    @property
    def description(self):
        return self.name

    def is_satisfied(self, offer: Any, basket: Any) -> bool:
        voucher = offer.get_voucher()
        if voucher is None or basket.owner_id is None:
            return False
        return self._first(offer, basket) == voucher.pk and self._worth(basket) >= (self.value or 0)

    def _first(self, offer: Any, basket: Any) -> Any:
        """Return the voucher of this offer that the basket gets: Oscar would write two down as the first alone."""
        claims = get_model("loyalty_rewards", "Claim").objects.filter(
            Q(voucher=offer.get_voucher()) | Q(voucher__basket=basket.pk),
            state="claimed",
            member__user=basket.owner_id,
            member__status="active",
            voucher__offers=offer.pk,
            voucher__end_datetime__gte=clock.now(),
        )
        found = claims.select_related("member__programme").order_by("voucher_id")
        return next((claim.voucher_id for claim in found if is_home(claim.member.programme, basket)), None)

    def _worth(self, basket: Any) -> Decimal:
        worth = Decimal(0)
        for line in basket.all_lines():
            if line.stockrecord_id and (self.range is None or self.can_apply_condition(line)):
                worth += (line.unit_effective_price or 0) * line.quantity
        return worth
