"""QR codes as pictures of their own."""

import io

import segno
from django.http import HttpResponse


def svg_response(text: str) -> HttpResponse:
    """Answer with a QR code as an SVG file."""
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(out, kind="svg", scale=6, border=2, light="#fff")
    return HttpResponse(out.getvalue(), content_type="image/svg+xml")
