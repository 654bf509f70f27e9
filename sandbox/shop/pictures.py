"""Pictures of everything on sale, drawn here so that the sandbox ships none and borrows none."""

from io import BytesIO

from sandbox.shop.data import Item
from sandbox.shop.drawing import Sheet
from sandbox.shop.shapes import SHAPES


def picture(item: Item) -> bytes:
    """Return the item's picture as a JPEG file; the same item gives the same picture."""
    return draw(*item.picture)


def draw(shape: str, colour: str) -> bytes:
    """Return one of the shapes in a colour of the palette as a JPEG file."""
    sheet = Sheet(colour)
    SHAPES[shape](sheet)
    out = BytesIO()
    sheet.finished().save(out, "JPEG", quality=86, optimize=True)
    return out.getvalue()
