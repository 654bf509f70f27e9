"""The pictures of the steps, and those for people who may not see a page, by name."""

import math

from ink import (
    GOLD,
    HAIRS,
    INK,
    IVORY,
    MAUVE,
    PLUM,
    ROSE,
    SAGE,
    SKINS,
    TEAL,
    block,
    blossom,
    dark,
    hand,
    light,
    line,
    lock,
    mix,
    oval,
    path,
    petals,
    plait,
    put,
    room,
)
from salon import drops, greens, person, rings, stand
from things import (
    dropper,
    dryer,
    envelope,
    polish,
    present,
    round_brush,
)


def close(wall: str, *what: str) -> str:
    return room(wall, arch=False) + "".join(what)


STEPS = {
    "blow-1": lambda: close(
        "#e9c9c0",
        person("towel", "brown", cloth=SAGE, y=520, size=1.15),
        drops(((360, 420, 90), (1250, 380, 80), (1330, 600, 60)), TEAL),
    ),
    "blow-2": lambda: close(
        "#e3d3bf",
        person("straight", "brown", cloth=IVORY, y=400, size=1.1),
        "".join(
            put(block(-70, -16, 140, 32, 12, GOLD), x, y, turn=t)
            for x, y, t in ((640, 330, 60), (960, 330, -60), (800, 270, 0))
        ),
        line("M800 215V560", "#e8bfa6", 8),
    ),
    "blow-3": lambda: close(
        "#cfd6c4",
        person("bob", "brown", cloth=IVORY, x=660, y=400, size=1.1),
        put(round_brush(430), 800, 960, turn=-38),
        put(dryer(430, ROSE, "#ffffff"), 1290, 800, turn=10),
    ),
    "blow-4": lambda: close(
        "#dcc7df",
        put(lock(0, 0, 760, 120, HAIRS["brown"], wave=46, turns=1.4, tip=0.5, strands=11), 760, 60),
        put(round_brush(620), 1220, 900, turn=-62),
    ),
    "blow-5": lambda: close(
        "#bcd5d8",
        person("waves", "brown", cloth=IVORY, x=620, y=420, size=1.1),
        put(dryer(460, TEAL, "#ffffff"), 1300, 720, turn=8),
    ),
    "plait-1": lambda: close(
        "#d5dccb",
        *(
            put(lock(0, 0, 820, 78, tone, wave=w, turns=1, tip=0.3, strands=7), x, 90)
            for x, tone, w in ((560, "#a9572f", -30), (800, "#bb6a3c", 0), (1040, "#a9572f", 30))
        ),
    ),
    "plait-2": lambda: close(
        "#e5d6bf",
        put(lock(0, 0, 840, 74, dark("#a9572f", 0.12), tip=0.4, strands=7), 800, 60),
        put(lock(0, 0, 900, 80, "#a9572f", wave=430, turns=0.5, tip=0.5, strands=7), 560, 60),
        put(lock(0, 0, 900, 80, "#bb6a3c", wave=-430, turns=0.5, tip=0.5, strands=7), 1040, 60),
    ),
    "plait-3": lambda: close("#e3cbd0", put(plait(700, 150, HAIRS["copper"]), 800, 90)),
    "plait-4": lambda: close(
        "#cfd8c3",
        person("plait", "copper", cloth="#efe2d0", y=400, size=1.1),
        *(put(blossom(r, IVORY), x, y) for x, y, r in ((680, 320, 44), (920, 360, 36), (790, 235, 32))),
    ),
    "scalp-1": lambda: close(
        "#d9cbe0", person("bun", "grey", cloth=MAUVE, y=540, size=1.1), rings(615, 520, ROSE), rings(985, 520, ROSE)
    ),
    "scalp-2": lambda: close(
        "#c9d6cf",
        person("bun", "grey", cloth=MAUVE, y=560, size=1.1),
        put(hand(SKINS[1], IVORY), 540, 640, turn=30, flip=True),
        put(hand(SKINS[1], IVORY), 1060, 640, turn=-30),
    ),
    "scalp-3": lambda: close(
        "#e9d3c4", person("bun", "grey", cloth=MAUVE, y=430, size=1.1), rings(700, 600, ROSE), rings(900, 600, ROSE)
    ),
    "nails-1": lambda: close(
        "#ecd2cd",
        put(hand(SKINS[1], IVORY, nails="#f2d9cf"), 720, 640, turn=10, size=1.5),
        put(block(-24, -420, 48, 420, 24, MAUVE), 1260, 800, turn=38),
    ),
    "nails-2": lambda: close(
        "#dfe0cc",
        put(hand(SKINS[1], IVORY, nails="#f2d9cf"), 640, 660, turn=8, size=1.4),
        put(dropper(430, GOLD), 1180, 880),
        drops(((930, 330, 70),), GOLD),
    ),
    "nails-3": lambda: close(
        "#e4cdd9",
        put(hand(SKINS[1], IVORY, nails=ROSE), 680, 660, turn=8, size=1.4),
        put(polish(360, ROSE), 1180, 880),
        put(
            block(-20, -300, 40, 190, 16, INK) + line("M0 -110V-40", INK, 8) + line("M0 -40V0", ROSE, 22),
            1010,
            470,
            turn=-36,
        ),
    ),
    "nails-4": lambda: close(
        "#f0dcc2",
        put(hand(SKINS[1], IVORY, nails=PLUM), 590, 680, turn=-6, size=1.3),
        put(hand(SKINS[1], IVORY, nails=PLUM), 1010, 680, turn=6, size=1.3, flip=True),
    ),
}


def teaser(wall: str, petal: str, door: str) -> str:
    """A door ajar and light behind it: it gives nothing away."""
    half = "M500 1000V486a300 300 0 0 1 300 -300L980 250V1000Z"
    out = room(wall, arch=False) + path("M470 1000V480a330 330 0 0 1 660 0V1000Z", dark(wall, 0.12))
    out += path("M500 1000V486a300 300 0 0 1 600 0V1000Z", "#fff3d9")
    out += oval(860, 560, 420, 420, "url(#flame)") + path(half, door, "round")
    out += oval(930, 640, 20, 20, GOLD, "round") + put(blossom(96, light(door, 0.22), heart=light(door, 0.4)), 745, 470)
    return (
        out
        + greens(360, 1030, -14, petal, 470)
        + greens(1240, 1030, 16, petal, 520)
        + petals(((1150, 930, 60, 70), (1050, 965, 48, 110), (420, 950, 52, 80)), petal)
    )


def curtain(wall: str, cloth: str) -> str:
    """A curtain drawn across an alcove."""
    out = room(wall, arch=False) + f'<path d="M400 1000V480a400 400 0 0 1 800 0V1000Z" fill="{dark(wall, 0.14)}"/>'
    folds = ""
    for index in range(9):
        x = 420 + index * 84.5
        top = 480 - math.sqrt(max(0, 380**2 - (x + 42 - 800) ** 2))
        folds += path(
            f"M{x} {top + 30}Q{x + 42} {top - 6} {x + 84} {top + 30}L{x + 90} 960Q{x + 42} 1000 {x - 6} 960Z",
            mix(cloth, "#ffffff", 0.05 * (index % 2)),
            "round",
        )
    tie = put(line("M-420 0Q0 70 420 0", GOLD, 16) + put(blossom(46, light(cloth, 0.5)), 0, 36), 800, 620)
    return (
        out
        + f"<g>{folds}</g>{tie}"
        + greens(270, 1030, -6, light(cloth, 0.25), 420)
        + greens(1330, 1030, 8, light(cloth, 0.25), 460)
    )


def letter(wall: str, seal: str) -> str:
    """A letter that is still sealed."""
    return (
        room(wall, dark(wall, 0.1))
        + stand(envelope(560, IVORY, seal), 800, 540, 870)
        + greens(480, 850, -22, mix(SAGE, wall, 0.2), 380)
        + petals(((1180, 890, 64, 70), (430, 900, 56, 110)), seal)
    )


def parcel(wall: str, paper: str, ribbon: str) -> str:
    """A box that nobody has opened yet."""
    return (
        room(wall, dark(wall, 0.1))
        + stand(present(470, paper, ribbon), 800, 470, 880)
        + greens(1090, 860, 24, mix(SAGE, wall, 0.2), 380)
        + petals(((520, 890, 60, 80), (1200, 900, 50, 100)), light(paper, 0.2))
    )


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
