"""What a tier brings in the basket: offers of Oscar's own, with a condition that looks at who is buying.

They are site offers, so the shop's Applicator finds them as it is. Both a tier's discount and its free delivery are
for the tiers above as well; the highest discount comes first and takes the lines, so they never add up.
"""

from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.functional import lazy
from django.utils.html import conditional_escape
from django.utils.translation import get_language, override
from django.utils.translation import gettext_lazy as _
from oscar.core.loading import get_model as oscar_model

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.sites import is_home

#: The shop's other offers go first: theirs begin at zero.
PRIORITY = -1000

Condition = oscar_model("offer", "Condition")


class _Spoken(str):
    """An offer's name: stored as it is, shown in the reader's language."""

    shown: Any

    def __html__(self) -> str:
        return str(conditional_escape(str(self.shown)))


class TierCondition(Condition):
    """The basket's owner is a member of a tier at least; ``value`` is the tier's primary key."""

    class Meta:
        proxy = True
        app_label = "loyalty_members"
        verbose_name = _("tier condition")
        verbose_name_plural = _("tier conditions")

    def __str__(self):
        return str(self.name)

    @property
    def tier(self) -> Any:
        if not hasattr(self, "_tier"):
            tiers = get_model("loyalty_members", "Tier").everything.select_related("programme")
            self._tier = tiers.filter(pk=int(self.value or 0)).first()
        return self._tier

    @property
    def name(self):
        return _("The customer is %(tier)s or above") % {"tier": self.tier.name if self.tier else "–"}

    @property
    def description(self):
        return self.name

    def is_satisfied(self, offer, basket) -> bool:
        if not basket.num_lines or not self._is_member(basket):
            return False
        offer.name = spoken(offer, self.tier)
        return True

    def _is_member(self, basket: Any) -> bool:
        owner, tier = basket.owner, self.tier
        if owner is None or not owner.pk or tier is None or tier.removed_at or not tier.programme.is_active:
            return False
        if not is_home(tier.programme, basket):
            return False
        ranks = basket.__dict__.setdefault("_loyalty_ranks", {})
        key = (owner.pk, tier.programme_id)
        if key not in ranks:
            rows = get_model("loyalty_members", "Member").objects.filter(programme=tier.programme_id, user=owner.pk)
            ranks[key] = rows.filter(status="active").values_list("tier__rank", flat=True).first()
        return ranks[key] is not None and ranks[key] >= tier.rank

    def can_apply_condition(self, line) -> bool:
        return bool(line.product.get_is_discountable())

    def consume_items(self, offer, basket, affected_lines) -> None:
        """Nothing is used up by being somebody."""

    def is_partially_satisfied(self, offer, basket) -> bool:
        return False

    def get_upsell_message(self, offer, basket) -> None:
        return None


def offer_name(tier: Any, kind: str) -> str:
    """Return what a tier's offer is called, in the active language: "Gold: 10% off"."""
    if kind == "shipping":
        return str(_("%(tier)s: free delivery") % {"tier": tier.name})
    percent = f"{Decimal(tier.discount or 0).normalize():f}"
    if (get_language() or "").startswith("fr"):
        percent = percent.replace(".", ",")
    return str(_("%(tier)s: %(percent)s%% off") % {"tier": tier.name, "percent": percent})


def spoken(offer: Any, tier: Any) -> str:
    """Return the stored name of ``offer``, which templates show in the reader's language."""
    if isinstance(offer.name, _Spoken):
        return offer.name
    kind = "discount" if offer.benefit.type == "Percentage" else "shipping"
    found = _Spoken(offer.name)
    found.shown = lazy(offer_name, str)(tier, kind)
    return found


@transaction.atomic
def sync(*, tier: Any) -> None:
    """Make, change or end the offers of ``tier``, as its fields say."""
    gone = tier.removed_at is not None
    _keep(tier, "discount", None if gone else tier.discount)
    _keep(tier, "shipping", Decimal(100) if tier.free_shipping and not gone else None)


def _keep(tier: Any, kind: str, value: Decimal | None) -> None:
    TierOffer, Offer = get_model("loyalty_members", "TierOffer"), oscar_model("offer", "ConditionalOffer")
    row = TierOffer.objects.select_related("offer__benefit").filter(tier=tier, kind=kind).first()
    if value is None:
        if row is not None and row.offer.status != Offer.SUSPENDED:
            row.offer.status, row.offer.end_datetime = Offer.SUSPENDED, clock.now()
            row.offer.save()
        return
    if row is None:
        row = TierOffer(tier=tier, kind=kind, offer=_make(tier, kind, value))
        row.save()
        return
    offer = row.offer
    offer.name, offer.priority = _free_name(tier, kind, offer.pk), PRIORITY + tier.rank
    if offer.status == Offer.SUSPENDED:
        offer.status, offer.end_datetime = Offer.OPEN, None
    offer.save()
    benefit = get_benefit(offer)
    if benefit.value != value:
        type(benefit).objects.filter(pk=benefit.pk).update(value=value)


def get_benefit(offer: Any) -> Any:
    """Return the benefit of an offer as it is stored."""
    return oscar_model("offer", "Benefit").objects.get(pk=offer.benefit_id)


def _make(tier: Any, kind: str, value: Decimal) -> Any:
    Offer, Benefit = oscar_model("offer", "ConditionalOffer"), oscar_model("offer", "Benefit")
    condition = Condition.objects.create(
        proxy_class=f"{TierCondition.__module__}.{TierCondition.__name__}", value=Decimal(tier.pk)
    )
    if kind == "shipping":
        benefit = Benefit.objects.create(type=Benefit.SHIPPING_PERCENTAGE, value=value)
    else:
        benefit = Benefit.objects.create(type=Benefit.PERCENTAGE, value=value, range=everything())
    return Offer.objects.create(
        name=_free_name(tier, kind, None),
        offer_type=Offer.SITE,
        condition=condition,
        benefit=benefit,
        priority=PRIORITY + tier.rank,
        max_basket_applications=1,
        start_datetime=clock.now(),
    )


def everything() -> Any:
    """Return the range of all products, which the offers of tiers are for."""
    Range = oscar_model("offer", "Range")
    name = "Loyalty: everything"
    found = Range.objects.filter(name=name).first()
    return found or Range.objects.create(name=name, includes_all_products=True, is_public=False)


def _free_name(tier: Any, kind: str, own: int | None) -> str:
    from django.conf import settings

    with override(settings.LANGUAGE_CODE):
        name = offer_name(tier, kind)[:110]
    taken = oscar_model("offer", "ConditionalOffer").objects.filter(name=name).exclude(pk=own).exists()
    return f"{name} ({tier.programme_id}.{tier.pk})" if taken else name
