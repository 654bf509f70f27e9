"""What the tests of the tiers share: awards without an order, and the ladder of the demo."""

from decimal import Decimal

from oscar_loyalty import clock
from oscar_loyalty.earning import followers
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors


def ladder(programme, metric="spend", silver=200, gold=500, **fields):
    """The programme's tiers are reached by ``metric``: silver from 200, gold from 500. Return them by code."""
    tiers = {tier.code: tier for tier in selectors.tiers(programme)}
    for code, threshold in (("silver", silver), ("gold", gold)):
        tiers[code].threshold = Decimal(threshold)
        tiers[code].save()
    get_model("loyalty_members", "TierScheme").objects.update_or_create(
        programme=programme, defaults={"metric": metric, **fields}
    )
    return tiers


def spend(member, amount, *, at=None, told=True, **fields):
    """An award of an order of ``amount`` that brought no points."""
    Award = get_model("loyalty_earning", "Award")
    number = Award.objects.count() + 1
    award = Award.objects.create(
        programme_id=member.programme_id,
        member=member,
        reference=f"order:9{number}",
        source_type=fields.pop("source_type", "order"),
        source_id=f"9{number}",
        points=0,
        spent=Decimal(amount),
        happened_at=at or clock.now(),
        **fields,
    )
    if told:
        followers.follow([award.pk])
    return award


def tier(member):
    member.refresh_from_db()
    return member.tier.code
