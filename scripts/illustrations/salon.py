"""The salon's guests and greenery, put together from what :mod:`ink` and :mod:`things` draw."""

import math

from ink import (
    HAIRS,
    ROSE,
    SAGE,
    SKINS,
    branch,
    bun,
    cap,
    curls,
    dark,
    ears,
    light,
    line,
    lock,
    mix,
    oval,
    path,
    plait,
    put,
    shadow,
    shoulders,
)

WOOD, GREEN = "#c7a27c", "#7f9a78"
FLOOR = {"rose": "#d9b3aa", "sage": "#c4ccb6", "sand": "#d2b793", "mauve": "#c3aec6", "teal": "#a9c4c2"}


def stand(thing: str, x: float, width: float, y: float = 860, **how: float) -> str:
    return shadow(x, y, width) + put(thing, x, y, **how)


def person(
    style: str, hair: str, *, cloth: str, skin: str = SKINS[0], x: float = 800, y: float = 420, size: float = 1.0
) -> str:
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
        spots = [
            (205 * math.cos(a) * k, -40 + 225 * math.sin(a) * k, 58)
            for k in (1, 0.62, 0.25)
            for a in (
                i * math.tau / (14 if k == 1 else 9 if k > 0.5 else 4)
                for i in range(14 if k == 1 else 9 if k > 0.5 else 4)
            )
        ]
        out += oval(0, -30, 215, 225, dark(tone, 0.3)) + curls(spots, tone)
    elif style == "towel":
        out += oval(0, -60, 190, 170, cloth, "round") + put(
            oval(0, 0, 100, 130, light(cloth, 0.2), "round"), 40, -220, turn=34
        )
        out += "".join(
            line(f"M{k} -180Q{k * 1.5} -60 {k * 1.2} 80", dark(cloth, 0.2), 6, opacity=0.5) for k in (-90, -30, 40, 100)
        )
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
    return "".join(
        oval(
            x,
            y,
            r,
            r,
            "none",
            stroke=colour,
            stroke_width=9,
            stroke_dasharray="34 22",
            stroke_linecap="round",
            opacity=0.85,
        )
        for r in (40, 70)
    )
