"""What stands on the tables of the illustrations. Each thing is drawn with its foot at the origin."""

from ink import (
    APRICOT,
    BLUSH,
    GOLD,
    INK,
    IVORY,
    PLUM,
    ROSE,
    SAND,
    block,
    blossom,
    dark,
    leaf,
    light,
    line,
    mix,
    oval,
    path,
    put,
)


def label(y: float, w: float, h: float, colour: str) -> str:
    out = block(-w / 2, y, w, h, 6, IVORY, "")
    out += put(blossom(min(w, h) * 0.22, dark(colour, 0.25)), 0, y + h * 0.4)
    return out + "".join(
        block(-w * s / 2, y + h * k, w * s, 5, 2.5, dark(colour, 0.3), "") for k, s in ((0.72, 0.56), (0.82, 0.36))
    )


def bottle(h: float, colour: str, w: float = 0.42) -> str:
    b = h * w
    out = block(-b * 0.22, -h, b * 0.44, h * 0.16, 8, GOLD) + block(
        -b * 0.16, -h * 0.86, b * 0.32, h * 0.1, 4, dark(colour)
    )
    return out + block(-b / 2, -h * 0.78, b, h * 0.78, b * 0.2, colour) + label(-h * 0.56, b * 0.66, h * 0.38, colour)


def pump(h: float, colour: str) -> str:
    b = h * 0.46
    out = line(f"M0 {-h * 0.9}V{-h}H{-b * 0.45}V{-h * 0.94}", IVORY, h * 0.035) + block(
        -b * 0.1, -h * 0.9, b * 0.2, h * 0.16, 4, IVORY
    )
    out += block(-b * 0.26, -h * 0.8, b * 0.52, h * 0.08, 6, GOLD)
    return out + block(-b / 2, -h * 0.73, b, h * 0.73, b * 0.14, colour) + label(-h * 0.52, b * 0.66, h * 0.36, colour)


def jar(w: float, colour: str, *, open: bool = False) -> str:
    h = w * 0.62
    out = block(-w / 2, -h, w, h, w * 0.1, colour) + label(-h * 0.74, w * 0.46, h * 0.54, colour)
    if open:
        return (
            out
            + oval(0, -h, w * 0.47, w * 0.09, dark(colour, 0.2))
            + oval(0, -h, w * 0.42, w * 0.07, light(colour, 0.65))
        )
    return out + block(-w * 0.48, -h - w * 0.2, w * 0.96, w * 0.22, 12, GOLD)


def dropper(h: float, colour: str) -> str:
    b = h * 0.38
    out = block(-b * 0.14, -h, b * 0.28, h * 0.2, b * 0.12, dark(colour, 0.5)) + block(
        -b * 0.25, -h * 0.83, b * 0.5, h * 0.12, 6, GOLD
    )
    out += block(-b * 0.2, -h * 0.72, b * 0.4, h * 0.06, 2, dark(colour, 0.2)) + block(
        -b / 2, -h * 0.66, b, h * 0.66, b * 0.18, mix(colour, GOLD, 0.25)
    )
    return out + label(-h * 0.5, b * 0.64, h * 0.34, colour)


def tube(h: float, colour: str) -> str:
    w = h * 0.4
    body = path(f"M{-w / 2} {-h}H{w / 2}L{w * 0.32} {-h * 0.12}H{-w * 0.32}Z", colour, "round")
    return body + block(-w * 0.3, -h * 0.13, w * 0.6, h * 0.13, 8, IVORY) + label(-h * 0.72, w * 0.5, h * 0.36, colour)


def candle(h: float, colour: str, *, lit: bool = True) -> str:
    w = h * 0.78
    out = oval(0, -h * 1.22, h * 0.62, h * 0.62, "url(#flame)") if lit else ""
    out += block(-w / 2, -h, w, h, 18, colour) + oval(0, -h + 4, w * 0.46, h * 0.07, light(colour, 0.6))
    out += line(f"M0 {-h}v{-h * 0.1}", INK, 5) + label(-h * 0.74, w * 0.52, h * 0.5, colour)
    if lit:
        out += path(
            (
                f"M0 {-h * 1.42}C{h * 0.13} {-h * 1.24} {h * 0.09} {-h * 1.08} 0 {-h * 1.08}"
                f"C{-h * 0.09} {-h * 1.08} {-h * 0.13} {-h * 1.24} 0 {-h * 1.42}Z"
            ),
            "#f4b04f",
        )
        out += path(
            (
                f"M0 {-h * 1.28}C{h * 0.05} {-h * 1.2} {h * 0.04} {-h * 1.1} 0 {-h * 1.1}"
                f"C{-h * 0.04} {-h * 1.1} {-h * 0.05} {-h * 1.2} 0 {-h * 1.28}Z"
            ),
            "#fff1c9",
        )
    return out


def bowl(w: float, colour: str, inside: str = IVORY) -> str:
    h = w * 0.44
    out = path(
        (
            f"M{-w / 2} {-h}C{-w * 0.48} {-h * 0.2} {-w * 0.26} 0 {-w * 0.16} 0H{w * 0.16}"
            f"C{w * 0.26} 0 {w * 0.48} {-h * 0.2} {w / 2} {-h}Z"
        ),
        colour,
        "round",
    )
    return out + oval(0, -h, w / 2, w * 0.1, dark(colour, 0.12)) + oval(0, -h + 4, w * 0.44, w * 0.075, inside)


def towels(w: float, *colours: str) -> str:
    """Folded towels, one on the other."""
    out, y, h = "", 0.0, w * 0.2
    for index, colour in enumerate(colours):
        y -= h
        x = -w / 2 + (index % 2) * 10
        out += block(x, y, w, h, h * 0.46, colour) + line(
            f"M{x + w - h * 0.6} {y + h / 2}H{x + w * 0.2}", dark(colour, 0.2), 4, opacity=0.6
        )
    return out


def roll(r: float, colour: str) -> str:
    """A rolled towel, seen from its end."""
    out = oval(0, -r, r, r, colour, "round")
    for k in (0.72, 0.46, 0.2):
        out += oval(0, -r, r * k, r * k, "none", stroke=dark(colour, 0.18), stroke_width=5)
    return out


def comb(w: float, colour: str) -> str:
    out = block(-w / 2, -w * 0.2, w, w * 0.08, w * 0.04, colour)
    return out + "".join(
        block(-w * 0.47 + i * w * 0.067, -w * 0.14, w * 0.026, w * 0.17, w * 0.012, colour) for i in range(15)
    )


def paddle(h: float, wood: str = "#b98a5e") -> str:
    out = block(-h * 0.05, -h * 0.46, h * 0.1, h * 0.46, h * 0.05, wood) + block(
        -h * 0.19, -h, h * 0.38, h * 0.58, h * 0.15, wood
    )
    out += block(-h * 0.15, -h * 0.96, h * 0.3, h * 0.5, h * 0.12, light(ROSE, 0.35), "fall")
    dots = ((x, y) for x in range(-3, 4) for y in range(6))
    return out + "".join(oval(x * h * 0.036, -h * 0.9 + y * h * 0.075, 5, 5, dark(wood, 0.5)) for x, y in dots)


def round_brush(h: float, wood: str = "#b98a5e") -> str:
    out = block(-h * 0.045, -h * 0.45, h * 0.09, h * 0.45, h * 0.045, wood) + block(
        -h * 0.1, -h, h * 0.2, h * 0.58, h * 0.04, dark(GOLD, 0.1)
    )
    for row in range(10):
        y = -h * 0.97 + row * h * 0.058
        out += line(f"M{-h * 0.15} {y}H{h * 0.15}", INK, 4, opacity=0.55)
    return out + block(-h * 0.07, -h, h * 0.14, h * 0.58, h * 0.03, mix(GOLD, SAND, 0.4))


def dryer(h: float, colour: str, air: str = "") -> str:
    """A dryer that blows to the left; ``air`` is the colour of what comes out of it."""
    out = ""
    if air:
        for k, reach in ((-0.13, 0.5), (0, 0.66), (0.13, 0.5)):
            y = -h * 0.76 + k * h
            out += line(
                f"M{-h * 0.46} {y}q{-h * reach * 0.25} {-h * 0.05} {-h * reach * 0.5} 0t{-h * reach * 0.5} 0",
                air,
                13,
                opacity=0.75,
            )
    out += path(
        f"M{h * 0.02} {-h * 0.6}L{h * 0.2} {-h * 0.6}L{h * 0.15} 0Q{h * 0.09} {h * 0.02} {h * 0.03} 0Z",
        dark(colour, 0.12),
        "round",
    )
    out += path(
        (
            f"M{-h * 0.42} {-h * 0.88}L{-h * 0.1} {-h * 0.95}H{h * 0.16}"
            f"A{h * 0.19} {h * 0.19} 0 0 1 {h * 0.16} {-h * 0.57}H{-h * 0.1}"
            f"L{-h * 0.42} {-h * 0.64}Z"
        ),
        colour,
        "fall",
    )
    out += block(-h * 0.46, -h * 0.9, h * 0.06, h * 0.28, 6, dark(colour, 0.35)) + oval(
        h * 0.19, -h * 0.76, h * 0.1, h * 0.14, dark(colour, 0.3), "round"
    )
    return out + put(blossom(h * 0.08, IVORY), -h * 0.06, -h * 0.76)


def polish(h: float, colour: str) -> str:
    w = h * 0.42
    return (
        block(-w * 0.24, -h, w * 0.48, h * 0.48, 10, INK)
        + block(-w / 2, -h * 0.54, w, h * 0.54, 18, colour)
        + oval(-w * 0.2, -h * 0.3, w * 0.08, h * 0.14, "#ffffff", opacity=0.5)
    )


def lipstick(h: float, colour: str) -> str:
    w = h * 0.2
    out = path(f"M{-w * 0.34} {-h * 0.6}V{-h * 0.86}Q{-w * 0.2} {-h} {w * 0.34} {-h}V{-h * 0.6}Z", colour, "round")
    return (
        out + block(-w * 0.42, -h * 0.62, w * 0.84, h * 0.18, 4, GOLD) + block(-w / 2, -h * 0.46, w, h * 0.46, 6, INK)
    )


def present(w: float, colour: str, ribbon: str = GOLD) -> str:
    h = w * 0.66
    out = block(-w / 2, -h, w, h, 8, colour) + block(
        -w * 0.54, -h - w * 0.04, w * 1.08, w * 0.17, 8, light(colour, 0.14)
    )
    out += block(-w * 0.06, -h - w * 0.04, w * 0.12, h + w * 0.04, 0, ribbon)
    for side in (-1, 1):
        out += put(
            path(
                (
                    f"M0 0C{w * 0.1} {-w * 0.24} {w * 0.36} {-w * 0.26} {w * 0.32} {-w * 0.08}"
                    f"C{w * 0.28} {w * 0.02} {w * 0.1} 0 0 0Z"
                ),
                ribbon,
                "round",
            ),
            0,
            -h - w * 0.04,
            flip=side < 0,
        )
    return out + oval(0, -h - w * 0.05, w * 0.05, w * 0.05, dark(ribbon, 0.2))


def envelope(w: float, paper: str = IVORY, seal: str = PLUM) -> str:
    h = w * 0.66
    out = block(-w / 2, -h, w, h, 10, paper, "fall") + path(
        f"M{-w / 2 + 6} {-h + 6}L0 {-h * 0.42}L{w / 2 - 6} {-h + 6}",
        dark(paper, 0.06),
        stroke=dark(paper, 0.2),
        stroke_width=4,
        stroke_linejoin="round",
    )
    return (
        out
        + oval(0, -h * 0.42, w * 0.09, w * 0.09, seal, "round")
        + put(blossom(w * 0.055, light(seal, 0.6), heart=seal), 0, -h * 0.42)
    )


def notebook(w: float, cover: str) -> str:
    h = w * 1.3
    out = (
        block(-w / 2 + 14, -h + 12, w, h, 14, dark(cover, 0.35), "")
        + block(-w / 2 + 8, -h + 6, w, h, 12, IVORY, "")
        + block(-w / 2, -h, w, h, 14, cover)
    )
    return (
        out
        + block(-w / 2, -h, w * 0.12, h, 12, dark(cover, 0.18), "")
        + put(blossom(w * 0.2, IVORY), w * 0.06, -h * 0.56)
    )


def mirror(h: float, frame: str = GOLD) -> str:
    out = block(-h * 0.03, -h * 0.3, h * 0.06, h * 0.3, 4, frame) + oval(0, -6, h * 0.2, 14, frame, "round")
    out += oval(0, -h * 0.62, h * 0.32, h * 0.38, frame, "round") + oval(0, -h * 0.62, h * 0.285, h * 0.345, "#e9eef0")
    return out + path(
        f"M{-h * 0.2} {-h * 0.5}L{h * 0.02} {-h * 0.92}H{h * 0.1}L{-h * 0.15} {-h * 0.42}Z", "#ffffff", opacity=0.6
    )


def glass(h: float, drink: str = APRICOT) -> str:
    w = h * 0.42
    out = oval(0, -5, w * 0.44, 9, "#ffffff", opacity=0.8) + line(f"M0 -6V{-h * 0.46}", "#ffffff", 8, opacity=0.8)
    out += path(
        (
            f"M{-w * 0.42} {-h}C{-w * 0.42} {-h * 0.6} {-w * 0.2} {-h * 0.46} 0 {-h * 0.46}"
            f"C{w * 0.2} {-h * 0.46} {w * 0.42} {-h * 0.6} {w * 0.42} {-h}Z"
        ),
        "#ffffff",
        opacity=0.45,
    )
    out += path(
        (
            f"M{-w * 0.39} {-h * 0.82}"
            f"C{-w * 0.36} {-h * 0.58} {-w * 0.18} {-h * 0.49} 0 {-h * 0.49}"
            f"C{w * 0.18} {-h * 0.49} {w * 0.36} {-h * 0.58} {w * 0.39} {-h * 0.82}Z"
        ),
        drink,
        "round",
    )
    return out + "".join(
        oval(x * w, -h * y, 4, 4, "#ffffff", opacity=0.8) for x, y in ((0.1, 0.7), (-0.12, 0.62), (0.02, 0.56))
    )


def vase(h: float, colour: str, *stems: str) -> str:
    w = h * 0.5
    out = "".join(
        put(stem, (i - (len(stems) - 1) / 2) * w * 0.16, -h * 0.9, turn=(i - (len(stems) - 1) / 2) * 22)
        for i, stem in enumerate(stems)
    )
    return out + path(
        (
            f"M{-w * 0.2} {-h}H{w * 0.2}"
            f"C{w * 0.16} {-h * 0.7} {w * 0.5} {-h * 0.6} {w * 0.5} {-h * 0.3}"
            f"C{w * 0.5} {-h * 0.06} {w * 0.3} 0 {w * 0.2} 0H{-w * 0.2}"
            f"C{-w * 0.3} 0 {-w * 0.5} {-h * 0.06} {-w * 0.5} {-h * 0.3}"
            f"C{-w * 0.5} {-h * 0.6} {-w * 0.16} {-h * 0.7} {-w * 0.2} {-h}Z"
        ),
        colour,
        "round",
    )


def rose(length: float, colour: str, green: str) -> str:
    out = line(f"M0 0Q{length * 0.05} {-length / 2} 0 {-length}", dark(green, 0.2), 7)
    out += put(leaf(length * 0.3, green), 3, -length * 0.45, turn=56) + put(
        leaf(length * 0.26, light(green, 0.1)), 3, -length * 0.6, turn=-58
    )
    head = "".join(
        put(blossom(r, mix(colour, tone, k), petals=n), turn=t)
        for r, tone, k, n, t in (
            (length * 0.24, PLUM, 0.12, 6, 0),
            (length * 0.17, BLUSH, 0.25, 5, 30),
            (length * 0.1, BLUSH, 0.5, 4, 10),
        )
    )
    return out + put(head, 0, -length)
