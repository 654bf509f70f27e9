"""The large pictures of the demo's club, by name."""

from ink import (
    APRICOT,
    BLUSH,
    GOLD,
    INK,
    IVORY,
    MAUVE,
    PLUM,
    ROSE,
    SAGE,
    SAND,
    SKINS,
    TEAL,
    block,
    blossom,
    branch,
    dark,
    hand,
    leaf,
    line,
    lock,
    oval,
    petals,
    put,
    room,
)
from salon import FLOOR, GREEN, WOOD, drops, greens, person, rings, stand, waves
from things import (
    bottle,
    bowl,
    candle,
    comb,
    dropper,
    dryer,
    envelope,
    glass,
    jar,
    lipstick,
    mirror,
    notebook,
    paddle,
    polish,
    present,
    pump,
    roll,
    rose,
    round_brush,
    towels,
    tube,
    vase,
)

MAIN = {
    # Care at home
    "care": lambda: (
        room("#b9c4ab", FLOOR["sage"])
        + greens(520, 800, -16)
        + greens(1110, 800, 20, GREEN, 360)
        + stand(towels(330, BLUSH, IVORY, SAGE), 610, 330)
        + stand(pump(330, SAGE), 860, 150)
        + stand(jar(190, ROSE), 1060, 190)
    ),
    "summer": lambda: (
        room("#9fc4c6", arch=False)
        + oval(1180, 300, 170, 170, "#f4d9a4")
        + waves(560, TEAL)
        + person("waves", "fair", cloth="#f1e3d3", x=640, y=470)
        + put(branch(420, 8, GREEN, plump=0.2), 1500, 900, turn=-38)
    ),
    "winter": lambda: (
        room("#b3bccb", FLOOR["mauve"])
        + "".join(
            put(blossom(r, "#ffffff", 6, "#ffffff"), x, y)
            for x, y, r in (
                (250, 260, 34),
                (390, 520, 22),
                (1240, 210, 30),
                (1370, 450, 24),
                (1460, 640, 18),
                (190, 690, 20),
                (1310, 100, 16),
            )
        )
        + stand(candle(210, APRICOT), 560, 170)
        + stand(dropper(360, "#9a7aa0"), 800, 140)
        + stand(comb(360, WOOD), 1090, 340, 884)
    ),
    "volume": lambda: (
        room("#e3bcb2", arch=True)
        + person("bob", "copper", cloth=PLUM, y=430)
        + greens(250, 1020, 18, ROSE, 520)
        + greens(1360, 1020, -20, SAGE, 460)
    ),
    "curls": lambda: (
        room("#c8b4ce")
        + person("curls", "dark", cloth=GOLD, skin=SKINS[2], y=420)
        + put(blossom(64, BLUSH), 975, 250, turn=10)
        + greens(220, 1030, 14, MAUVE, 470)
        + greens(1390, 1030, -16, SAGE, 520)
    ),
    "colour": lambda: (
        room("#dcb48f", FLOOR["sand"])
        + stand(bowl(280, IVORY, "#8c4f34"), 620, 280)
        + "".join(
            put(lock(0, 0, 430, 42, tone, wave=14, tip=0.2, strands=5) + block(-46, -22, 92, 34, 17, GOLD), x, 250)
            for x, tone in ((870, "#6b4331"), (980, "#8c4f34"), (1090, "#a9572f"), (1200, "#c8854a"))
        )
        + put(
            block(-10, -420, 20, 260, 10, WOOD) + block(-34, -170, 68, 92, 10, dark("#8c4f34", 0.2)), 640, 860, turn=26
        )
    ),
    "night": lambda: (
        room("#8f86ad", "#7c7397")
        + oval(1040, 300, 104, 104, "#f6ead0")
        + oval(1084, 272, 92, 92, "#b5aecb")
        + stand(dropper(330, ROSE), 610, 130)
        + stand(jar(230, BLUSH, open=True), 830, 230)
        + stand(candle(150, MAUVE), 1060, 120)
        + petals(((690, 880, 60, 70), (960, 900, 52, 110)), ROSE)
    ),
    "diary": lambda: (
        room("#d8c7b0", FLOOR["sand"])
        + stand(notebook(330, ROSE), 680, 330, 880)
        + stand(vase(190, SAGE, rose(250, ROSE, GREEN), rose(290, BLUSH, GREEN)), 1010, 120)
        + put(block(-9, -300, 18, 270, 8, GOLD) + line("M0 -30L0 0", INK, 10), 890, 890, turn=34)
    ),
    # How-to
    "how-to": lambda: (
        room("#e6c6b8", FLOOR["rose"])
        + stand(round_brush(430), 540, 90, turn=-7)
        + stand(paddle(430), 720, 150, turn=4)
        + put(dryer(400, ROSE), 1090, 866)
    ),
    "blow-dry": lambda: (
        room("#e9c9c0")
        + person("straight", "brown", cloth=IVORY, x=700)
        + put(dryer(420, PLUM, "#ffffff"), 1240, 640, turn=14)
        + greens(180, 1030, 14, SAGE, 460)
    ),
    "plait": lambda: (
        room("#bcc8ae")
        + person("plait", "copper", cloth="#efe2d0")
        + "".join(
            put(blossom(r, c), x, y)
            for x, y, r, c in ((690, 330, 40, IVORY), (905, 370, 34, BLUSH), (760, 250, 28, IVORY))
        )
        + greens(240, 1030, 18, GREEN, 480)
        + greens(1360, 1030, -18, GREEN, 520)
    ),
    "massage": lambda: (
        room("#c6b3cc")
        + person("bun", "grey", cloth=MAUVE, y=520, skin=SKINS[0])
        + put(hand(SKINS[1], IVORY), 560, 620, turn=28, size=0.9, flip=True)
        + put(hand(SKINS[1], IVORY), 1040, 620, turn=-28, size=0.9)
        + rings(680, 380, "#ffffff")
        + rings(920, 380, "#ffffff")
    ),
    "manicure": lambda: (
        room("#eac4c4", FLOOR["rose"])
        + stand(polish(250, ROSE), 520, 100)
        + stand(polish(220, PLUM), 640, 90)
        + put(hand(SKINS[1], IVORY, nails=ROSE), 920, 640, turn=12, size=1.25)
        + petals(((1180, 880, 70, 70), (420, 890, 60, 120)), ROSE)
    ),
    "breathe": lambda: (
        room("#a9c7c5")
        + "".join(
            oval(800, 500, r, r, "none", stroke="#ffffff", stroke_width=8, opacity=o)
            for r, o in ((330, 0.7), (400, 0.45), (470, 0.25))
        )
        + put(blossom(270, BLUSH, 8), 800, 500)
        + put(blossom(160, ROSE, 8), 800, 500, turn=22)
    ),
    # Offers
    "offers": lambda: (
        room("#e0b7b9", FLOOR["rose"])
        + stand(present(340, ROSE), 640, 340)
        + stand(present(230, SAGE, IVORY), 950, 230)
        + stand(envelope(250), 1130, 240, 900)
        + petals(((480, 900, 60, 80), (1270, 870, 56, 100)), ROSE)
    ),
    "private-sale": lambda: (
        room("#b98f9c", "#a67c8b")
        + stand(bottle(360, BLUSH), 560, 150)
        + stand(tube(330, SAND), 740, 130)
        + stand(jar(230, ROSE), 940, 230)
        + stand(candle(170, IVORY), 1130, 140)
        + greens(330, 830, 12, "#c5a1ab", 420)
    ),
    "evening": lambda: (
        room("#c9a65e", "#b18f4b")
        + oval(800, 420, 250, 250, "#f6e3b4", opacity=0.6)
        + stand(glass(400, "#f0c878"), 640, 110)
        + stand(glass(400, "#f0c878"), 800, 110)
        + stand(lipstick(260, PLUM), 990, 70)
        + stand(candle(150, IVORY), 1120, 120)
        + "".join(put(blossom(r, IVORY, 5), x, y) for x, y, r in ((470, 890, 44), (545, 912, 30)))
    ),
    "camellia": lambda: (
        room("#c4cdb7", FLOOR["sage"])
        + put(branch(470, 6, GREEN, plump=0.42), 540, 820, turn=-20)
        + put(put(blossom(88, ROSE, 7) + put(blossom(56, BLUSH, 6), turn=26), 0, 0), 410, 440)
        + put(put(blossom(76, ROSE, 7) + put(blossom(48, BLUSH, 6), turn=14), 0, 0), 600, 330)
        + stand(dropper(410, GOLD), 840, 160)
        + stand(dropper(300, GOLD), 1040, 120)
    ),
    "duo": lambda: (
        room("#ecd0b6", FLOOR["sand"])
        + stand(jar(320, BLUSH), 650, 320)
        + stand(dropper(440, GOLD), 990, 170)
        + petals(((450, 890, 64, 70), (820, 906, 56, 120), (1190, 884, 60, 60)), ROSE)
    ),
    "winter-box": lambda: (
        room("#a8b4c6", "#93a1b5")
        + stand(present(420, "#6d7f9b", IVORY), 800, 420)
        + greens(480, 850, -34, GREEN, 320, 6)
        + greens(1120, 850, 34, GREEN, 320, 6)
        + "".join(
            put(blossom(r, "#ffffff", 6, "#ffffff"), x, y)
            for x, y, r in ((300, 260, 28), (1250, 240, 30), (1390, 520, 20), (220, 560, 20))
        )
    ),
    "welcome": lambda: (
        room("#d9c3d6", FLOOR["mauve"])
        + stand(envelope(420, IVORY, ROSE), 760, 420)
        + stand(vase(210, PLUM, rose(280, BLUSH, GREEN), rose(330, ROSE, GREEN), rose(270, BLUSH, GREEN)), 1090, 130)
    ),
    # The house
    "house": lambda: (
        room("#dfc3a4", FLOOR["sand"])
        + stand(mirror(560), 800, 220)
        + stand(vase(180, ROSE, branch(300, 5, SAGE), branch(260, 5, GREEN)), 530, 100)
        + stand(bottle(260, SAND), 1010, 100)
        + stand(comb(200, WOOD), 1130, 190, 890)
    ),
    "roses": lambda: (
        room("#e7bfbf", FLOOR["rose"])
        + stand(bowl(400, "#b9c4c0", "#dfeaea"), 690, 400)
        + petals(((600, 700, 70, 80), (690, 690, 66, 100), (760, 704, 60, 60)), ROSE)
        + stand(bottle(380, ROSE), 1020, 160)
        + put(rose(470, ROSE, GREEN), 470, 850, turn=-18)
        + put(rose(390, BLUSH, GREEN), 420, 850, turn=-34)
    ),
    "team": lambda: (
        room("#cbb9a5", arch=False)
        + person("bun", "dark", cloth=SAGE, x=390, y=500, size=0.86)
        + person("waves", "fair", cloth=PLUM, x=800, y=450, size=0.95)
        + person("bob", "dark", cloth=TEAL, skin=SKINS[2], x=1210, y=500, size=0.86)
    ),
    "label": lambda: (
        room("#c9d0bb", FLOOR["sage"])
        + stand(bottle(520, SAGE, 0.46), 720, 240)
        + put(
            line("M150 150L290 290", WOOD, 40)
            + oval(0, 0, 190, 190, "#eef3f1", opacity=0.55)
            + oval(0, 0, 190, 190, "none", stroke=GOLD, stroke_width=26),
            960,
            560,
        )
        + put(branch(300, 5, GREEN), 430, 830, turn=-14)
    ),
    "water": lambda: (
        room("#a8c8cb", FLOOR["teal"])
        + drops(((600, 400, 150), (780, 560, 100), (1000, 420, 130), (860, 250, 80)), TEAL)
        + stand(bowl(420, IVORY, "#bcdcdd"), 800, 420)
        + greens(430, 830, -16, GREEN, 300, 5)
    ),
    # The Gold notebook
    "gold": lambda: (
        room("#cfae6c", "#b99757")
        + stand(notebook(320, "#7c5b1d"), 650, 320, 880)
        + stand(candle(200, IVORY), 930, 160)
        + put(put(branch(380, 6, "#a98a45"), 0, 0, turn=20), 1100, 840)
        + petals(((880, 900, 56, 70), (1010, 890, 48, 110)), "#e9cf94")
    ),
    "ritual": lambda: (
        room("#bfa3a0", "#a98885")
        + stand(bowl(300, GOLD, "#f3e2c4"), 580, 300)
        + stand(towels(300, IVORY, SAND, BLUSH), 880, 300)
        + stand(candle(160, PLUM), 1120, 130)
        + put(roll(64, IVORY), 880, 680)
    ),
    "shade": lambda: (
        room("#d8a98c", arch=True)
        + person("waves", "copper", cloth="#f3e3d2", y=430)
        + "".join(
            put(leaf(90, c, 0.44), x, y, turn=t)
            for x, y, t, c in (
                (330, 330, 30, "#c8854a"),
                (250, 560, -20, "#a9572f"),
                (1310, 300, 60, "#c8854a"),
                (1380, 620, 10, "#8c4f34"),
                (400, 780, 70, "#d9a066"),
                (1250, 840, -30, "#a9572f"),
            )
        )
    ),
    "table": lambda: (
        room("#9d8b78", "#e9dcc8")
        + "".join(stand(glass(300, "#f0c878"), x, 90) for x in (470, 1130))
        + "".join(stand(bowl(170, IVORY, c), x, 170, 880) for x, c in ((640, APRICOT), (960, SAGE)))
        + stand(vase(190, PLUM, rose(280, BLUSH, GREEN), rose(320, ROSE, GREEN), rose(280, IVORY, GREEN)), 800, 120)
        + "".join(stand(candle(110, IVORY), x, 80, 900) for x in (330, 1270))
    ),
    "club": lambda: (
        room("#e6c4bd", FLOOR["rose"])
        + put(rose(520, ROSE, GREEN), 690, 700, turn=-8)
        + put(rose(430, BLUSH, GREEN), 660, 700, turn=-26)
        + put(branch(420, 7, SAGE), 700, 690, turn=12)
        + stand(vase(300, IVORY), 680, 190)
        + stand(bottle(330, ROSE), 900, 140)
        + stand(jar(170, GOLD), 1050, 170)
        + petals(((800, 905, 60, 75), (980, 912, 50, 115), (600, 900, 56, 60)), ROSE)
    ),
}
