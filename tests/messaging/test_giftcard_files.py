"""What goes with the mail of a gift card: its picture and the card to print."""

import re
import zlib
from decimal import Decimal as D

import pytest
from django.core import mail
from django.utils.translation import override

from oscar_loyalty import paper
from oscar_loyalty.due import services as due
from oscar_loyalty.giftcards import printing
from oscar_loyalty.giftcards import services as giftcards

pytestmark = pytest.mark.django_db
CODE = "ABCD-EFGH-JKLM-NPQR-STUV"


def issue(**fields):
    fields = {"value": D(35), "key": "one", "recipient_email": "zoe@example.com", "recipient_name": "Zoé", **fields}
    return giftcards.issue(**fields)


def pdf(card, **fields):
    return printing.pdf(card=card, code=CODE, shop_name="Maison Pétale", shop_url="https://example.com/", **fields)


def glyphs(content):
    """How many signs the page shows: the font is embedded, its signs are two bytes each or one."""
    import base64

    found = 0
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        text = stream.strip()
        if not text.endswith(b"~>"):
            continue
        data = zlib.decompress(base64.a85decode(text.removesuffix(b"~>")))
        found += len(re.findall(rb"\((?:[^()\\]|\\.)*\) Tj", data))
    return found


def test_picture_and_page_go_with_the_mail(user):
    card = issue(buyer=user, design="confetti", message="Alles Gute\nПривет")
    due.sweep()
    letter = next(letter for letter in mail.outbox if letter.to == ["zoe@example.com"])
    raw = letter.message().as_bytes()
    assert raw.count(b"Content-ID: <design>") == 1
    assert b"cid:design" in raw or b"cid:de=\n" in raw
    name, content, kind = next(part for part in letter.attachments if not hasattr(part, "get_content_type"))
    assert (name, kind) == (f"gift-card-{card.label}.pdf", "application/pdf")
    assert content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
    # The name of the file and its description give nothing away.
    assert giftcards.code_of(card).replace("-", "") not in name
    assert b"/Title (Gift card)" in content or b"/Title" in content


def test_a_design_that_is_gone_is_sent_as_the_default_one(user):
    card = issue(design="no such design")
    assert pdf(card).startswith(b"%PDF-")


def test_the_picture_may_be_missing(settings):
    settings.OSCAR_LOYALTY_GIFTCARD_DESIGNS = {
        "own": {"name": "Own", "template": "oscar_loyalty/designs/ribbon.svg", "picture": "nowhere.png"}
    }
    card = issue(design="own")
    assert len(pdf(card)) < len(pdf(issue(key="two", design="ribbon")))
    due.sweep()
    assert len(mail.outbox) == 2


@pytest.mark.parametrize(
    "words",
    ["", "🌸" * 50, "x" * 2000, "word " * 400, "\n" * 500, "Ωμέγα Łódź Ñandú", "<b>&amp;</b> (\\)", "مرحبا"],
)
def test_any_message_fits_on_one_page(words):
    card = issue(message=words, recipient_name=words.replace("\n", " ")[:150], sender_name=words[:150])
    content = pdf(card)
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") == 1
    assert glyphs(content) >= 5


def test_the_code_of_the_picture_is_the_bare_code(monkeypatch):
    """No address in it: an address that is opened lies in logs."""
    import segno

    made = []
    real = segno.make_qr

    def make(content, **more):
        made.append(content)
        return real(content, **more)

    monkeypatch.setattr(paper.segno, "make_qr", make)
    pdf(issue())
    assert made == [CODE.replace("-", "")]


def test_it_speaks_the_language_of_the_card():
    with override("fr"):
        assert printing.file_name(issue()).endswith(".pdf")


def test_a_font_that_cannot_be_read_keeps_no_card_back(settings, tmp_path):
    from oscar_loyalty.giftcards import checks

    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    for path in (broken, tmp_path / "missing.ttf"):
        settings.OSCAR_LOYALTY_PRINT_FONT = str(path)
        assert pdf(issue()).startswith(b"%PDF-")
        assert [found.id for found in checks.delivery(None)] == ["loyalty.E042"]
    settings.OSCAR_LOYALTY_PRINT_FONT = str(paper.OWN_FONT)
    settings.OSCAR_LOYALTY_GIFTCARD_DELIVERY_HOUR = 24
    assert [found.id for found in checks.delivery(None)] == ["loyalty.E041"]
