"""The gift card on paper: one A4 page with its picture, value, message and code, as letters and as a QR code.

The QR code holds the bare code, not an address with it: an address that is opened lies in the logs of every server and
proxy on its way and in the history of a browser. A till's scanner types the code, and so does a phone's camera.
"""

from io import BytesIO
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfgen.canvas import Canvas

from oscar_loyalty.giftcards import designs
from oscar_loyalty.money import format_money
from oscar_loyalty.paper import ACCENT, LINE, MUTED, Paper

WIDTH, HEIGHT = A4
MARGIN = 20 * mm
CARD_WIDTH = WIDTH - 2 * MARGIN
CARD_HEIGHT = CARD_WIDTH / 1.7
QR = 42 * mm


def file_name(card: Any) -> str:
    """Return a name for the file that gives nothing away."""
    name = slugify(_("Gift card")) or "gift-card"
    return f"{name}-{card.label}.pdf"


def picture(design: designs.Design) -> Path | None:
    """Return the file of a design's picture, or ``None`` where it is missing: the card is then printed without."""
    found = finders.find(design.picture) if design.picture else None
    return Path(found) if isinstance(found, str) else None


@sensitive_variables()
def pdf(*, card: Any, code: str, shop_name: str, shop_url: str) -> bytes:
    """Return the printable card in the active language. It holds the code: never store or cache it."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True, lang=card.language or None)
    canvas.setTitle(_("Gift card"))
    canvas.setAuthor(shop_name)
    page = _Page(canvas)
    page.face(card, shop_name)
    page.words(card, HEIGHT - MARGIN - CARD_HEIGHT - 14 * mm, bottom=MARGIN + QR + 24 * mm)
    page.code(card, code, shop_url)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


class _Page(Paper):
    def face(self, card: Any, shop_name: str) -> None:
        """The card itself, to cut out."""
        canvas, left, bottom = self.canvas, MARGIN, HEIGHT - MARGIN - CARD_HEIGHT
        canvas.saveState()
        shape = canvas.beginPath()
        shape.roundRect(left, bottom, CARD_WIDTH, CARD_HEIGHT, 5 * mm)
        canvas.clipPath(shape, stroke=0)
        path = picture(designs.get(card.design))
        if path is not None:
            canvas.drawImage(ImageReader(str(path)), left, bottom, CARD_WIDTH, CARD_HEIGHT)
        canvas.restoreState()
        canvas.setStrokeColor(LINE)
        canvas.roundRect(left, bottom, CARD_WIDTH, CARD_HEIGHT, 5 * mm)
        inside, width = left + 10 * mm, CARD_WIDTH * 0.58
        self.line(shop_name, inside, bottom + CARD_HEIGHT - 15 * mm, 13, width=width)
        self.line(format_money(card.value, card.currency), inside, bottom + 12 * mm, 34, ACCENT, width=width)
        if card.recipient_name:
            self.line(card.recipient_name, inside, bottom + 27 * mm, 14, width=width)

    def words(self, card: Any, y: float, *, bottom: float) -> None:
        """Whom it is from, and the message, as large as fits."""
        if card.sender_name and card.recipient_name:
            self.line(_("From %(name)s") % {"name": card.sender_name}, MARGIN, y, 12, MUTED, width=CARD_WIDTH)
            y -= 9 * mm
        message = self.printable(card.message)
        for size in (13, 11, 9, 7, 6):
            lines = [
                line for part in message.split("\n") for line in simpleSplit(part, self.font, size, CARD_WIDTH) or [""]
            ]
            if y - len(lines) * size * 1.45 >= bottom:
                break
        for line in lines[: max(0, int((y - bottom) / (size * 1.45)))]:
            self.line(line, MARGIN, y, size, width=CARD_WIDTH)
            y -= size * 1.45

    def code(self, card: Any, code: str, shop_url: str) -> None:
        """The code, for people and for scanners, and what to do with it."""
        canvas, top = self.canvas, MARGIN + QR
        canvas.setStrokeColor(LINE)
        canvas.line(MARGIN, top + 8 * mm, WIDTH - MARGIN, top + 8 * mm)
        self.qr(code.replace("-", ""), MARGIN, top, QR)
        left, width = MARGIN + QR + 10 * mm, CARD_WIDTH - QR - 10 * mm
        self.line(_("The code of the card"), left, top - 7 * mm, 10, MUTED, width=width)
        self.line(code, left, top - 15 * mm, 17, width=width)
        y = top - 24 * mm
        ends = [_("You can spend it until %(day)s.") % {"day": date_format(card.last_day)}] if card.last_day else []
        for text in (
            _("Enter it when you pay. What you do not spend stays on the card."),
            *ends,
            _("Whoever knows the code can spend the card."),
            shop_url,
        ):
            for line in simpleSplit(self.printable(text), self.font, 9, width):
                self.line(line, left, y, 9, MUTED, width=width)
                y -= 4.6 * mm
