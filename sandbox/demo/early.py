"""What members of Maison Pétale have before others, and to what they may bring a friend."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from oscar_loyalty import times
from oscar_loyalty.fields import localized
from oscar_loyalty.loading import get_model
from oscar_loyalty.members import selectors as members
from oscar_loyalty.privileges import services
from wagtail_club.models import ClubOfferPage

#: By the product's reference: from which tier, for how many days, what others find, and how many friends may come.
EARLY = {
    "MP-603": (
        "gold",
        12,
        "priceless",
        3,
        localized(
            en="Our winter box is packed for Gold members first.",
            fr="Notre coffret d’hiver part d’abord chez nos membres Or.",
        ),
    ),
    "MP-602": (
        "silver",
        9,
        "teased",
        0,
        localized(en="A new candle is on its way.", fr="Une nouvelle bougie arrive."),
    ),
}
SALE = "Candle week: 15 % off"


def load_early(programme: Any, *, now: datetime) -> None:
    """Make them once; what the owner changed since stays as it is."""
    tiers = {tier.code: tier for tier in members.tiers(programme)}
    products = {row.upc: row for row in get_model("catalogue", "Product").objects.filter(upc__in=EARLY)}
    for upc, (tier, days, others, friends, words) in EARLY.items():
        if upc in products:
            _first(programme, f"demo:{upc}", tiers[tier], products[upc], now, days, others, friends, words)
    _first(programme, "demo:sale", tiers["silver"], _sale(), now, 9, "priceless", 0, "")
    # A Gold member may bring a friend to the evening.
    for page in ClubOfferPage.objects.live().filter(minimum_tier=tiers["gold"], guest_passes=0):
        page.guest_passes = 2
        page.save_revision().publish()


def _first(
    programme: Any,
    key: str,
    tier: Any,
    target: Any,
    now: datetime,
    days: int,
    others: str,
    friends: int,
    words: Any,
) -> None:
    ends = times.start_of(times.day_of(now) + timedelta(days=days)) + timedelta(hours=9)
    services.create(
        programme=programme,
        tier=tier,
        target=target,
        opens_at=now,
        ends_at=ends,
        key=key,
        others=others,
        passes=friends,
        words=words,
    )


def _sale() -> Any:
    """Return the sale of candles, made where there is none."""
    Offer, Range = get_model("offer", "ConditionalOffer"), get_model("offer", "Range")
    found = Offer.objects.filter(name=SALE).first()
    if found is not None:
        return found
    candles, _new = Range.objects.get_or_create(name="Candles")
    for product in get_model("catalogue", "Product").objects.filter(upc__in=("MP-601", "MP-602")):
        candles.add_product(product)
    return Offer.objects.create(
        name=SALE,
        offer_type=Offer.SITE,
        condition=get_model("offer", "Condition").objects.create(type="Count", value=1, range=candles),
        benefit=get_model("offer", "Benefit").objects.create(type="Percentage", value=Decimal(15), range=candles),
    )
