"""What staff upload is small, is what it says, and takes no more memory and time than its size."""

import time as real_time
import tracemalloc
from contextlib import contextmanager
from decimal import Decimal
from pathlib import PurePath
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from oscar_loyalty import clock
from oscar_loyalty.fields import localized
from oscar_loyalty.loading import get_model
from tests.attacks import files

MEGABYTE = 1024 * 1024
IMPORT = "loyalty-dashboard:loyalty-giftcards-import"


@contextmanager
def bounded(megabytes, seconds):
    """Within the block no more memory is taken, and no more of the processor's time."""
    tracemalloc.start()
    began = real_time.process_time()
    try:
        yield
        used, took = tracemalloc.get_traced_memory()[1] / MEGABYTE, real_time.process_time() - began
    finally:
        tracemalloc.stop()
    assert used < megabytes, f"{used:.0f} MB"
    assert took < seconds, f"{took:.1f} s"


@pytest.fixture
def boss(programme, client, django_user_model):
    boss = django_user_model.objects.create_superuser(username="boss", email="boss@example.com", password="petale")
    client.force_login(boss)
    return boss


def bring(client, upload):
    data = {"name": "Cards", "file": upload, "tax_kind": "multi", "token": uuid4().hex}
    return client.post(reverse(IMPORT), data)


def errors(response, field):
    assert response.status_code == 200
    assert not get_model("loyalty_giftcards", "GiftCardBatch").objects.exists()
    return " ".join(response.context["form"].errors.get(field, []))


def text_file(text, name="cards.csv"):
    return SimpleUploadedFile(name, text.encode())


BOMBS = {
    "unpacked": (lambda: files.workbook(f'{files.HEAD}<row r="2"><c r="A2"><v>{"1" * 53_000_000}</v></c></row>')),
    "strings": (
        lambda: files.workbook(
            files.HEAD, strings=f'<sst xmlns="{files.SHEET}">{"<si><t>value</t></si>" * 3_000_000}</sst>'
        )
    ),
    "entities": (
        lambda: files.workbook(
            '<row r="1"><c r="A1" t="inlineStr"><is><t>&f;</t></is></c></row>',
            before='<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
            + "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcde", "bcdef", strict=True))
            + "]>",
        )
    ),
    "another file": (
        lambda: files.workbook(
            '<row r="1"><c r="A1" t="inlineStr"><is><t>&x;</t></is></c></row>',
            before='<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        )
    ),
    "says it is wide": (
        lambda: files.workbook(
            f'{files.HEAD}<row r="900000"><c r="A900000" t="s"><v>0</v></c></row>', dimension="A1:XFD1048576"
        )
    ),
    "a row far away": (lambda: files.workbook(f'{files.HEAD}<row r="4000000000"><c r="A9" t="s"><v>0</v></c></row>')),
    "a wide row": (
        lambda: files.workbook(
            "".join(f'<row r="{n}"><c r="XFD{n}"><v>{n}</v></c></row>' for n in range(1, 2000)), dimension="A1:A1"
        )
    ),
    "many columns": (lambda: text_file("," * 1_000_000 + "\n" + "1\n" * 1000)),
    "a line without an end": (lambda: text_file("value" * 400_000)),
    "quotes": (lambda: text_file("value\n" + '"x\n' * 60_000)),
    "lines": (lambda: text_file("value\n" + "x\n" * 20_000)),
    "cards": (lambda: text_file("value\n" + "1\n" * 20_000)),
    "no archive": (lambda: SimpleUploadedFile("cards.xlsx", b"PK\x03\x04" + b"\x00" * 1000)),
    "too large": (lambda: SimpleUploadedFile("cards.csv", b"1" * (5 * MEGABYTE + 1))),
    "within a path": (lambda: SimpleUploadedFile("../../../../etc/cards.xlsx", b"value\n1\n")),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_no_table_is_a_bomb(kind, client, boss):
    upload = BOMBS[kind]()
    with bounded(megabytes=120, seconds=20):
        response = bring(client, upload)
    found = errors(response, "file") + errors(response, "column_value")
    assert found, "nothing is said at the field"
    assert "root:" not in response.content.decode()


def test_a_wide_coloured_row_is_still_a_table(client, boss):
    cells = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="XFD1"/></row><row r="2"><c r="A2"><v>20</v></c></row>'
    assert bring(client, files.workbook(cells, dimension="A1:XFD2")).status_code == 302
    assert get_model("loyalty_giftcards", "GiftCardBatch").objects.get().number == 1


def test_what_is_refused_can_be_kept(client, boss):
    response = bring(client, text_file("value,note\n20,well\n" + "\n" * 400 + "x\x00y,n\x00o\n"))
    assert response.status_code == 302
    batch = get_model("loyalty_giftcards", "GiftCardBatch").objects.get()
    assert (batch.number, batch.refused[0]["cells"]) == (1, ["xy", "no"])


# A partner's codes


@pytest.fixture
def partner(programme):
    return get_model("loyalty_rewards", "Reward").objects.create(
        programme=programme, kind="partner", name=localized(en="Tea"), points=10, created_at=clock.now(), stock=0
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"A\x00B\n", "no text file"),
        (b"\xff\xfe\xfa", "no text file"),
        (b"A" * 1_000_001, "too big"),
        (b"\n".join(b"%d" % number for number in range(30_000)), "No more than"),
    ],
    ids=["zero", "bytes", "large", "many"],
)
def test_no_file_of_codes_is_a_bomb(content, says, client, boss, partner):
    url = reverse("loyalty-dashboard:loyalty-reward-codes", args=[partner.pk])
    with bounded(megabytes=60, seconds=10):
        response = client.post(url, {"file": SimpleUploadedFile("codes.csv", content)})
    assert says in " ".join(response.context["form"].errors["file"])
    assert not partner.codes.exists()


# Pictures


def paint(client, upload):
    url = reverse("loyalty-dashboard:loyalty-reward-create", args=["experience"])
    data = {
        "name_0": "Tea",
        "points": 10,
        "token": uuid4().hex,
        "picture": upload,
        "is_active": "on",
        "validity_days": 30,
    }
    return client.post(url, data)


def painted(response):
    assert response.status_code == 302, response.context["form"].errors
    return get_model("loyalty_rewards", "Reward").objects.get().picture


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "media")


PICTURES = {
    "points": (lambda: files.png(30_000, 30_000, data=b""), "valid image"),
    "points below Pillow's own limit": (lambda: files.png(13_000, 13_000, data=b""), "points"),
    "bytes": (lambda: SimpleUploadedFile("a.png", files.png().read() + b"\x00" * (9 * MEGABYTE)), "too large"),
    "svg": (lambda: SimpleUploadedFile("a.svg", files.SVG, content_type="image/svg+xml"), "valid image"),
    "svg as png": (lambda: SimpleUploadedFile("a.png", files.SVG, content_type="image/png"), "valid image"),
    "a program": (lambda: SimpleUploadedFile("a.eps", files.EPS), "JPEG"),
    "a program as png": (lambda: SimpleUploadedFile("a.png", files.EPS), "JPEG"),
    "a page": (lambda: SimpleUploadedFile("a.png", files.PAGE, content_type="image/png"), "valid image"),
    "nothing": (lambda: SimpleUploadedFile("a.png", b""), "empty"),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_no_picture_is_a_bomb(kind, client, boss):
    make, says = PICTURES[kind]
    upload = make()
    with bounded(megabytes=60, seconds=10):
        response = paint(client, upload)
    assert says in " ".join(response.context["form"].errors["picture"])
    assert not get_model("loyalty_rewards", "Reward").objects.exists()


@pytest.mark.parametrize(
    "name", ["../../../../evil.gif", "a.html", "a.gif.php", "évil \u202egif.exe", "a" * 300 + ".gif", ".gif", "CON"]
)
def test_a_picture_gets_a_name_of_ours(name, client, boss, settings):
    picture = painted(paint(client, SimpleUploadedFile(name, files.GIF + files.PAGE, content_type="text/html")))
    path = PurePath(picture.path)
    assert path.parent == PurePath(settings.MEDIA_ROOT) / "loyalty/rewards"
    assert path.suffix == ".gif"
    assert len(path.stem) == 32


def test_a_picture_that_is_one_is_kept(client, boss):
    picture = painted(paint(client, files.png(40, 30)))
    assert (picture.width, picture.height) == (40, 30)
    reward = get_model("loyalty_rewards", "Reward").objects.get()
    url = reverse("loyalty-dashboard:loyalty-reward", args=[reward.pk])
    response = client.post(
        url, {"name_0": "More tea", "points": 10, "validity_days": 30, "token": uuid4().hex, "is_active": "on"}
    )
    assert response.status_code == 302
    reward.refresh_from_db()
    assert reward.picture.name == picture.name
    assert reward.cost in (None, Decimal(0))
