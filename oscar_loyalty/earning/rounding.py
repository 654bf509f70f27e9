"""From exact points to whole ones, and the parts that sum to them."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
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


def share_rounding(exact: Sequence[Fraction], points: int) -> list[Fraction]:
    """Spread what rounding took or gave over the parts with a broken point, so that they sum to ``points``.

    A part that is whole stays as it is: 80 points of a service's own are 80, whatever the rest of the order does.
    """
    uneven = [i for i, value in enumerate(exact) if value.denominator != 1]
    if len(uneven) == 1:
        # Nearly every purchase: the one broken part gets what the whole ones leave.
        rest = sum(value.numerator for i, value in enumerate(exact) if i != uneven[0])
        return [Fraction(points - rest) if i == uneven[0] else value for i, value in enumerate(exact)]
    change = points - sum(exact, Fraction(0))
    if not change:
        return list(exact)
    broken = [value - value.numerator // value.denominator for value in exact]
    weights = broken if change < 0 else [1 - part if part else Fraction(0) for part in broken]
    total = sum(weights, Fraction(0))
    return [value + change * weight / total for value, weight in zip(exact, weights, strict=True)]


def whole_parts(exact: Sequence[Fraction], ties: Sequence[Any]) -> list[int]:
    """Make parts whole that sum to a whole number: the largest remainders are rounded up, ``ties`` settle equals."""
    if all(value.denominator == 1 for value in exact):
        return [value.numerator for value in exact]
    parts = [value.numerator // value.denominator for value in exact]
    order = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], ties[i]))
    missing = sum(exact, Fraction(0)) - sum(parts)
    for i in order[: int(missing)]:
        parts[i] += 1
    return parts
