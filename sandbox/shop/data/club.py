"""The sections of the club and what stands in them: for whom, with which pictures, when. Words: ``shop/club``."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """``tier`` is the lowest that may read it, nothing for everybody; ``teaser`` is the picture for the others.

    An offer has a ``code``, the ``upcs`` of its products, and the days from loading on which it ``opens`` and ``ends``.
    """

    slug: str
    picture: str
    tier: str = ""
    teaser: str = ""
    code: str = ""
    upcs: tuple[str, ...] = ()
    opens: int | None = None
    ends: int | None = None

    @property
    def kind(self) -> str:
        return "ClubArticlePage" if self.ends is None else "ClubOfferPage"


@dataclass(frozen=True)
class Code:
    """A voucher: so many percent off, or so many euros, on what lies in a category or on everything."""

    code: str
    name: str
    percent: int = 0
    euros: int = 0
    category: str = ""
    once: bool = True


HOME_PICTURE = "club"

SECTIONS = [
    (
        Piece("care", "care"),
        [
            Piece("summer-hair", "summer"),
            Piece("curls", "curls", tier="bronze", teaser="letter-apricot"),
            Piece("colour-lasts", "colour", tier="silver", teaser="curtain-teal"),
            Piece("night-routine", "night", tier="silver", teaser="letter-mauve"),
            Piece("winter-scalp", "winter"),
            Piece("fine-hair", "volume", tier="bronze", teaser="door-rose"),
            Piece("hair-diary", "diary", tier="bronze", teaser="parcel-sage"),
        ],
    ),
    (
        Piece("how-to", "how-to"),
        [
            Piece("plait", "plait"),
            Piece("blow-dry", "blow-dry", tier="bronze", teaser="door-sage"),
            Piece("scalp", "massage", tier="silver", teaser="curtain-plum"),
            Piece("manicure", "manicure", tier="bronze", teaser="parcel-rose"),
            Piece("breathe", "breathe", tier="bronze", teaser="curtain-teal"),
        ],
    ),
    (
        Piece("offers", "offers"),
        [
            Piece("welcome", "welcome", tier="bronze", teaser="parcel-rose", code="BIENVENUE", ends=365),
            Piece(
                "autumn-sale",
                "private-sale",
                tier="silver",
                teaser="curtain-plum",
                code="SAISON",
                opens=-4,
                ends=17,
                upcs=("MP-101", "MP-103", "MP-104", "MP-105", "MP-106"),
            ),
            Piece(
                "gold-evening",
                "evening",
                tier="gold",
                teaser="letter-gold",
                code="SOIREE-OR",
                ends=30,
                upcs=("MP-402", "MP-403"),
            ),
            Piece(
                "camellia",
                "camellia",
                tier="silver",
                teaser="door-silver",
                code="CAMELIA",
                opens=9,
                ends=40,
                upcs=("MP-105",),
            ),
            Piece(
                "duo",
                "duo",
                tier="bronze",
                teaser="parcel-sage",
                code="DUO",
                ends=24,
                upcs=("MP-104", "MP-105"),
            ),
            Piece("winter-box", "winter-box", tier="bronze", teaser="parcel-blue", opens=-120, ends=-60),
        ],
    ),
    (
        Piece("house", "house"),
        [
            Piece("rose-water", "roses"),
            Piece("team", "team"),
            Piece("label", "label"),
            Piece("water", "water"),
        ],
    ),
    (
        Piece("notebook", "gold", tier="gold", teaser="door-gold"),
        [
            Piece("ritual", "ritual", tier="gold", teaser="curtain-gold"),
            Piece("shade", "shade", tier="gold", teaser="letter-gold"),
            Piece("table", "table", tier="gold", teaser="door-gold"),
        ],
    ),
]

CODES = [
    Code("BIENVENUE", "A gift for a first order", euros=5),
    Code("SAISON", "The private sale", percent=20, category="hair-care", once=False),
    Code("SOIREE-OR", "An evening for Gold", percent=15),
    Code("CAMELIA", "The new harvest", percent=10, category="hair-care"),
    Code("DUO", "The mask and the oil", percent=10, category="hair-care"),
]
