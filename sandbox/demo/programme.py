"""The programme of Maison Pétale: its name, tiers, rules and gift cards."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile
from oscar.core.loading import get_model

from oscar_loyalty.earning import rules
from oscar_loyalty.fields import localized
from oscar_loyalty.giftcards import services as giftcards
from oscar_loyalty.members import selectors, services
from sandbox.shop.data import own_points
from sandbox.shop.pictures import draw

TIERS = [
    (
        "bronze", 1, localized(en="Bronze", fr="Bronze"), "#8c5a2b", Decimal("1.00"),
        localized(
            en="A petal for every euro\nGift cards for petals",
            fr="Un pétale par euro\nDes cartes cadeaux contre des pétales",
        ),
    ),
    (
        "silver", 2, localized(en="Silver", fr="Argent"), "#5f6b76", Decimal("1.10"),
        localized(
            en="A fringe trim between two visits",
            fr="La retouche de frange entre deux visites",
        ),
    ),
    (
        "gold", 3, localized(en="Gold", fr="Or"), "#8a6a00", Decimal("1.25"),
        localized(
            en="A treatment on your birthday\nFirst to hear of new things",
            fr="Un soin pour votre anniversaire\nInformés les premiers des nouveautés",
        ),
    ),
]  # fmt: skip

#: Value of a gift card in euros, and its price in petals.
GIFT_CARDS = {10: 1000, 25: 2300, 40: 3400, 50: 4200, 100: 8000}


def load_programme(*, started_at: datetime) -> Any:
    """Return the programme of the site, made with its tiers and rules where there was none."""
    programme = selectors.programme_of()
    if programme is None:
        programme = services.create_programme(
            name="Pétales",
            tiers=False,
            currency="EUR",
            points_name_one=localized(en="petal", fr="pétale"),
            points_name_many=localized(en="petals", fr="pétales"),
            cancelled_order_statuses=["Cancelled"],
            cancelled_line_statuses=["Cancelled"],
            paid_statuses=["Complete"],
            expiry_months=12,
            points_at_checkout=True,
            started_at=started_at,
        )
        for code, rank, name, colour, multiplier, perks in TIERS:
            services.save_tier(
                programme=programme, code=code, rank=rank, name=name, colour=colour, multiplier=multiplier, perks=perks
            )
    load_rules(programme)
    load_gift_cards()
    return programme


def load_rules(programme: Any) -> None:
    """Publish the first rules; those that the owner changed since stay as they are."""
    if programme.rules.exists():
        return
    rules.publish_rule(
        programme=programme,
        kind="amount",
        spec={"points": 1, "per": "1.00"},
        name=localized(en="A petal for every euro", fr="Un pétale par euro"),
        happened_at=programme.started_at,
    )
    products = get_model("catalogue", "Product").objects.in_bulk(list(own_points()), field_name="upc")
    for upc, points in own_points().items():
        rules.set_product_points(
            product=products[upc], points=points, programme=programme, happened_at=programme.started_at
        )


#: The colour of each gift card's picture.
COLOURS = {10: "blush", 25: "rose", 40: "sage", 50: "mauve", 100: "gold"}


def load_gift_cards() -> None:
    """Put the gift cards on sale that are not yet."""
    Product = get_model("catalogue", "Product")
    known = set(get_model("loyalty_giftcards", "Denomination").objects.values_list("value", flat=True))
    for value, points in GIFT_CARDS.items():
        if Decimal(value) in known:
            continue
        denomination = giftcards.set_denomination(
            value=Decimal(value), points_price=points, title=f"Gift card, {value} euros"
        )
        Product.objects.filter(pk=denomination.product_id).update(title_fr=f"Carte cadeau de {value} euros")
        drawing = ContentFile(draw("card", COLOURS[value]), name=f"{denomination.product.upc}.jpg")
        denomination.product.images.create(original=drawing, caption=denomination.product.title)
    if not get_model("loyalty_giftcards", "CustomAmount").objects.exists():
        choice = giftcards.set_custom_amount(
            minimum=Decimal(15), maximum=Decimal(500), step=Decimal(5), title="Gift card, amount of your choice"
        )
        Product.objects.filter(pk=choice.product_id).update(title_fr="Carte cadeau, montant au choix")
        drawing = ContentFile(draw("card", "apricot"), name=f"{choice.product.upc}.jpg")
        choice.product.images.create(original=drawing, caption=choice.product.title)
    get_model("catalogue", "Category").objects.filter(slug="gift-cards", name_fr="").update(name_fr="Cartes cadeaux")
