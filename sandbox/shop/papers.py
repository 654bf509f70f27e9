"""Papers to download, made here: a page to print is a table and a few words."""

from io import BytesIO

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

INK, MUTED, ACCENT, TINT = (HexColor(value) for value in ("#2d2430", "#66586a", "#8d3b5e", "#f8efec"))
DIARY = {
    "en": {
        "title": "The hair diary",
        "lead": "A cross for washed, a cross for heat, and a number from 1 to 5 for how it felt.",
        "days": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        "week": "Week {number}",
        "rows": ["washed", "heat", "how it felt"],
        "note": "Anything unusual",
        "foot": "Bring it along to your next visit. Maison Pétale",
    },
    "fr": {
        "title": "Le journal des cheveux",
        "lead": "Une croix pour lavé, une croix pour chaleur, et un chiffre de 1 à 5 pour le ressenti.",
        "days": ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."],
        "week": "Semaine {number}",
        "rows": ["lavé", "chaleur", "ressenti"],
        "note": "De l’inhabituel",
        "foot": "Apportez-le à votre prochaine visite. Maison Pétale",
    },
}


def hair_diary(language: str) -> bytes:
    """Return the diary of four weeks on one page, as a PDF file."""
    words, out = DIARY[language], BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True, lang=language)
    canvas.setTitle(words["title"])
    width, height = A4
    canvas.setFillColor(ACCENT)
    canvas.rect(0, height - 8 * mm, width, 8 * mm, stroke=0, fill=1)
    canvas.setFillColor(INK)
    canvas.setFont("Times-Roman", 30)
    canvas.drawString(20 * mm, height - 30 * mm, words["title"])
    canvas.setFillColor(MUTED)
    canvas.setFont("Helvetica", 10.5)
    canvas.drawString(20 * mm, height - 38 * mm, words["lead"])
    for week in range(4):
        draw_week(canvas, words, week + 1, height - 52 * mm - week * 56 * mm)
    canvas.setFillColor(MUTED)
    canvas.setFont("Helvetica", 9)
    canvas.drawCentredString(width / 2, 12 * mm, words["foot"])
    canvas.save()
    return out.getvalue()


def draw_week(canvas: Canvas, words: dict, number: int, top: float) -> None:
    left, label, cell, row = 20 * mm, 25 * mm, 20.5 * mm, 8.5 * mm
    canvas.setFillColor(ACCENT)
    canvas.setFont("Times-Roman", 15)
    canvas.drawString(left, top, words["week"].format(number=number))
    canvas.setStrokeColor(HexColor("#e0d3d8"))
    canvas.setFont("Helvetica", 9)
    for index, day in enumerate(words["days"]):
        x = left + label + index * cell
        canvas.setFillColor(TINT)
        canvas.rect(x, top - 11 * mm, cell, 7 * mm, stroke=0, fill=1)
        canvas.setFillColor(MUTED)
        canvas.drawCentredString(x + cell / 2, top - 8.6 * mm, day)
        for line in range(3):
            canvas.rect(x, top - 11 * mm - (line + 1) * row, cell, row)
    for line, name in enumerate(words["rows"]):
        canvas.drawString(left, top - 11 * mm - line * row - 5.4 * mm, name)
    canvas.drawString(left, top - 11 * mm - 3 * row - 6 * mm, words["note"])
    canvas.line(
        left + label, top - 11 * mm - 3 * row - 7 * mm, left + label + 7 * cell, top - 11 * mm - 3 * row - 7 * mm
    )


PAPERS = {"hair-diary": hair_diary}
