"""The price list of the salon."""

from decimal import Decimal

from sandbox.shop.data import Item

SERVICES = [
    Item(
        "MP-S01", "Women's haircut", "Coupe femme",
        "A proper conversation, a shampoo with head massage, the cut, and a blow-dry you can repeat at home.",
        "Un temps d'échange, un shampoing avec massage, la coupe, et un brushing facile à refaire.",
        "cut-and-style", Decimal("45.00"), ("scissors", "rose"), minutes=60, points=80,
    ),
    Item(
        "MP-S02", "Men's haircut", "Coupe homme",
        "Scissors or clippers, neck and contours shaved clean, finished with a warm towel.",
        "Aux ciseaux ou à la tondeuse, nuque et contours nets, serviette chaude pour finir.",
        "cut-and-style", Decimal("28.00"), ("clippers", "sage"), minutes=30, points=50,
    ),
    Item(
        "MP-S03", "Children's haircut", "Coupe enfant",
        "For under-twelves. Unhurried, with a picture book and a choice of hair slides.",
        "Pour les moins de douze ans. Sans se presser, avec un livre d'images et une barrette au choix.",
        "cut-and-style", Decimal("19.00"), ("bow", "apricot"), minutes=30, points=30,
    ),
    Item(
        "MP-S04", "Shampoo and blow-dry", "Shampoing et brushing",
        "Volume, waves or perfectly straight: the finish that lasts until tomorrow evening.",
        "Du volume, des ondulations ou un lissé parfait : une mise en forme qui tient jusqu'à demain soir.",
        "cut-and-style", Decimal("32.00"), ("dryer", "mauve"), minutes=45, points=55,
    ),
    Item(
        "MP-S05", "Updo for an occasion", "Chignon de cérémonie",
        "A rehearsal talk included. Bring a picture of the dress: we start from the neckline.",
        "Un échange de préparation compris. Venez avec une photo de la robe : tout part de l'encolure.",
        "cut-and-style", Decimal("68.00"), ("flower", "blush"), minutes=90, points=120,
    ),
    Item(
        "MP-S06", "Root colour", "Coloration des racines",
        "Ammonia-free colour matched to your lengths, with a gloss to bring everything together.",
        "Une coloration sans ammoniaque accordée à vos longueurs, et une patine pour unifier le tout.",
        "colour", Decimal("52.00"), ("bowl", "plum"), minutes=90, points=90,
    ),
    Item(
        "MP-S07", "Balayage", "Balayage",
        "Light painted by hand where the sun would put it. Care and blow-dry included.",
        "La lumière posée à main levée, là où le soleil la mettrait. Soin et brushing compris.",
        "colour", Decimal("98.00"), ("wave", "gold"), minutes=150, points=180,
    ),
    Item(
        "MP-S08", "Deep repair treatment", "Soin profond réparateur",
        "A mask of rice proteins under gentle steam, for hair that has had a long summer.",
        "Un masque aux protéines de riz sous vapeur douce, pour les cheveux qui ont eu un long été.",
        "treatments", Decimal("36.00"), ("drops", "teal"), minutes=45, points=60,
    ),
    Item(
        "MP-S09", "Scalp ritual", "Rituel du cuir chevelu",
        "Brushing, clay, twenty minutes of massage. Half our guests fall asleep.",
        "Brossage, argile, vingt minutes de massage. Une personne sur deux s'endort.",
        "treatments", Decimal("42.00"), ("lotus", "sage"), minutes=45,
    ),
    Item(
        "MP-S10", "Radiance facial", "Soin du visage éclat",
        "Cleansing, exfoliation, mask and lymphatic massage with damask-rose oil.",
        "Nettoyage, gommage, masque et massage drainant à l'huile de rose de Damas.",
        "beauty", Decimal("64.00"), ("roller", "blush"), minutes=60, points=110,
    ),
    Item(
        "MP-S11", "Brow shaping", "Épilation des sourcils",
        "Measured, tweezed and brushed into a line that suits your face and not the fashion.",
        "Mesurés, épilés, brossés : une ligne qui suit votre visage et non la mode.",
        "beauty", Decimal("16.00"), ("brow", "apricot"), minutes=30,
    ),
    Item(
        "MP-S12", "Manicure with polish", "Manucure et vernis",
        "Filing, cuticle care, hand massage and two coats of a shade you choose.",
        "Limage, soin des cuticules, massage des mains et deux couches de la teinte de votre choix.",
        "beauty", Decimal("34.00"), ("polish", "rose"), minutes=45, points=55,
    ),
]  # fmt: skip
