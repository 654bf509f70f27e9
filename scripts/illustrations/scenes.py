"""The pictures of the demo's club, by name."""

import math

from ink import (APRICOT, BLUSH, GOLD, HAIRS, INK, IVORY, MAUVE, PLUM, ROSE, SAGE, SAND, SKINS, TEAL, block, blossom,
                 branch, bun, cap, curls, dark, ears, hand, leaf, light, line, lock, mix, oval, path, petals, plait, put, room, shadow,
                 shoulders)  # fmt: skip
from things import (bottle, bowl, candle, comb, dropper, dryer, envelope, glass, jar, lipstick, mirror, notebook, paddle,
                    polish, present, pump, roll, rose, round_brush, towels, tube, vase)  # fmt: skip

WOOD, GREEN = "#c7a27c", "#7f9a78"
FLOOR = {"rose": "#d9b3aa", "sage": "#c4ccb6", "sand": "#d2b793", "mauve": "#c3aec6", "teal": "#a9c4c2"}


def stand(thing: str, x: float, width: float, y: float = 860, **how: float) -> str:
    return shadow(x, y, width) + put(thing, x, y, **how)


def person(style: str, hair: str, *, cloth: str, skin: str = SKINS[0], x: float = 800, y: float = 420, size: float = 1.0) -> str:
    tone, out = HAIRS[hair], shoulders(cloth, skin) + ears(skin)
    if style == "waves":
        out += lock(0, -60, 640, 190, tone, wave=26, turns=3, root=0.84, tip=0.5, strands=13) + cap(tone, 150)
    elif style == "straight":
        out += lock(0, -60, 560, 186, tone, wave=4, root=0.86, tip=0.82, strands=13) + cap(tone, 150)
    elif style == "bob":
        out += lock(0, -60, 300, 196, tone, wave=0, root=0.84, tip=0.95, strands=13) + cap(tone, 150)
    elif style == "bun":
        out += cap(tone, 110) + put(bun(104, tone), 0, -214)
    elif style == "plait":
        out += cap(tone, 150) + put(plait(470, 84, tone), 0, 150)
    elif style == "curls":
        spots = [(205 * math.cos(a) * k, -40 + 225 * math.sin(a) * k, 58) for k in (1, 0.62, 0.25)
                 for a in (i * math.tau / (14 if k == 1 else 9 if k > 0.5 else 4) for i in range(14 if k == 1 else 9 if k > 0.5 else 4))]  # fmt: skip
        out += oval(0, -30, 215, 225, dark(tone, 0.3)) + curls(spots, tone)
    elif style == "towel":
        out += oval(0, -60, 190, 170, cloth, "round") + put(oval(0, 0, 100, 130, light(cloth, 0.2), "round"), 40, -220, turn=34)
        out += "".join(line(f"M{k} -180Q{k * 1.5} -60 {k * 1.2} 80", dark(cloth, 0.2), 6, opacity=0.5) for k in (-90, -30, 40, 100))
    return put(out, x, y, size=size)


def greens(x: float, y: float, turn: float, colour: str = SAGE, length: float = 420, pairs: int = 7) -> str:
    return put(branch(length, pairs, colour), x, y, turn=turn)


def waves(y: float, colour: str) -> str:
    out = ""
    for row in range(5):
        d = f"M-60 {y + row * 62}" + "q60 -34 120 0t120 0" * 8
        out += line(d, mix(colour, "#ffffff", 0.15 + 0.12 * row), 16, opacity=0.75)
    return out


def drops(spots, colour: str) -> str:
    shape = "M0 -100C-12 -62 -42 -40 -42 0A42 42 0 0 0 42 0C42 -40 12 -62 0 -100Z"
    one = path(shape, light(colour, 0.3), "round") + oval(-16, 2, 7, 15, "#ffffff", opacity=0.7)
    return "".join(put(one, x, y, size=size / 110) for x, y, size in spots)


def rings(x: float, y: float, colour: str = ROSE) -> str:
    """The small circles of a massage."""
    return "".join(oval(x, y, r, r, "none", stroke=colour, stroke_width=9, stroke_dasharray="34 22", stroke_linecap="round", opacity=0.85) for r in (40, 70))


MAIN = {
    # Care at home
    "care": lambda: room("#b9c4ab", FLOOR["sage"]) + greens(520, 800, -16) + greens(1110, 800, 20, GREEN, 360)
    + stand(towels(330, BLUSH, IVORY, SAGE), 610, 330) + stand(pump(330, SAGE), 860, 150) + stand(jar(190, ROSE), 1060, 190),
    "summer": lambda: room("#9fc4c6", arch=False) + oval(1180, 300, 170, 170, "#f4d9a4") + waves(560, TEAL)
    + person("waves", "fair", cloth="#f1e3d3", x=640, y=470) + put(branch(420, 8, GREEN, plump=0.2), 1500, 900, turn=-38),
    "winter": lambda: room("#b3bccb", FLOOR["mauve"]) + "".join(put(blossom(r, "#ffffff", 6, "#ffffff"), x, y) for x, y, r in ((250, 260, 34), (390, 520, 22), (1240, 210, 30), (1370, 450, 24), (1460, 640, 18), (190, 690, 20), (1310, 100, 16)))
    + stand(candle(210, APRICOT), 560, 170) + stand(dropper(360, "#9a7aa0"), 800, 140) + stand(comb(360, WOOD), 1090, 340, 884),
    "volume": lambda: room("#e3bcb2", arch=True) + person("bob", "copper", cloth=PLUM, y=430) + greens(250, 1020, 18, ROSE, 520) + greens(1360, 1020, -20, SAGE, 460),
    "curls": lambda: room("#c8b4ce") + person("curls", "dark", cloth=GOLD, skin=SKINS[2], y=420) + put(blossom(64, BLUSH), 975, 250, turn=10)
    + greens(220, 1030, 14, MAUVE, 470) + greens(1390, 1030, -16, SAGE, 520),
    "colour": lambda: room("#dcb48f", FLOOR["sand"]) + stand(bowl(280, IVORY, "#8c4f34"), 620, 280)
    + "".join(put(lock(0, 0, 430, 42, tone, wave=14, tip=0.2, strands=5) + block(-46, -22, 92, 34, 17, GOLD), x, 250) for x, tone in ((870, "#6b4331"), (980, "#8c4f34"), (1090, "#a9572f"), (1200, "#c8854a")))
    + put(block(-10, -420, 20, 260, 10, WOOD) + block(-34, -170, 68, 92, 10, dark("#8c4f34", 0.2)), 640, 860, turn=26),
    "night": lambda: room("#8f86ad", "#7c7397") + oval(1040, 300, 104, 104, "#f6ead0") + oval(1084, 272, 92, 92, "#b5aecb")
    + stand(dropper(330, ROSE), 610, 130) + stand(jar(230, BLUSH, open=True), 830, 230) + stand(candle(150, MAUVE), 1060, 120) + petals(((690, 880, 60, 70), (960, 900, 52, 110)), ROSE),
    "diary": lambda: room("#d8c7b0", FLOOR["sand"]) + stand(notebook(330, ROSE), 680, 330, 880) + stand(vase(190, SAGE, rose(250, ROSE, GREEN), rose(290, BLUSH, GREEN)), 1010, 120)
    + put(block(-9, -300, 18, 270, 8, GOLD) + line("M0 -30L0 0", INK, 10), 890, 890, turn=34),
    # How-to
    "how-to": lambda: room("#e6c6b8", FLOOR["rose"]) + stand(round_brush(430), 540, 90, turn=-7) + stand(paddle(430), 720, 150, turn=4) + put(dryer(400, ROSE), 1090, 866),
    "blow-dry": lambda: room("#e9c9c0") + person("straight", "brown", cloth=IVORY, x=700) + put(dryer(420, PLUM, "#ffffff"), 1240, 640, turn=14) + greens(180, 1030, 14, SAGE, 460),
    "plait": lambda: room("#bcc8ae") + person("plait", "copper", cloth="#efe2d0") + "".join(put(blossom(r, c), x, y) for x, y, r, c in ((690, 330, 40, IVORY), (905, 370, 34, BLUSH), (760, 250, 28, IVORY)))
    + greens(240, 1030, 18, GREEN, 480) + greens(1360, 1030, -18, GREEN, 520),
    "massage": lambda: room("#c6b3cc") + person("bun", "grey", cloth=MAUVE, y=520, skin=SKINS[0]) + put(hand(SKINS[1], IVORY), 560, 620, turn=28, size=0.9, flip=True) + put(hand(SKINS[1], IVORY), 1040, 620, turn=-28, size=0.9) + rings(680, 380, "#ffffff") + rings(920, 380, "#ffffff"),
    "manicure": lambda: room("#eac4c4", FLOOR["rose"]) + stand(polish(250, ROSE), 520, 100) + stand(polish(220, PLUM), 640, 90) + put(hand(SKINS[1], IVORY, nails=ROSE), 920, 640, turn=12, size=1.25) + petals(((1180, 880, 70, 70), (420, 890, 60, 120)), ROSE),
    "breathe": lambda: room("#a9c7c5") + "".join(oval(800, 500, r, r, "none", stroke="#ffffff", stroke_width=8, opacity=o) for r, o in ((330, 0.7), (400, 0.45), (470, 0.25))) + put(blossom(270, BLUSH, 8), 800, 500) + put(blossom(160, ROSE, 8), 800, 500, turn=22),
    # Offers
    "offers": lambda: room("#e0b7b9", FLOOR["rose"]) + stand(present(340, ROSE), 640, 340) + stand(present(230, SAGE, IVORY), 950, 230) + stand(envelope(250), 1130, 240, 900) + petals(((480, 900, 60, 80), (1270, 870, 56, 100)), ROSE),
    "private-sale": lambda: room("#b98f9c", "#a67c8b") + stand(bottle(360, BLUSH), 560, 150) + stand(tube(330, SAND), 740, 130) + stand(jar(230, ROSE), 940, 230) + stand(candle(170, IVORY), 1130, 140) + greens(330, 830, 12, "#c5a1ab", 420),
    "evening": lambda: room("#c9a65e", "#b18f4b") + oval(800, 420, 250, 250, "#f6e3b4", opacity=0.6) + stand(glass(400, "#f0c878"), 640, 110) + stand(glass(400, "#f0c878"), 800, 110) + stand(lipstick(260, PLUM), 990, 70) + stand(candle(150, IVORY), 1120, 120) + "".join(put(blossom(r, IVORY, 5), x, y) for x, y, r in ((470, 890, 44), (545, 912, 30))),
    "camellia": lambda: room("#c4cdb7", FLOOR["sage"]) + put(branch(470, 6, GREEN, plump=0.42), 540, 820, turn=-20) + put(put(blossom(88, ROSE, 7) + put(blossom(56, BLUSH, 6), turn=26), 0, 0), 410, 440) + put(put(blossom(76, ROSE, 7) + put(blossom(48, BLUSH, 6), turn=14), 0, 0), 600, 330) + stand(dropper(410, GOLD), 840, 160) + stand(dropper(300, GOLD), 1040, 120),
    "duo": lambda: room("#ecd0b6", FLOOR["sand"]) + stand(jar(320, BLUSH), 650, 320) + stand(dropper(440, GOLD), 990, 170) + petals(((450, 890, 64, 70), (820, 906, 56, 120), (1190, 884, 60, 60)), ROSE),
    "winter-box": lambda: room("#a8b4c6", "#93a1b5") + stand(present(420, "#6d7f9b", IVORY), 800, 420) + greens(480, 850, -34, GREEN, 320, 6) + greens(1120, 850, 34, GREEN, 320, 6) + "".join(put(blossom(r, "#ffffff", 6, "#ffffff"), x, y) for x, y, r in ((300, 260, 28), (1250, 240, 30), (1390, 520, 20), (220, 560, 20))),
    "welcome": lambda: room("#d9c3d6", FLOOR["mauve"]) + stand(envelope(420, IVORY, ROSE), 760, 420) + stand(vase(210, PLUM, rose(280, BLUSH, GREEN), rose(330, ROSE, GREEN), rose(270, BLUSH, GREEN)), 1090, 130),
    # The house
    "house": lambda: room("#dfc3a4", FLOOR["sand"]) + stand(mirror(560), 800, 220) + stand(vase(180, ROSE, branch(300, 5, SAGE), branch(260, 5, GREEN)), 530, 100) + stand(bottle(260, SAND), 1010, 100) + stand(comb(200, WOOD), 1130, 190, 890),
    "roses": lambda: room("#e7bfbf", FLOOR["rose"]) + stand(bowl(400, "#b9c4c0", "#dfeaea"), 690, 400) + petals(((600, 700, 70, 80), (690, 690, 66, 100), (760, 704, 60, 60)), ROSE) + stand(bottle(380, ROSE), 1020, 160) + put(rose(470, ROSE, GREEN), 470, 850, turn=-18) + put(rose(390, BLUSH, GREEN), 420, 850, turn=-34),
    "team": lambda: room("#cbb9a5", arch=False) + person("bun", "dark", cloth=SAGE, x=390, y=500, size=0.86) + person("waves", "fair", cloth=PLUM, x=800, y=450, size=0.95) + person("bob", "dark", cloth=TEAL, skin=SKINS[2], x=1210, y=500, size=0.86),
    "label": lambda: room("#c9d0bb", FLOOR["sage"]) + stand(bottle(520, SAGE, 0.46), 720, 240) + put(line("M150 150L290 290", WOOD, 40) + oval(0, 0, 190, 190, "#eef3f1", opacity=0.55) + oval(0, 0, 190, 190, "none", stroke=GOLD, stroke_width=26), 960, 560) + put(branch(300, 5, GREEN), 430, 830, turn=-14),
    "water": lambda: room("#a8c8cb", FLOOR["teal"]) + drops(((600, 400, 150), (780, 560, 100), (1000, 420, 130), (860, 250, 80)), TEAL) + stand(bowl(420, IVORY, "#bcdcdd"), 800, 420) + greens(430, 830, -16, GREEN, 300, 5),
    # The Gold notebook
    "gold": lambda: room("#cfae6c", "#b99757") + stand(notebook(320, "#7c5b1d"), 650, 320, 880) + stand(candle(200, IVORY), 930, 160) + put(put(branch(380, 6, "#a98a45"), 0, 0, turn=20), 1100, 840) + petals(((880, 900, 56, 70), (1010, 890, 48, 110)), "#e9cf94"),
    "ritual": lambda: room("#bfa3a0", "#a98885") + stand(bowl(300, GOLD, "#f3e2c4"), 580, 300) + stand(towels(300, IVORY, SAND, BLUSH), 880, 300) + stand(candle(160, PLUM), 1120, 130) + put(roll(64, IVORY), 880, 680),
    "shade": lambda: room("#d8a98c", arch=True) + person("waves", "copper", cloth="#f3e3d2", y=430) + "".join(put(leaf(90, c, 0.44), x, y, turn=t) for x, y, t, c in ((330, 330, 30, "#c8854a"), (250, 560, -20, "#a9572f"), (1310, 300, 60, "#c8854a"), (1380, 620, 10, "#8c4f34"), (400, 780, 70, "#d9a066"), (1250, 840, -30, "#a9572f"))),
    "table": lambda: room("#9d8b78", "#e9dcc8") + "".join(stand(glass(300, "#f0c878"), x, 90) for x in (470, 1130)) + "".join(stand(bowl(170, IVORY, c), x, 170, 880) for x, c in ((640, APRICOT), (960, SAGE))) + stand(vase(190, PLUM, rose(280, BLUSH, GREEN), rose(320, ROSE, GREEN), rose(280, IVORY, GREEN)), 800, 120) + "".join(stand(candle(110, IVORY), x, 80, 900) for x in (330, 1270)),
    "club": lambda: room("#e6c4bd", FLOOR["rose"]) + put(rose(520, ROSE, GREEN), 690, 700, turn=-8) + put(rose(430, BLUSH, GREEN), 660, 700, turn=-26) + put(branch(420, 7, SAGE), 700, 690, turn=12) + stand(vase(300, IVORY), 680, 190) + stand(bottle(330, ROSE), 900, 140) + stand(jar(170, GOLD), 1050, 170) + petals(((800, 905, 60, 75), (980, 912, 50, 115), (600, 900, 56, 60)), ROSE),
}  # fmt: skip


def close(wall: str, *what: str) -> str:
    return room(wall, arch=False) + "".join(what)


STEPS = {
    "blow-1": lambda: close("#e9c9c0", person("towel", "brown", cloth=SAGE, y=520, size=1.15), drops(((360, 420, 90), (1250, 380, 80), (1330, 600, 60)), TEAL)),
    "blow-2": lambda: close("#e3d3bf", person("straight", "brown", cloth=IVORY, y=400, size=1.1), "".join(put(block(-70, -16, 140, 32, 12, GOLD), x, y, turn=t) for x, y, t in ((640, 330, 60), (960, 330, -60), (800, 270, 0))), line("M800 215V560", "#e8bfa6", 8)),
    "blow-3": lambda: close("#cfd6c4", person("bob", "brown", cloth=IVORY, x=660, y=400, size=1.1), put(round_brush(430), 800, 960, turn=-38), put(dryer(430, ROSE, "#ffffff"), 1290, 800, turn=10)),
    "blow-4": lambda: close("#dcc7df", put(lock(0, 0, 760, 120, HAIRS["brown"], wave=46, turns=1.4, tip=0.5, strands=11), 760, 60), put(round_brush(620), 1220, 900, turn=-62)),
    "blow-5": lambda: close("#bcd5d8", person("waves", "brown", cloth=IVORY, x=620, y=420, size=1.1), put(dryer(460, TEAL, "#ffffff"), 1300, 720, turn=8)),
    "plait-1": lambda: close("#d5dccb", *(put(lock(0, 0, 820, 78, tone, wave=w, turns=1, tip=0.3, strands=7), x, 90) for x, tone, w in ((560, "#a9572f", -30), (800, "#bb6a3c", 0), (1040, "#a9572f", 30)))),
    "plait-2": lambda: close("#e5d6bf", put(lock(0, 0, 840, 74, dark("#a9572f", 0.12), tip=0.4, strands=7), 800, 60), put(lock(0, 0, 900, 80, "#a9572f", wave=430, turns=0.5, tip=0.5, strands=7), 560, 60), put(lock(0, 0, 900, 80, "#bb6a3c", wave=-430, turns=0.5, tip=0.5, strands=7), 1040, 60)),
    "plait-3": lambda: close("#e3cbd0", put(plait(700, 150, HAIRS["copper"]), 800, 90)),
    "plait-4": lambda: close("#cfd8c3", person("plait", "copper", cloth="#efe2d0", y=400, size=1.1), *(put(blossom(r, IVORY), x, y) for x, y, r in ((680, 320, 44), (920, 360, 36), (790, 235, 32)))),
    "scalp-1": lambda: close("#d9cbe0", person("bun", "grey", cloth=MAUVE, y=540, size=1.1), rings(615, 520, ROSE), rings(985, 520, ROSE)),
    "scalp-2": lambda: close("#c9d6cf", person("bun", "grey", cloth=MAUVE, y=560, size=1.1), put(hand(SKINS[1], IVORY), 540, 640, turn=30, flip=True), put(hand(SKINS[1], IVORY), 1060, 640, turn=-30)),
    "scalp-3": lambda: close("#e9d3c4", person("bun", "grey", cloth=MAUVE, y=430, size=1.1), rings(700, 600, ROSE), rings(900, 600, ROSE)),
    "nails-1": lambda: close("#ecd2cd", put(hand(SKINS[1], IVORY, nails="#f2d9cf"), 720, 640, turn=10, size=1.5), put(block(-24, -420, 48, 420, 24, MAUVE), 1260, 800, turn=38)),
    "nails-2": lambda: close("#dfe0cc", put(hand(SKINS[1], IVORY, nails="#f2d9cf"), 640, 660, turn=8, size=1.4), put(dropper(430, GOLD), 1180, 880), drops(((930, 330, 70),), GOLD)),
    "nails-3": lambda: close("#e4cdd9", put(hand(SKINS[1], IVORY, nails=ROSE), 680, 660, turn=8, size=1.4), put(polish(360, ROSE), 1180, 880), put(block(-20, -300, 40, 190, 16, INK) + line("M0 -110V-40", INK, 8) + line("M0 -40V0", ROSE, 22), 1010, 470, turn=-36)),
    "nails-4": lambda: close("#f0dcc2", put(hand(SKINS[1], IVORY, nails=PLUM), 590, 680, turn=-6, size=1.3), put(hand(SKINS[1], IVORY, nails=PLUM), 1010, 680, turn=6, size=1.3, flip=True)),
}  # fmt: skip


def teaser(wall: str, petal: str, door: str) -> str:
    """A door ajar and light behind it: it gives nothing away."""
    out = room(wall, arch=False) + f'<path d="M470 1000V480a330 330 0 0 1 660 0V1000Z" fill="{dark(wall, 0.12)}"/>'
    out += f'<path d="M500 1000V486a300 300 0 0 1 600 0V1000Z" fill="#fff3d9"/><circle cx="860" cy="560" r="420" fill="url(#flame)" clip-path="url(#door)"/>'
    out += f'<path d="M500 1000V486a300 300 0 0 1 300 -300L980 250V1000Z" fill="{door}"/><path d="M500 1000V486a300 300 0 0 1 300 -300L980 250V1000Z" fill="url(#round)"/>'
    out += oval(930, 640, 20, 20, GOLD, "round") + put(blossom(96, light(door, 0.22), heart=light(door, 0.4)), 745, 470)
    return out + greens(360, 1030, -14, petal, 470) + greens(1240, 1030, 16, petal, 520) + petals(((1150, 930, 60, 70), (1050, 965, 48, 110), (420, 950, 52, 80)), petal)


def curtain(wall: str, cloth: str) -> str:
    """A curtain drawn across an alcove."""
    out = room(wall, arch=False) + f'<path d="M400 1000V480a400 400 0 0 1 800 0V1000Z" fill="{dark(wall, 0.14)}"/>'
    folds = ""
    for index in range(9):
        x = 420 + index * 84.5
        top = 480 - math.sqrt(max(0, 380**2 - (x + 42 - 800) ** 2))
        folds += path(f"M{x} {top + 30}Q{x + 42} {top - 6} {x + 84} {top + 30}L{x + 90} 960Q{x + 42} 1000 {x - 6} 960Z", mix(cloth, "#ffffff", 0.05 * (index % 2)), "round")
    tie = put(line("M-420 0Q0 70 420 0", GOLD, 16) + put(blossom(46, light(cloth, 0.5)), 0, 36), 800, 620)
    return out + f'<g>{folds}</g>{tie}' + greens(270, 1030, -6, light(cloth, 0.25), 420) + greens(1330, 1030, 8, light(cloth, 0.25), 460)


def letter(wall: str, seal: str) -> str:
    """A letter that is still sealed."""
    return room(wall, dark(wall, 0.1)) + stand(envelope(560, IVORY, seal), 800, 540, 870) + greens(480, 850, -22, mix(SAGE, wall, 0.2), 380) + petals(((1180, 890, 64, 70), (430, 900, 56, 110)), seal)


def parcel(wall: str, paper: str, ribbon: str) -> str:
    """A box that nobody has opened yet."""
    return room(wall, dark(wall, 0.1)) + stand(present(470, paper, ribbon), 800, 470, 880) + greens(1090, 860, 24, mix(SAGE, wall, 0.2), 380) + petals(((520, 890, 60, 80), (1200, 900, 50, 100)), light(paper, 0.2))


TEASERS = {
    "door-bronze": lambda: teaser("#d9b08c", "#b57b4d", "#9c6238"),
    "door-silver": lambda: teaser("#b7c0c8", "#8d99a5", "#6c7a88"),
    "door-gold": lambda: teaser("#d9bd7d", "#b8912f", "#8f6b1c"),
    "door-rose": lambda: teaser("#e3bcbf", ROSE, "#8d3b5e"),
    "door-sage": lambda: teaser("#bfcab3", SAGE, "#5d7a58"),
    "curtain-plum": lambda: curtain("#d9c3cf", PLUM),
    "curtain-teal": lambda: curtain("#bcd4d2", "#3f7273"),
    "curtain-gold": lambda: curtain("#e4d2a8", "#a07a28"),
    "letter-mauve": lambda: letter("#cdbcd3", "#7d5a86"),
    "letter-apricot": lambda: letter("#ecccb2", "#b5603a"),
    "letter-gold": lambda: letter("#e0cb97", "#8f6b1c"),
    "parcel-rose": lambda: parcel("#eac9c6", ROSE, GOLD),
    "parcel-sage": lambda: parcel("#cad3bd", SAGE, IVORY),
    "parcel-blue": lambda: parcel("#b7c2d0", "#6d7f9b", IVORY),
}
