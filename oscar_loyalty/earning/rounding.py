"""From exact points to whole ones, and the parts that sum to them."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any

#: The finest part of a point that a share is written in.
QUANTUM = Decimal("0.000001")


def round_points(exact: Fraction, rounding: str) -> int:
    """Round to whole points: "down", "up" or to the "nearest" (halves up)."""
    if rounding == "up":
        return -(-exact.numerator // exact.denominator)
    if rounding == "nearest":
        exact += Fraction(1, 2)
    return exact.numerator // exact.denominator


def common(values: Sequence[Fraction]) -> tuple[list[int], int]:
    """Return the numerators of ``values`` over one denominator: whole numbers are reckoned with many times faster."""
    if len(values) == 1:
        return [values[0].numerator], values[0].denominator
    over = lcm(*[value.denominator for value in values])
    return [value.numerator * (over // value.denominator) for value in values], over


def add_up(values: Sequence[Fraction]) -> Fraction:
    """Return the sum of ``values``."""
    if len(values) == 1:
        return values[0]
    parts, over = common(values)
    return Fraction(sum(parts), over)


def share_rounding(parts: Sequence[int], over: int, points: int) -> tuple[list[int], int]:
    """Spread what rounding took or gave over the parts with a broken point, so that they sum to ``points``.

    ``parts`` are numerators ``over`` a denominator, as what is returned. A part that is whole stays as it is: 80 points
    of a service's own are 80, whatever the rest of the order does.
    """
    change = points * over - sum(parts)
    if not change:
        return list(parts), over
    broken = [part % over for part in parts]
    weights = broken if change < 0 else [over - part if part else 0 for part in broken]
    total = sum(weights)
    return [part * total + change * weight for part, weight in zip(parts, weights, strict=True)], over * total


def whole_parts(parts: Sequence[int], over: int, ties: Sequence[Any]) -> list[int]:
    """Make parts (numerators ``over`` a denominator) whole that sum to a whole number: the largest remainders are
    rounded up, ``ties`` settle equals."""
    wholes = [part // over for part in parts]
    missing = (sum(parts) - sum(wholes) * over) // over
    if missing:
        order = sorted(range(len(parts)), key=lambda i: (-(parts[i] % over), ties[i]))
        for i in order[:missing]:
            wholes[i] += 1
    return wholes
