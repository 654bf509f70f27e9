"""What is printed on A4: lines of text in a font that knows the signs, QR codes and barcodes."""

import logging
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import segno
from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.colors import HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from oscar_loyalty.defaults import conf
from oscar_loyalty.qr import QUIET

log = logging.getLogger("oscar_loyalty")
OWN_FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
INK, MUTED, ACCENT, LINE = HexColor("#2d2430"), HexColor("#66586a"), HexColor("#8d3b5e"), HexColor("#d9c7b8")
BLACK = HexColor("#000000")


@cache
def _registered(path: str) -> str:
    path = path or str(OWN_FONT)
    name = f"loyalty-{Path(path).stem}"
    try:
        pdfmetrics.registerFont(TTFont(name, path))
    except (OSError, TTFError):
        # A card is not kept from anybody for the looks of its letters; the system check says so.
        log.exception("The font %s of printed cards cannot be read", path)
        return _registered("")
    return name


class Paper:
    """Draws on a canvas of reportlab's; ``y`` is where a line of text stands, lengths are in points of 1/72 inch."""

    def __init__(self, canvas: Any) -> None:
        self.canvas = canvas
        self.font = _registered(str(conf.PRINT_FONT))
        self.known = pdfmetrics.getFont(self.font).face.charToGlyph

    def printable(self, text: str) -> str:
        """What the font has no sign for, such as a smiley, is left out rather than printed as a box."""
        normal = unicodedata.normalize("NFC", text)
        return "".join(sign for sign in normal if sign == "\n" or ord(sign) in self.known)

    def line(self, text: str, x: float, y: float, size: float, colour: Any = INK, *, width: float) -> None:
        """Write a line, smaller than ``size`` if it would be wider than ``width``."""
        text = self.printable(text)
        taken = pdfmetrics.stringWidth(text, self.font, size)
        self.canvas.setFont(self.font, size * min(1, width / taken) if taken else size)
        self.canvas.setFillColor(colour)
        self.canvas.drawString(x, y, text)

    def qr(self, text: str, x: float, top: float, size: float) -> None:
        """Draw a QR code into the square of ``size`` whose upper left corner is (``x``, ``top``)."""
        matrix = segno.make_qr(text, error="m").matrix
        side = size / (len(matrix) + 2)
        self.canvas.setFillColor(BLACK)
        for row, cells in enumerate(matrix):
            for column, dark in enumerate(cells):
                if dark:
                    self.canvas.rect(x + (column + 1) * side, top - (row + 2) * side, side, side, stroke=0, fill=1)

    def barcode(self, text: str, x: float, y: float, *, width: float, height: float) -> None:
        """Draw ``text`` as a Code 128 with its quiet zones, as wide as ``width`` allows."""
        side = width / Code128(text, barWidth=1, lquiet=QUIET, rquiet=QUIET).width
        code = Code128(text, barWidth=side, barHeight=height, lquiet=QUIET * side, rquiet=QUIET * side)
        self.canvas.setFillColor(BLACK)
        code.drawOn(self.canvas, x, y)
