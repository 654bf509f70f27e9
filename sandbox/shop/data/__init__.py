"""What Maison Pétale sells, as data: edit here, then load again on an empty database."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Item:
    """A product of the shop, or a service of the salon (then ``minutes`` is set).

    ``price`` is in euros with VAT; ``points`` are the item's own, ``None`` where the programme's general rule
    applies. ``picture`` names a shape of :mod:`sandbox.shop.pictures` and the colour to draw it in.
    """

    upc: str
    title: str
    title_fr: str
    description: str
    description_fr: str
    category: str
    price: Decimal
    picture: tuple[str, str]
    stock: int = 0
    minutes: int = 0
    points: int | None = None


def own_points() -> dict[str, int]:
    """Return the points of every service and product that has its own, by UPC."""
    from sandbox.shop.data.products import PRODUCTS
    from sandbox.shop.data.services import SERVICES

    return {item.upc: item.points for item in (*SERVICES, *PRODUCTS) if item.points is not None}
