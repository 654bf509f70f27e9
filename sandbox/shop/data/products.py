"""The shelves of the shop."""

from decimal import Decimal

from sandbox.shop.data import Item

PRODUCTS = [
    Item(
        "MP-101", "Rose water shampoo", "Shampoing à l'eau de rose",
        "A gentle daily shampoo. Lathers little, rinses clean, leaves hair soft. 250 ml.",
        "Un shampoing doux pour tous les jours. Mousse légère, rinçage net, cheveux souples. 250 ml.",
        "hair-care", Decimal("18.90"), ("bottle", "rose"), stock=140, points=40,
    ),
    Item(
        "MP-102", "Oat milk conditioner", "Après-shampoing au lait d'avoine",
        "Untangles fine hair without weighing it down. 250 ml.",
        "Démêle les cheveux fins sans les alourdir. 250 ml.",
        "hair-care", Decimal("19.50"), ("bottle", "sand"), stock=120,
    ),
    Item(
        "MP-103", "Purifying clay shampoo", "Shampoing purifiant à l'argile",
        "Green clay and sage, for scalps tired by evening. Once or twice a week. 250 ml.",
        "Argile verte et sauge, pour cuirs chevelus fatigués. Une à deux fois par semaine. 250 ml.",
        "hair-care", Decimal("21.00"), ("pump", "sage"), stock=90,
    ),
    Item(
        "MP-104", "Silk repair mask", "Masque réparateur soie",
        "Ten minutes on Sunday, a week of shine. For dry or coloured hair. 200 ml.",
        "Dix minutes le dimanche, une semaine de brillance. Cheveux secs ou colorés. 200 ml.",
        "hair-care", Decimal("29.90"), ("jar", "blush"), stock=80, points=60,
    ),
    Item(
        "MP-105", "Camellia hair oil", "Huile de camélia",
        "Two drops on the ends: less frizz, more light. 50 ml.",
        "Deux gouttes sur les pointes : moins de frisottis, plus de lumière. 50 ml.",
        "hair-care", Decimal("26.00"), ("dropper", "gold"), stock=75,
    ),
    Item(
        "MP-106", "Solid shampoo", "Shampoing solide",
        "A bar that lasts two bottles, with shea and marshmallow root. 80 g.",
        "Un pain qui remplace deux flacons, au karité et à la guimauve. 80 g.",
        "hair-care", Decimal("12.50"), ("soap", "teal"), stock=160,
    ),
    Item(
        "MP-201", "Sea salt spray", "Spray au sel marin",
        "Beach hair, without the sand. Spray on towel-dried lengths. 150 ml.",
        "L'effet bord de mer, sans le sable. À vaporiser sur cheveux essorés. 150 ml.",
        "styling", Decimal("17.50"), ("spray", "teal"), stock=95,
    ),
    Item(
        "MP-202", "Curl cream", "Crème pour boucles",
        "Defines curls and keeps them moving. No crunch. 150 ml.",
        "Dessine les boucles et les laisse bouger. Sans effet carton. 150 ml.",
        "styling", Decimal("22.00"), ("tube", "mauve"), stock=85,
    ),
    Item(
        "MP-203", "Matte styling clay", "Argile coiffante mate",
        "Firm hold, no shine, washes out in one go. 75 ml.",
        "Tenue ferme, fini mat, s'élimine en un lavage. 75 ml.",
        "styling", Decimal("16.90"), ("tin", "sand"), stock=110,
    ),
    Item(
        "MP-204", "Heat protection mist", "Brume protectrice de chaleur",
        "Before the dryer, before the irons. Protects up to 220 °C. 150 ml.",
        "Avant le séchoir, avant le fer. Protège jusqu'à 220 °C. 150 ml.",
        "styling", Decimal("19.00"), ("spray", "apricot"), stock=90,
    ),
    Item(
        "MP-301", "Damask rose face cream", "Crème de visage à la rose de Damas",
        "A light day cream for normal and dry skin. 50 ml.",
        "Une crème de jour légère pour peaux normales à sèches. 50 ml.",
        "skin-and-body", Decimal("38.00"), ("jar", "rose"), stock=60, points=75,
    ),
    Item(
        "MP-302", "Petal serum", "Sérum aux pétales",
        "Hyaluronic acid and peony extract. Morning and evening, before cream. 30 ml.",
        "Acide hyaluronique et extrait de pivoine. Matin et soir, avant la crème. 30 ml.",
        "skin-and-body", Decimal("44.00"), ("dropper", "blush"), stock=55, points=90,
    ),
    Item(
        "MP-303", "Orange blossom hand cream", "Crème mains à la fleur d'oranger",
        "Soaks in before the phone rings. 75 ml.",
        "Absorbée avant la prochaine sonnerie. 75 ml.",
        "skin-and-body", Decimal("11.90"), ("tube", "apricot"), stock=180,
    ),
    Item(
        "MP-304", "Almond body lotion", "Lait corps à l'amande",
        "For after the shower, on skin still damp. 300 ml.",
        "Après la douche, sur peau encore humide. 300 ml.",
        "skin-and-body", Decimal("24.50"), ("pump", "sand"), stock=85,
    ),
    Item(
        "MP-401", "Tinted lip balm", "Baume à lèvres teinté",
        "The colour of your lips on a good day. Refillable. 4 g.",
        "La couleur de vos lèvres les bons jours. Rechargeable. 4 g.",
        "make-up", Decimal("14.50"), ("lipstick", "rose"), stock=130,
    ),
    Item(
        "MP-402", "Satin lipstick", "Rouge à lèvres satiné",
        "A deep plum that stays through dinner. 3.5 g.",
        "Une prune profonde qui tient tout le dîner. 3,5 g.",
        "make-up", Decimal("23.00"), ("lipstick", "plum"), stock=70,
    ),
    Item(
        "MP-403", "Pressed blush", "Fard à joues compact",
        "One soft apricot for every complexion, in a case with a mirror. 6 g.",
        "Un abricot doux pour toutes les carnations, dans un boîtier à miroir. 6 g.",
        "make-up", Decimal("26.50"), ("compact", "apricot"), stock=65,
    ),
    Item(
        "MP-404", "Nail polish", "Vernis à ongles",
        "Ten-free formula, high shine. The shade of the house: old rose. 11 ml.",
        "Formule « 10 sans », brillance haute. La teinte de la maison : vieux rose. 11 ml.",
        "make-up", Decimal("12.90"), ("polish", "mauve"), stock=150,
    ),
    Item(
        "MP-501", "Paddle brush in beech", "Brosse plate en hêtre",
        "Boar and nylon bristles for long hair. Made in the Jura.",
        "Poils de sanglier et picots nylon, pour cheveux longs. Fabriquée dans le Jura.",
        "tools", Decimal("32.00"), ("brush", "wood"), stock=45,
    ),
    Item(
        "MP-502", "Wide-tooth comb", "Peigne démêloir",
        "Cut from cellulose acetate, polished by hand. For wet hair.",
        "Taillé dans l'acétate de cellulose, poli à la main. Pour cheveux mouillés.",
        "tools", Decimal("15.90"), ("comb", "plum"), stock=90,
    ),
    Item(
        "MP-503", "Silk scrunchies, set of three", "Chouchous en soie, lot de trois",
        "They hold without a mark. Mulberry silk, three tones.",
        "Ils tiennent sans marquer. Soie de mûrier, trois tons.",
        "tools", Decimal("19.90"), ("scrunchies", "rose"), stock=100,
    ),
    Item(
        "MP-504", "Ionic hair dryer", "Séchoir ionique",
        "1,900 watts, 420 grams, a three-metre cable. The one we use.",
        "1 900 watts, 420 grammes, trois mètres de câble. Celui que nous utilisons.",
        "tools", Decimal("129.00"), ("dryer", "blush"), stock=25, points=300,
    ),
    Item(
        "MP-601", "Scented candle, peony", "Bougie parfumée, pivoine",
        "Soy wax, a cotton wick, forty-five hours. Smells like our salon in May.",
        "Cire de soja, mèche en coton, quarante-cinq heures. Le parfum du salon en mai.",
        "candles-and-gifts", Decimal("28.00"), ("candle", "blush"), stock=70,
    ),
    Item(
        "MP-602", "Scented candle, fig leaf", "Bougie parfumée, feuille de figuier",
        "Green and milky, for evenings with the windows open. Forty-five hours.",
        "Verte et lactée, pour les soirs fenêtres ouvertes. Quarante-cinq heures.",
        "candles-and-gifts", Decimal("28.00"), ("candle", "sage"), stock=65,
    ),
    Item(
        "MP-603", "Discovery box", "Coffret découverte",
        "Shampoo, mask and hand cream in travel sizes, wrapped and ready to give.",
        "Shampoing, masque et crème mains en format voyage, emballés et prêts à offrir.",
        "candles-and-gifts", Decimal("35.00"), ("box", "rose"), stock=40, points=70,
    ),
]  # fmt: skip
