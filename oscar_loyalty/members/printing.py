"""The member's card on paper: a card to cut out and fold, in the size of a bank card (ISO/IEC 7810 ID-1)."""

from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from oscar_loyalty.colours import text_on
from oscar_loyalty.paper import LINE, MUTED, Paper

WIDTH, HEIGHT = 85.6 * mm, 53.98 * mm
LEFT, BOTTOM = (A4[0] - 2 * WIDTH) / 2, A4[1] - 40 * mm - HEIGHT
INSIDE = 6 * mm
DEFAULT = "#8d3b5e"


def pdf(*, member: Any, shop_name: str, shop_url: str) -> bytes:
    """Return the printable card in the active language."""
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True)
    canvas.setTitle(_("Card of %(name)s") % {"name": member.programme.name})
    canvas.setAuthor(shop_name)
    paper = Paper(canvas)
    paper.line(
        _("Cut along the line, fold in the middle, and show it when you come."),
        LEFT, BOTTOM + HEIGHT + 8 * mm, 10, MUTED, width=2 * WIDTH,
    )  # fmt: skip
    _face(paper, member)
    _back(paper, member, shop_name, shop_url)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _face(paper: Paper, member: Any) -> None:
    colour = member.tier.colour if member.tier else DEFAULT
    ink = HexColor(text_on(colour))
    paper.canvas.setFillColor(HexColor(colour))
    paper.canvas.rect(LEFT, BOTTOM, WIDTH, HEIGHT, stroke=0, fill=1)
    left, width = LEFT + INSIDE, WIDTH - 2 * INSIDE
    paper.line(member.programme.name, left, BOTTOM + HEIGHT - 12 * mm, 18, ink, width=width)
    if member.tier:
        paper.line(str(member.tier.name), left, BOTTOM + HEIGHT - 20 * mm, 10, ink, width=width)
    paper.line(member.full_name, left, BOTTOM + 13 * mm, 12, ink, width=width)
    paper.line(member.number, left, BOTTOM + 6 * mm, 11, ink, width=width)


def _back(paper: Paper, member: Any, shop_name: str, shop_url: str) -> None:
    left = LEFT + WIDTH
    paper.canvas.setStrokeColor(LINE)
    paper.canvas.setDash(2, 2)
    paper.canvas.rect(LEFT, BOTTOM, 2 * WIDTH, HEIGHT, stroke=1, fill=0)
    paper.canvas.line(left, BOTTOM, left, BOTTOM + HEIGHT)
    paper.canvas.setDash()
    size = 27 * mm
    paper.qr(member.number, left + INSIDE, BOTTOM + HEIGHT - INSIDE, size)
    words, width = left + INSIDE + size + 4 * mm, WIDTH - 2 * INSIDE - size - 4 * mm
    paper.line(shop_name, words, BOTTOM + HEIGHT - 11 * mm, 11, width=width)
    paper.line(shop_url, words, BOTTOM + HEIGHT - 17 * mm, 7, MUTED, width=width)
    paper.barcode(member.number, left + INSIDE, BOTTOM + 6 * mm, width=WIDTH - 2 * INSIDE, height=11 * mm)
