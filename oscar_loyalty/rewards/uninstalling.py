"""What of Oscar's the plugin has made and Oscar cannot read without it: offers whose condition is a class of ours."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Least

from oscar_loyalty import clock
from oscar_loyalty.loading import get_model
from oscar_loyalty.members.benefits import TierCondition, everything
from oscar_loyalty.rewards.conditions import OwnVoucher

OURS = [f"{condition.__module__}.{condition.__name__}" for condition in (TierCondition, OwnVoucher)]
#: So many items are in no basket: whoever opens such an offer again gives nobody what was for members.
NEVER = 9_999_999


@dataclass(frozen=True)
class Ended:
    """How many ``offers`` were ended, and how many ``vouchers`` that could still have been used."""

    offers: int
    vouchers: int


@transaction.atomic
def end_offers(*, dry_run: bool = False) -> Ended:
    """End the offers of tiers and rewards and their vouchers, for a shop that takes the plugin out; return how many.

    Their conditions become Oscar's own. Nothing is deleted: orders keep what they were given. With ``dry_run`` nothing
    is changed. A tier or reward that is saved, or a reward that is claimed, afterwards makes new offers: run it again.
    """
    now = clock.now()
    Condition, Offer = get_model("offer", "Condition"), get_model("offer", "ConditionalOffer")
    Voucher = get_model("voucher", "Voucher")
    conditions = Condition.objects.filter(proxy_class__in=OURS)
    offers = Offer.objects.filter(condition__in=conditions)
    links = Voucher.offers.through.objects.filter(conditionaloffer__in=offers)
    vouchers = Voucher.objects.filter(pk__in=links.values("voucher"))
    usable = vouchers.filter(num_orders=0, end_datetime__gte=now)
    found = Ended(offers=offers.count(), vouchers=usable.count())
    if dry_run or not conditions.exists():
        return found
    before = now - timedelta(seconds=1)
    get_model("basket", "Basket").vouchers.through.objects.filter(voucher__in=vouchers).delete()
    vouchers.filter(end_datetime__gt=before).update(
        start_datetime=Least(F("start_datetime"), before), end_datetime=before
    )
    offers.update(status=Offer.SUSPENDED, end_datetime=now)
    # What is made afterwards must not find these again.
    get_model("loyalty_members", "TierOffer").objects.all().delete()
    get_model("loyalty_rewards", "Reward").objects.update(offer=None, terms={})
    conditions.filter(range=None).update(range=everything())
    conditions.update(proxy_class=None, type=Condition.COUNT, value=NEVER)
    return found
