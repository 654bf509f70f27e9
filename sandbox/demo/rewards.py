"""What members of Maison Pétale can have for their petals, and what the salon gives by itself."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from oscar_loyalty.earning import goals
from oscar_loyalty.earning.goals import Step
from oscar_loyalty.fields import localized
from oscar_loyalty.loading import get_model
from oscar_loyalty.rewards import services

#: Codes of the cinema next door.
CODES = [f"LUMIERE-{number:04}" for number in range(1, 13)]


def load_rewards(programme: Any, *, now: datetime) -> None:
    """Make them once; what the owner changed since stays as it is."""
    tiers = {tier.code: tier for tier in programme.tiers.all()}
    balm = get_model("catalogue", "Product").objects.filter(upc="MP-401").first()
    _make(
        programme,
        "delivery",
        kind="shipping",
        points=150,
        name=localized(en="Free delivery", fr="Livraison offerte"),
        text=localized(en="Your next parcel travels for nothing.", fr="Votre prochain colis voyage gratuitement."),
    )
    if balm is not None:
        _make(
            programme,
            "balm",
            kind="product",
            points=350,
            product=balm,
            name=localized(en="A tinted lip balm", fr="Un baume à lèvres teinté"),
            text=localized(en="The little one for the handbag.", fr="Le petit, pour le sac à main."),
        )
    _make(
        programme,
        "five",
        kind="amount",
        points=500,
        value=Decimal(5),
        name=localized(en="5 euros off", fr="5 euros de remise"),
        text=localized(en="On all that we sell, gift cards apart.", fr="Sur toute la boutique, hors cartes cadeaux."),
    )
    _make(
        programme,
        "ten",
        kind="percent",
        points=800,
        value=Decimal(10),
        tier=tiers.get("silver"),
        minimum=Decimal(30),
        name=localized(en="10 percent off an order", fr="10 % sur une commande"),
        text=localized(en="For our Silver and Gold members.", fr="Pour nos membres Argent et Or."),
    )
    _make(
        programme,
        "trees",
        kind="donation",
        points=500,
        value=Decimal(5),
        beneficiary="Les Amis du Parc",
        name=localized(en="A tree for the city", fr="Un arbre pour la ville"),
        text=localized(en="We give 5 euros, and tell you when.", fr="Nous donnons 5 euros, et vous disons quand."),
    )
    cinema = _make(
        programme,
        "cinema",
        kind="partner",
        points=1100,
        name=localized(en="A seat at the cinema Lumière", fr="Une place au cinéma Lumière"),
        text=localized(en="Next door, any day of the week.", fr="Juste à côté, n’importe quel jour de la semaine."),
    )
    if not cinema.codes.exists():
        services.add_codes(reward=cinema, codes=CODES)
    _make(
        programme,
        "evening",
        kind="experience",
        points=2500,
        stock=8,
        limit=1,
        name=localized(en="An evening of hair and tea", fr="Une soirée coiffure et thé"),
        text=localized(
            en="Eight chairs, one stylist, and all the tricks for a chignon of your own.",
            fr="Huit fauteuils, une coiffeuse, et tous les gestes pour réussir votre chignon.",
        ),
    )
    thanks = _make(
        programme,
        "thanks",
        kind="amount",
        points=0,
        value=Decimal(5),
        name=localized(en="5 euros, with our thanks", fr="5 euros, avec nos remerciements"),
    )
    goals.create_goal(
        programme=programme,
        kind="threshold",
        name=localized(en="Every 500 petals", fr="Tous les 500 pétales"),
        counts="points",
        steps=[Step(500, reward=thanks.pk)],
        since=now,
        key="demo:thanks",
    )


def _make(programme: Any, code: str, **fields: Any) -> Any:
    reward = get_model("loyalty_rewards", "Reward")(programme=programme, **fields)
    return services.save_reward(reward=reward, key=f"demo:{code}")
