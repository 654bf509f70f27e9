"""A sheet of paper for still lifes: soft light from the left, a niche in the wall, a table.

Coordinates run from 0 to 100 both ways. Everything is drawn at twice the size and reduced at the end, which is
what makes the edges smooth.
"""

import math

from PIL import Image, ImageChops, ImageDraw, ImageFilter

PIXELS = 720
SCALE = PIXELS * 2 / 100

PALETTE = {
    "rose": "#c9788c",
    "blush": "#e9bdb9",
    "plum": "#6f3450",
    "mauve": "#a687ab",
    "sage": "#93a98c",
    "teal": "#6d9b9c",
    "sand": "#d8c4a8",
    "apricot": "#e5a482",
    "gold": "#c99f55",
    "wood": "#b98a5e",
    "ivory": "#fbf6ef",
    "white": "#ffffff",
    "ink": "#3a2b38",
    "steel": "#b9b6bd",
    "brass": "#cfae76",
    "skin": "#eecbb5",
}

Point = tuple[float, float]
Colour = tuple[int, int, int]


def rgb(colour: str | Colour) -> Colour:
    if not isinstance(colour, str):
        return colour
    value = PALETTE.get(colour, colour).lstrip("#")
    return (int(value[0:2], 16), int(value[2:4], 16), int(value[4:6], 16))


def mix(colour: str | Colour, other: str | Colour, share: float) -> Colour:
    """Return ``colour`` with ``share`` of ``other`` in it."""
    return tuple(round(a + (b - a) * share) for a, b in zip(rgb(colour), rgb(other), strict=True))


def turned(points: list[Point], angle: float, centre: Point = (50, 50)) -> list[Point]:
    """Return ``points`` turned clockwise by ``angle`` degrees."""
    sin, cos = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    x0, y0 = centre
    return [(x0 + (x - x0) * cos - (y - y0) * sin, y0 + (x - x0) * sin + (y - y0) * cos) for x, y in points]


def oval(x: float, y: float, rx: float, ry: float) -> list[Point]:
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in (2 * math.pi * s / 72 for s in range(72))]


def petal(x: float, y: float, length: float, width: float, angle: float) -> list[Point]:
    """Return the outline of a petal that grows from ``(x, y)``; at angle 0 it points up."""
    steps = [step / 24 for step in range(25)]
    half = [(width / 2 * math.sin(math.pi * t**0.72), t * length) for t in steps]
    outline = [(x + w, y - h) for w, h in half] + [(x - w, y - h) for w, h in reversed(half)]
    return turned(outline, angle, (x, y))


class Sheet:
    def __init__(self, colour: str):
        self.colour = rgb(colour)
        size = round(100 * SCALE)
        top, bottom = mix(colour, "ivory", 0.70), mix(colour, "ivory", 0.52)
        ramp = Image.linear_gradient("L").resize((size, size))
        light, deep = (Image.new("RGB", (size, size), tone) for tone in (top, bottom))
        self.image = Image.composite(deep, light, ramp)
        # The niche and the table.
        arch = [(50 - 30 * math.cos(a), 44 - 30 * math.sin(a)) for a in (math.pi * s / 40 for s in range(41))]
        self.flat([(20, 79), *arch, (80, 79)], mix(colour, "ivory", 0.86))
        self.flat([(0, 79), (100, 79), (100, 100), (0, 100)], mix(colour, "ivory", 0.40))
        for angle, length in ((-58, 30), (-24, 26), (12, 20)):
            self.flat(petal(104, 30, length, length * 0.5, angle), colour, alpha=0.13)

    def _mask(self, points, alpha=1.0):
        xs, ys = [x * SCALE for x, _ in points], [y * SCALE for _, y in points]
        box = (math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)) + 1, math.ceil(max(ys)) + 1)
        mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
        outline = [(x - box[0], y - box[1]) for x, y in zip(xs, ys, strict=True)]
        ImageDraw.Draw(mask).polygon(outline, fill=round(255 * alpha))
        return mask, box

    def flat(self, points, colour, alpha=1.0):
        mask, box = self._mask(points, alpha)
        self.image.paste(rgb(colour), box, mask)

    def solid(self, points, colour, gloss=0.35):
        """Paint a rounded body: light on its left, shade on its right."""
        mask, box = self._mask(points)
        self._paint(mask, box, colour, gloss)

    def _paint(self, mask, box, colour, gloss):
        width = 96
        row = Image.new("RGB", (width, 1))
        for x in range(width):
            t = x / (width - 1)
            shade = 0.30 * max(0.0, t - 0.42) ** 1.3 + 0.10 * max(0.0, 0.16 - t) / 0.16
            light = gloss * math.exp(-(((t - 0.27) / 0.10) ** 2))
            row.putpixel((x, 0), mix(mix(colour, "ink", shade), "white", light))
        self.image.paste(row.resize(mask.size, Image.Resampling.BILINEAR), box, mask)

    def block(self, x0, y0, x1, y1, colour, radius=2.0, gloss=0.35, corners=(True, True, True, True)):
        """Paint a body with rounded corners (top left, top right, bottom right, bottom left)."""
        box = tuple(round(v * SCALE) for v in (x0, y0, x1, y1))
        mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
        ImageDraw.Draw(mask).rounded_rectangle(
            (0, 0, mask.width - 1, mask.height - 1), radius * SCALE, fill=255, corners=corners
        )
        self._paint(mask, box, colour, gloss)

    def ellipse(self, x, y, rx, ry, colour, alpha=1.0, gloss=None):
        points = oval(x, y, rx, ry)
        if gloss is None:
            self.flat(points, colour, alpha)
        else:
            self.solid(points, colour, gloss)

    def ring(self, x, y, rx, ry, thickness, colour, gloss=None):
        box = [round(v * SCALE) for v in (x - rx, y - ry, x + rx, y + ry)]
        mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
        inner = round(thickness * SCALE)
        draw = ImageDraw.Draw(mask)
        draw.ellipse((0, 0, mask.width - 1, mask.height - 1), fill=255)
        draw.ellipse((inner, inner, mask.width - 1 - inner, mask.height - 1 - inner), fill=0)
        self._paint(mask, tuple(box), colour, gloss or 0.15)

    def stroke(self, points, width, colour, alpha=1.0):
        """Draw a line with round ends."""
        mask = Image.new("L", self.image.size)
        draw = ImageDraw.Draw(mask)
        fill, radius = round(255 * alpha), width * SCALE / 2
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        draw.line(scaled, fill=fill, width=round(radius * 2), joint="curve")
        for x, y in (scaled[0], scaled[-1]):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
        self.image.paste(rgb(colour), (0, 0), mask)

    def shadow(self, x=50.0, y=84.0, width=34.0, depth=0.30):
        """Let the thing stand on the table. Drawn small and enlarged, for speed."""
        small = Image.new("L", (200, 200))
        draw = ImageDraw.Draw(small)
        left, right, height = (x - width * 0.46) * 2, (x + width * 0.74) * 2, width * 0.13
        draw.ellipse((left, y * 2 - height, right, y * 2 + height), fill=round(255 * depth))
        mask = small.filter(ImageFilter.GaussianBlur(3.4)).resize(self.image.size, Image.Resampling.BICUBIC)
        self.image.paste(mix(self.colour, "ink", 0.75), (0, 0), mask)

    def blossom(self, x, y, radius, colour, alpha=1.0, petals=5, heart=True):
        for index in range(petals):
            angle = index * 360 / petals
            centre = turned([(x, y - radius * 0.56)], angle, (x, y))[0]
            self.flat(turned(oval(*centre, radius * 0.30, radius * 0.44), angle, centre), colour, alpha)
        if heart:
            self.ellipse(x, y, radius * 0.15, radius * 0.15, "gold")

    def label(self, x, y, width, height, colour=None):
        """Stick on the salon's label: a blossom and two lines."""
        self.block(x - width / 2, y - height / 2, x + width / 2, y + height / 2, "ivory", 0.8, 0.12)
        mark = colour or mix(self.colour, "ink", 0.35)
        self.blossom(x, y - height * 0.14, min(width, height) * 0.22, mark, 0.92)
        for row, share in ((0.20, 0.52), (0.31, 0.34)):
            half = width * share / 2
            self.stroke([(x - half, y + height * row), (x + half, y + height * row)], 0.55, mark, 0.6)

    def finished(self) -> Image.Image:
        vignette = Image.radial_gradient("L").resize(self.image.size).point(lambda v: v // 14)
        shaded = ImageChops.subtract(self.image, Image.merge("RGB", [vignette] * 3))
        return shaded.resize((PIXELS, PIXELS), Image.Resampling.LANCZOS)
