"""The things on the shelves and on the price list, each drawn on a :class:`~sandbox.shop.drawing.Sheet`."""

import math

from sandbox.shop.drawing import Sheet, mix, oval, petal, turned


def bottle(s: Sheet):
    s.shadow(50, 84, 30)
    s.block(44, 22, 56, 31, "brass", 1.2)
    s.block(45.5, 30, 54.5, 36, mix(s.colour, "ink", 0.15), 0.5)
    s.block(36, 34, 64, 84, s.colour, 6)
    s.label(50, 60, 21, 27)


def pump(s: Sheet):
    s.shadow(50, 84, 34)
    s.stroke([(50, 30), (50, 23), (38, 23), (37, 26)], 2.6, mix("ivory", "ink", 0.12))
    s.block(46.5, 21, 57, 25, "ivory", 1.6)
    s.block(48.3, 25, 51.7, 33, "ivory", 0.4)
    s.block(43.5, 32, 56.5, 39, "ivory", 1.2)
    s.block(34, 38, 66, 84, s.colour, 4)
    s.label(50, 62, 23, 27)


def jar(s: Sheet):
    s.shadow(50, 84, 46, 0.34)
    s.block(27, 58, 73, 84, s.colour, 5)
    s.block(28.5, 47, 71.5, 59.5, "brass", 2)
    s.block(28.5, 56.8, 71.5, 58, mix("brass", "ink", 0.3), 0.2, 0.1)
    s.label(50, 71.5, 26, 17)
    s.blossom(70, 86, 6.5, mix(s.colour, "white", 0.25))


def tin(s: Sheet):
    s.shadow(50, 84, 50, 0.34)
    s.block(25, 70, 75, 84, "steel", 3)
    s.block(25, 72.5, 75, 76, mix(s.colour, "ink", 0.1), 0.3)
    s.ellipse(50, 51, 25, 25, "steel", gloss=0.4)
    s.ellipse(50, 51, 22.6, 22.6, s.colour, gloss=0.18)
    s.blossom(50, 50, 11, "ivory", 0.95)


def dropper(s: Sheet):
    s.shadow(50, 84, 26)
    s.block(46.4, 15, 53.6, 28, mix(s.colour, "ink", 0.55), 3.4)
    s.block(44, 26, 56, 36, "brass", 1)
    s.block(46, 35, 54, 41, mix(s.colour, "ink", 0.1), 0.4)
    s.block(37, 40, 63, 84, mix(s.colour, "gold", 0.12), 5, 0.5)
    s.block(37, 46, 63, 84, mix(s.colour, "ink", 0.12), 5, 0.45)
    s.label(50, 65, 19, 25)


def tube(s: Sheet):
    s.shadow(50, 84, 26)
    s.solid([(34, 19), (66, 19), (60.5, 74), (39.5, 74)], s.colour)
    s.block(33.5, 17, 66.5, 22, mix(s.colour, "ink", 0.12), 0.6)
    s.block(40.5, 73, 59.5, 84, "ivory", 1.4)
    s.label(50, 47, 17, 26)


def spray(s: Sheet):
    s.shadow(50, 84, 28)
    s.block(43.5, 21, 57.5, 30, "ivory", 1.6)
    s.block(40.5, 22.5, 45, 25.5, "ivory", 0.8)
    s.block(44.5, 29, 56, 37, "brass", 1)
    s.block(37, 36, 63.5, 84, s.colour, 3, 0.5)
    s.label(50.2, 61, 19, 28)
    for x, y, r in ((34, 22, 0.9), (30, 19, 0.7), (30, 25, 0.8), (25.5, 16.5, 0.6), (25, 22, 0.8), (26, 28, 0.6)):
        s.ellipse(x, y, r, r, "white", 0.85)


def soap(s: Sheet):
    s.shadow(50, 84, 52, 0.34)
    s.block(24, 76, 76, 84, "wood", 2.5, 0.15)
    s.block(28, 55, 72, 77, s.colour, 8, 0.3)
    s.ellipse(50, 66, 15, 7.5, mix(s.colour, "ink", 0.12))
    s.blossom(50, 65.5, 6.2, mix(s.colour, "white", 0.6))
    for x, y, r in ((34, 47, 5), (43, 41, 3.2), (66, 44, 4), (58, 35, 2.4)):
        s.ellipse(x, y, r, r, "white", 0.45)
        s.ellipse(x - r * 0.3, y - r * 0.3, r * 0.25, r * 0.25, "white", 0.9)


def lipstick(s: Sheet):
    s.shadow(42, 84, 22)
    s.shadow(66, 84, 20)
    s.block(33, 60, 51, 84, mix("plum", "ink", 0.45), 1.4)
    s.block(34.5, 47, 49.5, 61, "brass", 0.8)
    s.solid([(36.5, 48), (36.5, 30), (39, 26.5), (47.5, 22), (47.5, 48)], s.colour, 0.4)
    s.flat([(36.5, 30), (39, 26.5), (47.5, 22), (46, 29)], mix(s.colour, "white", 0.25))
    s.block(58, 44, 75, 84, mix("plum", "ink", 0.45), 1.6)
    s.blossom(66.5, 63, 4.6, "brass", 0.9)


def compact(s: Sheet):
    s.shadow(50, 84, 50, 0.34)
    s.ellipse(50, 42, 24, 22, "brass", gloss=0.4)
    s.ellipse(50, 42, 20.5, 18.5, mix("teal", "white", 0.72), gloss=0.5)
    s.block(46, 61, 54, 65, mix("brass", "ink", 0.25), 1)
    s.ellipse(50, 76, 27, 11, mix("brass", "ink", 0.18), gloss=0.2)
    s.ellipse(50, 74, 27, 11, "brass", gloss=0.4)
    s.ellipse(50, 74, 22.5, 8.6, s.colour, gloss=0.15)
    for index in range(6):
        angle = math.radians(index * 60)
        s.ellipse(50 + 9 * math.sin(angle), 74 - 3.4 * math.cos(angle), 5, 2, mix(s.colour, "ink", 0.12), 0.5)


def polish(s: Sheet):
    s.shadow(50, 84, 34, 0.34)
    s.block(43, 18, 57, 55, mix("plum", "ink", 0.5), 2.4)
    s.block(44.5, 54, 55.5, 58, "ivory", 0.4)
    s.block(34, 57, 66, 84, mix(s.colour, "white", 0.25), 8, 0.5)
    s.block(36, 59.5, 64, 82.3, s.colour, 6.5, 0.45)
    s.blossom(50, 71, 5.4, "ivory", 0.85)


def brush(s: Sheet):
    s.shadow(50, 85, 40)
    head, pad = oval(50, 36, 15, 20), oval(50, 36, 11.6, 16.4)
    handle = [(46.5, 54), (53.5, 54), (54.5, 84), (52.5, 88), (47.5, 88), (45.5, 84)]
    s.solid(turned(handle, 14, (50, 52)), s.colour, 0.3)
    s.solid(turned(head, 14, (50, 52)), s.colour, 0.3)
    s.flat(turned(pad, 14, (50, 52)), mix("blush", "ink", 0.10))
    for row in range(9):
        for column in range(7):
            x, y = 50 + (column - 3) * 3.2 + (row % 2) * 1.6 - 0.8, 22.5 + row * 3.4
            if ((x - 50) / 10.4) ** 2 + ((y - 36) / 15) ** 2 < 1:
                (px, py), *_ = turned([(x, y)], 14, (50, 52))
                s.ellipse(px + 0.35, py + 0.45, 0.75, 0.75, mix("plum", "ink", 0.4), 0.4)
                s.ellipse(px, py, 0.7, 0.7, "ivory")


def comb(s: Sheet):
    s.shadow(50, 84, 50)
    s.solid(turned([(18, 45), (82, 45), (82, 53), (18, 53)], -14), s.colour, 0.4)
    for index in range(15):
        x = 18 + index * 4.42
        length = 73 - abs(index - 7) * 0.5
        s.solid(turned([(x, 52), (x + 2.2, 52), (x + 1.7, length), (x + 0.5, length)], -14), s.colour, 0.4)
    end = turned([(18, 49), (82, 49)], -14)
    for x, y in end:
        s.ellipse(x, y, 4, 4, s.colour, gloss=0.2)
    s.blossom(*turned([(50, 49)], -14)[0], 2.8, "ivory", 0.85)


def scrunchies(s: Sheet):
    for x, y, radius, colour in ((37, 66, 17, "rose"), (64, 68, 15, "mauve"), (51, 42, 15.5, "sand")):
        s.shadow(x, y + radius * 0.9, radius * 1.7, 0.24)
        for index in range(26):
            angle = 2 * math.pi * index / 26
            px, py = x + radius * 0.74 * math.cos(angle), y + radius * 0.70 * math.sin(angle)
            tone = mix(colour, "ink" if index % 2 else "white", 0.14 if index % 2 else 0.22)
            s.flat(petal(px, py, radius * 0.42, radius * 0.40, math.degrees(angle) + 90 + 12), tone)
            s.flat(petal(px, py, radius * 0.42, radius * 0.40, math.degrees(angle) - 90 + 12), mix(tone, "ink", 0.06))


def candle(s: Sheet):
    s.shadow(50, 84, 40, 0.34)
    for spread, alpha in ((17, 0.10), (12, 0.14), (8, 0.18)):
        s.ellipse(50, 30, spread, spread * 1.1, "#fff2c9", alpha)
    s.stroke([(50, 46), (50, 40)], 0.8, "ink")
    s.flat(petal(50, 41.5, 16, 7.2, 0), "#f6b85c")
    s.flat(petal(50, 41, 9.5, 4.2, 0), "#fff0bd")
    s.block(32, 44, 68, 84, mix(s.colour, "white", 0.35), 3.4, 0.5)
    s.block(34, 50, 66, 82.4, s.colour, 2.4, 0.25)
    s.ellipse(50, 50, 16, 2.6, mix(s.colour, "white", 0.4))
    s.label(50, 67, 20, 20)


def box(s: Sheet):
    s.shadow(50, 84, 54, 0.34)
    s.block(24, 48, 76, 84, s.colour, 1, 0.14)
    s.block(21.5, 41, 78.5, 52, mix(s.colour, "white", 0.16), 1, 0.16)
    s.flat([(24, 52), (76, 52), (76, 53.4), (24, 53.4)], mix(s.colour, "ink", 0.3), 0.6)
    s.block(46, 41, 54, 84, "ivory", 0.1, 0.1)
    for angle, length in ((-68, 22), (68, 22), (-34, 17), (34, 17)):
        s.solid(petal(50, 41.5, length, length * 0.46, angle), mix("ivory", "sand", 0.25), 0.15)
    s.ellipse(50, 40, 3.6, 3, mix("ivory", "ink", 0.08), gloss=0.2)


def dryer(s: Sheet):
    s.shadow(52, 85, 34)
    grip = turned([(46, 52), (56, 52), (54.5, 84), (46.5, 84)], -10, (50, 52))
    s.solid(grip, mix(s.colour, "ink", 0.12), 0.35)
    s.block(26, 29, 66, 55, s.colour, 11, 0.3)
    s.solid([(64, 32), (80, 36.5), (80, 47.5), (64, 52)], mix("plum", "ink", 0.5), 0.3)
    s.ellipse(37, 42, 9.5, 9.5, mix(s.colour, "ink", 0.16))
    s.ring(37, 42, 9.5, 9.5, 1, "brass")
    s.blossom(37, 42, 6.2, "ivory", 0.95)
    for y in (36, 42, 48):
        s.stroke([(84, y), (88, y + (y - 42) * 0.25)], 0.8, "white", 0.9)


def scissors(s: Sheet):
    s.shadow(50, 86, 40)
    for sign, tone in ((1, mix("steel", "ink", 0.12)), (-1, "steel")):
        blade = [(49.2, 50), (51.5, 14), (52.6, 15.5), (54, 50)]
        s.solid(turned(blade, 17 * sign, (50, 50)), tone, 0.5)
        s.solid(turned([(48.3, 49), (52.2, 49), (51.4, 67), (48.8, 67)], -17 * -sign, (50, 50)), tone, 0.4)
        (x, y), *_ = turned([(50, 74.5)], 17 * sign, (50, 50))
        s.ring(x, y, 8.6, 9.6, 2.2, s.colour, 0.35)
    s.ellipse(50, 50, 2.4, 2.4, "brass", gloss=0.4)


def clippers(s: Sheet):
    s.shadow(50, 86, 34)
    s.solid(turned([(41, 30), (59, 30), (61, 52), (57, 86), (43, 86), (39, 52)], 8), mix("ink", s.colour, 0.25), 0.3)
    s.solid(turned([(42, 34), (58, 34), (59, 50), (41, 50)], 8), s.colour, 0.3)
    s.solid(turned([(42, 24), (58, 24), (58.5, 31), (41.5, 31)], 8), "steel", 0.5)
    for index in range(9):
        x = 42.4 + index * 1.75
        s.flat(turned([(x, 19.5), (x + 0.5, 19.5), (x + 1, 24.4), (x, 24.4)], 8), mix("steel", "ink", 0.2))
    s.block(47.6, 58, 52.0, 67, "brass", 2)


def bow(s: Sheet):
    s.shadow(50, 78, 48, 0.26)
    for angle in (160, 200):
        s.solid(petal(50, 50, 32, 11, angle), mix(s.colour, "ink", 0.10), 0.2)
    for angle in (-76, 76):
        s.solid(petal(50, 50, 33, 27, angle), s.colour, 0.25)
        s.flat(petal(50, 50, 20, 11, angle), mix(s.colour, "ink", 0.18))
    s.block(45, 44, 55, 57, mix(s.colour, "white", 0.18), 3.6)


def flower(s: Sheet):
    s.shadow(50, 82, 44, 0.24)
    for angle in (118, 242):
        s.solid(petal(50, 52, 33, 13, angle), "sage", 0.2)
    for ring, (count, length, tone) in enumerate(((9, 30, 0.10), (8, 24, 0.0), (7, 17, -0.16), (5, 10, -0.3))):
        colour = mix(s.colour, "ink", tone) if tone > 0 else mix(s.colour, "white", -tone)
        for index in range(count):
            outline = petal(50, 48, length, length * 0.62, index * 360 / count + ring * 22)
            s.flat([(x + 0.5, y + 0.7) for x, y in outline], mix(s.colour, "plum", 0.45), 0.35)
            s.solid(outline, colour, 0.12)
    s.ellipse(50, 48, 3, 3, "gold", gloss=0.4)


def bowl(s: Sheet):
    s.shadow(50, 84, 48, 0.34)
    s.solid(turned([(60, 12), (63.4, 12), (62.4, 46), (61, 46)], 22, (60, 46)), "ink", 0.3)
    s.solid(turned([(57.5, 44), (65.5, 44), (64.5, 58), (58.5, 58)], 22, (60, 46)), mix(s.colour, "white", 0.1), 0.2)
    arc = [(50 + 27 * math.cos(a), 56 + 27 * math.sin(a)) for a in (math.pi * i / 40 for i in range(41))]
    s.solid(arc, "ivory", 0.3)
    s.ellipse(50, 56, 27, 6.4, mix("ivory", "ink", 0.12))
    s.ellipse(50, 56.6, 24.4, 5, s.colour, gloss=0.25)
    s.solid(turned([(57.8, 50), (65.2, 50), (64.6, 57), (58.4, 57)], 22, (60, 46)), mix(s.colour, "ink", 0.1), 0.2)
    s.blossom(50, 71, 5, mix(s.colour, "white", 0.35), 0.9)


def wave(s: Sheet):
    """A lock of hair, dark at the root and lighter towards the ends."""
    for index, (tone, share) in enumerate(
        (("wood", 0.45), ("wood", 0.3), ("gold", 0.22), ("wood", 0.15), ("gold", 0.0), ("gold", -0.25), ("gold", -0.45))
    ):
        colour = mix(tone, "ink", share) if share >= 0 else mix(tone, "white", -share)
        left, right = [], []
        for step in range(49):
            t = step / 48
            x = 37 + index * 4.4 + (index - 3) * 2.6 * math.sin(math.pi * t) + 9 * math.sin(2.6 * math.pi * t) * t
            half = (4.2 + 2.2 * math.sin(math.pi * t)) * (1 - t**3)
            y = 18 + t * (68 - abs(index - 3) * 4)
            left.append((x - half, y))
            right.append((x + half, y))
        s.solid([*left, *reversed(right)], colour, 0.4)
    s.block(31, 13, 69, 20, "brass", 2.4)
    s.blossom(50, 16.5, 5.6, "ivory")


def drops(s: Sheet):
    s.shadow(50, 84, 46, 0.28)
    for x, y, size, tone in ((50, 80, 52, 0.0), (30, 82, 24, 0.25), (70, 82, 30, 0.15)):
        s.solid(petal(x, y - size * 0.02, -size, size * 0.66, 180), mix(s.colour, "white", tone), 0.3)
        s.ellipse(x - size * 0.13, y - size * 0.30, size * 0.05, size * 0.11, "white", 0.75)
    s.blossom(52, 62, 7, "ivory", 0.85)


def lotus(s: Sheet):
    s.shadow(50, 81, 56, 0.28)
    for spread, length, tone in ((74, 32, 0.22), (50, 35, 0.12), (25, 40, 0.04)):
        for angle in (-spread, spread):
            s.solid(petal(50, 77, length, length * 0.5, angle), mix(s.colour, "ink", tone), 0.2)
    s.solid(petal(50, 77, 45, 22.5, 0), mix(s.colour, "white", 0.2), 0.2)
    for y, half in ((80, 24), (83.4, 15)):
        s.stroke([(50 - half, y), (50 + half, y)], 0.8, "white", 0.8)


def roller(s: Sheet):
    """A stone roller for the face, beside a rose."""
    s.shadow(52, 86, 40)
    for radius, y, width in ((9, 26, 2), (6.4, 77, 1.6)):
        fork = [(50 - radius - 1.6, y), (50 - radius - 1.6, y + 12 * (1 if y < 50 else -1)), (50, 50)]
        mirrored = [(100 - x, py) for x, py in fork]
        for line in (fork, mirrored):
            s.stroke(turned(line, 24), width, "brass")
    s.solid(turned([(47.6, 40), (52.4, 40), (53, 52), (52.4, 64), (47.6, 64), (47, 52)], 24), "sage", 0.5)
    for radius, y, height in ((9, 26, 5.4), (6.4, 77, 4.2)):
        s.solid(turned(oval(50, y, radius, height), 24), mix("sage", "white", 0.15), 0.55)
    for ring, (count, length, share) in enumerate(((7, 13, 0.0), (6, 9.4, 0.22), (5, 5.6, 0.42))):
        for index in range(count):
            outline = petal(33, 76, length, length * 0.8, index * 360 / count + ring * 26)
            s.flat([(x + 0.4, y + 0.6) for x, y in outline], mix("rose", "plum", 0.5), 0.35)
            s.solid(outline, mix("rose", "white", share), 0.1)


def brow(s: Sheet):
    s.flat([(18, 56), (34, 45), (50, 41), (66, 45), (82, 56), (66, 66), (50, 69), (34, 66)], "ivory", 0.55)
    s.stroke([(22, 56), (34, 49.5), (50, 46.5), (66, 49.5), (78, 56)], 1.5, mix("wood", "ink", 0.6))
    s.ellipse(50, 57, 9.4, 9.4, mix("teal", "ink", 0.1), gloss=0.2)
    s.ellipse(50, 57, 4.2, 4.2, "ink")
    s.ellipse(47.4, 54.4, 1.7, 1.7, "white", 0.95)
    for index in range(46):
        t = index / 45
        x, y = 20 + t * 58, 35 - 9.5 * math.sin(math.pi * (t * 0.86 + 0.14)) + 4 * t
        lean = 2.2 + 3.6 * t
        s.stroke([(x, y + 3.6 - 2.4 * t), (x + lean, y - 1.8 + 1.6 * t)], 0.95, mix("wood", "ink", 0.5), 0.92)
    for x, y, dx in ((23, 56, -4), (29, 52.2, -3.4), (71, 52.2, 3.4), (77, 56, 4)):
        s.stroke([(x, y), (x + dx, y - 4.4)], 1, mix("wood", "ink", 0.6))
    s.solid(turned([(58, 78), (86, 76.6), (86, 78), (58, 80)], -12, (72, 78)), "steel", 0.4)
    s.solid(turned([(58, 82), (86, 78.4), (86, 77), (58, 80)], -12, (72, 78)), mix("steel", "ink", 0.2), 0.3)


def card(s: Sheet):
    s.shadow(52, 80, 54, 0.34)
    s.solid(turned([(22, 36), (74, 36), (74, 68), (22, 68)], -9), mix(s.colour, "ink", 0.16), 0.2)
    s.solid(turned([(26, 38), (80, 38), (80, 71), (26, 71)], 4), mix(s.colour, "white", 0.3), 0.25)
    for angle in (0, 72, 144, 216, 288):
        s.flat(petal(64, 55, 11, 6.4, angle), mix(s.colour, "white", 0.72), 0.9)
    s.ellipse(64, 55, 2.4, 2.4, "gold")
    s.flat(turned([(31, 60), (47, 60), (47, 62), (31, 62)], 4), "ivory", 0.9)
    s.flat(turned([(31, 64.4), (42, 64.4), (42, 66), (31, 66)], 4), "ivory", 0.7)


SHAPES = {
    shape.__name__: shape
    for shape in (
        bottle, pump, jar, tin, dropper, tube, spray, soap, lipstick, compact, polish, brush, comb, scrunchies,
        candle, box, dryer, scissors, clippers, bow, flower, bowl, wave, drops, lotus, roller, brow, card,
    )
}  # fmt: skip
