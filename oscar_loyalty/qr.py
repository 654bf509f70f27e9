"""QR codes and barcodes as pictures."""

import io

import segno
from django.http import HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from reportlab.graphics.barcode.code128 import Code128

#: Modules of white that a Code 128 needs on each side (ISO/IEC 15417).
QUIET = 10


def svg_response(text: str) -> HttpResponse:
    """Answer with a QR code as an SVG file."""
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(out, kind="svg", scale=6, border=2, light="#fff")
    return HttpResponse(out.getvalue(), content_type="image/svg+xml")


def svg(text: str, *, label: str) -> SafeString:
    """Return a QR code as SVG within a page; a scanner of the shop reads it off a phone."""
    made = segno.make_qr(text, error="m").svg_inline(scale=6, border=2, light="#fff", omitsize=True, svgclass=None)
    opening = format_html('<svg role="img" aria-label="{}"', label)
    return mark_safe(made.replace("<svg", opening, 1))  # noqa: S308  # nosec B308 B703


def barcode_svg(text: str, *, label: str) -> SafeString:
    """Return ``text`` as a Code 128 with its quiet zones, as SVG within a page, as wide as its place."""
    code = Code128(text, barWidth=1, barHeight=40, lquiet=QUIET, rquiet=QUIET)
    code.validate()
    code.encode()
    code.decompose()
    bars, x = [], code.lquiet
    for sign in code.decomposed:
        # Small letters are gaps, capitals are bars; the letter's place is how many modules wide.
        width = ord(sign.upper()) - ord("A") + 1
        if sign.isupper():
            bars.append(f'<rect x="{x:g}" y="0" width="{width}" height="40"/>')
        x += width
    return format_html(
        '<svg role="img" aria-label="{}" viewBox="0 0 {} 40" preserveAspectRatio="none">'
        '<rect width="100%" height="100%" fill="#fff"/>{}</svg>',
        label,
        f"{x + code.rquiet:g}",
        mark_safe("".join(bars)),  # noqa: S308  # nosec B308 B703
    )
