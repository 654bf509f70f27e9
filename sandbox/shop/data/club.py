"""The sections of the club and what stands in them: English first, then French."""

from dataclasses import dataclass, field

Words = tuple[str, str]


@dataclass(frozen=True)
class Piece:
    slug: str
    title: Words
    text: Words
    picture: tuple[str, str]
    tier: str = ""
    teaser: Words = ("", "")
    body: tuple[Words, ...] = ()
    steps: tuple[tuple[Words, Words], ...] = field(default=())
    minutes: int | None = None
    for_gold: Words | None = None
    code: str = ""


CARE = Piece(
    "care",
    ("Care at home", "Les soins à la maison"),
    ("What we tell our guests at the basin.", "Ce que nous disons à nos clients au bac."),
    ("bottle", "sage"),
)
OFFERS = Piece(
    "offers",
    ("Offers and private sales", "Offres et ventes privées"),
    ("For a while, and for members only.", "Pour un temps, et pour les membres."),
    ("box", "rose"),
)
SECTIONS = [
    (
        CARE,
        [
            Piece(
                "summer-hair",
                ("Hair in summer", "Les cheveux en été"),
                ("Salt, sun and chlorine, and what helps.", "Sel, soleil, chlore, et ce qui aide."),
                ("wave", "teal"),
                body=(
                    (
                        "Rinse with fresh water before you swim: hair that is wet already takes up less salt.",
                        "Rincez à l’eau claire avant de nager : des cheveux déjà mouillés prennent moins de sel.",
                    ),
                ),
                for_gold=(
                    "Bring your mask to the salon: we work it in under steam, on us.",
                    "Apportez votre masque au salon : nous le posons à la vapeur, c’est offert.",
                ),
            ),
            Piece(
                "blow-dry",
                ("A blow-dry like ours", "Un brushing comme au salon"),
                ("Five steps, twenty minutes.", "Cinq gestes, vingt minutes."),
                ("dryer", "blush"),
                tier="bronze",
                teaser=("Five steps, for members.", "Cinq gestes, pour les membres."),
                steps=(
                    (
                        ("Press, do not rub", "Pressez, ne frottez pas"),
                        ("With a soft towel.", "Avec une serviette douce."),
                    ),
                    (("Start at the neck", "Commencez par la nuque"), ("Strand by strand.", "Mèche par mèche.")),
                    (("Finish cold", "Finissez à froid"), ("For the shine.", "Pour la brillance.")),
                ),
                minutes=20,
            ),
            Piece(
                "scalp",
                ("The scalp massage", "Le massage du crâne"),
                ("Three minutes in the evening.", "Trois minutes le soir."),
                ("lotus", "mauve"),
                tier="silver",
                teaser=("Three minutes in the evening.", "Trois minutes le soir."),
                body=(
                    (
                        "Fingertips, never nails; small circles from the temples to the crown.",
                        "La pulpe des doigts, jamais les ongles ; de petits cercles, des tempes au sommet.",
                    ),
                ),
            ),
        ],
    ),
    (
        OFFERS,
        [
            Piece(
                "autumn-sale",
                ("The private sale of the season", "La vente privée de la saison"),
                ("Before anybody else.", "Avant tout le monde."),
                ("candle", "apricot"),
                tier="silver",
                teaser=("Silver and Gold come first.", "Argent et Or passent les premiers."),
                code="SAISON",
            ),
            Piece(
                "gold-evening",
                ("An evening for Gold", "Une soirée pour le palier Or"),
                ("A code for the new collection.", "Un code pour la nouvelle collection."),
                ("lipstick", "gold"),
                tier="gold",
                teaser=("Something for our Gold members.", "Une attention pour nos membres Or."),
                code="OR",
            ),
        ],
    ),
]
