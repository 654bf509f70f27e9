"""Pens for the illustrations of the demo's club: each function returns a piece of SVG. The sheet is 1600 by 1000."""

import math
from collections.abc import Iterable

WIDE, HIGH = 1600, 1000
#: The salon's colours: those of its shop and of its club.
ROSE, BLUSH, PLUM, MAUVE = "#c9788c", "#ecc6c0", "#6f3450", "#a687ab"
SAGE, TEAL, SAND, APRICOT = "#93a98c", "#6d9b9c", "#dcc9ae", "#e5a482"
GOLD, IVORY, INK, SKIN = "#c99f55", "#fbf6ef", "#3a2b38", "#e8bfa6"
SKINS = ("#e8bfa6", "#c98f6d", "#8a5a41")
HAIRS = {"brown": "#6b4331", "dark": "#33242a", "copper": "#a9572f", "fair": "#c89a5b", "grey": "#a39aa3"}

#: Light from the left, shade on the right: laid over every body.
DEFS = """
<linearGradient id="round"><stop offset="0" stop-color="#3a2b38" stop-opacity=".10"/>
<stop offset=".22" stop-color="#fff" stop-opacity=".34"/><stop offset=".5" stop-color="#fff" stop-opacity="0"/>
<stop offset="1" stop-color="#3a2b38" stop-opacity=".30"/></linearGradient>
<linearGradient id="fall" x2="0" y2="1"><stop offset="0" stop-color="#fff" stop-opacity=".26"/>
<stop offset=".5" stop-color="#fff" stop-opacity="0"/><stop offset="1" stop-color="#3a2b38" stop-opacity=".22"/>
</linearGradient>
<radialGradient id="glow"><stop offset="0" stop-color="#fff" stop-opacity=".7"/>
<stop offset=".35" stop-color="#fff" stop-opacity=".34"/><stop offset=".7" stop-color="#fff" stop-opacity=".08"/>
<stop offset="1" stop-color="#fff" stop-opacity="0"/></radialGradient>
<radialGradient id="flame"><stop offset="0" stop-color="#ffd98a" stop-opacity=".95"/>
<stop offset="1" stop-color="#ffd98a" stop-opacity="0"/></radialGradient>
<filter id="blur" x="-50%" y="-50%" width="200%" height="200%"><feGaussianBlur stdDeviation="16"/></filter>
"""


def mix(colour: str, other: str, share: float) -> str:
    """Return ``colour`` with ``share`` of ``other`` in it."""
    one, two = ([int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (colour, other))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(one, two, strict=True))


def light(colour: str, share: float = 0.3) -> str:
    return mix(colour, "#ffffff", share)


def dark(colour: str, share: float = 0.25) -> str:
    return mix(colour, INK, share)


def path(d: str, fill: str = "none", shade: str = "", **more: object) -> str:
    extra = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    over = f'<path d="{d}" fill="url(#{shade})"/>' if shade else ""
    return f'<path d="{d}" fill="{fill}"{extra}/>{over}'


def line(d: str, colour: str, width: float, **more: object) -> str:
    return path(d, stroke=colour, stroke_width=width, stroke_linecap="round", stroke_linejoin="round", **more)


def block(x: float, y: float, w: float, h: float, r: float, fill: str, shade: str = "round") -> str:
    box = f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{r}"'
    return f'{box} fill="{fill}"/>' + (f'{box} fill="url(#{shade})"/>' if shade else "")


def oval(x: float, y: float, rx: float, ry: float, fill: str, shade: str = "", **more: object) -> str:
    extra = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    body = f'<ellipse cx="{x}" cy="{y}" rx="{rx}" ry="{ry}"'
    return f'{body} fill="{fill}"{extra}/>' + (f'{body} fill="url(#{shade})"/>' if shade else "")


def put(content: str, x: float = 0, y: float = 0, *, turn: float = 0, size: float = 1, flip: bool = False) -> str:
    """Move what was drawn around the origin to ``x, y``."""
    across = -size if flip else size
    return f'<g transform="translate({x} {y}) rotate({turn}) scale({across} {size})">{content}</g>'


def smooth(points: Iterable[tuple[float, float]], close: bool = False) -> str:
    text = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f"M{text}{'Z' if close else ''}"


# The room -------------------------------------------------------------------------------------------------------------


def room(wall: str, table: str = "", *, arch: bool = True, sun: str = "") -> str:
    """A wall with the salon's arch, and a table where there is something to put on it."""
    out = block(0, 0, WIDE, HIGH, 0, light(wall, 0.55), "")
    out += '<circle cx="330" cy="180" r="900" fill="url(#glow)"/>'
    if arch:
        niche = "M440 1000V470a360 360 0 0 1 720 0V1000Z"
        out += path(niche, light(wall, 0.2)) + path("M470 1000V476a330 330 0 0 1 660 0V1000Z", light(wall, 0.32))
    if sun:
        out += oval(1010, 330, 150, 150, sun)
    if table:
        out += block(0, 800, WIDE, 200, 0, table, "fall") + block(0, 800, WIDE, 10, 0, light(table, 0.35), "")
    return out


def shadow(x: float, y: float, w: float, strength: float = 0.28) -> str:
    return oval(x + w * 0.12, y, w * 0.62, 20, INK, opacity=strength, filter="url(#blur)")


# Plants ---------------------------------------------------------------------------------------------------------------


def leaf(length: float, colour: str, plump: float = 0.3) -> str:
    w = length * plump
    d = (
        f"M0 0C{-w} {-length * 0.35} {-w * 0.8} {-length * 0.8} 0 {-length}"
        f"C{w * 0.8} {-length * 0.8} {w} {-length * 0.35} 0 0Z"
    )
    vein = line(f"M0 0L0 {-length * 0.85}", dark(colour, 0.18), 3, opacity=0.5)
    return path(d, colour, "round") + vein


def branch(length: float, pairs: int, colour: str, *, plump: float = 0.3, size: float = 0.34) -> str:
    out = line(f"M0 0Q{length * 0.08} {-length * 0.5} 0 {-length}", dark(colour, 0.25), 7)
    for index in range(pairs):
        t = (index + 0.6) / pairs
        x, y = length * 0.16 * t * (1 - t), -length * t
        big = length * size * (1 - 0.45 * t)
        for side in (-1, 1):
            tone = mix(colour, INK if side > 0 else "#ffffff", 0.10 + 0.10 * t)
            out += put(leaf(big, tone, plump), x, y, turn=side * (62 - 22 * t))
    return out + put(leaf(length * size * 0.6, light(colour, 0.12), plump), 0, -length)


def blossom(r: float, colour: str, petals: int = 5, heart: str = GOLD) -> str:
    out = ""
    for index in range(petals):
        tone = mix(colour, "#ffffff" if index % 2 else PLUM, 0.07)
        d = f"M0 0C{-r * 0.55} {-r * 0.35} {-r * 0.5} {-r} 0 {-r}C{r * 0.5} {-r} {r * 0.55} {-r * 0.35} 0 0Z"
        out += put(path(d, tone, "fall"), turn=index * 360 / petals)
    return (
        out + oval(0, 0, r * 0.17, r * 0.17, heart) + oval(-r * 0.03, -r * 0.04, r * 0.08, r * 0.08, light(heart, 0.4))
    )


def petals(spots: Iterable[tuple[float, float, float, float]], colour: str) -> str:
    """Loose petals: ``(x, y, length, turn)`` each."""
    return "".join(put(leaf(size, light(colour, 0.1), 0.42), x, y, turn=turn) for x, y, size, turn in spots)


# People, seen from behind ---------------------------------------------------------------------------------------------


def lock(
    x: float,
    y: float,
    length: float,
    half: float,
    colour: str,
    *,
    wave: float = 0,
    turns: float = 2,
    root: float = 1.0,
    tip: float = 0.3,
    strands: int = 9,
) -> str:
    """Hair that falls from ``x, y``: an outline, and strands that follow it."""

    def at(k: float, t: float) -> tuple[float, float]:
        body = (root + (1 - root) * min(1, t * 3)) * (1 - (1 - tip) * max(0, (t - 0.55) / 0.45) ** 1.6)
        return x + k * half * body + wave * math.sin(turns * math.pi * t + 0.5) * t, y + length * t

    steps = [s / 40 for s in range(41)]
    left, right = [at(-1, t) for t in steps], [at(1, t) for t in reversed(steps)]
    end = at(0, 1.035)
    out = path(smooth([*left, end, *right], True), colour, "round")
    for index in range(strands):
        k = -0.86 + 1.72 * index / (strands - 1)
        tone = light(colour, 0.28) if index % 2 else dark(colour, 0.35)
        out += line(smooth(at(k, t) for t in steps[:-2]), tone, 5 if index % 2 else 4, opacity=0.4)
    return out


def shoulders(cloth: str, skin: str = SKIN) -> str:
    """Neck and shoulders of somebody whose head is at the origin."""
    neck = "M-62 60L-62 250C-62 300 -140 320 -140 320H140C140 320 62 300 62 250L62 60Z"
    body = "M-420 760C-410 470 -330 380 -150 318C-100 352 100 352 150 318C330 380 410 470 420 760Z"
    return path(neck, dark(skin, 0.1), "round") + path(body, cloth, "round")


def cap(colour: str, low: float = 110) -> str:
    """The hair on the head itself."""
    d = (
        f"M0 -190C-150 -190 -172 -60 -166 30C-162 {low} -90 {low + 70} 0 {low + 70}"
        f"C90 {low + 70} 162 {low} 166 30C172 -60 150 -190 0 -190Z"
    )
    out = path(d, colour, "round")
    for index in range(-4, 5):
        tone = light(colour, 0.28) if index % 2 else dark(colour, 0.35)
        out += line(
            f"M{index * 5} -184C{index * 46} -150 {index * 42} 0 {index * 26} {low + 50}", tone, 4.5, opacity=0.38
        )
    return out


def ears(skin: str = SKIN) -> str:
    return oval(-165, 10, 22, 40, skin, "round") + oval(165, 10, 22, 40, skin, "round")


def bun(r: float, colour: str) -> str:
    out = oval(0, 0, r, r * 0.9, colour, "round")
    for index in range(1, 5):
        k = index / 5
        tone = light(colour, 0.3) if index % 2 else dark(colour, 0.4)
        d = f"M{-r * k} {r * 0.1}A{r * k} {r * 0.86 * k} 0 1 1 {r * k * 0.9} {r * 0.3 * k}"
        out += line(d, tone, 6, opacity=0.5)
    return out


def plait(length: float, half: float, colour: str, *, tie: str = ROSE) -> str:
    out, count = "", 8
    for index in range(count):
        t = index / count
        y, w, side = length * t, half * (1 - 0.45 * t), -1 if index % 2 else 1
        link = oval(0, 0, w * 0.92, length / count * 0.86, mix(colour, "#ffffff", 0.1 if side > 0 else 0), "round")
        for k in (-0.45, 0, 0.45):
            link += line(
                f"M{k * w} {-length / count * 0.6}Q{k * w * 1.3} 0 {k * w} {length / count * 0.6}",
                dark(colour, 0.4),
                3,
                opacity=0.4,
            )
        out += put(link, side * w * 0.42, y, turn=-side * 34)
    end = lock(0, length * 0.96, length * 0.26, half * 0.42, colour, tip=0.2, strands=5)
    return end + out + block(-half * 0.42, length * 0.93, half * 0.84, 24, 12, tie)


def curls(spots: Iterable[tuple[float, float, float]], colour: str) -> str:
    out = ""
    for index, (x, y, r) in enumerate(spots):
        tone = mix(colour, "#ffffff" if index % 3 == 0 else INK, 0.06 * (index % 3))
        ring = oval(0, 0, r, r, tone, "round")
        ring += line(
            f"M{-r * 0.6} 0A{r * 0.6} {r * 0.6} 0 1 1 {r * 0.3} {r * 0.5}", light(colour, 0.35), 5, opacity=0.6
        )
        ring += line(
            f"M{-r * 0.25} {r * 0.1}A{r * 0.3} {r * 0.3} 0 1 1 {r * 0.2} {r * 0.2}", dark(colour, 0.4), 5, opacity=0.5
        )
        out += put(ring, x, y, turn=index * 47)
    return out


def hand(skin: str = SKIN, cloth: str = IVORY, *, nails: str = "") -> str:
    """A right hand that reaches up from the origin: palm, four fingers, thumb and a cuff."""
    out = line("M-10 330L0 120", skin, 96)
    for x, top, width in ((-58, -96, 34), (-20, -128, 36), (20, -118, 35), (56, -84, 31)):
        out += line(f"M{x * 0.75} 60L{x} {top}", dark(skin, 0.07), width + 3) + line(
            f"M{x * 0.75 - 2} 60L{x - 2} {top}", skin, width - 3
        )
        if nails:
            out += oval(x - 2, top - 2, width * 0.27, width * 0.4, nails)
    out += oval(0, 70, 84, 92, skin) + line("M-52 92Q-118 60 -126 -2", skin, 36)
    if nails:
        out += put(oval(0, 0, 9, 13, nails), -126, -4, turn=-14)
    return out + path("M-92 260L80 260L112 470L-124 470Z", cloth, "round")
