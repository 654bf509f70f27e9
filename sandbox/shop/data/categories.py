"""The two departments and their shelves: slug, English name, French name, shelves."""

CATEGORIES = [
    (
        "salon",
        "In the salon",
        "Au salon",
        [
            ("cut-and-style", "Cut and style", "Coupe et coiffage"),
            ("colour", "Colour", "Couleur"),
            ("treatments", "Hair treatments", "Soins du cheveu"),
            ("beauty", "Face and hands", "Visage et mains"),
        ],
    ),
    (
        "shop",
        "At home",
        "À la maison",
        [
            ("hair-care", "Shampoo and care", "Shampoings et soins"),
            ("styling", "Styling", "Coiffage"),
            ("skin-and-body", "Skin and body", "Visage et corps"),
            ("make-up", "Make-up", "Maquillage"),
            ("tools", "Brushes and tools", "Brosses et outils"),
            ("candles-and-gifts", "Candles and gifts", "Bougies et cadeaux"),
        ],
    ),
]
